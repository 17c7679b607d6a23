#include "control/host/net/own_certificate.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "control/host/net/certificate_pem.h"
#include "control/host/process/files_as.h"
#include "control/host/process/new_file.h"

namespace steer::stream {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr long kVersion3 = 2;

// "DNS:dns1.example,IP:192.0.2.1", as X509V3_EXT_conf_nid() reads it. Names have been checked; a
// comma would begin another one.
std::string alternative_names(const CertificateNames& names) {
    std::string text;
    const auto add = [&](const std::string& kind, const std::string& name) {
        const std::string one = kind + name;
        if (name.empty() || name.find_first_of(", ") != std::string::npos) return;
        if (("," + text + ",").find("," + one + ",") != std::string::npos) return;
        text.append(text.empty() ? "" : ",").append(one);
    };
    for (const std::string& name : names.names)
        add("DNS:", name);
    for (const IpAddress& address : names.addresses)
        add("IP:", address.to_string());
    return text;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (made == nullptr) return false;
    const bool added = X509_add_ext(certificate, made, -1) == 1;
    X509_EXTENSION_free(made);
    return added;
}

bool set_serial(X509* certificate) {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7FU) | 1U);  // positive, and not 0
    BIGNUM* const number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
    const bool done = number != nullptr &&
                      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
    BN_free(number);
    return done;
}

bool set_names(X509* certificate, const CertificateNames& names) {
    X509_NAME* const subject = X509_get_subject_name(certificate);
    const auto add = [&](const char* field, const std::string& text) {
        return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                          reinterpret_cast<const unsigned char*>(text.c_str()), -1,
                                          -1, 0) == 1;
    };
    constexpr std::size_t kMostCommonName = 64;  // RFC 5280, upper bounds
    const std::string name = names.names.empty() ? "steerdns" : names.names.front();
    return add("O", "SteerDNS") && add("CN", name.substr(0, kMostCommonName)) &&
           X509_set_issuer_name(certificate, subject) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const CertificateNames& names, std::int64_t now_s) {
    // A day earlier: clocks of clients differ.
    return X509_set_version(certificate, kVersion3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), now_s - kDayS) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), now_s - kDayS + kOwnLifeS) != nullptr &&
           set_names(certificate, names) && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, alternative_names(names)) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string missing_name(X509* certificate, const CertificateNames& wanted) {
    for (const std::string& name : wanted.names) {
        if (X509_check_host(certificate, name.c_str(), name.size(), 0, nullptr) != 1) return name;
    }
    for (const IpAddress& address : wanted.addresses) {
        std::string text = address.to_string();
        if (X509_check_ip_asc(certificate, text.c_str(), 0) != 1) return text;
    }
    return {};
}

// Empty: the certificate stays.
std::string why_renewed(const Result<Certificate>& present, const CertificateNames& wanted,
                        std::int64_t now_s) {
    if (!present) return present.error().text;
    const CertificateFacts& facts = present->facts;
    if (facts.ends_s - now_s < kOwnRenewalS)
        return facts.ends_s < now_s
                   ? "it has expired"
                   : "it expires in " + std::to_string((facts.ends_s - now_s) / kDayS) + " days";
    if (facts.begins_s > now_s) return "it is not valid yet: the clock was ahead";
    const std::string missing = missing_name(present->own.get(), wanted);
    return missing.empty() ? "" : "it lacks " + missing;
}

// Empty: it is kept.
std::string why_not_kept(const std::string& path, const Certificate& certificate) {
    make_private_folder(std::filesystem::path(path).parent_path());
    NewFile::remove_left(path);
    CertificatePem pem = pem_of(certificate);
    NewFile file(path);
    file.write(pem.key);
    file.write(pem.chain);
    OPENSSL_cleanse(pem.key.data(), pem.key.size());
    return file.replace(NewFile::kForOwner) ? "" : file.failure().text;
}

}  // namespace

TlsFiles own_certificate_files(const std::string& folder, const std::string& client_ca) {
    const std::string file = folder + "/own.pem";
    return {.cert = file, .key = file, .client_ca = client_ca};
}

Result<Certificate> make_own_certificate(const CertificateNames& names, std::int64_t now_s) {
    Certificate out;
    ERR_clear_error();
    out.key.reset(EVP_EC_gen("P-256"));
    out.own.reset(X509_new());
    out.chain.reset(sk_X509_new_null());
    if (out.key == nullptr || out.own == nullptr || out.chain == nullptr ||
        !fill(out.own.get(), out.key.get(), names, now_s)) {
        const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
        ERR_clear_error();
        return Error{"a certificate cannot be made: " +
                     std::string(reason != nullptr ? reason : "no memory")};
    }
    out.facts = facts_of_certificate(out.own.get());
    out.facts.sha256 = sha256_of(out.own.get());
    return out;
}

Result<OwnCertificate> keep_own_certificate(const TlsFiles& files, const CertificateNames& wanted,
                                            const CertificateNames& all, std::int64_t now_s) {
    OwnCertificate out;
    const FilesAs own_files(owner_below_root(files.cert));
    std::error_code ignored;
    if (std::filesystem::exists(files.cert, ignored)) {
        auto present = read_certificate({.cert = files.cert, .key = files.key});
        out.renewed = why_renewed(present, wanted, now_s);
        if (out.renewed.empty()) out.certificate = std::move(*present);
    } else {
        out.renewed = "there was none";
    }
    if (!out.renewed.empty()) {
        auto made = make_own_certificate(all, now_s);
        if (!made) return made.error();
        out.certificate = std::move(*made);
        out.certificate.facts.file = files.cert;
        out.problem = why_not_kept(files.cert, out.certificate);
    }
    if (!files.client_ca.empty()) {
        auto cas = read_chain("client_ca", files.client_ca);
        if (!cas) return cas.error();
        out.certificate.client_cas = std::move(*cas);
    }
    return out;
}

}  // namespace steer::stream
