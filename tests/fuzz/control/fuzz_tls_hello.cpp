// What a client says before there is TLS, to the side of it that is ours: the name that it asks for, its protocols (ALPN)
// and its ticket, in OpenSSL's reading and with our callbacks. In two pieces, to a server of DoT and to one of DoH.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "../require.h"
#include "control/host/net/tls_server.h"
#include "dataplane/base/clock.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::stream;
namespace fs = std::filesystem;

namespace {

template <class Write>
void write_pem(const fs::path& file, Write&& write) {
    const BioPtr bio(BIO_new_file(file.c_str(), "w"));
    REQUIRE(bio != nullptr && write(bio.get()) == 1);
}

X509Ptr certificate_of(EVP_PKEY* key) {
    X509Ptr cert(X509_new());
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), 864'000);
    X509_set_pubkey(cert.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("dns.example"), -1, -1, 0);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
    REQUIRE(X509_sign(cert.get(), key, EVP_sha256()) > 0);
    return cert;
}

// A certificate of our own making, read as a server reads its own.
void load(TlsServer& server) {
    const test::TempFolder folder;
    const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const X509Ptr cert = certificate_of(key.get());
    const TlsFiles files{folder / "server.pem", folder / "server.key", {}, false};
    write_pem(files.cert, [&](BIO* to) { return PEM_write_bio_X509(to, cert.get()); });
    write_pem(files.key, [&](BIO* to) {
        return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    REQUIRE(server.load(files).has_value());
}

const TlsServer& server_of(const std::vector<std::string>& protocols) {
    static auto& clock = *new BootClock;
    auto& server = *new TlsServer(protocols, clock);
    load(server);
    return server;
}

void hear(const TlsServer& server, std::string_view protocol, const std::uint8_t* data,
          std::size_t size) {
    const SslPtr ssl = server.accept();
    REQUIRE(ssl != nullptr);
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl.get(), in, out);
    const std::array pieces{size / 2, size - size / 2};
    for (const std::size_t piece : pieces) {
        if (piece > 0) BIO_write(in, data, static_cast<int>(piece));
        data += piece;
        ERR_clear_error();
        REQUIRE(SSL_do_handshake(ssl.get()) != 1);  // the client cannot know the keys
    }
    if (const char* const name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name))
        REQUIRE(std::string_view(name).size() <= 255);
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl.get(), &chosen, &length);
    REQUIRE(length == 0 ||
            std::string_view(reinterpret_cast<const char*>(chosen), length) == protocol);
    ERR_clear_error();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const TlsServer& dot = server_of({"dot"});
    static const TlsServer& doh = server_of({"h2"});
    if (size > 64 * 1024) return 0;
    hear(dot, "dot", data, size);
    hear(doh, "h2", data, size);
    return 0;
}
