#include "routeros/server_trust.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

namespace steer::tls {
namespace {

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool is_for_another(long verified) {
    return verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

}  // namespace

bool set_versions(SSL_CTX* context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

std::string trust_authorities(SSL_CTX* context, const std::string& ca_file) {
    ERR_clear_error();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int done = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                     : SSL_CTX_load_verify_file(context, ca_file.c_str());
    if (done == 1) return {};
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason != nullptr ? reason : "it holds no certificate";
}

bool expect_host(SSL_CTX* context, const std::string& host) {
    X509_VERIFY_PARAM* const expected = SSL_CTX_get0_param(context);
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) == 1;
}

void send_name(SSL* ssl, const std::string& host) {
    if (is_address(host)) return;
    std::string name = host;  // the macro of that call casts as C does
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

bool is_of_unknown_authority(const SSL* ssl) {
    return is_of_unknown_authority(SSL_get_verify_result(ssl));
}

bool is_of_unknown_authority(long verified) {
    switch (verified) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // an authority of the same name has another key
            return true;
        default:
            return false;
    }
}

// As libssl does it in ssl_verify_cert_chain().
VerifiedChain verify_chain(SSL_CTX* context, std::span<const std::string> chain) {
    VerifiedChain out;
    std::vector<X509Ptr> shown;
    struct StackFree {
        void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
    };
    const std::unique_ptr<STACK_OF(X509), StackFree> others(sk_X509_new_null());
    for (const std::string& one : chain) {
        const auto* der = reinterpret_cast<const unsigned char*>(one.data());
        shown.emplace_back(d2i_X509(nullptr, &der, static_cast<long>(one.size())));
        if (shown.back() == nullptr || others == nullptr) return out;
        sk_X509_push(others.get(), shown.back().get());
    }
    struct CheckFree {
        void operator()(X509_STORE_CTX* check) const { X509_STORE_CTX_free(check); }
    };
    const std::unique_ptr<X509_STORE_CTX, CheckFree> check(X509_STORE_CTX_new());
    if (shown.empty() || check == nullptr ||
        X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context), shown.front().get(),
                            others.get()) != 1)
        return out;
    X509_STORE_CTX_set_default(check.get(), "ssl_server");
    X509_VERIFY_PARAM* const how = X509_STORE_CTX_get0_param(check.get());
    X509_VERIFY_PARAM_set_auth_level(how, SSL_CTX_get_security_level(context));
    X509_VERIFY_PARAM_set1(how, SSL_CTX_get0_param(context));
    const bool is_good = X509_verify_cert(check.get()) == 1;
    out.error = X509_STORE_CTX_get_error(check.get());
    if (!is_good && out.error == X509_V_OK) out.error = X509_V_ERR_UNSPECIFIED;
    const STACK_OF(X509)* const whole = is_good ? X509_STORE_CTX_get0_chain(check.get()) : nullptr;
    for (int i = 0; whole != nullptr && i < sk_X509_num(whole); ++i) {
        X509* const certificate = sk_X509_value(whole, i);
        X509_up_ref(certificate);
        out.chain.emplace_back(certificate);
    }
    return out;
}

std::string certificate_error(const SSL* ssl, const std::string& host) {
    const long verified = SSL_get_verify_result(ssl);
    // (Unverified certificates are judged as well.)
    if (verified == X509_V_OK || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return {};
    return certificate_error(verified, host);
}

std::string certificate_error(long verified, const std::string& host) {
    if (verified == X509_V_OK) return {};
    if (is_for_another(verified)) return "its certificate is not for " + host;
    return std::string("its certificate is not trusted: ") +
           X509_verify_cert_error_string(verified);
}

}  // namespace steer::tls
