#include "dataplane/stages/packet_cache_stage.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "dataplane/base/same_bytes.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/stages/limit.h"
#include "dataplane/stages/parse.h"
#include "dataplane/stages/stage_clock.h"

namespace steer {
namespace {

using Line = PacketCache::Line;

std::uint16_t id_in_memory_order(const Packet& p) {
    std::uint16_t id;
    std::memcpy(&id, p.dns, sizeof id);
    return id;
}

// What a query of a burst may have. Tested once per burst.
struct Traits {
    bool cookies;  // at the end of a message
    bool limits;   // Snapshot::limits has rows for answers
};
constexpr Traits kMayHaveCookie{.cookies = true, .limits = false};

// Bytes of the message before a cookie at its end.
template <Traits traits = kMayHaveCookie>
std::size_t compared_length(const Packet& p) {
    return traits.cookies ? std::size_t{p.dns_length} - p.cookie_length : p.dns_length;
}

// The sum of the cookie at the end of the message, as part of the message's sum.
std::uint64_t cookie_sum(const Packet& p) {
    const std::size_t at = compared_length(p);
    const std::uint64_t bytes = p.returned_cookie_length != 0
                                    ? p.query.cookie_sum
                                    : checksum_add(0, p.dns + at, p.cookie_length);
    return checksum_at(at, checksum_fold(bytes));
}

// The ID and a cookie are not among the compared bytes, because each query has its own.
// `compared_sum`: of those bytes, below 2^39.
template <Traits traits>
[[gnu::always_inline]] inline bool checksum_right(const Packet& p, std::uint64_t compared_sum) {
    if (p.checksum.is_verified) return true;
    std::uint64_t others = id_in_memory_order(p);
    if (traits.cookies && p.cookie_length != 0) others += cookie_sum(p);
    return p.checksum.is_right_with(compared_sum + others);
}

// Properties outside the compared bytes that may change the answer: the entry of the program, the
// client's family if a cache's key has it (CacheInstance::family_in_key), and the length of a
// cookie.
template <Traits traits = kMayHaveCookie>
std::uint8_t frontend_class(const Packet& p, const Snapshot& snapshot) {
    constexpr std::uint8_t kOverV4 = 0x80, kCookieFactor = 4;  // 32 or 96: above the entries
    static_assert(kMaxEntries <= kCookieFactor * dns::kClientCookieSize &&
                  kCookieFactor * dns::kCookieSize < kOverV4);
    std::uint8_t entry = p.client.entry;
    if (traits.cookies) entry |= static_cast<std::uint8_t>(p.cookie_length * kCookieFactor);
    return snapshot.family_in_key && p.client.address.is_v4() ? entry | kOverV4 : entry;
}

// Whether the line's entry is still valid, and answers the packet's frontend class.
template <Traits traits = kMayHaveCookie>
[[gnu::always_inline]] inline bool is_current(const Line& line, const Packet& p,
                                              const Snapshot& snapshot, const cache::Cache& cache) {
    return line.frontend_class == frontend_class<traits>(p, snapshot) &&
           line.epoch == cache.epoch(line.share);
}

template <Traits traits>
[[gnu::always_inline]] inline bool is_hit(const Line& line, const Packet& p,
                                          const Snapshot& snapshot, const cache::Cache& cache) {
    return PacketCache::is_of(line, p.dns, compared_length<traits>(p)) &&
           is_current<traits>(line, p, snapshot, cache) &&
           checksum_right<traits>(p, line.bytes_sum);
}

// For a packet that is_hit() refused: its name may have letters in upper case. Sets `case_sum`.
template <Traits traits>
[[gnu::noinline]] bool is_hit_in_other_case(const Line& line, Packet& p, const Snapshot& snapshot,
                                            const cache::Cache& cache) {
    const auto difference = PacketCache::case_difference(line, p.dns, compared_length<traits>(p));
    if (!difference || !is_current<traits>(line, p, snapshot, cache)) return false;
    p.case_sum = *difference;
    return checksum_right<traits>(p, std::uint64_t{line.bytes_sum} + p.case_sum);
}

// Lower-cases the name of a new line.
[[gnu::cold, gnu::noinline]] void lower_case(Line& line, std::span<const std::uint8_t> name) {
    constexpr std::size_t kNameAt = dns::kHeaderSize - PacketCache::kIdBytes;
    std::copy(name.begin(), name.end(), line.bytes.begin() + kNameAt);
    const std::uint64_t sum =
        checksum_add(0, line.bytes.data(), line.length - PacketCache::kIdBytes);
    const std::uint64_t change = checksum_fold(sum) + (0xffffU - std::uint64_t{line.bytes_sum});
    line.question_sum = checksum_fold(line.question_sum + change);
    line.bytes_sum = checksum_fold(sum);
}

// In the state that parse() and lookup() leave.
template <Traits traits>
void fill(Packet& p, const Line& line) {
    static_cast<dns::QueryHead&>(p.query) = line.head;
    if (traits.cookies) p.query.edns.cookie = p.cookie;
    p.query.id = dns::load_be16(p.dns);
    p.question_sum = std::uint64_t{line.question_sum} + p.case_sum;
    p.max_size = size_limit(p);
    p.found = line.entry;
}

// The numbers of the burst's live packets: nearly always all of them. Avoids reading Burst::live,
// which saves about 16 % of answer_from_packet_cache().
struct All {
    std::uint8_t operator[](unsigned i) const { return static_cast<std::uint8_t>(i); }
};

// As batch_of(), for a received packet, which is UDP.
template <Traits traits>
[[gnu::always_inline]] inline AnswerBatches::Batch batch_of_received(
    const Packet& p, std::uint32_t name, const Limiter::Batching& batching) {
    if (name == 0) return AnswerBatches::none();
    const bool is_proven = traits.cookies && p.cookie == dns::CookieState::valid;
    if (!batching.are_for_all() || is_proven) [[unlikely]]
        return batch_of(p, name, batching);
    return batching.of(p.client.address, name);
}

struct NoLimits {};
struct NoBatch {};

// Answers the packets of a burst from their lines. `Batching`: Limiter::Batching or NoLimits.
template <Traits traits, class Batching>
struct FromLines {
    using Batch = std::conditional_t<traits.limits, AnswerBatches::Batch, NoBatch>;

