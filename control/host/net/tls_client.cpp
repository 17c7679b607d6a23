#include "control/host/net/tls_client.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>

#include "routeros/server_trust.h"

namespace steer::stream {
namespace {

// Each behind its length, as TLS has them on the wire (RFC 7301 3.1).
std::vector<unsigned char> wire_form(const std::vector<std::string>& protocols) {
    std::vector<unsigned char> wire;
    for (const std::string& protocol : protocols) {
        wire.push_back(static_cast<unsigned char>(protocol.size()));
        wire.insert(wire.end(), protocol.begin(), protocol.end());
    }
    return wire;
}

// SHA-256 of the SubjectPublicKeyInfo.
std::optional<TlsTrust::Pin> pin_of(X509* certificate) {
    unsigned char* der = nullptr;
    const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0) return std::nullopt;
    TlsTrust::Pin pin{};
    unsigned size = 0;
    const int done =
        EVP_Digest(der, static_cast<std::size_t>(length), pin.data(), &size, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    if (done != 1 || size != pin.size()) return std::nullopt;
    return pin;
}

std::string base64(const TlsTrust::Pin& pin) {
    std::array<unsigned char, 48> text{};
    const int length = EVP_EncodeBlock(text.data(), pin.data(), static_cast<int>(pin.size()));
    return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

// Without a check: what is not searched for cannot be found wrong later.
int believe(X509_STORE_CTX* chain, void* /*unused*/) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

}  // namespace

// Remaining connections hold the context; its tickets are no longer stored.
TlsClient::~TlsClient() {
    if (context_ != nullptr) SSL_CTX_set_app_data(context_.get(), nullptr);
}

Result<std::shared_ptr<TlsClient>> TlsClient::make(std::string host,
                                                   const std::vector<std::string>& protocols,
                                                   TlsTrust wanted) {
    std::shared_ptr<TlsClient> client(new TlsClient(std::move(host), std::move(wanted)));
    const TlsTrust& trust = client->trust_;
    client->context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = client->context_.get();
    if (context == nullptr || !tls::set_versions(context)) return Error{"no memory for TLS"};
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(
        context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_app_data(context, client.get());
    const std::vector<unsigned char> alpn = wire_form(protocols);
    SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned>(alpn.size()));
    if (!trust.verify) {
        SSL_CTX_set_cert_verify_callback(context, believe, nullptr);
        return client;
    }
    if (const auto why = tls::trust_authorities(context, trust.ca_file); !why.empty())
        return Error{
            (trust.ca_file.empty() ? "the system's authorities" : "'ca' " + trust.ca_file) +
            " cannot be read: " + why};
    if (!tls::expect_host(context, client->host_))
        return Error{"no certificate can be verified for this host"};
    return client;
}

SslPtr TlsClient::new_connection() {
    SslPtr ssl(SSL_new(context_.get()));
    if (ssl == nullptr) return nullptr;
    tls::send_name(ssl.get(), host_);
    if (session_ != nullptr) SSL_set_session(ssl.get(), session_.get());
    SSL_set_connect_state(ssl.get());
    return ssl;
}

// Receives a ticket; we own it if we return 1.
int TlsClient::keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* const self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (self == nullptr) return 0;
    self->session_.reset(session);
    return 1;
}

// A resumed session was checked at its start, and has no chain.
Result<void> TlsClient::check(SSL* ssl) {
    if (trust_.pins.empty() || SSL_session_reused(ssl) != 0) return {};
    std::vector<X509*> shown;
    if (trust_.verify) {
        STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
        for (int i = 0; i < sk_X509_num(chain); ++i)
            shown.push_back(sk_X509_value(chain, i));
    }
    if (!trust_.verify && SSL_get0_peer_certificate(ssl) != nullptr)
        shown.push_back(SSL_get0_peer_certificate(ssl));
    auto done = check_pins(shown);
    if (!done) session_.reset();
    return done;
}

Result<void> TlsClient::check_pins(std::span<X509* const> shown) const {
    if (trust_.pins.empty()) return {};
    std::string first;
    for (X509* const certificate : shown) {
        const auto pin = pin_of(certificate);
        if (!pin) continue;
        if (std::find(trust_.pins.begin(), trust_.pins.end(), *pin) != trust_.pins.end()) return {};
        if (first.empty()) first = base64(*pin);
    }
    return Error{"the key of its certificate matches none of 'pins'" +
                 (first.empty() ? std::string{} : ": it is " + first)};
}

Result<CertificateFacts> TlsClient::judge(std::span<const std::string> chain,
                                          std::string_view remedy) const {
    std::vector<tls::X509Ptr> verified;
    if (trust_.verify) {
        auto found = tls::verify_chain(context_.get(), chain);
        const std::string wrong = tls::certificate_error(found.error, host_);
        if (!wrong.empty()) {
            return Error{tls::is_of_unknown_authority(found.error)
                             ? wrong + "; set " + std::string(remedy)
                             : wrong};
        }
        verified = std::move(found.chain);
    } else if (!chain.empty()) {
        const auto* der = reinterpret_cast<const unsigned char*>(chain.front().data());
        tls::X509Ptr own(d2i_X509(nullptr, &der, static_cast<long>(chain.front().size())));
        if (own != nullptr) verified.push_back(std::move(own));
    }
    if (verified.empty()) return Error{"it shows no certificate"};
    std::vector<X509*> shown;
    shown.reserve(verified.size());
    for (const auto& one : verified)
        shown.push_back(one.get());
    if (auto done = check_pins(shown); !done) return done.error();
    return facts_of_certificate(verified.front().get());
}

bool TlsClient::is_refused(SSL* ssl) {
    return SSL_get_verify_result(ssl) != X509_V_OK;
}

std::string TlsClient::explain(SSL* ssl, const std::string& why, std::string_view remedy) const {
    std::string refused = tls::certificate_error(ssl, host_);
    if (refused.empty()) return why;
    return tls::is_of_unknown_authority(ssl) ? refused + "; set " + std::string(remedy) : refused;
}

}  // namespace steer::stream
