#include "tools/rossim/tls_context.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace rossim {
namespace {

template <class T, void (*Free)(T*)>
struct Freer {
    void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION, X509_EXTENSION_free>>;

void require(bool ok, const std::string& what) {
    if (!ok) throw std::runtime_error("TLS: " + what);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
            "cannot make the certificate extension " + value);
}

Certificate make_certificate(EVP_PKEY* key, const std::string& address) {
    Certificate certificate(X509_new());
    require(certificate != nullptr, "out of memory");
    X509* const x = certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 365L * 86400);
    X509_set_pubkey(x, key);
    X509_NAME* const name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_NID(
        name, NID_commonName, MBSTRING_ASC,
        std::basic_string<unsigned char>(address.begin(), address.end()).data(),
        static_cast<int>(address.size()), -1, 0);
    X509_set_issuer_name(x, name);
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1,IP:" + address);
    require(X509_sign(x, key, EVP_sha256()) > 0, "cannot sign the certificate");
    return certificate;
}

void write_certificate(X509* certificate, const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    require(file != nullptr, "cannot write the certificate to " + path);
    PEM_write_X509(file, certificate);
    std::fclose(file);
}

void use_anonymous(SSL_CTX* context) {
    require(SSL_CTX_set_cipher_list(context, "ADH:@SECLEVEL=0") == 1,
            "this OpenSSL has no anonymous DH ciphers");
    SSL_CTX_set_dh_auto(context, 1);
}

void use_files(boost::asio::ssl::context& context, const TlsSettings& settings) {
    boost::system::error_code error;
    context.use_certificate_chain_file(settings.certificate_file, error);
    require(!error,
            "cannot use the certificate " + settings.certificate_file + ": " + error.message());
    context.use_private_key_file(settings.key_file, boost::asio::ssl::context::pem, error);
    require(!error, "cannot use the key " + settings.key_file + ": " + error.message());
}

void use_self_signed(SSL_CTX* context, const std::string& address) {
    const Key key(EVP_EC_gen("P-256"));
    require(key != nullptr, "cannot make a key");
    const Certificate certificate = make_certificate(key.get(), address);
    require(SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
                SSL_CTX_use_PrivateKey(context, key.get()) == 1,
            "cannot use the self-signed certificate");
}

}  // namespace

boost::asio::ssl::context make_tls_context(const TlsSettings& settings,
                                           const std::string& address) {
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    SSL_CTX* const native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(native, TLS1_2_VERSION);  // RouterOS has no later one
    if (settings.anonymous) {
        use_anonymous(native);
    } else if (!settings.certificate_file.empty()) {
        use_files(context, settings);
    } else {
        use_self_signed(native, address);
    }
    X509* const certificate = SSL_CTX_get0_certificate(native);
    if (!settings.write_certificate_file.empty() && certificate != nullptr) {
        write_certificate(certificate, settings.write_certificate_file);
    }
    return context;
}

}  // namespace rossim