    const Snapshot& snapshot;
    PacketCache& packet_cache;
    Resolver& resolver;
    const Batching& batching;
    const Now now;
    const std::uint32_t now_s;
    const std::uint64_t list_changes;
    const bool may_be_ready;  // no packet of the burst has a trace, which tells of the entry

    [[nodiscard]] bool is_ready(const Line& line) const noexcept {
        return line.ready == word(Readiness::ready);
    }
    [[nodiscard]] bool has_reply(const Line& line) const noexcept {
        return is_ready(line) || line.ready == word(Readiness::covered) || is_checked(line);
    }
    // Its entry is read for each packet.
    [[nodiscard]] bool is_checked(const Line& line) const noexcept {
        return line.ready == word(Readiness::checked);
    }
    // False: the packet stays in the burst.
    [[gnu::always_inline]] bool answer(Packet& p, Line& line, const Batch& batch) const noexcept {
        if (line.ready == word(Readiness::twice)) prepare(p, line);
        return answer_ready(p, line, batch) || answer_from_entry(p, line, batch);
    }

  private:
    [[nodiscard]] std::uint32_t word(Readiness what) const noexcept {
        return PacketCache::ready_word(now_s, what);
    }
    // Of the packet's compared bytes.
    static std::uint16_t bytes_sum(const Packet& p, const Line& line) noexcept {
        return checksum_fold(std::uint64_t{line.bytes_sum} + p.case_sum);
    }
    // At the third plain hit in a second. It costs what two ready replies save.
    [[gnu::noinline]] void prepare(Packet& p, Line& line) const noexcept {
        fill<traits>(p, line);
        const bool is_usable = line.entry->usable_until_s > now_s;
        line.ready = word(is_usable ? resolver.prepare(p, snapshot, now_s, bytes_sum(p, line),
                                                       packet_cache.ready_reply(line))
                                    : Readiness::unfit);
    }
    [[gnu::noinline]] bool renew_if_covered(Packet& p, const Line& line,
                                            ReadyReply& reply) const noexcept {
        fill<traits>(p, line);
        return resolver.renew_if_covered(p, snapshot, now, now_s, list_changes, bytes_sum(p, line),
                                         reply);
    }
    // Whether the rows of the answer's lists are known to exist. Counts the packet as covered if it
    // has lists.
    [[gnu::always_inline]] bool settle_lists(Packet& p, const Line& line,
                                             ReadyReply& reply) const noexcept {
        if (is_ready(line)) return true;
        if (is_checked(line) || reply.covered_while != list_changes) [[unlikely]]
            return renew_if_covered(p, line, reply);
        resolver.count_covered();
        return true;
    }
    // The query's turn for a record has come.
    [[gnu::noinline]] void answer_ready_recorded(Packet& p, const Line& line,
                                                 const ReadyReply& reply) const noexcept {
        fill<traits>(p, line);
        resolver.answer_ready_recorded(p, snapshot, reply);
    }
    [[gnu::always_inline]] bool answer_ready(Packet& p, const Line& line,
                                             const Batch& batch) const noexcept {
        if (!has_reply(line)) return false;
        const std::size_t question_end = line.head.question_end;
        if (!may_be_ready || !p.checksum.is_whole || p.dns_room < ReadyReply::room(question_end) ||
            (resolver.until_record() == 1 && resolver.plan_of(*line.entry, p, snapshot) == nullptr))
            [[unlikely]]
            return false;
        if constexpr (traits.limits) {
            if (!batching.add_to_begun(batch)) [[unlikely]]
                return false;  // it needs a token
        }
        ReadyReply& reply = packet_cache.ready_reply(line);
        if (!settle_lists(p, line, reply)) {
            if constexpr (traits.limits) batch.undo();
            return false;
        }
        if (packet_cache.touches_now()) [[unlikely]]
            cache::Cache::touch(*line.entry);
        if (resolver.until_record() == 1) [[unlikely]] {
            answer_ready_recorded(p, line, reply);
        } else {
            resolver.answer_ready(p, reply, question_end);
        }
        return true;
    }
    [[gnu::always_inline]] bool answer_from_entry(Packet& p, Line& line,
                                                  const Batch& batch) const noexcept {
        if (line.entry->usable_until_s <= now_s) return false;
        if (line.ready <= word(Readiness::once))
            line.ready =
                word(line.ready < word(Readiness::once) ? Readiness::once : Readiness::twice);
        fill<traits>(p, line);
        cache::Cache::touch(*line.entry);
        if constexpr (traits.limits) {
            return resolver.answer_under_limits(p, snapshot, AnswerPath::packet_cache,
                                                {batching, line.limit_name, batch}, now, now_s);
        } else {
            return resolver.answer_hit(p, snapshot, AnswerPath::packet_cache, now, now_s);
        }
    }
};

// For a query that may get a record. It reads the entry, which a ready reply does not.
[[gnu::noinline]] void prefetch_recorded(const Line* line, const Resolver& resolver) noexcept {
    resolver.prefetch_record();
    if (line != nullptr) cache::Cache::prefetch(line->entry);
}

// Calls in it would cost about 9 % of an answer.
template <Traits traits, class Places, class Batching>
[[gnu::flatten]] unsigned answer_known(Burst& burst, const Places places,
                                       const FromLines<traits, Batching>& from_lines,
                                       PacketCache& packet_cache,
                                       const cache::Cache& cache) noexcept {
    const Snapshot& snapshot = from_lines.snapshot;
    const unsigned n = burst.live_count;
    std::array<Line*, kBurst> lines;
    std::array<typename FromLines<traits, Batching>::Batch, kBurst> batches;
    for (unsigned i = 0; i < n; ++i) {
        Packet& p = burst.packets[places[i]];
        p.packet_cache_hash = 0;
        p.case_sum = 0;
        lines[i] = nullptr;
        const std::size_t length = compared_length<traits>(p);
        if (p.mbuf == nullptr || !PacketCache::fits(length)) continue;
        p.packet_cache_hash = packet_cache.hash(p.dns, length, frontend_class<traits>(p, snapshot));
        packet_cache.prefetch(p.packet_cache_hash);
    }
    for (unsigned i = 0; i < n; ++i) {
        const std::uint64_t hash = burst.packets[places[i]].packet_cache_hash;
        if (hash != 0) lines[i] = packet_cache.use(hash);
    }
    for (unsigned i = 0; i < n; ++i) {
        if (lines[i] == nullptr) continue;
        Packet& p = burst.packets[places[i]];
        if (is_hit<traits>(*lines[i], p, snapshot, cache) ||
            is_hit_in_other_case<traits>(*lines[i], p, snapshot, cache)) {
            const bool has_reply = from_lines.has_reply(*lines[i]);
            if (has_reply) packet_cache.ready_reply(*lines[i]).prefetch();
            if (!has_reply || from_lines.is_checked(*lines[i]))
                cache::Cache::prefetch(lines[i]->entry);
            if constexpr (traits.limits) {
                batches[i] =
                    batch_of_received<traits>(p, lines[i]->limit_name, from_lines.batching);
                batches[i].prefetch();
            }
        } else {
            lines[i] = nullptr;
        }
    }
    if constexpr (traits.limits) {
        for (unsigned i = 0; i < n; ++i) {
            if (lines[i] != nullptr) {
                const Packet& p = burst.packets[places[i]];
                from_lines.batching.prefetch(batches[i], limited_client(p), lines[i]->limit_name);
            }
        }
    }
    if (from_lines.resolver.until_record() <= n) [[unlikely]]
        prefetch_recorded(lines[from_lines.resolver.until_record() - 1], from_lines.resolver);
    stage_ends(Stage::packet_cache);
    unsigned kept = 0;
    for (unsigned i = 0; i < n; ++i) {
        const std::uint8_t place = places[i];
        Packet& p = burst.packets[place];
        if (lines[i] != nullptr && snapshot.allow.contains(p.client.address) &&
            from_lines.answer(p, *lines[i], batches[i]))
            continue;
        burst.live[kept++] = place;
    }
    burst.live_count = kept;
    return n - kept;
}

template <Traits traits>
unsigned answer_places(Burst& burst, const Snapshot& snapshot, PacketCache& packet_cache,
                       const cache::Cache& cache, Resolver& resolver, Now now) noexcept {
    const auto answer_all = [&](const auto& batching) {
        const FromLines<traits, std::remove_cvref_t<decltype(batching)>> from_lines{
            snapshot,
            packet_cache,
            resolver,
            batching,
            now,
            now.s(),
            resolver.list_changes(),
            burst.traced == 0};
        return burst.is_whole()
                   ? answer_known(burst, All{}, from_lines, packet_cache, cache)
                   : answer_known(burst, burst.live.data(), from_lines, packet_cache, cache);
    };
    if constexpr (traits.limits)
        return answer_all(resolver.limit_batches(snapshot, now.s()));
    else
        return answer_all(NoLimits{});
}

// By `limits`, then by `cookies`.
constexpr Traits kPlain{.cookies = false, .limits = false};
constexpr Traits kLimited{.cookies = false, .limits = true};
constexpr Traits kLimitedWithCookie{.cookies = true, .limits = true};
constexpr decltype(&answer_places<kPlain>) kVariants[2][2]{
    {answer_places<kPlain>, answer_places<kMayHaveCookie>},
    {answer_places<kLimited>, answer_places<kLimitedWithCookie>}};

}  // namespace

void answer_from_packet_cache(Burst& burst, const Snapshot& snapshot, PacketCache& packet_cache,
                              const cache::Cache* cache, Resolver& resolver, Counters& counters,
                              Now now) noexcept {
    if (cache == nullptr || burst.watched || !snapshot.hit_may_be_plain ||
        !packet_cache.awake(burst.live_count))
        return;
    burst.packet_cache_asked = true;
    packet_cache.follow(snapshot.generation);
    const auto answer = kVariants[snapshot.limits_answers()][burst.cookie_ends != 0];
    const unsigned known = answer(burst, snapshot, packet_cache, *cache, resolver, now);
    if (known == 0) return;
    packet_cache.count_known(known);
    counters.add(Stat::packet_cache_hits, known);
    counters.add(Stat::cache_hits, known);
}

TracePacketCache foresee(const Packet& p, const Snapshot& snapshot, const PacketCache& packet_cache,
                         const cache::Cache& cache) noexcept {
    if (!p.client.is_udp()) return TracePacketCache::not_udp;
    if (!PacketCache::fits(compared_length(p))) return TracePacketCache::too_long;
    if (packet_cache.is_resting()) return TracePacketCache::resting;
    if (packet_cache.generation() != snapshot.generation) return TracePacketCache::would_learn;
    const std::size_t length = compared_length(p);
    const Line* const line =
        packet_cache.find(packet_cache.hash(p.dns, length, frontend_class(p, snapshot)));
    const bool is_known = line != nullptr && is_current(*line, p, snapshot, cache) &&
                          (PacketCache::is_of(*line, p.dns, length) ||
                           PacketCache::case_difference(*line, p.dns, length));
    return is_known ? TracePacketCache::would_answer : TracePacketCache::would_learn;
}

void remember(const Packet& p, const Snapshot& snapshot, const Resolver& resolver,
              std::uint16_t share, std::uint64_t epoch, PacketCache& packet_cache) noexcept {
    if (p.packet_cache_hash == 0 || p.found->ecs_len != 0) return;
    Line& line = packet_cache.replace(p.packet_cache_hash, p.dns, compared_length(p));
    line.entry = p.found;
    line.frontend_class = frontend_class(p, snapshot);
    line.epoch = epoch;
    line.ready = 0;
    line.share = share;
    line.head = p.query;
    line.limit_name = resolver.limit_name(p.query, p.found->answer(), snapshot);
    line.question_sum = checksum_fold(p.question_sum);
    std::uint64_t others = id_in_memory_order(p);
    if (p.cookie_length != 0) others += cookie_sum(p);
    line.bytes_sum = checksum_fold(p.message_sum + (0xffffU - checksum_fold(others)));
    const std::uint8_t* const name = p.dns + dns::kHeaderSize;
    if (!same_bytes(name, p.query.qname.data(), p.query.qname_len)) [[unlikely]]
        lower_case(line, p.query.name());
}

}  // namespace steer
