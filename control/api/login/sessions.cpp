#include "control/api/login/sessions.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>

namespace steer::ops {
namespace {

constexpr std::size_t kSecretBytes = 32;

// RFC 4648 5, without padding.
std::string base64url(const std::array<unsigned char, kSecretBytes>& bytes) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    unsigned bits = 0, held = 0;
    for (const unsigned char byte : bytes) {
        bits = bits << 8U | byte;
        for (held += 8; held >= 6; held -= 6)
            text += kLetters[bits >> (held - 6) & 63U];
    }
    if (held > 0) text += kLetters[bits << (6 - held) & 63U];
    return text;
}

PageSession::Digest digest_of_secret(std::string_view secret) {
    PageSession::Digest digest{};
    unsigned length = 0;
    EVP_Digest(secret.data(), secret.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return digest;
}

bool is_same(const PageSession::Digest& one, const PageSession::Digest& other) {
    return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool is_over(std::uint64_t began_ms, std::uint64_t life_ms, std::uint64_t now_ms) {
    return now_ms >= began_ms + life_ms;
}

}  // namespace

std::string new_session_secret() {
    std::array<unsigned char, kSecretBytes> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    return base64url(bytes);
}

void Sessions::forget_old(std::uint64_t now_ms) {
    std::erase_if(sessions_, [&](const PageSession& one) {
        return is_over(one.began_ms, kSessionMs, now_ms);
    });
    std::erase_if(links_, [&](const Link& one) { return is_over(one.began_ms, kLinkMs, now_ms); });
}

std::string Sessions::begin(const IpAddress& from, std::string_view by, std::uint64_t now_ms) {
    std::string secret = new_session_secret();
    if (secret.empty()) return {};
    forget_old(now_ms);
    if (sessions_.size() >= kMostSessions)
        sessions_.erase(std::ranges::min_element(sessions_, {}, &PageSession::used_ms));
    sessions_.push_back({.digest = digest_of_secret(secret),
                         .number = ++last_,
                         .from = from,
                         .by = by,
                         .began_ms = now_ms,
                         .used_ms = now_ms});
    return secret;
}

const PageSession* Sessions::use(std::string_view secret, std::uint64_t now_ms) {
    forget_old(now_ms);
    const PageSession::Digest digest = digest_of_secret(secret);
    PageSession* found = nullptr;
    for (PageSession& one : sessions_) {  // all of them, so that the time tells nothing
        if (is_same(one.digest, digest)) found = &one;
    }
    if (found != nullptr) found->used_ms = now_ms;
    return found;
}

bool Sessions::has(std::uint64_t number, std::uint64_t now_ms) const {
    return std::ranges::any_of(sessions_, [&](const PageSession& one) {
        return one.number == number && !is_over(one.began_ms, kSessionMs, now_ms);
    });
}

bool Sessions::end(std::uint64_t number) {
    return std::erase_if(sessions_, [&](const PageSession& one) { return one.number == number; }) >
           0;
}

std::size_t Sessions::end_others(std::uint64_t number) {
    links_.clear();
    return std::erase_if(sessions_, [&](const PageSession& one) { return one.number != number; });
}

std::vector<PageSession> Sessions::list(std::uint64_t now_ms) const {
    std::vector<PageSession> all;
    std::ranges::copy_if(
        sessions_.rbegin(), sessions_.rend(), std::back_inserter(all),
        [&](const PageSession& one) { return !is_over(one.began_ms, kSessionMs, now_ms); });
    return all;
}

std::string Sessions::new_link(std::uint64_t now_ms) {
    std::string secret = new_session_secret();
    if (secret.empty()) return {};
    forget_old(now_ms);
    if (links_.size() >= kMostLinks) links_.erase(links_.begin());
    links_.push_back({.digest = digest_of_secret(secret), .began_ms = now_ms});
    return secret;
}

bool Sessions::take_link(std::string_view secret, std::uint64_t now_ms) {
    forget_old(now_ms);
    const PageSession::Digest digest = digest_of_secret(secret);
    return std::erase_if(links_, [&](const Link& one) { return is_same(one.digest, digest); }) > 0;
}

}  // namespace steer::ops
