// TLS to a router's api-ssl (and to the Redis of a fleet), and the check of its identity.
//
// The router is verified by the system's authorities or `ca_file` (the certificate must name the
// host), or by the SHA-256 of the certificate (`pin_sha256`, also together with `ca_file`). Or it
// is not verified (anonymous: a RouterOS without a certificate offers only ADH, TLS 1.2). Functions
// throw std::exception as noted.
#pragma once

#include <string>

namespace boost::asio::ssl {
class context;
}
using SSL = struct ssl_st;

namespace steer::routeros {

struct TlsConfig {
    bool enabled = false;
    std::string ca_file;     // PEM; must have signed the certificate, which must name the host
    std::string pin_sha256;  // of the certificate, hexadecimal: the fingerprint in RouterOS
    bool anonymous = false;
    std::string server_name;       // required name in the certificate; empty: the host
    std::string certificate, key;  // PEM files for the server; empty: none
    bool operator==(const TlsConfig&) const = default;
};

// An error in a TLS configuration that needs no router to be found; empty: none.
std::string check_tls(const TlsConfig& tls);

// The context for connections to `host`. Throws if the authorities, or our certificate, cannot be
// loaded.
boost::asio::ssl::context make_tls_context(const TlsConfig& tls, const std::string& host);
// Call it after the handshake (call tls::send_name() before). Returns why the peer is not the
// expected router; empty: it is.
std::string pin_error(SSL* ssl, const TlsConfig& tls);
// Call it after a failed handshake. Returns why the certificate was refused, and its fingerprint in
// the form of `pin`; empty: another reason.
std::string refused_certificate(SSL* ssl, const std::string& host);

}  // namespace steer::routeros
