// Writes answers and queries: write_reply, write_error_reply and write_query of answer.h.
// write_reply is the hot path of cached answers: one copy, and one load and store for each TTL.
#include <algorithm>
#include <array>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/ecs.h"

namespace steer::dns {
namespace {

constexpr std::size_t kOptSize = 11;
constexpr std::size_t kEdeSize = 6;

// Flags and counts, behind the ID. Returns their part of the message's sum.
std::uint64_t write_header(std::uint8_t* message, std::uint16_t flags, std::uint16_t qdcount,
                           std::uint16_t ancount, std::uint16_t nscount, std::uint16_t arcount) {
    const std::uint64_t first = std::uint64_t{flags} << 48 | std::uint64_t{qdcount} << 32 |
                                std::uint32_t{ancount} << 16 | nscount;
    const std::uint64_t words = __builtin_bswap64(first);
    std::memcpy(message + 2, &words, sizeof words);
    store_be16(message + 10, arcount);
    return checksum_narrow(words) + checksum_words(arcount);
}

// RFC 7873 4. Returns its length.
[[gnu::always_inline]] inline std::size_t write_cookie(std::uint8_t* at, const Cookie& cookie) {
    constexpr std::uint32_t kHead = std::uint32_t{kOptionCookie} << 16 | kCookieSize;
    store_be32(at, kHead);
    std::memcpy(at + kOptionHeadSize, cookie.data(), cookie.size());
    return kCookieOptionSize;
}

// RFC 6891 6.1.2, RFC 8914 2, RFC 7871 6. Returns its length.
[[gnu::always_inline]] inline std::size_t write_opt(std::uint8_t* at, std::uint8_t extended_rcode,
                                                    bool dnssec_ok, std::optional<Ede> ede,
                                                    std::span<const std::uint8_t> ecs = {},
                                                    std::uint8_t scope = 0,
                                                    std::span<const std::uint8_t> options = {},
                                                    const Cookie* cookie = nullptr,
                                                    std::string_view ede_text = {}) {
    // The root, type, class (our size), extended rcode, version, flags, length.
    static constexpr std::array<std::uint8_t, kOptSize> kPlain{
        0, 0, kOpt, kUpstreamUdpSize >> 8, kUpstreamUdpSize & 0xff, 0, 0, 0, 0, 0, 0};
    std::memcpy(at, kPlain.data(), kPlain.size());
    if (extended_rcode != 0) at[5] = extended_rcode;
    if (dnssec_ok) at[7] = 0x80;
    std::size_t size = kOptSize;
    if (ede) {
        store_be16(at + size, kOptionEde);
        store_be16(at + size + 2, static_cast<std::uint16_t>(2 + ede_text.size()));
        store_be16(at + size + 4, static_cast<std::uint16_t>(*ede));
        size += kEdeSize;
        if (!ede_text.empty()) std::memcpy(at + size, ede_text.data(), ede_text.size());
        size += ede_text.size();
    }
    if (!ecs.empty()) size += write_ecs(at + size, ecs, scope);
    if (!options.empty()) std::memcpy(at + size, options.data(), options.size());
    size += options.size();
    if (cookie != nullptr) size += write_cookie(at + size, *cookie);
    store_be16(at + 9, static_cast<std::uint16_t>(size - kOptSize));
    return size;
}

std::uint16_t response_flags(const Query& query, std::uint16_t rcode) {
    return static_cast<std::uint16_t>(kQr | kRa | (query.flags & (kOpcodeMask | kRd | kCd)) |
                                      (rcode & kRcodeMask));
}

// memcpy without the call: bodies are short. Blocks may overlap at the end.
void copy_body(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
    constexpr std::size_t kBlock = 16;
    if (n < kBlock || n > 16 * kBlock) {
        std::memcpy(to, from, n);
        return;
    }
    for (std::size_t at = 0; at + kBlock < n; at += kBlock)
        std::memcpy(to + at, from + at, kBlock);
    std::memcpy(to + n - kBlock, from + n - kBlock, kBlock);
}

// The change of a sum when a TTL changes: the negative of a number is its complement.
std::uint64_t ttl_change(std::uint32_t old_s, std::uint32_t ttl_s) {
    return std::uint64_t{ttl_s} + static_cast<std::uint32_t>(~old_s);
}
// Host order at an odd offset is memory order at an even one.
unsigned ttl_shift(std::size_t offset) {
    return static_cast<unsigned>((offset + 1) % 2 * 8);
}

// Only addresses, all with one TTL: nearly every answer.
bool has_one_ttl(const Answer& answer) {
    return answer.ttl_count == answer.address_count && answer.min_ttl_s == answer.address_ttl_s;
}

// Returns the change of the message's sum.
std::uint64_t lower_ttls(std::uint8_t* body, std::size_t body_at, const Answer& answer,
                         std::uint32_t age_s, std::uint32_t cap_s) {
    const auto lowered = [&](std::uint32_t old_s) {
        return std::min(old_s > age_s ? old_s - age_s : 0, cap_s);
    };
    std::uint64_t sum = 0;
    const std::uint16_t* offsets = answer.ttl_offsets();
    if (has_one_ttl(answer)) {
        const std::uint32_t ttl_s = lowered(answer.min_ttl_s);
        const std::uint64_t change = ttl_change(answer.min_ttl_s, ttl_s);
        for (unsigned i = 0; i < answer.ttl_count; ++i) {
            store_be32(body + offsets[i], ttl_s);
            sum += change << ttl_shift(body_at + offsets[i]);
        }
        return sum;
    }
    const std::uint8_t* original = answer.body();  // the bytes in `body` were stored just now
    for (unsigned i = 0; i < answer.ttl_count; ++i) {
        const std::uint32_t old_s = load_be32(original + offsets[i]);
        const std::uint32_t ttl_s = lowered(old_s);
        store_be32(body + offsets[i], ttl_s);
        sum += ttl_change(old_s, ttl_s) << ttl_shift(body_at + offsets[i]);
    }
    return sum;
}

std::size_t extras_size(const ReplyExtras& extras) {
    const std::size_t ecs = extras.ecs.empty() ? 0 : kEcsOptionSize + extras.ecs.size() - 2;
    return ecs + extras.options.size();
}

// The sum of an OPT without options, by itself.
std::uint64_t plain_opt_sum(bool dnssec_ok) {
    // 00 | 00 29 | 04 d0 | 00 | 00 | D0 00 | 00 00, taken in pairs from the start
    static_assert(kOpt == 0x29 && kUpstreamUdpSize == 0x04d0);
    return checksum_words(0x2904U + 0xd000U + (dnssec_ok ? 0x0080U : 0U));
}

// An OPT with the query's cookie as its only option, and the sum of it by itself.
[[gnu::always_inline]] inline std::size_t write_cookie_opt(std::uint8_t* at, bool dnssec_ok,
                                                           const Query& query, std::uint64_t& sum) {
    write_opt(at, 0, dnssec_ok, std::nullopt);
    at[kOptSize - 1] = kCookieOptionSize;
    write_cookie(at + kOptSize, query.cookie);
    // Behind the OPT's length: 1c | 00 0a | 00 18 |, then the cookie at an odd offset
    static_assert(kOptSize % 2 == 1 && kCookieOptionSize == 0x1c && kOptionCookie == 0x0a &&
                  kCookieSize == 0x18);
    sum = plain_opt_sum(dnssec_ok) + checksum_words(0x1c00U + 0x0a00U + 0x1800U) +
          checksum_at(1, query.cookie_sum);
    return kOptSize + kCookieOptionSize;
}

// Without a cookie, no part of it is computed or tested.
template <bool has_cookie>
[[gnu::always_inline]] inline std::size_t write_reply_as(std::span<std::uint8_t> message,
                                                         const Query& query, const Answer& answer,
                                                         const ReplyOptions& options,
                                                         bool& truncated, std::uint64_t* sum) {
    const std::size_t limit = std::min<std::size_t>(options.max_size, message.size());
    std::size_t at = query.question_end;
    const std::size_t body_end = at + answer.body_len;
    // Read once: stores to `message` could change the query, for all that the compiler knows.
    const bool has_opt = query.edns.present;
    const bool dnssec_ok = query.edns.dnssec_ok;
    std::size_t opt_size = has_opt ? kOptSize : 0;
    const ReplyExtras* const extras = options.extras;
    if (extras != nullptr) opt_size += extras_size(*extras);
    if (has_cookie) opt_size += kCookieOptionSize;
    truncated = body_end + opt_size > limit;

    std::uint16_t flags = response_flags(query, answer.rcode) | (answer.flags & (kAa | kTc));
    if ((query.flags & kAd) != 0 || dnssec_ok) flags |= answer.flags & kAd;
    if (truncated) flags |= kTc;
    const std::uint16_t with_opt = has_opt ? 1 : 0;
    const std::uint16_t an = truncated ? 0 : answer.ancount;
    const std::uint16_t ns = truncated ? 0 : answer.nscount;
    const auto ar = static_cast<std::uint16_t>(truncated ? with_opt : answer.arcount + with_opt);
    const std::uint64_t header = write_header(message.data(), flags, 1, an, ns, ar);
    if (sum != nullptr) *sum += header + checksum_words(load_be16(message.data()));
    if (!truncated) {
        copy_body(message.data() + at, answer.body(), answer.body_len);
        const std::uint64_t ttls =
            lower_ttls(message.data() + at, at, answer, options.age_s, options.ttl_cap_s);
        if (sum != nullptr) *sum += ttls + checksum_at(at, answer.body_sum);
        at = body_end;
    }
    if (!has_opt || at + opt_size > message.size()) return at;
    const bool with_ede = options.ede && at + opt_size + kEdeSize <= limit;
    const bool with_options = with_ede || extras != nullptr;
    if (has_cookie && !with_options) {
        std::uint64_t own = 0;  // below 2^49
        const std::size_t opt = write_cookie_opt(message.data() + at, dnssec_ok, query, own);
        if (sum != nullptr) *sum += checksum_at(at, own);
        return at + opt;
    }
    const Cookie* const cookie = has_cookie ? &query.cookie : nullptr;
    const std::optional<Ede> ede = with_ede ? options.ede : std::nullopt;
    std::size_t opt = 0;
    if (extras == nullptr) {
        opt = write_opt(message.data() + at, 0, dnssec_ok, ede, {}, 0, {}, cookie);
    } else {
        const bool with_text =
            with_ede && at + opt_size + kEdeSize + extras->ede_text.size() <= limit;
        opt = write_opt(message.data() + at, 0, dnssec_ok, ede, extras->ecs, answer.ecs_scope,
                        extras->options, cookie, with_text ? extras->ede_text : "");
    }
    if (sum != nullptr) {
        const std::uint64_t own = with_options
                                      ? checksum_fold(checksum_add(0, message.data() + at, opt))
                                      : plain_opt_sum(dnssec_ok);
        *sum += checksum_at(at, own);
    }
    return at + opt;
}

}  // namespace

std::size_t write_reply(std::span<std::uint8_t> message, const Query& query, const Answer& answer,
                        const ReplyOptions& options, bool& truncated, std::uint64_t* sum) noexcept {
    if (query.edns.cookie != CookieState::none) [[unlikely]]
        return write_reply_as<true>(message, query, answer, options, truncated, sum);
    return write_reply_as<false>(message, query, answer, options, truncated, sum);
}

std::size_t write_error_reply(std::span<std::uint8_t> message, const Query& query,
                              std::uint16_t rcode, std::optional<Ede> ede,
                              bool truncated) noexcept {
    const bool has_question = query.question_end != 0;
    std::size_t at = has_question ? query.question_end : kHeaderSize;
    const bool has_opt = query.edns.present && at + kOptSize + kEdeSize <= message.size();
    const bool has_cookie = query.edns.cookie != CookieState::none &&
                            at + kOptSize + kEdeSize + kCookieOptionSize <= message.size();
    if (rcode > kRcodeMask && !has_opt) rcode = kServFail;
    std::uint16_t flags = response_flags(query, rcode);
    if (truncated) flags |= kTc;
    write_header(message.data(), flags, has_question ? 1 : 0, 0, 0, has_opt ? 1 : 0);
    if (has_opt) {
        at += write_opt(message.data() + at, static_cast<std::uint8_t>(rcode >> 4),
                        query.edns.dnssec_ok, ede, {}, 0, {}, has_cookie ? &query.cookie : nullptr);
    }
    return at;
}

std::size_t write_query(std::span<std::uint8_t> message, std::uint16_t id,
                        std::span<const std::uint8_t> qname, std::uint16_t qtype,
                        std::uint16_t qclass, bool recursion_desired, bool checking_disabled,
                        bool edns, bool dnssec_ok, std::span<const std::uint8_t> ecs,
                        std::span<const std::uint8_t> options, bool authentic_data) noexcept {
    std::uint8_t* out = message.data();
    store_be16(out, id);
    const auto flags = static_cast<std::uint16_t>(
        (recursion_desired ? kRd : 0) | (checking_disabled ? kCd : 0) | (authentic_data ? kAd : 0));
    write_header(out, flags, 1, 0, 0, edns ? 1 : 0);
    std::memcpy(out + kHeaderSize, qname.data(), qname.size());
    std::size_t at = kHeaderSize + qname.size();
    store_be16(out + at, qtype);
    store_be16(out + at + 2, qclass);
    at += 4;
    if (edns) at += write_opt(out + at, 0, dnssec_ok, std::nullopt, ecs, 0, options);
    return at;
}

}  // namespace steer::dns
