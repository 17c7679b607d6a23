// What every TLS client of ours asks of a server: TLS 1.2, a certificate that leads to an authority and names the host
// (RFC 9525), SNI. On OpenSSL's objects, so that it fits what drives them: our own streams (control/stream/tls) and
// Asio's (routeros).
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace steer::tls {

// TLS 1.2 at least. False: no memory.
[[nodiscard]] bool set_versions(SSL_CTX* context);
// Verifies, by the authorities of `ca_file` (PEM; empty: the system's) and no others. Empty, or why they cannot be read.
[[nodiscard]] std::string trust_authorities(SSL_CTX* context, const std::string& ca_file);
// The certificate has to be for `host`, a name or an address; empty: for anybody. False: it is no name, or there is no
// memory; then the context must not be used.
[[nodiscard]] bool expect_host(SSL_CTX* context, const std::string& host);
// Before the handshake: the name that is asked for (RFC 6066 3: no addresses).
void send_name(SSL* ssl, const std::string& host);
// After a handshake that failed: what is wrong with the certificate; empty: it was something else.
[[nodiscard]] std::string certificate_trouble(const SSL* ssl, const std::string& host);
// Whether that is its authority, which is none of those that are trusted.
[[nodiscard]] bool is_of_unknown_authority(const SSL* ssl);

}  // namespace steer::tls
