#include "control/host/net/tls_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>

#include "control/host/process/files_as.h"
#include "control/host/process/regular_file.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::stream {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;  // of a PEM file

std::string openssl_reason() {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason != nullptr ? reason : "not valid";
}

Result<std::string> read_pem(const std::string& what, const std::string& file) {
    const auto cannot = [&](const std::string& why) {
        return Error{what + " " + file + " cannot be read: " + why};
    };
    const RootToRead files(file);
    const auto text = read_regular(file, kMaxBytes);
    if (!text) return cannot(text.error().text);
    if (!*text) return cannot(std::strerror(ENOENT));
    // Behind a byte order mark, OpenSSL finds no first line.
    return {boost::system::in_place_value, std::string(matchers::without_marks(**text))};
}

BioPtr bio_of(const std::string& text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace

Result<ChainPtr> read_chain(const std::string& what, const std::string& file) {
    const auto text = read_pem(what, file);
    if (!text) return text.error();
    const BioPtr bio = bio_of(*text);
    ChainPtr chain(sk_X509_new_null());
    ERR_clear_error();
    while (X509* const one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
        sk_X509_push(chain.get(), one);
    const unsigned long end = ERR_peek_last_error();
    const bool at_end =
        ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE;
    const int count = sk_X509_num(chain.get());
    if (count == 0 && at_end)
        return Error{what + " " + file +
                     " contains no certificate: it must be a PEM file (BEGIN CERTIFICATE)"};
    if (!at_end) {
        return Error{what + " " + file + " cannot be understood: its certificate number " +
                     std::to_string(count + 1) + " is damaged (" + openssl_reason() + ")"};
    }
    ERR_clear_error();
    return chain;
}

namespace {

int no_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Result<KeyPtr> read_key(const std::string& file) {
    const auto text = read_pem("key", file);
    if (!text) return text.error();
    const BioPtr bio = bio_of(*text);
    bool asked = false;
    ERR_clear_error();
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked));
    if (key != nullptr) return key;
    if (asked) {
        return Error{
            "key " + file +
            " is encrypted, and steerdnsd cannot ask for its password; write it without one "
            "(openssl pkey -in OLD -out NEW), readable by its owner only"};
    }
    return Error{"key " + file +
                 " contains no private key: it must be a PEM file (BEGIN PRIVATE KEY)"};
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm utc{};
    if (ASN1_TIME_to_tm(time, &utc) != 1) return 0;
    return ::timegm(&utc);
}

std::string date_of(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm utc{};
    ::gmtime_r(&time, &utc);
    char text[32];
    const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
    return {text, n};
}

std::string subject_of(X509* certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* text = nullptr;
    const long n = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(n)};
}

Error mismatch(const TlsFiles& files, const ChainPtr& chain, EVP_PKEY* key) {
    std::string advice = "; give the key that the certificate was made with";
    for (int i = 0; i < sk_X509_num(chain.get()); ++i) {
        if (X509_check_private_key(sk_X509_value(chain.get(), i), key) == 1)
            advice =
                ": the key belongs to a later certificate in the file; move that one to the front";
    }
    ERR_clear_error();
    return Error{"key " + files.key + " does not match the certificate " + files.cert + advice};
}

}  // namespace

Result<Certificate> read_certificate(const TlsFiles& files) {
    Certificate out;
    auto chain = read_chain("certificate", files.cert);
    if (!chain) return chain.error();
    auto key = read_key(files.key);
    if (!key) return key.error();
    out.own.reset(sk_X509_shift(chain->get()));
    if (X509_check_private_key(out.own.get(), key->get()) != 1)
        return mismatch(files, *chain, key->get());
    out.chain = std::move(*chain);
    out.key = std::move(*key);
    if (!files.client_ca.empty()) {
        auto cas = read_chain("client_ca", files.client_ca);
        if (!cas) return cas.error();
        out.client_cas = std::move(*cas);
    }
    out.facts = {files.cert, subject_of(out.own.get()),
                 seconds_of(X509_get0_notBefore(out.own.get())),
                 seconds_of(X509_get0_notAfter(out.own.get())), sha256_of(out.own.get())};
    return out;
}

std::string sha256_of(X509* certificate) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    std::string text;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return text;
    for (unsigned i = 0; i < length; ++i) {
        if (i > 0) text += ':';
        text += kDigits[digest[i] >> 4U];
        text += kDigits[digest[i] & 15U];
    }
    return text;
}

CertificateFacts facts_of_peer(SSL* ssl) {
    X509* const certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) return {};
    return facts_of_certificate(certificate);
}

CertificateFacts facts_of_certificate(X509* certificate) {
    return {.file = {},
            .subject = safe_text(subject_of(certificate)),
            .begins_s = seconds_of(X509_get0_notBefore(certificate)),
            .ends_s = seconds_of(X509_get0_notAfter(certificate))};
}

std::string validity_error(const CertificateFacts& facts, std::int64_t now_s) {
    if (now_s > facts.ends_s) {
        return "certificate " + facts.file + " expired on " + date_of(facts.ends_s) +
               ": clients that verify it refuse to connect; renew it";
    }
    if (now_s < facts.begins_s) {
        return "certificate " + facts.file + " is valid from " + date_of(facts.begins_s) +
               ": clients that verify it refuse to connect until then; check this machine's clock";
    }
    return {};
}

}  // namespace steer::stream
