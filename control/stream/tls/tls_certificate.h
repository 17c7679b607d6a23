// A server's certificate as its files have it: read, and found to be one that clients can be shown.
//
// What is wrong is a sentence that names the file and says what the operator can do. A certificate
// whose time is over, or has not come, is no error: clients that do not look still get answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/stream/tls/openssl_ptr.h"
#include "matchers/result.h"

namespace steer::stream {

struct TlsFiles {
    std::string cert, key;  // PEM; `cert`: the server's own first, then those that signed it
    std::string client_ca;  // PEM; empty: clients are not asked for a certificate
    bool require_client_cert = false;
    bool operator==(const TlsFiles&) const = default;
};

// What people want to know of one that is in use. Seconds since 1970, UTC.
struct CertificateFacts {
    std::string file;
    std::string subject;
    std::int64_t begins_s = 0, ends_s = 0;
};

struct Certificate {
    X509Ptr own;
    ChainPtr chain;  // those that signed it, as the file has them
    KeyPtr key;
    ChainPtr client_cas;  // nullptr: none
    CertificateFacts facts;
};

// Blocks for as long as the files take.
Result<Certificate> read_certificate(const TlsFiles& files);
// Of the certificate that the peer of this connection has shown; its ends_s is 0: it has shown none.
CertificateFacts facts_of_peer(SSL* ssl);
// What is wrong with its time at `now_s`; empty: nothing.
std::string trouble_with_time(const CertificateFacts& facts, std::int64_t now_s);

}  // namespace steer::stream
