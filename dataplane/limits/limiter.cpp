#include "dataplane/limits/limiter.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/dns/wire.h"
#include "matchers/fold_product.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/suffix/public_suffixes.h"

namespace steer {
namespace {

constexpr std::uint64_t kFold1 = 0xa0761d6478bd642f, kFold2 = 0xe7037ed1a0b428db;
constexpr std::uint64_t kOverStreams = 0x8ebc6af09c88c6e3, kWithCookie = 0x589965cc75374cc3;
constexpr std::uint64_t kLowerCase = 0x2020202020202020;
constexpr std::uint8_t kAddressBits = 128;

using matchers::fold_product;  // hashes 16 bytes

std::uint64_t caseless_word(const std::uint8_t* at, std::size_t n) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, n);
    return word | kLowerCase;
}

constexpr std::uint64_t upper_bits(unsigned n) noexcept {
    return n == 0 ? 0 : n >= 64 ? UINT64_MAX : ~(UINT64_MAX >> n);
}

bool has_address(const LimitListener& listener, const IpAddress& local) noexcept {
    static const IpAddress kAnyV4 = IpAddress::from_v4(std::array<std::uint8_t, 4>{}.data());
    return listener.address == local || listener.address == IpAddress{} ||
           (listener.address == kAnyV4 && local.is_v4());
}

// The name in lower case, as wire form.
std::size_t lower_case_of(std::span<const std::uint8_t> name,
                          std::array<std::uint8_t, 256>& out) noexcept {
    const std::size_t n = std::min(name.size(), out.size());
    std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(n), out.begin(),
                   [](std::uint8_t c) {
                       return static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c | 0x20U : c);
                   });
    return n;
}

std::span<const std::uint8_t> domain_in(std::span<const std::uint8_t> name) noexcept {
    return matchers::PublicSuffixes::current().domain_of(name);
}

// The prefix that the row counts this client by is banned; by this row, or by one of equal length.
bool may_have_banned(const LimitPolicy& policy, const LimitRow& row,
                     const Limiter::Client& client) noexcept {
    return row.ban_ms != 0 && policy.tables->banned.contains(row.prefix_of(client.address));
}

// Every row counts, and the first one above its limit decides.
Limited first_of(Limited first, Limited next) noexcept {
    return first == Limited::no ? next : first;
}

}  // namespace

void LimitPolicy::add(LimitRow row) {
    by_kind[static_cast<std::size_t>(row.what)].push_back(static_cast<std::uint8_t>(rows.size()));
    limits_queries |= row.what == LimitWhat::queries || row.what == LimitWhat::bytes;
    limits_domains |= row.what == LimitWhat::nxdomain || row.what == LimitWhat::servfail;
    limits_answers |= limits_domains || row.what == LimitWhat::responses;
    bans |= row.ban_ms != 0;
    row.is_for_all = row.listeners.empty() && !row.clients && !row.except;
    rows.push_back(std::move(row));
}

LimitThread* Limiter::own(const LimitPolicy& policy) const noexcept {
    if (&policy != known_) [[unlikely]] {
        const auto& threads = is_stream_ ? policy.tables->streams : policy.tables->workers;
        own_ = thread_ < threads.size() ? threads[thread_].get() : nullptr;
        known_ = &policy;
    }
    return own_;
}

bool Limiter::is_exempt(const LimitPolicy& policy, const Client& client) noexcept {
    return !policy.trusted.empty() && policy.trusted.contains(client.address);
}

bool Limiter::is_for(const LimitRow& row, const Client& client) noexcept {
    if (row.is_for_all) [[likely]]
        return true;
    if (row.clients && !row.clients->contains(client.address)) return false;
    if (row.except && row.except->contains(client.address)) return false;
    return row.listeners.empty() ||
           std::ranges::any_of(row.listeners, [&](const LimitListener& listener) {
               return listener.port == client.port && listener.is_udp == client.is_udp &&
                      has_address(listener, client.local);
           });
}

