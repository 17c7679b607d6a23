#include "dataplane/stages/parse.h"

#include <algorithm>
#include <optional>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/options.h"
#include "dataplane/stages/limit.h"

namespace steer {
namespace {

// The question's sum: the message's without the header and the rest behind the question. Of the
// rest, the sum of the last `known` bytes is Query::cookie_sum.
std::uint64_t question_sum(const Packet& p, std::size_t known) {
    const std::size_t end = p.query.question_end;
    std::uint64_t others = checksum_narrow(checksum_add(0, p.dns, dns::kHeaderSize));
    if (p.dns_length > end) {
        const std::size_t left = p.dns_length - end - known;
        const std::uint64_t rest = checksum_add(0, p.dns + end, left);
        others += checksum_at(end, checksum_fold(rest));
        if (known != 0) others += checksum_at(end + left, p.query.cookie_sum);
    }
    return p.message_sum + (0xffffU - checksum_fold(others));
}

// The message is always summed, because the reply's checksum is derived from that sum.
[[gnu::always_inline]] inline bool checksum_right(Packet& p) {
    p.message_sum = checksum_narrow(checksum_add(0, p.dns, p.dns_length));
    return p.checksum.is_right_with(p.message_sum);
}

// True: the program runs without upstreams, or without the cache: the query is set aside.
[[gnu::cold, gnu::noinline]] bool is_set_aside(const Packet& p, const RareQueries& rules) {
    return rules.answers_any(p.query.qtype) ||
           rules.norecurse_for(p.query.flags, p.client.address) != NoRecurse::forward;
}

// What a refusal needs in addition to its packet.
struct QueryRefusal {
    const Snapshot& snapshot;
    Replier& replier;
    Limiter& limiter;
    Now now;

    [[gnu::cold, gnu::noinline]] void send(Packet& p, std::uint16_t rcode,
                                           std::optional<dns::Ede> ede, Verdict v) const noexcept {
        if (end_if_limited(p, snapshot, static_cast<std::uint8_t>(rcode), false, limiter, replier,
                           now))
            return;
        replier.answer_error(p, rcode, ede, v);
    }
};

// The query did not parse, or is_well_formed(error). True: it stays in the burst.
[[gnu::cold, gnu::noinline]] bool judge_rare(Packet& p, unsigned place, dns::QueryError error,
                                             const QueryRefusal& refusal, Burst& burst) {
    if (!dns::is_well_formed(error)) {
        refusal.send(p, dns::rcode_for(error), std::nullopt, Verdict::answered_error);
        return false;
    }
    if (is_set_aside(p, refusal.snapshot.rare)) {
        p.packet_cache_hash = 0;  // an equal query has to be judged, too
        burst.set_aside |= 1U << place;
    }
    return true;
}

// `streams` passes those that it receives itself.
bool is_notify(const Packet& p, const Snapshot& snapshot) {
    return (p.query.flags & dns::kOpcodeMask) == dns::kOpcodeNotify && p.mbuf != nullptr &&
           snapshot.notify_from.contains(p.client.address);
}

// True: the packet stays in the burst.
bool parse_one(Packet& p, unsigned place, const QueryRefusal& refusal, Burst& burst) {
    const Snapshot& snapshot = refusal.snapshot;
    Replier& replier = refusal.replier;
    if (p.mbuf != nullptr && !checksum_right(p)) {
        p.clear_query();
        replier.drop(p, Verdict::drop_bad_checksum);
        return false;
    }
    const dns::QueryError error = dns::parse_client_query({p.dns, p.dns_length}, p.query);
    const std::uint16_t rcode =
        error == dns::QueryError::none ? std::uint16_t{dns::kNoError} : dns::rcode_for(error);
    if (rcode == dns::kNoReply) {
        replier.drop(p, error == dns::QueryError::is_response ? Verdict::drop_response
                                                              : Verdict::drop_short_header);
        return false;
    }
    p.query.over_v4 = p.client.address.is_v4();
    if (error == dns::QueryError::bad_opcode && is_notify(p, snapshot)) {
        replier.pass_notify(p);
        return false;
    }
    if (!snapshot.allow.contains(p.client.address)) {
        refusal.send(p, dns::kRefused, dns::Ede::prohibited, Verdict::refused_client);
        return false;
    }
    if (error != dns::QueryError::none && !judge_rare(p, place, error, refusal, burst))
        return false;
    std::size_t known = 0;
    if ((p.query.cookie_length | p.cookie_length) != 0) {
        if (p.has_cookie_at_end()) {
            p.query.edns.cookie = p.cookie;
            known = p.returned_cookie_length;
        } else {
            burst.with_cookie |= 1U << place;
        }
    }
    p.max_size = size_limit(p);
    if (p.mbuf != nullptr) p.question_sum = question_sum(p, known);
    return true;
}

}  // namespace

std::uint16_t size_limit(const Packet& p) noexcept {
    if (!p.client.is_udp()) return p.max_size;
    const std::uint16_t offered =
        p.query.edns.present ? p.query.edns.udp_size : dns::kClassicUdpSize;
    return std::min(offered, p.max_size);
}

bool any_asks_nsid(const Burst& burst) noexcept {
    constexpr std::size_t kOptionHead = 4;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const Packet& p = burst.packets[burst.live[i]];
        const std::span<const std::uint8_t> message(p.dns, p.dns_length);
        if (message.size() < dns::kHeaderSize || dns::load_be16(&message[10]) == 0) continue;
        const std::size_t name = dns::skip_name(message, dns::kHeaderSize);
        if (name == 0 || name + dns::kTypeAndClass > message.size()) continue;
        auto options = dns::options_of(message, name + dns::kTypeAndClass);
        while (options.size() >= kOptionHead) {
            if (dns::load_be16(options.data()) == dns::kOptionNsid) return true;
            const std::size_t length = kOptionHead + dns::load_be16(&options[2]);
            options = options.subspan(std::min(length, options.size()));
        }
    }
    return false;
}

[[gnu::cold, gnu::noinline]] bool read_for_refusal(Packet& p) noexcept {
    if (p.mbuf != nullptr && !checksum_right(p)) return false;
    const dns::QueryError error = dns::parse_client_query({p.dns, p.dns_length}, p.query);
    if (!dns::is_well_formed(error)) return false;
    p.query.over_v4 = p.client.address.is_v4();
    p.max_size = size_limit(p);
    return true;
}

void parse(Burst& burst, const Snapshot& snapshot, Replier& replier, Limiter& limiter,
           Now now) noexcept {
    const QueryRefusal refusal{snapshot, replier, limiter, now};
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        if (parse_one(burst.packets[place], place, refusal, burst)) burst.live[kept++] = place;
    }
    burst.live_count = kept;
}

}  // namespace steer
