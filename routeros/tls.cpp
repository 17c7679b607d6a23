#include "routeros/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cctype>
#include <stdexcept>

#include "routeros/server_trust.h"

namespace steer::routeros {

namespace asio = boost::asio;

namespace {

// "AB:cd:…" to "abcd…"; empty if it is not a SHA-256.
std::string plain_pin(const std::string& pin) {
    std::string hex;
    for (const char c : pin) {
        if (c == ':') continue;
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
        hex += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return hex.size() == 64 ? hex : std::string{};
}

// A refused certificate is only in the chain that was verified.
X509* certificate_of(const SSL* ssl) {
    if (X509* const accepted = SSL_get0_peer_certificate(ssl)) return accepted;
    const STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
    return chain != nullptr && sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : nullptr;
}

std::string fingerprint(const SSL* ssl) {
    const X509* const certificate = certificate_of(ssl);
    if (certificate == nullptr) return {};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const bool good = X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1;
    std::string hex;
    for (unsigned i = 0; good && i < size; ++i) {
        hex += "0123456789abcdef"[digest[i] >> 4];
        hex += "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

}  // namespace

std::string check_tls(const TlsConfig& config) {
    if (!config.enabled) return {};
    if (config.anonymous && (!config.ca_file.empty() || !config.pin_sha256.empty())) {
        return "anonymous TLS has no certificate that `ca` or `pin` could be compared with: leave "
               "out one of them";
    }
    if (!config.pin_sha256.empty() && plain_pin(config.pin_sha256).empty()) {
        return "`pin` is not a SHA-256 fingerprint (64 hexadecimal digits, colons allowed)";
    }
    try {
        make_tls_context(config, {});
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

namespace {

void show_certificate(SSL_CTX* context, const TlsConfig& config) {
    ERR_clear_error();
    const bool is_read =
        SSL_CTX_use_certificate_chain_file(context, config.certificate.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, config.key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (is_read) return;
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    throw std::runtime_error(
        "`certificate` " + config.certificate + " and `key` " + config.key +
        " cannot be used: " + (reason != nullptr ? reason : "they do not belong together"));
}

}  // namespace

asio::ssl::context make_tls_context(const TlsConfig& config, const std::string& host) {
    asio::ssl::context context{asio::ssl::context::tls_client};
    SSL_CTX* const raw = context.native_handle();
    if (!tls::set_versions(raw)) throw std::runtime_error("no memory for TLS");
    if (config.anonymous) {
        SSL_CTX_set_max_proto_version(raw, TLS1_2_VERSION);  // TLS 1.3 has no anonymous suites
        SSL_CTX_set_cipher_list(raw, "ADH:AECDH:@SECLEVEL=0");
        context.set_verify_mode(asio::ssl::verify_none);
    } else if (config.ca_file.empty() && !config.pin_sha256.empty()) {
        context.set_verify_mode(asio::ssl::verify_none);  // the pin is checked after the handshake
    } else {
        const std::string why = tls::trust_authorities(raw, config.ca_file);
        if (!why.empty()) {
            throw std::runtime_error((config.ca_file.empty()
                                          ? std::string("the system's authorities")
                                          : "`ca` file " + config.ca_file) +
                                     " cannot be used: " + why);
        }
        if (!tls::expect_host(raw, config.server_name.empty() ? host : config.server_name))
            throw std::runtime_error("no certificate can be verified for this host");
    }
    if (!config.certificate.empty()) show_certificate(raw, config);
    return context;
}

std::string pin_error(SSL* ssl, const TlsConfig& config) {
    if (config.pin_sha256.empty()) return {};
    const auto seen = fingerprint(ssl);
    if (seen == plain_pin(config.pin_sha256)) return {};
    return "its certificate is not the pinned one; its sha256 is " + seen;
}

std::string refused_certificate(SSL* ssl, const std::string& host) {
    const std::string why = tls::certificate_error(ssl, host);
    const std::string seen = why.empty() ? std::string() : fingerprint(ssl);
    if (seen.empty()) return why;
    return why + "; if the server shows this fingerprint, write 'tls: { pin: " + seen + " }'";
}

}  // namespace steer::routeros