std::uint64_t Limiter::key_of(const LimitRow& row, const Client& client,
                              std::uint64_t more) const noexcept {
    std::uint64_t high = client.address.high(), low = client.address.low();
    std::uint64_t salt = row.salt ^ more;
    if (client.cookie == dns::CookieState::valid) {
        salt ^= kWithCookie;
    } else if (client.address.is_v4()) {
        high = 0;
        low &= upper_bits(32U + row.prefix4);
    } else {
        high &= upper_bits(std::min<unsigned>(row.prefix6, 64));
        low &= upper_bits(row.prefix6 > 64 ? row.prefix6 - 64U : 0U);
        if (row.prefix6 == 0) low = 0xffff00000000;  // one bucket for both families
    }
    if (!client.is_udp) salt ^= kOverStreams;
    return fold_product(fold_product(high ^ salt ^ kFold1, low ^ secret_) ^ kFold2, salt ^ secret_);
}

// Letters of both cases are equal. So are a few other characters, which does no harm here.
std::uint64_t Limiter::hash_of(std::span<const std::uint8_t> bytes) const noexcept {
    const std::uint8_t* at = bytes.data();
    const std::size_t n = bytes.size();
    std::uint64_t h = secret_ ^ n;
    if (n >= 16) {
        const std::uint8_t* const last = at + n - 16;
        for (; at < last; at += 16)
            h = fold_product(caseless_word(at, 8) ^ kFold1, caseless_word(at + 8, 8) ^ h);
        return fold_product(caseless_word(last, 8) ^ kFold2, caseless_word(last + 8, 8) ^ h);
    }
    if (n >= 8)
        return fold_product(caseless_word(at, 8) ^ kFold2, caseless_word(at + n - 8, 8) ^ h);
    return fold_product(caseless_word(at, n) ^ kFold2, h ^ kFold1);
}

std::uint64_t Limiter::hash_of_domain(std::span<const std::uint8_t> name) const noexcept {
    std::array<std::uint8_t, 256> lower;
    return hash_of(domain_in({lower.data(), lower_case_of(name, lower)}));
}

void Limiter::note(const LimitRow& row, LimitThread& own, const Client& client, std::uint64_t key,
                   std::uint64_t units, bool is_refused, std::span<const std::uint8_t> name,
                   Now now) noexcept {
    const bool has_cookie = client.cookie == dns::CookieState::valid;
    const unsigned row_bits = client.address.is_v4() ? row.prefix4 : row.prefix6;
    unsigned bits = 0;  // as key_of()
    if (has_cookie) {
        bits = kAddressBits;
    } else if (row_bits != 0) {
        bits = row.prefix_of(client.address).length;
    }
    const IpAddress prefix = matchers::Prefix::masked(client.address, bits).address;
    std::array<std::uint8_t, 256> lower;
    std::span<const std::uint8_t> shown{lower.data(), lower_case_of(name, lower)};
    if (row.what == LimitWhat::nxdomain || row.what == LimitWhat::servfail)
        shown = domain_in(shown);
    own.board.note(key, row.id,
                   {prefix, shown, !client.is_udp || has_cookie, static_cast<std::uint8_t>(bits)},
                   units, is_refused, now.ms);
}

void Limiter::note_proof(const LimitPolicy& policy, const Client& client, Now now) const noexcept {
    LimitThread* const mine = own(policy);
    if (mine == nullptr) return;
    const bool is_banned = std::ranges::any_of(
        policy.rows, [&](const LimitRow& row) { return may_have_banned(policy, row, client); });
    if (!is_banned) return;
    const std::uint64_t key =
        fold_product(client.address.high() ^ secret_ ^ kFold1, client.address.low() ^ kFold2) | 1;
    mine->proven.note(key, 0, {client.address, {}, true, kAddressBits}, 1, false, now.ms);
}

