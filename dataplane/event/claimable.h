// The addresses of an answer that a list may claim.
#pragma once

#include <climits>

#include "dataplane/policy/list_addresses.h"

namespace steer {

// Calls visit(address) for each address that the list claims (policy/list_addresses.h), in all
// sections of the answer, for at most max_addresses of them. Visits a duplicate twice.
// at most max_addresses of them; duplicates are visited twice.
template <class Visit>
void for_each_claimable(const PolicyList& list, const dns::Answer& answer, Visit&& visit) {
    unsigned left = list.max_addresses == 0 ? UINT_MAX : list.max_addresses;
    dns::any_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        if (left == 0) return true;
        bool any = false;
        visit_claimed(list, bytes, is_v6, [&](const IpAddress& address) {
            any = true;
            visit(address);
        });
        left -= any ? 1U : 0U;
        return false;
    });
}

}  // namespace steer
