#include "dataplane/limits/limiter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

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
// What a client with a cookie counts by. Any host has all addresses of an IPv6 /64.
constexpr unsigned kProvenBits6 = 64;
constexpr LimitPrefix kProvenClient{UINT64_MAX, UINT64_MAX, 0, 0};

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

// Every kind of row counts, and the first one above its limit decides.
Limited first_of(Limited first, Limited next) noexcept {
    return first == Limited::no ? next : first;
}

}  // namespace

LimitPrefix LimitPrefix::of(unsigned prefix4, unsigned prefix6) noexcept {
    constexpr std::uint64_t kAnyV4 = 0xffff00000000;  // IpAddress::low() of 0.0.0.0
    return {.bits4 = upper_bits(32U + prefix4),
            .bits6_high = upper_bits(prefix6),
            .bits6_low = upper_bits(prefix6 > 64 ? prefix6 - 64U : 0U),
            .set6 = prefix6 == 0 ? kAnyV4 : 0};
}

void LimitPolicy::add(LimitRow row) {
    const auto insert = [&](std::vector<std::uint8_t>& same, std::uint8_t LimitRow::*bits) {
        const auto at = std::ranges::upper_bound(same, row.*bits, std::greater(),
                                                 [&](std::uint8_t i) { return rows[i].*bits; });
        same.insert(at, static_cast<std::uint8_t>(rows.size()));
    };
    insert(by_kind4[static_cast<std::size_t>(row.what)], &LimitRow::prefix4);
    insert(by_kind6[static_cast<std::size_t>(row.what)], &LimitRow::prefix6);
    limits_queries |= row.what == LimitWhat::queries || row.what == LimitWhat::bytes;
    limits_domains |= row.what == LimitWhat::nxdomain || row.what == LimitWhat::servfail;
    limits_answers |= limits_domains || row.what == LimitWhat::responses;
    bans |= row.ban_ms != 0;
    row.is_for_all = row.listeners.empty() && !row.clients && !row.except;
    row.prefix = LimitPrefix::of(row.prefix4, row.prefix6);
    rows.push_back(std::move(row));
}

void LimitPolicy::set_tables(std::shared_ptr<LimitTables> all) {
    constexpr double kLargestPart = 1.0 / 20;  // of the rate and of the burst
    tables = std::move(all);
    batched = {};
    if (of(LimitWhat::responses).size() != 1) return;
    const LimitRow& row = rows[of(LimitWhat::responses).front()];
    const double workers = static_cast<double>(std::max<std::size_t>(tables->workers.size(), 1));
    const double most = std::min(row.per_s, row.burst) * kLargestPart / workers;
    batched.most = static_cast<std::uint32_t>(std::min<double>(most, AnswerBatches::kMost));
    batched.ticks = row.rate.ticks_of(batched.most + 1);
}

