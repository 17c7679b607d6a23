#include "control/host/net/certificate_pem.h"

#include <openssl/pem.h>

#include "control/host/net/openssl_ptr.h"

namespace steer::stream {
namespace {

// What `write` puts into a BIO.
template <class Write>
std::string text_of(Write write) {
    const BioPtr bio(BIO_new(BIO_s_secmem()));
    if (bio == nullptr) return {};
    write(bio.get());
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &data);
    return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

void write_all(BIO* bio, STACK_OF(X509) * certificates) {
    for (int i = 0; i < sk_X509_num(certificates); ++i)
        PEM_write_bio_X509(bio, sk_X509_value(certificates, i));
}

}  // namespace

CertificatePem pem_of(const Certificate& certificate) {
    CertificatePem pem;
    pem.chain = text_of([&](BIO* bio) {
        PEM_write_bio_X509(bio, certificate.own.get());
        if (certificate.chain != nullptr) write_all(bio, certificate.chain.get());
    });
    pem.key = text_of([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, certificate.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    if (certificate.client_cas != nullptr)
        pem.client_cas = text_of([&](BIO* bio) { write_all(bio, certificate.client_cas.get()); });
    return pem;
}

}  // namespace steer::stream
