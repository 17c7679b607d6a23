// The requirements of all our TLS clients: TLS 1.2, SNI, and a certificate that leads to a trusted
// authority and names the host (RFC 9525). Works on OpenSSL's objects, so that our streams
// (control/host/net) and Asio's (routeros) can use it.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace steer::tls {

struct X509Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;

// Requires at least TLS 1.2. Returns false if there is no memory.
[[nodiscard]] bool set_versions(SSL_CTX* context);
// Trusts only the authorities in `ca_file` (PEM; empty: the system's). Returns "", or why they
// cannot be read.
[[nodiscard]] std::string trust_authorities(SSL_CTX* context, const std::string& ca_file);
// The certificate must be for `host`, a name or an address; empty: for any host. Returns false if
// it is not a name, or there is no memory; then do not use the context.
[[nodiscard]] bool expect_host(SSL_CTX* context, const std::string& host);
// Sets the server name before the handshake (RFC 6066 3: no addresses).
void send_name(SSL* ssl, const std::string& host);
// After a failed handshake: the error of the certificate; empty: another error.
[[nodiscard]] std::string certificate_error(const SSL* ssl, const std::string& host);
// Whether the error is an untrusted authority.
[[nodiscard]] bool is_of_unknown_authority(const SSL* ssl);

// A chain in DER that another library received, the server's certificate first, as if this context
// had received it: X509_V_OK, or the error of the verification.
struct VerifiedChain {
    long error = X509_V_ERR_UNSPECIFIED;
    std::vector<X509Ptr> chain{};  // up to the authority
};
[[nodiscard]] VerifiedChain verify_chain(SSL_CTX* context, std::span<const std::string> chain);
// The two above, of such an error.
[[nodiscard]] std::string certificate_error(long verified, const std::string& host);
[[nodiscard]] bool is_of_unknown_authority(long verified);

}  // namespace steer::tls
