#include "control/api/http/http_access.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "control/host/net/openssl_ptr.h"
#include "control/host/net/tls_certificate.h"
#include "control/host/process/files_as.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::ops {
namespace {

constexpr unsigned kSite = 64;  // bits of an IPv6 address that one client has

struct Descriptor {
    explicit Descriptor(int number) : fd(number) {}
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int fd;
};

Error unusable(const config::HttpToken& token, const std::string& why) {
    return Error{
        "'token_file' " + token.token_file + " of token " + token.name + " " + why, {}, token.line};
}

// Changes when the file is written or replaced. Empty: there is none.
std::string stamp_of(const std::string& file) {
    const RootToRead files(file);
    struct stat found {};
    if (file.empty() || ::stat(file.c_str(), &found) != 0) return {};
    return std::to_string(found.st_ino) + " " + std::to_string(found.st_size) + " " +
           std::to_string(found.st_ctim.tv_sec) + "." + std::to_string(found.st_ctim.tv_nsec);
}

constexpr std::size_t kMarkBytes = 3;  // of a byte order mark

// The first line of the file, without a byte order mark.
Result<std::string> read_token(const config::HttpToken& token) {
    const RootToRead files(token.token_file);
    const Descriptor file(::open(token.token_file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat found {};
    if (file.fd < 0 || ::fstat(file.fd, &found) != 0)
        return unusable(token, "cannot be read: " + std::string(std::strerror(errno)));
    if (!S_ISREG(found.st_mode)) return unusable(token, "is not a file: name a file");
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return unusable(token,
                        "may be used by other users: run `chmod 600 " + token.token_file + "`");
    std::string text(kMostToken + kMarkBytes + 2, '\0');
    const ssize_t n = ::read(file.fd, text.data(), text.size());
    if (n < 0) return unusable(token, "cannot be read: " + std::string(std::strerror(errno)));
    text.resize(static_cast<std::size_t>(n));
    text = matchers::without_marks(text.substr(0, text.find('\n')));
    if (text.ends_with('\r')) text.pop_back();
    if (text.size() < kLeastToken || text.size() > kMostToken) {
        return unusable(token, "has a token of " + std::to_string(text.size()) +
                                   " bytes: expected 16 to 512, as `openssl rand -hex 32` makes");
    }
    const bool is_plain =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (!is_plain)
        return unusable(token,
                        "has a token with blanks or other special characters: use letters "
                        "and digits");
    return {boost::system::in_place_value, std::move(text)};
}

template <class Digest>
Digest digest_of(std::string_view text) {
    Digest digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return digest;
}

unsigned digit_of(char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

// `hex` has been checked (section_http.cpp).
template <class Digest>
Digest digest_from(std::string_view hex) {
    Digest digest{};
    for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i)
        digest[i] =
            static_cast<unsigned char>(digit_of(hex[2 * i]) << 4U | digit_of(hex[2 * i + 1]));
    return digest;
}

// The DNS names, mail addresses and URIs in subjectAltName.
std::vector<std::string> other_names_of(X509* certificate) {
    struct Free {
        void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
    };
    const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> out;
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI) continue;
        const ASN1_IA5STRING* const text = name->d.ia5;
        out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    return out;
}

// "dns1.example:9154" is "dns1.example", "[::1]:9154" is "::1".
std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        const bool is_whole =
            end != std::string_view::npos && (end + 1 == host.size() || host[end + 1] == ':');
        return is_whole ? host.substr(1, end - 1) : std::string_view{};
    }
    return host.substr(0, host.find(':'));
}

template <class Digest>
std::string text_of_digest(const Digest& digest) {
    return {digest.begin(), digest.end()};
}

}  // namespace

IpAddress site_of(const IpAddress& address) {
    return address.is_v4() ? address : matchers::Prefix::masked(address, kSite).address;
}

Result<HttpAccess> HttpAccess::load(const config::RpcServer& settings) {
    HttpAccess access;
    std::vector<Error> wrong;
    access.renew(settings, wrong);
    if (!wrong.empty()) return wrong.front();
    return {boost::system::in_place_value, std::move(access)};
}