void Limiter::find_own(const LimitPolicy& policy) const noexcept {
    const auto& threads = is_stream_ ? policy.tables->streams : policy.tables->workers;
    own_ = thread_ < threads.size() ? threads[thread_].get() : nullptr;
    known_ = &policy;
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
    const bool is_alone = client.cookie == dns::CookieState::valid;
    std::uint64_t salt = row.salt ^ more;
    if (is_alone) salt ^= kWithCookie;
    if (!client.is_udp) salt ^= kOverStreams;
    const LimitPrefix& prefix = is_alone ? kProvenClient : row.prefix;
    const std::uint64_t half = first_half_of(prefix, client.address, salt ^ kFold1, secret_);
    return fold_product(half ^ kFold2, salt ^ secret_);
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

std::uint32_t Limiter::name_key(std::span<const std::uint8_t> name) const noexcept {
    return static_cast<std::uint32_t>(hash_of(name));
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
        bits = client.address.is_v4() ? kAddressBits : kProvenBits6;
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

Limited Limiter::judge(const LimitMeter::Taken& taken, const LimitRow& row, LimitThread& own,
                       const Client& client, const Charge& charged, std::uint64_t key,
                       Now now) noexcept {
    if (!taken.is_shared) [[likely]]
        return Limited::no;
    note(row, own, client, key, charged.units, taken.is_over, charged.name, now);
    return taken.is_over ? decide(row, own, client.is_udp, taken.nth) : Limited::no;
}

Limited Limiter::charge(const LimitRow& row, LimitThread& own, const Client& client,
                        const Charge& charged, Now now) noexcept {
    const std::uint64_t key = key_of(row, client, charged.more);
    const LimitMeter::Taken taken =
        own.meter.take(key, row.rate, charged.units, LimitTicks::of(now), own.board);
    return judge(taken, row, own, client, charged, key, now);
}

Limited Limiter::charge_batch(const LimitPolicy& policy, LimitThread& own, const Client& client,
                              const Charge& charged, AnswerBatches::Batch batch, Now now) noexcept {
    const LimitRow& row = policy.rows[policy.of(LimitWhat::responses).front()];
    const std::uint64_t key = key_of(row, client, charged.more);
    const std::uint32_t owed = batch.close(now.s());
    const LimitMeter::Taken taken =
        own.meter.take(key, row.rate, charged.units, LimitTicks::of(now), own.board, owed);
    if (taken.left >= policy.batched.ticks) batch.open(now.s());
    Charge all = charged;
    all.units += owed;  // as the demand
    return judge(taken, row, own, client, all, key, now);
}

Limited Limiter::charge_rows(const LimitPolicy& policy, LimitWhat what, LimitThread& own,
                             const Client& client, const Charge& charged, Now now) noexcept {
    const bool is_v4 = client.address.is_v4();
    Limited first = Limited::no;
    unsigned bits = 0;  // of the row that decided
    for (const std::uint8_t i : policy.of(what, client.address)) {
        const LimitRow& row = policy.rows[i];
        if (!is_for(row, client)) continue;
        const unsigned row_bits = is_v4 ? row.prefix4 : row.prefix6;
        if (row_bits < bits) break;
        const Limited limited = charge(row, own, client, charged, now);
        if (limited == Limited::no || first != Limited::no) continue;
        first = limited;
        bits = row_bits;
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

Limiter::Batching::Batching(const Limiter& limiter, const LimitPolicy& policy,
                            std::uint32_t now_s) noexcept
    : secret_(limiter.secret_),
      most_(policy.batched.most),
      now_s_(now_s),
      limiter_(limiter),
      policy_(policy),
      own_(limiter.own(policy)) {
    const auto& rows = policy.of(LimitWhat::responses);
    if (rows.empty() || own_ == nullptr) return;
    row_ = &policy.rows[rows.front()];
    words_ = own_->batches.words();
    prefix_ = row_->prefix;
    salt_ = row_->salt ^ kFold1;
    are_for_all_ =
        words_ != nullptr && policy.batched.most != 0 && row_->is_for_all && policy.trusted.empty();
}

bool Limiter::Batching::are_for(const Client& client) const noexcept {
    return words_ != nullptr && policy_.batched.most != 0 && client.may_be_forged() &&
           is_for(*row_, client) && !is_exempt(policy_, client);
}

AnswerBatches::Batch Limiter::Batching::find(const Client& client,
                                             std::uint32_t name_key) const noexcept {
    return name_key != 0 && are_for(client) ? of(client.address, name_key) : AnswerBatches::none();
}

void Limiter::Batching::prefetch(const Client& client, std::uint32_t name_key) const noexcept {
    if (row_ != nullptr) own_->meter.prefetch(limiter_.key_of(*row_, client, name_key));
}

Limited Limiter::on_answer(const Batching& batching, const Client& client,
                           std::span<const std::uint8_t> name, std::uint32_t name_key,
                           Now now) noexcept {
    const LimitPolicy& policy = batching.policy();
    LimitThread* const mine = own(policy);
    if (mine == nullptr || policy.of(LimitWhat::responses).empty() || !client.may_be_forged() ||
        is_exempt(policy, client))
        return Limited::no;
    const Charge charged{.more = name_key, .name = name};
    const AnswerBatches::Batch batch = batching.find(client, name_key);
    if (!batch.is_none()) return charge_batch(policy, *mine, client, charged, batch, now);
    return charge_rows(policy, LimitWhat::responses, *mine, client, charged, now);
}

Limited Limiter::on_reply(const LimitPolicy& policy, const Client& client, const Reply& reply,
                          Now now) noexcept {
    const bool is_denial =
        reply.rcode == dns::kNxDomain || (reply.rcode == dns::kNoError && !reply.has_answers);
    if (reply.rcode == dns::kNoError && reply.has_answers) {
        return on_answer(Batching(*this, policy, now.s()), client, reply.name, name_key(reply.name),
                         now);
    }
    LimitThread* const mine = own(policy);
    if (mine == nullptr || is_exempt(policy, client)) return Limited::no;
    const std::uint64_t domain =
        is_denial || policy.limits_domains ? hash_of_domain(reply.name) : 0;
    const auto charge_all = [&](LimitWhat what, std::uint64_t more) {
        return charge_rows(policy, what, *mine, client, {.more = more, .name = reply.name}, now);
    };
    Limited first = Limited::no;
    if (client.may_be_forged())
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
        for (const std::uint8_t i : policy.of(what, client.address)) {
            const LimitRow& row = policy.rows[i];
            if (!is_for(row, client)) continue;
            const std::uint64_t key = key_of(row, client, domain);
            if (!mine->meter.is_empty(key, row.rate, LimitTicks::of(now))) continue;
            const Limited limited = charge(row, *mine, client, {.more = domain, .name = name}, now);
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
