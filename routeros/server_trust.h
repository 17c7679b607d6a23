// The requirements of all our TLS clients: TLS 1.2, SNI, and a certificate that leads to a trusted
// authority and names the host (RFC 9525). Works on OpenSSL's objects, so that our streams
// (control/host/net) and Asio's (routeros) can use it.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace steer::tls {

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

}  // namespace steer::tls
