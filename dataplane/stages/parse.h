// Parses the DNS query of each packet and checks its client.
//
// In:   packets of the burst with their DNS message.
// Out:  `query`, `max_size`, `message_sum`, `question_sum` set; UDP checksums of frames verified.
//       Malformed queries and those of clients outside `allow` have left the burst.
//       Burst::set_aside: queries without RD or of type ANY for which the policy has rules of their
//       own (policy/rare_queries.h). Burst::with_cookie.
// Cost: one sum over the message, one walk over the name (dns/query.h), one search in the allowed
//       prefixes.
//
// Ends: Verdict::drop_bad_checksum, drop_short_header, drop_response (never answered: reflection
//       loops), answered_error (FORMERR, NOTIMP for other opcodes and for zone transfers, BADVERS),
//       refused_client (REFUSED, EDE 18), notify_passed, drop_notify_rate. With rows of `limits:`
//       for answers, those of limit.h.
#pragma once

#include "dataplane/base/clock.h"
#include "dataplane/limits/limiter.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/reply.h"

namespace steer {

// The client's limit in bytes of DNS, at most the transport's (RFC 6891 6.2.3, RFC 9715).
std::uint16_t size_limit(const Packet& p) noexcept;

// Whether any query of the burst may have the NSID option. Call it before parse(), only if
// Snapshot::nsid is set.
[[nodiscard]] bool any_asks_nsid(const Burst& burst) noexcept;

// Reads a query that is refused before its burst is parsed. Returns false if it gets no reply:
// malformed, or with a wrong checksum.
[[nodiscard]] bool read_for_refusal(Packet& p) noexcept;

void parse(Burst& burst, const Snapshot& snapshot, Replier& replier, Limiter& limiter,
           Now now) noexcept;

}  // namespace steer
