// Limits of `limits:` on packets of the burst (limits/limiter.h): queries and bytes before any
// other work, and answers before they leave.
//
// In:   packets of the burst with their DNS message.
// Out:  packets above a limit have left the burst.
// Cost: none without `limits:`, as long as the caller tests Snapshot::limits once per burst. With
//       it, a CPU cache line for each row; the first row's is prefetched for the whole burst.
//
// Ends: Verdict::limited_dropped, limited_truncated, limited_refused (EDE 18), limited_servfail.
#pragma once

#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/dns/wire.h"
#include "dataplane/limits/limiter.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/reply.h"

namespace steer {

inline Limiter::Client limited_client(const Packet& p) {
    return {p.client.address, p.destination, p.destination_port, p.client.is_udp(), p.cookie};
}
// The name as the client sent it; empty if the question could not be read. `question_end`: of the
// query.
inline std::span<const std::uint8_t> name_as_sent(const Packet& p, std::size_t question_end) {
    if (question_end <= dns::kHeaderSize + dns::kTypeAndClass) return {};
    return {p.dns + dns::kHeaderSize, question_end - dns::kHeaderSize - dns::kTypeAndClass};
}

// Only if Snapshot::limits has rows for queries or bytes. Replies need no parsed query.
void limit_queries(Burst& burst, const Snapshot& snapshot, Limiter& limiter, Replier& replier,
                   Now now) noexcept;

// The batch of the packet's answer. Without one, its bucket is prefetched. `name`:
// Resolver::limit_name().
[[nodiscard]] AnswerBatches::Batch batch_of(const Packet& p, std::uint32_t name,
                                            const Limiter::Batching& batching) noexcept;

// Ends a packet with a parsed query. `limited`: not Limited::no.
void end_limited(Packet& p, Limited limited, Replier& replier) noexcept;

// Ends the packet if an answer with this rcode is above a limit. False: it may leave.
[[nodiscard]] bool end_if_limited(Packet& p, const Snapshot& snapshot, std::uint8_t rcode,
                                  bool has_answers, Limiter& limiter, Replier& replier,
                                  Now now) noexcept;

}  // namespace steer
