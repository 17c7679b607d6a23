#include "tls_certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace steer::routeros::test {

namespace {

template <class T, void (*Free)(T*)>
struct Deleter {
    void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509, X509_free>>;

template <class Write>
std::string to_pem(Write&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    std::string text(4096, '\0');
    const int size = BIO_read(bio, text.data(), static_cast<int>(text.size()));
    BIO_free(bio);
    text.resize(static_cast<std::size_t>(size));
    return text;
}

void extend(X509* cert, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

Certificate make_certificate(const std::string& subject_alt_name, long ends_in_s) {
    const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    const Cert cert{X509_new()};
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), ends_in_s);
    X509_set_pubkey(cert.get(), key.get());
    X509_NAME* name = X509_get_subject_name(cert.get());
    const std::string common_name = "router";
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    X509_set_issuer_name(cert.get(), name);
    extend(cert.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(cert.get(), NID_subject_alt_name, subject_alt_name);
    X509_sign(cert.get(), key.get(), EVP_sha256());

    Certificate made;
    made.certificate_pem = to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert.get()); });
    made.key_pem = to_pem([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    X509_digest(cert.get(), EVP_sha256(), digest.data(), &size);
    for (unsigned i = 0; i < size; ++i) {
        made.sha256 += "0123456789ABCDEF"[digest[i] >> 4];
        made.sha256 += "0123456789ABCDEF"[digest[i] & 15];
    }
    return made;
}

}  // namespace steer::routeros::test
