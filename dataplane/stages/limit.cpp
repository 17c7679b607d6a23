#include "dataplane/stages/limit.h"

#include "dataplane/stages/parse.h"

namespace steer {

void end_limited(Packet& p, Limited limited, Replier& replier) noexcept {
    switch (limited) {
        case Limited::truncate:
            return replier.answer_truncated(p, Verdict::limited_truncated);
        case Limited::refuse:
            return replier.answer_error(p, dns::kRefused, dns::Ede::prohibited,
                                        Verdict::limited_refused);
        case Limited::servfail:
            return replier.answer_error(p, dns::kServFail, dns::Ede::prohibited,
                                        Verdict::limited_servfail);
        case Limited::no:
        case Limited::drop:
            break;
    }
    replier.drop(p, Verdict::limited_dropped);
}

// An unreadable query, and one of a client outside `allow`, get no reply at all.
void limit_queries(Burst& burst, const Snapshot& snapshot, Limiter& limiter, Replier& replier,
                   Now now) noexcept {
    const LimitPolicy& policy = *snapshot.limits;
    for (unsigned i = 0; i < burst.live_count; ++i)
        limiter.prefetch_query(policy, limited_client(burst.packets[burst.live[i]]));
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        Limited limited = limiter.on_query(policy, limited_client(p), p.dns_length, now);
        if (limited == Limited::no) [[likely]] {
            burst.live[kept++] = place;
            continue;
        }
        if (limited != Limited::drop &&
            (!read_for_refusal(p) || !snapshot.allow.contains(p.client.address)))
            limited = Limited::drop;
        if (limited == Limited::drop) p.clear_query();
        end_limited(p, limited, replier);
    }
    burst.live_count = kept;
}

[[gnu::noinline]] AnswerBatches::Batch batch_of(const Packet& p, std::uint32_t name,
                                                const Limiter::Batching& batching) noexcept {
    const Limiter::Client client = limited_client(p);
    const AnswerBatches::Batch batch = batching.find(client, name);
    if (name != 0 && batch.is_none() && client.may_be_forged()) batching.prefetch(client, name);
    return batch;
}

bool end_if_limited(Packet& p, const Snapshot& snapshot, std::uint8_t rcode, bool has_answers,
                    Limiter& limiter, Replier& replier, Now now) noexcept {
    if (!snapshot.limits_answers()) return false;
    const Limited limited =
        limiter.on_reply(*snapshot.limits, limited_client(p),
                         {name_as_sent(p, p.query.question_end), rcode, has_answers}, now);
    if (limited == Limited::no) return false;
    end_limited(p, limited, replier);
    return true;
}

}  // namespace steer
