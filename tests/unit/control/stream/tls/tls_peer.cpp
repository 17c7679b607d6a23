#include "tls/tls_peer.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/wire.h"

namespace steer::test {
namespace {

template <class Write>
std::string to_pem(Write&& write) {
    const stream::BioPtr bio(BIO_new(BIO_s_mem()));
    write(bio.get());
    char* text = nullptr;
    const long n = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(n)};
}

stream::X509Ptr blank(EVP_PKEY* key, const std::string& name, long serial, long begins_s,
                      long ends_s) {
    stream::X509Ptr cert(X509_new());
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), begins_s);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), ends_s);
    X509_set_pubkey(cert.get(), key);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert.get()), NID_commonName, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
    return cert;
}

void extend(X509* cert, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

Authority::Authority() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")) {
    own_ = blank(key_.get(), "authority", serial_++, -7200, 864'000);
    X509_set_issuer_name(own_.get(), X509_get_subject_name(own_.get()));
    extend(own_.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(own_.get(), key_.get(), EVP_sha256());
}

Issued Authority::issue(const std::string& name, long begins_s, long ends_s) {
    const stream::KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const auto cert = blank(key.get(), name, serial_++, begins_s, ends_s);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(own_.get()));
    extend(cert.get(), NID_subject_alt_name, "DNS:" + name);
    X509_sign(cert.get(), key_.get(), EVP_sha256());
    return {to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert.get()); }), to_pem([&](BIO* bio) {
                PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

std::string Authority::pem() const {
    return to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, own_.get()); });
}

stream::TlsFiles files_of(const TempFolder& folder, const Issued& issued) {
    stream::TlsFiles files;
    files.cert = folder.write("server.pem", issued.cert);
    files.key = folder.write("server.key", issued.key);
    return files;
}

stream::SslContextPtr client_context(const Authority& authority) {
    stream::SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.certificate());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return context;
}

TlsPeer::TlsPeer(Peer peer, SSL_CTX* context, SSL_SESSION* resumed)
    : peer_(std::move(peer)), ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), peer_.fd());
    SSL_set_connect_state(ssl_.get());
    if (resumed != nullptr) SSL_set_session(ssl_.get(), resumed);
}

// As if it had ended TLS: else the library takes its session for a bad one.
TlsPeer::~TlsPeer() {
    if (ssl_ != nullptr) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

bool TlsPeer::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return true;
    const int error = SSL_get_error(ssl_.get(), result);
    failed = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE &&
             !(error == SSL_ERROR_SYSCALL && errno == ENOTCONN);
    return false;
}

bool TlsPeer::send_framed(const Bytes& message) {
    Bytes framed(2);
    dns::store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
    framed.insert(framed.end(), message.begin(), message.end());
    return SSL_write(ssl_.get(), framed.data(), static_cast<int>(framed.size())) ==
           static_cast<int>(framed.size());
}

bool TlsPeer::receive() {
    std::array<std::uint8_t, 16384> piece{};
    for (;;) {
        ERR_clear_error();
        const int n = SSL_read(ssl_.get(), piece.data(), piece.size());
        if (n <= 0) return SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_READ;
        in_.insert(in_.end(), piece.begin(), piece.begin() + n);
    }
}

std::optional<Bytes> TlsPeer::next_framed() {
    receive();
    if (in_.size() < 2) return std::nullopt;
    const std::size_t length = dns::load_be16(in_.data());
    if (in_.size() < 2 + length) return std::nullopt;
    const auto end = in_.begin() + 2 + static_cast<std::ptrdiff_t>(length);
    Bytes message(in_.begin() + 2, end);
    in_.erase(in_.begin(), end);
    return message;
}

std::string TlsPeer::server_name() const {
    const stream::X509Ptr cert(SSL_get1_peer_certificate(ssl_.get()));
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert.get()), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
}

}  // namespace steer::test
