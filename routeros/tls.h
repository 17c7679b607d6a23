// TLS to a router's api-ssl (and to the Redis of a fleet), and the check of its identity.
//
// The router is verified by the system's authorities or `ca_file` (the certificate names the host), by the SHA-256 of
// the certificate (`pin_sha256`, also together with `ca_file`), or not at all (anonymous: a RouterOS without a certificate
// offers only ADH, TLS 1.2). Functions throw std::exception as noted.
#pragma once

#include <string>

namespace boost::asio::ssl {
class context;
}
using SSL = struct ssl_st;

namespace steer::routeros {

struct TlsConfig {
    bool enabled = false;
    std::string ca_file;     // PEM; the certificate must be signed by it and name the host
    std::string pin_sha256;  // of the certificate, hexadecimal: the fingerprint in RouterOS
    bool anonymous = false;
    std::string server_name;       // that the certificate must name; empty: the host
    std::string certificate, key;  // PEM files that we show to the server; empty: none
    bool operator==(const TlsConfig&) const = default;
};

// The error of a TLS configuration that is visible without a router; empty: none.
std::string check_tls(const TlsConfig& tls);

// For connections to `host`. Throws if the authorities, or our certificate, cannot be loaded.
boost::asio::ssl::context make_tls_context(const TlsConfig& tls, const std::string& host);
// After the handshake (before it: tls::send_name()): why the peer is not the expected router; empty: it is.
std::string pin_trouble(SSL* ssl, const TlsConfig& tls);
// After a failed handshake: why the certificate was refused, and its fingerprint, as it is written for `pin`; empty: for
// another reason.
std::string refused_certificate(SSL* ssl, const std::string& host);

}  // namespace steer::routeros
