#include "dataplane/dns/cookie.h"

#include <bit>
#include <cstring>

namespace steer::dns {
namespace {

std::uint64_t word(const std::uint8_t* at) {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t w;
    std::memcpy(&w, at, sizeof w);
    return w;
}
std::uint64_t half_word(const std::uint8_t* at) {
    std::uint32_t w;
    std::memcpy(&w, at, sizeof w);
    return w;
}

// SipHash-2-4 with 64 bits of output (Aumasson, Bernstein). `Word`: one lane, or a vector of them.
template <class Word>
struct SipHash {
    Word v0, v1, v2, v3;

    [[gnu::always_inline]] explicit SipHash(const CookieSecret& key)
        : v0(Word{} + (key.low ^ 0x736f6d6570736575)),
          v1(Word{} + (key.high ^ 0x646f72616e646f6d)),
          v2(Word{} + (key.low ^ 0x6c7967656e657261)),
          v3(Word{} + (key.high ^ 0x7465646279746573)) {}

    // In vectors, a shuffle rotates by whole words of 16 or 32 bits.
    template <int N>
    [[gnu::always_inline]] static Word rotated(const Word& x) {
        if constexpr (sizeof(Word) == 32 && N == 32) {
            using Halves = std::uint32_t __attribute__((vector_size(32)));
            const auto halves = reinterpret_cast<Halves>(x);
            return reinterpret_cast<Word>(
                __builtin_shufflevector(halves, halves, 1, 0, 3, 2, 5, 4, 7, 6));
        } else if constexpr (sizeof(Word) == 32 && N == 16) {
            using Quarters = std::uint16_t __attribute__((vector_size(32)));
            const auto quarters = reinterpret_cast<Quarters>(x);
            return reinterpret_cast<Word>(__builtin_shufflevector(
                quarters, quarters, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
        } else {
            return x << N | x >> (64 - N);
        }
    }
    [[gnu::always_inline]] void round() {
        v0 += v1;
        v1 = rotated<13>(v1) ^ v0;
        v0 = rotated<32>(v0);
        v2 += v3;
        v3 = rotated<16>(v3) ^ v2;
        v0 += v3;
        v3 = rotated<21>(v3) ^ v0;
        v2 += v1;
        v1 = rotated<17>(v1) ^ v2;
        v2 = rotated<32>(v2);
    }
    [[gnu::always_inline]] void add(const Word& m) {
        v3 ^= m;
        round();
        round();
        v0 ^= m;
    }
    [[gnu::always_inline]] Word finish() {
        v2 ^= Word{} + 0xff;
        for (int i = 0; i < 4; ++i)
            round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

constexpr std::size_t kAddress4 = 4, kAddress6 = 16;
constexpr std::size_t kLength4 = kCookieHashAt + kAddress4, kLength6 = kCookieHashAt + kAddress6;

constexpr std::uint64_t last_word(std::size_t length) {
    return std::uint64_t{length} << 56;
}

using Lanes = std::uint64_t __attribute__((vector_size(8 * kCookieLanes)));

// (GCC 12 copies a vector by memcpy() in four parts.)
void store(std::array<std::uint64_t, kCookieLanes>& at, const Lanes& lanes) {
    using Stored [[gnu::may_alias]] = Lanes;
    *reinterpret_cast<Stored*>(at.data()) = lanes;
}

}  // namespace

CookieSecret CookieSecret::of(std::span<const std::uint8_t, kCookieSecretSize> bytes) noexcept {
    return {word(bytes.data()), word(bytes.data() + 8)};
}

std::uint64_t cookie_hash(const CookieSecret& secret, const std::uint8_t* cookie,
                          std::span<const std::uint8_t> address) noexcept {
    SipHash<std::uint64_t> hash(secret);
    hash.add(word(cookie));
    hash.add(word(cookie + 8));
    if (address.size() == kAddress4) {
        hash.add(half_word(address.data()) | last_word(kLength4));
    } else {
        hash.add(word(address.data()));
        hash.add(word(address.data() + 8));
        hash.add(last_word(kLength6));
    }
    return hash.finish();
}

void cookie_hashes(const CookieSecret& secret, std::span<const CookieInput, kCookieLanes> in,
                   std::size_t address_size, CookieHashes& out) noexcept {
    const auto words = [&](auto&& of) { return Lanes{of(in[0]), of(in[1]), of(in[2]), of(in[3])}; };
    const auto narrow = [](const Lanes& lanes) { return (lanes & 0xffffffffU) + (lanes >> 32); };
    const Lanes client = words([](const CookieInput& i) { return word(i.cookie); });
    const Lanes server = words([](const CookieInput& i) { return word(i.cookie + 8); });
    SipHash<Lanes> hash(secret);
    hash.add(client);
    hash.add(server);
    if (address_size == kAddress4) {
        hash.add(words([](const CookieInput& i) { return half_word(i.address); }) |
                 (Lanes{} + last_word(kLength4)));
    } else {
        hash.add(words([](const CookieInput& i) { return word(i.address); }));
        hash.add(words([](const CookieInput& i) { return word(i.address + 8); }));
        hash.add(Lanes{} + last_word(kLength6));
    }
    const Lanes result = hash.finish();
    const Lanes sums = narrow(client) + narrow(server) + narrow(result);
    store(out.hashes, result);
    store(out.sums, sums);
}

void make_server_cookie(Cookie& cookie, const CookieSecret& secret, std::uint32_t now_s,
                        std::span<const std::uint8_t> address) noexcept {
    store_be32(&cookie[kClientCookieSize], std::uint32_t{kCookieVersion} << 24);
    store_be32(&cookie[kCookieTimeAt], now_s);
    const std::uint64_t hash = cookie_hash(secret, cookie.data(), address);
    std::memcpy(&cookie[kCookieHashAt], &hash, sizeof hash);
}

CookieCheck check_cookie(Cookie& cookie, const CookieKeys& keys, std::uint32_t now_s,
                         std::span<const std::uint8_t> address) noexcept {
    CookieCheck check;
    bool is_fresh = false;
    if (may_be_valid(cookie, now_s)) {
        const std::uint64_t sent = word(&cookie[kCookieHashAt]);
        const std::uint64_t current = cookie_hash(keys.current, cookie.data(), address);
        is_fresh = sent == current && may_be_returned(cookie.data(), now_s);
        check.is_valid =
            sent == current ||
            (keys.has_other && sent == cookie_hash(keys.other, cookie.data(), address));
    }
    check.is_renewed = !is_fresh;
    if (check.is_renewed) make_server_cookie(cookie, keys.current, now_s, address);
    return check;
}

CookieReply read_cookie_reply(std::span<const std::uint8_t> options,
                              std::span<const std::uint8_t, kClientCookieSize> sent,
                              std::span<const std::uint8_t>& server) noexcept {
    while (options.size() >= kOptionHeadSize) {
        const std::size_t length = load_be16(&options[2]);
        if (kOptionHeadSize + length > options.size()) return CookieReply::wrong;
        const auto data = options.subspan(kOptionHeadSize, length);
        if (load_be16(options.data()) == kOptionCookie) {
            if (!is_cookie_length(length) ||
                std::memcmp(data.data(), sent.data(), sent.size()) != 0)
                return CookieReply::wrong;
            server = data.subspan(kClientCookieSize);
            return CookieReply::right;
        }
        options = options.subspan(kOptionHeadSize + length);
    }
    return CookieReply::none;
}

}  // namespace steer::dns
