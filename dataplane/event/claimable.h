// The addresses of an answer that a list may hold.
#pragma once

#include <array>
#include <climits>

#include "dataplane/dns/hints.h"
#include "dataplane/policy/policy_list.h"

namespace steer {

template <class Visit>
void visit_translated(const PolicyList& list, const TranslatedPrefix& t, const std::uint8_t* v6,
                      Visit&& visit) {
    std::array<std::uint8_t, 4> bytes;
    t.prefix.extract(v6, bytes.data());
    const IpAddress v4 = IpAddress::from_v4(bytes.data());
    if (list.never_claim.contains(v4)) return;
    if (t.as_v4 && list.has_v4) visit(v4);
    if (t.as_v6 && list.has_v6) visit(IpAddress::from_v6(v6));
}

// Calls visit(address) for each address that the list has a family for and may claim, at most max_addresses; duplicates
// are visited twice. An AAAA or hint that holds an IPv4 address (::ffff:0:0/96) is skipped: no connection goes there.
// For an address below the prefix of a NAT64, dns64's `claim` decides: the address, the IPv4 address behind it, or
// both; the IPv4 address decides whether it may be claimed.
template <class Visit>
void for_each_claimable(const PolicyList& list, const dns::Answer& answer, Visit&& visit) {
    unsigned left = list.max_addresses == 0 ? UINT_MAX : list.max_addresses;
    dns::any_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        if (left == 0) return true;
        if (is_v6 && !list.translated.empty()) {
            if (const TranslatedPrefix* const t = list.translated_at(bytes)) {
                --left;
                visit_translated(list, *t, bytes, visit);
                return false;
            }
        }
        if (is_v6 ? !list.has_v6 : !list.has_v4) return false;
        const IpAddress address = is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
        if ((is_v6 && address.is_v4()) || list.never_claim.contains(address)) return false;
        --left;
        visit(address);
        return false;
    });
}

}  // namespace steer
