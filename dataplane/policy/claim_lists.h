// The lists that claim a response while the program runs, and whether a list claims it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "dataplane/cache/cache.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/leave_out.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/list_addresses.h"
#include "dataplane/policy/query_context.h"

namespace steer {

// Makes a cached answer the response.
inline void set_kept(Response& response, const cache::Entry* e, std::uint32_t stale_ttl_s,
                     Now now) {
    if (e->expires_s <= now.s()) return response.set_stale(e, stale_ttl_s);
    response.set_entry(e);
    if (is_failure(e->answer()) && e->answer().error_after == 0)
        response.set_ede(dns::Ede::cached_error);
}

// `to`: a ProgramState or HitLists.
template <class Lists>
void add_list(Lists& to, std::uint8_t list) {
    const auto end = to.lists.begin() + to.list_count;
    if (std::find(to.lists.begin(), end, list) != end) return;
    if (to.list_count < kMaxClaims) to.lists[to.list_count++] = list;
}

// Adds the lists that the entry remembers, if this snapshot has them.
template <class Lists>
void add_lists_of(const cache::Entry& e, const Snapshot& snapshot, Lists& to) {
    for (unsigned l = 0; l < e.list_count; ++l) {
        const std::uint8_t list = snapshot.list_by_id[e.lists[l]];
        if (list != kNoList) add_list(to, list);
    }
}

// Removes the claims: the addresses will not be sent.
inline void forget_lists(ProgramState& s) {
    s.list_count = 0;
    s.list_base = {};
    s.lacks_v4 = s.lacks_v6 = false;
    s.answered_under = static_cast<std::uint8_t>(s.rewrites.count());
}

// Of a response that is replaced or removed: its claims, and what made it.
inline void forget_response(ProgramState& s) {
    forget_lists(s);
    s.made_by = ProgramState::kNowhere;
}

// If the answer has addresses behind its answer section, any family counts: an address that the
// list cannot claim is not sent.
inline bool has_claimable_family(const PolicyList& list, const dns::Answer& answer) {
    return dns::any_answer_address(answer,
                                   [&](const std::uint8_t* bytes, bool is_v6) {
                                       return has_family_of(list, bytes, is_v6);
                                   }) ||
           answer.has_additional;
}

// Keeps an address behind the answer section if one of the answer's lists claims it, and every list
// that has its family claims it.
class ClaimedAdditional final : public dns::AddressFilter {
  public:
    ClaimedAdditional(const Snapshot& snapshot, std::span<const std::uint8_t> lists)
        : snapshot_(snapshot), lists_(lists) {}

    bool keeps(const std::uint8_t* bytes, bool is_v6) const noexcept override {
        bool any = false;
        for (const std::uint8_t index : lists_) {
            const PolicyList& list = snapshot_.lists[index];
            if (is_claimed(list, bytes, is_v6)) {
                any = true;
            } else if (has_family_of(list, bytes, is_v6) ||
                       list.missing_family == MissingFamily::nodata) {
                return false;
            }
        }
        return any;
    }

  private:
    const Snapshot& snapshot_;
    std::span<const std::uint8_t> lists_;
};

// Whether an answer with these lists has an additional record that must not be sent.
inline bool has_to_leave_out(const Snapshot& snapshot, std::span<const std::uint8_t> lists,
                             const dns::Answer& answer) {
    return answer.has_additional &&
           dns::has_to_leave_out(answer, ClaimedAdditional(snapshot, lists));
}

inline bool is_hints_type(std::uint16_t qtype) {
    return qtype == dns::kHttps || qtype == dns::kSvcb;
}

// Families that an answer to this type must not contain, because the list does not have them.
struct MissingFamilies {
    bool v4 = false, v6 = false;

    [[nodiscard]] bool any() const { return v4 || v6; }
};
// An IPv4 address in an AAAA or ipv6hint counts as IPv4. An IPv6 address with the prefix of a dns64
// counts as its `claim` says.
inline bool lacks_v6_of(const PolicyList& list, const std::uint8_t* v6) {
    if (IpAddress::from_v6(v6).is_v4()) return false;
    const TranslatedPrefix* const t = list.translated_at(v6);
    return t == nullptr || !t->as_v4;
}
inline MissingFamilies missing_of_aaaa(const PolicyList& list, const dns::Answer& answer) {
    if (list.has_v4 && list.has_v6) return {};
    if (answer.address_count == 0) return {false, !list.takes_v6()};
    MissingFamilies missing;
    dns::any_answer_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        if (!is_v6 || IpAddress::from_v6(bytes).is_v4()) {
            missing.v4 = missing.v4 || !list.has_v4;
        } else if (!list.has_v6) {
            missing.v6 = missing.v6 || lacks_v6_of(list, bytes);
        }
        return false;
    });
    return missing;
}
inline MissingFamilies missing_families(const PolicyList& list, std::uint16_t qtype,
                                        const dns::Answer& answer) {
    if (list.missing_family != MissingFamily::nodata) return {};
    if (qtype == dns::kAaaa) return missing_of_aaaa(list, answer);
    const bool hints = is_hints_type(qtype);
    MissingFamilies missing{(hints || qtype == dns::kA) && !list.has_v4, hints && !list.takes_v6()};
    // A list that takes only addresses of a dns64 takes no other IPv6. Records behind the answer
    // section are left out one by one (ClaimedAdditional).
    if (hints && !list.has_v6 && !missing.v6) {
        missing.v6 = dns::any_answer_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
            return is_v6 && lacks_v6_of(list, bytes);
        });
    }
    return missing;
}

// Whether this branch queries A in place of AAAA.
inline bool is_dns64_probe(const QueryContext& c) {
    if (!c.state.rest || c.query.qtype != dns::kA) return false;
    return c.snapshot.program[c.state.wrappers[0]].op == Op::enter_dns64;
}

}  // namespace steer
