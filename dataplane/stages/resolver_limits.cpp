// The program stage under `limits:` (limit.h): answers above a limit end here.
#include "dataplane/stages/limit.h"
#include "dataplane/stages/resolver.h"

namespace steer {

std::uint64_t Resolver::limit_key(const Packet& p, const Snapshot& snapshot,
                                  std::size_t question_end) const noexcept {
    const std::uint64_t key = parts_.limiter.reply_key(*snapshot.limits, limited_client(p),
                                                       name_as_sent(p, question_end));
    parts_.limiter.prefetch(*snapshot.limits, key);
    return key;
}

unsigned Resolver::answer_limited_hits(Burst& burst, const Snapshot& snapshot, Now now) noexcept {
    std::array<std::uint64_t, kBurst> keys;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const Packet& p = burst.packets[burst.live[i]];
        if (p.found != nullptr) keys[i] = limit_key(p, snapshot, p.query.question_end);
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (p.found != nullptr && answer_limited_hit(p, snapshot, AnswerPath::cache, keys[i], now))
            continue;
        burst.live[kept++] = place;
    }
    const unsigned hits = burst.live_count - kept;
    burst.live_count = kept;
    return hits;
}

bool Resolver::end_limited_hit(Packet& p, const Snapshot& snapshot, std::uint64_t key,
                               Now now) noexcept {
    const dns::Answer& answer = p.found->answer();
    if (answer.rcode != dns::kNoError || answer.ancount == 0) {
        return end_if_limited(p, *snapshot.limits, answer.rcode, answer.ancount != 0,
                              parts_.limiter, parts_.replier, now);
    }
    const Limited limited = parts_.limiter.on_answer(
        *snapshot.limits, limited_client(p), name_as_sent(p, p.query.question_end), key, now);
    if (limited == Limited::no) [[likely]]
        return false;
    end_limited(p, limited, parts_.replier);
    return true;
}

bool Resolver::end_limited_answer(Packet& p, const QueryContext& c, Now now) noexcept {
    const dns::Answer& answer = c.response.answer();
    parts_.replier.note_marks(c.state.marks);
    const bool is_limited = end_if_limited(p, *c.snapshot.limits, answer.rcode, answer.ancount != 0,
                                           parts_.limiter, parts_.replier, now);
    parts_.replier.note_marks(0);
    return is_limited;
}

bool Resolver::end_limited_answer(Parked& p, const QueryContext& c, Now now) noexcept {
    const ReturnPath& path = p.path;
    const dns::Answer& answer = c.response.answer();
    const Limiter::Client client{path.client.address, path.local, path.local_port,
                                 path.client.is_udp(), p.edns.cookie};
    const Limited limited = parts_.limiter.on_reply(
        *c.snapshot.limits, client,
        {{p.qname.data(), p.qname_len}, answer.rcode, answer.ancount != 0}, now);
    const auto answer_error = [&](std::uint8_t rcode, PendingOutcome end) {
        parts_.replier.answer(p, c.query, dns::empty_answer(rcode), {.ede = dns::Ede::prohibited},
                              end);
    };
    dns::Answer truncated = dns::empty_answer(dns::kNoError);
    truncated.flags |= dns::kTc;
    switch (limited) {
        case Limited::no:
            return false;
        case Limited::drop:
            parts_.replier.drop(p, PendingOutcome::limited_dropped);
            break;
        case Limited::truncate:
            parts_.replier.answer(p, c.query, truncated, {}, PendingOutcome::limited_truncated);
            break;
        case Limited::refuse:
            answer_error(dns::kRefused, PendingOutcome::limited_refused);
            break;
        case Limited::servfail:
            answer_error(dns::kServFail, PendingOutcome::limited_servfail);
            break;
    }
    return true;
}

bool Resolver::end_limited_miss(Packet& p, const QueryContext& c, Now now) noexcept {
    if (!c.snapshot.limits->limits_domains) return false;
    const Limited limited =
        parts_.limiter.on_miss(*c.snapshot.limits, limited_client(p), p.query.name(), now);
    if (limited == Limited::no) return false;
    parts_.executor.abandon(c.snapshot, c.state);
    parts_.replier.note_marks(c.state.marks);
    end_limited(p, limited, parts_.replier);
    parts_.replier.note_marks(0);
    return true;
}

}  // namespace steer
