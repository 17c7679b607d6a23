// TLS to a router's api-ssl: who it has to be, and whether it is.
//
// By the system's authorities or `ca_file` (the certificate names the host), by the SHA-256 of the
// certificate (`pin_sha256`, also beside `ca_file`), or anonymous (a RouterOS without a certificate
// offers only ADH, TLS 1.2). Throws std::exception where it says so.
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
    std::string pin_sha256;  // of the certificate, hexadecimal: what RouterOS calls its fingerprint
    bool anonymous = false;
    bool operator==(const TlsConfig&) const = default;
};

// What is wrong with a TLS configuration that can be known without a router; empty if nothing.
std::string check_tls(const TlsConfig& tls);

// For connections to `host`. Throws if the authorities cannot be loaded.
boost::asio::ssl::context make_tls_context(const TlsConfig& tls, const std::string& host);
// After the handshake (before it: tls::send_name()): why it is not the router that was meant; empty if it is.
std::string pin_trouble(SSL* ssl, const TlsConfig& tls);

}  // namespace steer::routeros
