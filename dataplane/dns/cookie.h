// DNS cookies (RFC 7873), with the server cookies that all implementations share (RFC 9018).
//
// A server cookie of 16 bytes: version 1, three reserved bytes, the time at which it was made, and
// SipHash-2-4 of the client's cookie, these eight bytes and the client's address. It proves that
// the client received an earlier reply at its address. Boxes with the same secret accept each
// other's cookies.
//
// Pure. Cost: about 150 instructions for a hash, about 60 for each of four in parallel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/wire.h"

namespace steer::dns {

inline constexpr std::uint16_t kOptionCookie = 10;
inline constexpr std::size_t kOptionHeadSize = 4;
inline constexpr std::size_t kClientCookieSize = 8, kServerCookieSize = 16;
inline constexpr std::size_t kShortestServerCookie = 8, kLongestServerCookie = 32;
inline constexpr std::size_t kCookieSecretSize = 16;

// A client's cookie, then our server cookie for it.
inline constexpr std::size_t kCookieSize = kClientCookieSize + kServerCookieSize;
using Cookie = std::array<std::uint8_t, kCookieSize>;

enum class CookieState : std::uint8_t {
    none,    // no cookie, or the listener ignores cookies
    client,  // a client's cookie without a server cookie, or with one that is not valid
    valid,   // with a valid server cookie
};

// Lengths of the option's data (RFC 7873 4, 5.2.2): a client's cookie, optionally with a server
// cookie of 8 to 32 bytes.
constexpr bool is_cookie_length(std::size_t n) noexcept {
    return n == kClientCookieSize || (n >= kClientCookieSize + kShortestServerCookie &&
                                      n <= kClientCookieSize + kLongestServerCookie);
}

// The key of SipHash-2-4.
struct CookieSecret {
    std::uint64_t low = 0, high = 0;