void HttpAccess::renew(const config::RpcServer& settings, std::vector<Error>& wrong) {
    std::vector<Token> fresh;
    for (const config::HttpToken& token : settings.tokens) {
        Token one{digest_from<Digest>(token.hash),
                  {token.role, "token " + safe_text(token.name)},
                  token.token_file,
                  stamp_of(token.token_file)};
        if (token.hash.empty()) {
            const auto secret = read_token(token);
            const auto old = std::find_if(tokens_.begin(), tokens_.end(), [&](const Token& known) {
                return known.file == one.file && known.user.name == one.user.name;
            });
            if (secret) {
                one.digest = digest_of<Digest>(*secret);
            } else if (old == tokens_.end() || one.stamp.empty()) {
                wrong.push_back(secret.error());
                continue;
            } else {
                if (one.stamp != old->stamp) {
                    wrong.push_back(secret.error());
                    wrong.back().text += "; the old token stays in force";
                }
                one.digest = old->digest;
                one.stamp = old->stamp;
            }
        }
        one.user.secret = text_of_digest(one.digest);
        const auto same = std::ranges::find(fresh, one.digest, &Token::digest);
        if (same != fresh.end()) {
            wrong.push_back(Error{"token " + token.name + " has the secret of " + same->user.name +
                                      " and is refused: make another with `openssl rand -hex 32`",
                                  {},
                                  token.line});
            continue;
        }
        fresh.push_back(std::move(one));
    }
    tokens_ = std::move(fresh);
    certificates_ = settings.client_certificates;
    hosts_ = settings.hosts;
    origins_ = settings.origins;
}

bool HttpAccess::still_has(const HttpUser& user) const {
    if (user.secret.empty()) {
        return std::any_of(
            certificates_.begin(), certificates_.end(), [&](const config::HttpCertificate& row) {
                return row.role >= user.role &&
                       (row.subject.empty() || "certificate " + row.subject == user.name);
            });
    }
    return std::any_of(tokens_.begin(), tokens_.end(), [&](const Token& token) {
        return token.user.secret == user.secret && token.user.role >= user.role;
    });
}

std::optional<HttpUser> HttpAccess::find_token(std::string_view authorization) const {
    constexpr std::string_view kBearer = "bearer ";
    if (matchers::lowered(std::string(authorization.substr(0, kBearer.size()))) != kBearer)
        return std::nullopt;
    const auto secret = matchers::trimmed(authorization.substr(kBearer.size()));
    if (secret.empty() || secret.size() > kMostToken) return std::nullopt;
    const Digest digest = digest_of<Digest>(secret);
    const Token* found = nullptr;
    for (const Token& token : tokens_) {  // all of them, so that the time tells nothing
        if (CRYPTO_memcmp(token.digest.data(), digest.data(), digest.size()) == 0) found = &token;
    }
    return found != nullptr ? std::optional(found->user) : std::nullopt;
}

std::optional<HttpUser> HttpAccess::find_certificate(ssl_st* ssl) const {
    X509* const certificate = ssl != nullptr ? SSL_get0_peer_certificate(ssl) : nullptr;
    if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
    const std::string subject = stream::facts_of_peer(ssl).subject;
    const auto others = other_names_of(certificate);
    HttpUser user{.role = AccessRole::none, .name = "certificate " + subject};
    for (const config::HttpCertificate& row : certificates_) {
        const bool is_it = row.subject.empty()
                               ? std::find(others.begin(), others.end(), row.san) != others.end()
                               : row.subject == subject;
        if (is_it) user.role = std::max(user.role, row.role);
    }
    return user.role != AccessRole::none ? std::optional(std::move(user)) : std::nullopt;
}

// The table is bounded: without room the oldest entry is given up.
void HttpAccess::note_wrong_token(const IpAddress& client, Clock::time_point now) {
    const IpAddress site = site_of(client);
    if (wrong_.size() >= kMaxWatchedAddresses && !wrong_.contains(site)) {
        std::erase_if(wrong_,
                      [&](const auto& one) { return now - one.second.since >= kWrongTokensTime; });
        if (wrong_.size() >= kMaxWatchedAddresses) {
            wrong_.erase(std::min_element(
                wrong_.begin(), wrong_.end(),
                [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
        }
    }
    Wrong& wrong = wrong_[site];
    if (wrong.count == 0 || now - wrong.since >= kWrongTokensTime) wrong = {0, now};
    ++wrong.count;
}

bool HttpAccess::is_blocked(const IpAddress& client, Clock::time_point now) const {
    const auto at = wrong_.find(site_of(client));
    return at != wrong_.end() && at->second.count >= kMostWrongTokens &&
           now - at->second.since < kWrongTokensTime;
}

bool HttpAccess::accepts_host(std::string_view host) const {
    const auto name = matchers::lowered(std::string(without_port(host)));
    return IpAddress::parse(name).has_value() || name == "localhost" ||
           std::find(hosts_.begin(), hosts_.end(), name) != hosts_.end();
}

bool HttpAccess::accepts_origin(std::string_view origin, std::string_view own) const {
    const auto lower = matchers::lowered(std::string(origin));
    return lower == matchers::lowered(std::string(own)) ||
           std::find(origins_.begin(), origins_.end(), lower) != origins_.end();
}

}  // namespace steer::ops
