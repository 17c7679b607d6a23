// Owning pointers for OpenSSL's objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace steer::stream {

template <class T, void (*Free)(T*)>
struct OpensslFree {
    void operator()(T* object) const { Free(object); }
};
inline void free_bio(BIO* bio) {
    BIO_free(bio);
}
inline void free_chain(STACK_OF(X509) * chain) {
    sk_X509_pop_free(chain, X509_free);
}

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO, free_bio>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY, EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509, X509_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), OpensslFree<STACK_OF(X509), free_chain>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX, SSL_CTX_free>>;

}  // namespace steer::stream
