// Which addresses of an answer a list may hold.
#pragma once

#include "dataplane/dns/hints.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// visit(address) for each that the list has a family for and may claim; an address that the answer has twice comes twice.
template <class Visit>
void for_each_claimable(const PolicyList& list, const dns::Answer& answer, Visit&& visit) {
    dns::any_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        if (is_v6 ? !list.has_v6 : !list.has_v4) return false;
        const IpAddress address = is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
        if (!list.never_claim.contains(address)) visit(address);
        return false;
    });
}

}  // namespace steer