Limited Limiter::decide(const LimitRow& row, LimitThread& own, bool is_udp, unsigned nth) noexcept {
    LimitCounts& counts = own.counts[row.id];
    const auto count = [&](LimitDecision decision, Limited limited) {
        counts[static_cast<std::size_t>(decision)].add();
        return limited;
    };
    if (row.dry_run) return count(LimitDecision::dry_run, Limited::no);
    // A period counts from 0, so the first refusals of a bucket are neither leaked nor slipped.
    if (row.leak != 0 && (nth + 1) % row.leak == 0)
        return count(LimitDecision::leaked, Limited::no);
    LimitAction action = row.action;
    if (action == LimitAction::drop && is_udp && row.slip != 0 && (nth + 1) % row.slip == 0)
        action = LimitAction::truncate;
    const bool is_stream_kind = row.what >= LimitWhat::connections;
    if (!is_udp && !is_stream_kind &&
        (action == LimitAction::truncate || action == LimitAction::drop))
        action = LimitAction::refuse;
    switch (action) {
        case LimitAction::truncate:
            return count(LimitDecision::truncated, Limited::truncate);
        case LimitAction::refuse:
            return count(LimitDecision::refused, Limited::refuse);
        case LimitAction::servfail:
            return count(LimitDecision::servfail, Limited::servfail);
        case LimitAction::drop:
            break;
    }
    return count(LimitDecision::dropped, Limited::drop);
}

Limited Limiter::charge(const LimitRow& row, LimitThread& own, const Client& client,
                        std::uint64_t key, std::uint64_t units, std::span<const std::uint8_t> name,
                        Now now) noexcept {
    const LimitMeter::Taken taken =
        own.meter.take(key, row.rate, units, LimitTicks::of(now), own.board);
    if (!taken.is_shared) [[likely]]
        return Limited::no;
    note(row, own, client, key, units, taken.is_over, name, now);
    return taken.is_over ? decide(row, own, client.is_udp, taken.nth) : Limited::no;
}

Limited Limiter::charge_rows(const LimitPolicy& policy, LimitWhat what, LimitThread& own,
                             const Client& client, const Charge& charged, Now now) noexcept {
    Limited first = Limited::no;
    for (const std::uint8_t i : policy.of(what)) {
        const LimitRow& row = policy.rows[i];
        if (!is_for(row, client)) continue;
        const std::uint64_t key = key_of(row, client, charged.more);
        first = first_of(first, charge(row, own, client, key, charged.units, charged.name, now));
    }
    return first;
}

Limited Limiter::on_query(const LimitPolicy& policy, const Client& client, std::uint32_t bytes,
                          Now now) noexcept {
    LimitThread* const mine = own(policy);
    if (mine == nullptr || is_exempt(policy, client)) return Limited::no;
    if (client.cookie == dns::CookieState::valid) prove(policy, client, now);
    const Limited by_queries = charge_rows(policy, LimitWhat::queries, *mine, client, {}, now);
    const Limited by_bytes =
        charge_rows(policy, LimitWhat::bytes, *mine, client, {.units = bytes}, now);
    const Limited limited = first_of(by_queries, by_bytes);
    if (policy.bans && limited == Limited::no && !policy.tables->banned.empty()) [[unlikely]]
        return on_banned(policy, *mine, client);
    return limited;
}

Limited Limiter::on_banned(const LimitPolicy& policy, LimitThread& own,
                           const Client& client) noexcept {
    if (!client.is_udp || client.cookie == dns::CookieState::valid) return Limited::no;
    const auto row = std::ranges::find_if(policy.rows, [&](const LimitRow& one) {
        return !one.dry_run && is_for(one, client) && may_have_banned(policy, one, client);
    });
    if (row == policy.rows.end() || policy.tables->exempt.contains({client.address, kAddressBits}))
        return Limited::no;
    own.counts[row->id][static_cast<std::size_t>(LimitDecision::truncated)].add();
    return Limited::truncate;
}

void Limiter::prefetch_query(const LimitPolicy& policy, const Client& client) const noexcept {
    const LimitThread* const mine = own(policy);
    if (mine == nullptr) return;
    const auto& rows =
        policy.of(policy.of(LimitWhat::queries).empty() ? LimitWhat::bytes : LimitWhat::queries);
    if (!rows.empty()) mine->meter.prefetch(key_of(policy.rows[rows.front()], client, 0));
}