    static CookieSecret of(std::span<const std::uint8_t, kCookieSecretSize> bytes) noexcept;
    bool operator==(const CookieSecret&) const = default;
};

// What a server needs to make and to check cookies.
struct CookieKeys {
    CookieSecret current;    // makes cookies
    CookieSecret other;      // also accepted, if has_other
    bool has_other = false;  // during a rollover (RFC 9018 5)
    // Added to seconds of CLOCK_BOOTTIME, modulo 2^32: seconds since 1970.
    std::uint32_t clock_s = 0;
    bool operator==(const CookieKeys&) const = default;
};

// Ages of a server cookie (RFC 9018 4.3), in seconds. An older one is not valid; one of
// kCookieRenewS is replaced. Clocks of a fleet may differ by kCookieAheadS.
inline constexpr std::uint32_t kCookieLifeS = 3600, kCookieRenewS = 1800, kCookieAheadS = 300;

// Serial arithmetic (RFC 1982): times may wrap around.
constexpr bool is_cookie_time(std::uint32_t made_s, std::uint32_t now_s) noexcept {
    const auto age_s = static_cast<std::int32_t>(now_s - made_s);
    return age_s <= static_cast<std::int32_t>(kCookieLifeS) &&
           age_s >= -static_cast<std::int32_t>(kCookieAheadS);
}

// The hash of a server cookie. `cookie`: its first 16 bytes, a client's cookie and the first half
// of a server cookie. `address`: 4 or 16 bytes. The bytes of the hash are in memory order.
std::uint64_t cookie_hash(const CookieSecret& secret, const std::uint8_t* cookie,
                          std::span<const std::uint8_t> address) noexcept;

// The sum of a cookie's bytes for a checksum (checksum.h), below 2^40.
inline std::uint64_t cookie_sum(const Cookie& cookie) noexcept {
    return checksum_narrow(checksum_word(&cookie[0])) + checksum_narrow(checksum_word(&cookie[8])) +
           checksum_narrow(checksum_word(&cookie[16]));
}

// One of several hashes, with the parameters of cookie_hash().
struct CookieInput {
    const std::uint8_t* cookie;
    const std::uint8_t* address;
};
inline constexpr unsigned kCookieLanes = 4;
struct CookieHashes {
    // Aligned as the vectors that they are stored from.
    alignas(32) std::array<std::uint64_t, kCookieLanes> hashes;
    // As cookie_sum(), of cookies with these hashes.
    alignas(32) std::array<std::uint64_t, kCookieLanes> sums;
};
// Four hashes of clients with addresses of one length: 4 or 16 bytes.
void cookie_hashes(const CookieSecret& secret, std::span<const CookieInput, kCookieLanes> in,
                   std::size_t address_size, CookieHashes& out) noexcept;

// Writes a new server cookie behind the client's cookie. `now_s`: seconds since 1970.
void make_server_cookie(Cookie& cookie, const CookieSecret& secret, std::uint32_t now_s,
                        std::span<const std::uint8_t> address) noexcept;

// The result of a check.
struct CookieCheck {
    bool is_valid = false;
    bool is_renewed = false;  // a new server cookie was written
};
// Checks the server cookie and replaces it, if it is not valid, old, or made with the other secret.
CookieCheck check_cookie(Cookie& cookie, const CookieKeys& keys, std::uint32_t now_s,
                         std::span<const std::uint8_t> address) noexcept;

// Places in a Cookie: the server cookie's version, time and hash.
inline constexpr std::size_t kCookieTimeAt = kClientCookieSize + 4;
inline constexpr std::size_t kCookieHashAt = kClientCookieSize + 8;
inline constexpr std::uint8_t kCookieVersion = 1;
inline std::uint32_t cookie_time(const Cookie& cookie) noexcept {
    return load_be32(&cookie[kCookieTimeAt]);
}

// Whether the time and the version permit that the cookie is valid.
inline bool may_be_valid(const Cookie& cookie, std::uint32_t now_s) noexcept {
    return cookie[kClientCookieSize] == kCookieVersion &&
           is_cookie_time(cookie_time(cookie), now_s);
}
// Whether a cookie with our version can be returned as it is, if its hash is right. `cookie`:
// kCookieSize bytes.
inline bool may_be_returned(const std::uint8_t* cookie, std::uint32_t now_s) noexcept {
    const std::uint32_t age_s = now_s - load_be32(cookie + kCookieTimeAt);
    return cookie[kClientCookieSize] == kCookieVersion &&
           age_s + kCookieAheadS < kCookieRenewS + kCookieAheadS;
}

inline constexpr std::size_t kCookieOptionSize = kOptionHeadSize + kCookieSize;

// Header, question, OPT, and a cookie as its only option.
inline constexpr std::size_t kLeastWithCookie = 12 + 5 + 11 + kCookieOptionSize;

// Whether the bytes before `end` resemble a COOKIE option with `size` bytes of data, 8 or 24.
[[gnu::always_inline]] inline bool ends_with_option(const std::uint8_t* end,
                                                    std::size_t size) noexcept {
    std::uint32_t head;
    __builtin_memcpy(&head, end - size - kOptionHeadSize, sizeof head);
    return head == (static_cast<std::uint32_t>(size) << 24 | 0x0a00U);  // little-endian
}

// Whether cookie_at_end() may find a cookie in a message with this end. Reads kCookieOptionSize
// bytes before it, also of what precedes a short message.
[[gnu::always_inline]] inline bool may_end_with_cookie(const std::uint8_t* end) noexcept {
    return ends_with_option(end, kCookieSize) || ends_with_option(end, kClientCookieSize);
}

// The bytes of a cookie at the end of a message, 8 or 24, if its last bytes resemble a COOKIE
// option with a client's cookie, or with one and a server cookie of 16 bytes. Else 0. Only parsing
// shows whether it is one.
[[nodiscard]] inline std::size_t cookie_at_end(std::span<const std::uint8_t> message) noexcept {
    const std::uint8_t* const end = message.data() + message.size();
    for (const std::size_t size : {kCookieSize, kClientCookieSize}) {
        if (message.size() >= kLeastWithCookie - kCookieSize + size && ends_with_option(end, size))
            return size;
    }
    return 0;
}

// What a reply says about the cookie of its query (RFC 7873 5.3).
enum class CookieReply : std::uint8_t {
    none,   // it has no COOKIE option
    right,  // it has our client's cookie; `server` is the server cookie, which may be empty
    wrong,  // it has another one, or a malformed option
};
CookieReply read_cookie_reply(std::span<const std::uint8_t> options,
                              std::span<const std::uint8_t, kClientCookieSize> sent,
                              std::span<const std::uint8_t>& server) noexcept;

}  // namespace steer::dns
