// A server's certificate from its files: read and checked.
//
// An error is a sentence that names the file and what the operator must do. An expired or not yet
// valid certificate is not an error: clients that do not verify still get answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/host/net/openssl_ptr.h"
#include "matchers/result.h"

namespace steer::stream {

struct TlsFiles {
    std::string cert, key;  // PEM; `cert`: the server's certificate first, then its issuers
    std::string client_ca;  // PEM; empty: no client certificates are requested
    bool require_client_cert = false;
    bool operator==(const TlsFiles&) const = default;
};

// Facts about a certificate in use. Seconds since 1970, UTC.
struct CertificateFacts {
    std::string file;
    std::string subject;
    std::int64_t begins_s = 0, ends_s = 0;
    std::string sha256 = {};  // fingerprint, "AB:CD:…", as browsers show it; of a peer's: empty
};

struct Certificate {
    X509Ptr own;
    ChainPtr chain;  // its issuers, in the file's order
    KeyPtr key;
    ChainPtr client_cas;  // nullptr: none
    CertificateFacts facts;
};

// Blocks while it reads the files.
Result<Certificate> read_certificate(const TlsFiles& files);
// Every certificate of a PEM file, one at least; `what` names it in errors ("client_ca"). Blocks.
Result<ChainPtr> read_chain(const std::string& what, const std::string& file);
// "AB:CD:…", 32 bytes.
std::string sha256_of(X509* certificate);
// Facts about the peer's certificate; ends_s is 0 if there is none.
CertificateFacts facts_of_peer(SSL* ssl);
CertificateFacts facts_of_certificate(X509* certificate);  // without its file
// The error of its validity period at `now_s`; empty: it is valid.
std::string validity_error(const CertificateFacts& facts, std::int64_t now_s);

}  // namespace steer::stream
