// Rules for queries without RD (RFC 1034 4.3.1) and queries of type ANY (RFC 8482).
//
// These queries run the program like others, so static records, leases and rules answer them. They
// take no short cut: neither the packet cache nor a plain hit answers them. A `forward` answers
// them itself (ops/forward.h).
#pragma once

#include <cstdint>

#include "dataplane/answer/answer_store.h"
#include "dataplane/dns/wire.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

// A query without RD that no local data answers: REFUSED; an answer of the cache, else REFUSED; or
// as with RD.
enum class NoRecurse : std::uint8_t { refuse, cache, forward };
// A query of type ANY that no local data answers: HINFO "RFC8482"; REFUSED; or as other types.
enum class AnyQueries : std::uint8_t { hinfo, refuse, forward };

struct RareQueries {
    NoRecurse norecurse = NoRecurse::forward;  // for clients in neither of the next two
    matchers::PrefixSet from_cache, forwarded;
    AnyQueries any = AnyQueries::forward;
    AnswerRef hinfo = kNoAnswer;

    // The rule for a query with these header flags; with RD: forward.
    [[nodiscard]] NoRecurse norecurse_for(std::uint16_t flags,
                                          const IpAddress& client) const noexcept {
        if ((flags & dns::kRd) != 0 || forwarded.contains(client)) return NoRecurse::forward;
        return from_cache.contains(client) ? NoRecurse::cache : norecurse;
    }
    // Whether queries of this type are kept from upstreams.
    [[nodiscard]] bool answers_any(std::uint16_t qtype) const noexcept {
        return qtype == dns::kAny && any != AnyQueries::forward;
    }
};

}  // namespace steer
