// The program stage under `limits:` (limit.h): answers above a limit end here.
#include "dataplane/stages/limit.h"
#include "dataplane/stages/resolver.h"

namespace steer {

std::uint32_t Resolver::limit_name(const dns::Query& query, const dns::Answer& answer,
                                   const Snapshot& snapshot) const noexcept {
    if (!snapshot.limits_answers() || answer.rcode != dns::kNoError || answer.ancount == 0)
        return 0;
    return parts_.limiter.name_key(query.name());
}

unsigned Resolver::answer_limited_hits(Burst& burst, const Snapshot& snapshot, Now now) noexcept {
    const std::uint32_t now_s = now.s();
    const Limiter::Batching batching = limit_batches(snapshot, now_s);
    std::array<std::uint32_t, kBurst> names;
    std::array<AnswerBatches::Batch, kBurst> batches;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const Packet& p = burst.packets[burst.live[i]];
        names[i] = p.found == nullptr ? 0 : limit_name(p.query, p.found->answer(), snapshot);
        batches[i] = batch_of(p, names[i], batching);
        batches[i].prefetch();
    }
    for (unsigned i = 0; i < burst.live_count; ++i) {
        batching.prefetch(batches[i], limited_client(burst.packets[burst.live[i]]), names[i]);
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (p.found != nullptr && answer_under_limits(p, snapshot, AnswerPath::cache,
                                                      {batching, names[i], batches[i]}, now, now_s))
            continue;
        burst.live[kept++] = place;
    }
    const unsigned hits = burst.live_count - kept;
    burst.live_count = kept;
    return hits;
}

bool Resolver::end_limited_hit(Packet& p, const Snapshot& snapshot,
                               const Limiter::Batching& batching, std::uint32_t name,
                               Now now) noexcept {
    const dns::Answer& answer = p.found->answer();
    if (answer.rcode != dns::kNoError || answer.ancount == 0) {
        return end_if_limited(p, snapshot, answer.rcode, answer.ancount != 0, parts_.limiter,
                              parts_.replier, now);
    }
    const Limited limited = parts_.limiter.on_answer(
        batching, limited_client(p), name_as_sent(p, p.query.question_end), name, now);
    if (limited == Limited::no) [[likely]]
        return false;
    end_limited(p, limited, parts_.replier);
    return true;
}

bool Resolver::end_limited_answer(Packet& p, const QueryContext& c, Now now) noexcept {
    const dns::Answer& answer = c.response.answer();
    parts_.replier.note_program(&c.state);
    const bool is_limited = end_if_limited(p, c.snapshot, answer.rcode, answer.ancount != 0,
                                           parts_.limiter, parts_.replier, now);
    parts_.replier.note_program(nullptr);
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
    parts_.replier.note_program(&c.state);
    end_limited(p, limited, parts_.replier);
    parts_.replier.note_program(nullptr);
    return true;
}

}  // namespace steer