std::uint64_t Limiter::reply_key(const LimitPolicy& policy, const Client& client,
                                 std::span<const std::uint8_t> name) const noexcept {
    const auto& rows = policy.of(LimitWhat::responses);
    return rows.empty() ? 0 : key_of(policy.rows[rows.front()], client, hash_of(name));
}

void Limiter::prefetch(const LimitPolicy& policy, std::uint64_t key) const noexcept {
    if (const LimitThread* const mine = own(policy)) mine->meter.prefetch(key);
}

Limited Limiter::on_answer(const LimitPolicy& policy, const Client& client,
                           std::span<const std::uint8_t> name, std::uint64_t key,
                           Now now) noexcept {
    LimitThread* const mine = own(policy);
    if (mine == nullptr || !client.is_udp || client.cookie == dns::CookieState::valid ||
        is_exempt(policy, client)) {
        return Limited::no;
    }
    Limited first = Limited::no;
    const auto& rows = policy.of(LimitWhat::responses);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const LimitRow& row = policy.rows[rows[i]];
        if (i > 0) key = key_of(row, client, hash_of(name));
        if (!is_for(row, client)) continue;
        first = first_of(first, charge(row, *mine, client, key, 1, name, now));
    }
    return first;
}

Limited Limiter::on_reply(const LimitPolicy& policy, const Client& client, const Reply& reply,
                          Now now) noexcept {
    const bool is_denial =
        reply.rcode == dns::kNxDomain || (reply.rcode == dns::kNoError && !reply.has_answers);
    if (reply.rcode == dns::kNoError && reply.has_answers)
        return on_answer(policy, client, reply.name, reply_key(policy, client, reply.name), now);
    LimitThread* const mine = own(policy);
    if (mine == nullptr || is_exempt(policy, client)) return Limited::no;
    const std::uint64_t domain =
        is_denial || policy.limits_domains ? hash_of_domain(reply.name) : 0;
    const auto charge_all = [&](LimitWhat what, std::uint64_t more) {
        return charge_rows(policy, what, *mine, client, {.more = more, .name = reply.name}, now);
    };
    Limited first = Limited::no;
    if (client.is_udp && client.cookie != dns::CookieState::valid)
        first = charge_all(LimitWhat::responses, (is_denial ? domain : secret_) + reply.rcode + 1);
    if (reply.rcode == dns::kNxDomain)
        first = first_of(first, charge_all(LimitWhat::nxdomain, domain));
    if (reply.rcode == dns::kServFail)
        first = first_of(first, charge_all(LimitWhat::servfail, domain));
    return first;
}

Limited Limiter::on_miss(const LimitPolicy& policy, const Client& client,
                         std::span<const std::uint8_t> name, Now now) noexcept {
    LimitThread* const mine = own(policy);
    if (mine == nullptr || is_exempt(policy, client)) return Limited::no;
    const std::uint64_t domain = hash_of_domain(name);
    for (const LimitWhat what : {LimitWhat::nxdomain, LimitWhat::servfail}) {
        for (const std::uint8_t i : policy.of(what)) {
            const LimitRow& row = policy.rows[i];
            if (!is_for(row, client)) continue;
            const std::uint64_t key = key_of(row, client, domain);
            if (!mine->meter.is_empty(key, row.rate, LimitTicks::of(now))) continue;
            const Limited limited = charge(row, *mine, client, key, 1, name, now);
            if (limited != Limited::no) return limited;
        }
    }
    return Limited::no;
}

Limited Limiter::on_stream(const LimitPolicy& policy, LimitWhat what, const Client& client,
                           std::uint32_t units, Now now) noexcept {
    LimitThread* const mine = own(policy);
    if (mine == nullptr || is_exempt(policy, client)) return Limited::no;
    return charge_rows(policy, what, *mine, client, {.units = units}, now);
}

}  // namespace steer
