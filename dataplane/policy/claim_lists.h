// The lists that a response is claimed for while the program runs, and whether a list claims it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/cache/cache.h"
#include "dataplane/dns/hints.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/query_context.h"

namespace steer {

// Makes a cached answer the response.
inline void set_kept(Response& response, const cache::Entry* e, std::uint32_t stale_ttl_s,
                     Now now) {
    if (e->expires_s <= now.s()) return response.set_stale(e, stale_ttl_s);
    response.set_entry(e);
    if (is_failure(e->answer())) response.set_ede(dns::Ede::cached_error);
}

// `to`: a ProgramState or HitLists.
template <class Lists>
void add_list(Lists& to, std::uint8_t list) {
    const auto end = to.lists.begin() + to.list_count;
    if (std::find(to.lists.begin(), end, list) != end) return;
    if (to.list_count < kMaxClaims) to.lists[to.list_count++] = list;
}

// The lists that the entry remembers and this snapshot has.
template <class Lists>
void add_lists_of(const cache::Entry& e, const Snapshot& snapshot, Lists& to) {
    for (unsigned l = 0; l < e.list_count; ++l) {
        const std::uint8_t list = snapshot.list_by_id[e.lists[l]];
        if (list != kNoList) add_list(to, list);
    }
}

// A response that is replaced takes its claims with it, because its addresses will not
// leave.
inline void forget_lists(ProgramState& s) {
    s.list_count = 0;
    s.list_base = {};
    s.lacks_v4 = s.lacks_v6 = false;
    s.answered_under = static_cast<std::uint8_t>(s.rewrites.count());
}

inline bool has_claimable_family(const PolicyList& list, const dns::Answer& answer) {
    return dns::any_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        if (!is_v6) return list.has_v4;
        const TranslatedPrefix* const t = list.translated_at(bytes);
        return t == nullptr ? list.has_v6 : (t->as_v6 && list.has_v6) || (t->as_v4 && list.has_v4);
    });
}

inline bool is_hints_type(std::uint16_t qtype) {
    return qtype == dns::kHttps || qtype == dns::kSvcb;
}

// Families that an answer to this type must not contain, because the list does not hold them.
struct MissingFamilies {
    bool v4 = false, v6 = false;

    [[nodiscard]] bool any() const { return v4 || v6; }
};
inline MissingFamilies missing_families(const PolicyList& list, std::uint16_t qtype) {
    if (list.missing_family != MissingFamily::nodata) return {};
    const bool hints = is_hints_type(qtype);
    return {(hints || qtype == dns::kA) && !list.has_v4,
            (hints || qtype == dns::kAaaa) && !list.takes_v6()};
}

// A branch that asks for A on behalf of AAAA.
inline bool is_dns64_probe(const QueryContext& c) {
    if (!c.state.rest || c.query.qtype != dns::kA) return false;
    return c.snapshot.program[c.state.wrappers[0]].op == Op::enter_dns64;
}

}  // namespace steer
