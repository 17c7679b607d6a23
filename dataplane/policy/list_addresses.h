// Which address of an answer a list claims, and in which family it holds it.
//
// IPv4 in an AAAA or ipv6hint (::ffff:0:0/96) is IPv4: clients connect to it over IPv4. For an address in the prefix of
// a NAT64, dns64's `claim` says whether the list gets the address, the IPv4 address behind it, or both; in 64:ff9b::/96
// that no dns64 names, both. The IPv4 address decides whether it may be claimed.
//
// Pure. `bytes`: 4 or 16, in network order.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/dns/hints.h"
#include "dataplane/policy/policy_list.h"

namespace steer {

// The NAT64 of the network that an address leads to; nullptr: none.
inline const TranslatedPrefix* nat64_of(const PolicyList& list, const std::uint8_t* v6) {
    static constexpr TranslatedPrefix kUnnamed{dns::kWellKnownPref64, true, true};
    if (const TranslatedPrefix* const named = list.translated_at(v6)) return named;
    return kUnnamed.prefix.holds(v6) ? &kUnnamed : nullptr;
}

// Calls visit(address) for each address that the list claims for this one.
template <class Visit>
void visit_claimed(const PolicyList& list, const std::uint8_t* bytes, bool is_v6, Visit&& visit) {
    const IpAddress address = is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
    if (address.is_v4()) {
        if (list.has_v4 && !list.never_claim.contains(address)) visit(address);
        return;
    }
    const TranslatedPrefix* const nat64 = nat64_of(list, bytes);
    if (nat64 == nullptr) {
        if (list.has_v6 && !list.never_claim.contains(address)) visit(address);
        return;
    }
    std::array<std::uint8_t, 4> behind;
    nat64->prefix.extract(bytes, behind.data());
    const IpAddress v4 = IpAddress::from_v4(behind.data());
    if (list.never_claim.contains(v4)) return;
    if (nat64->as_v4 && list.has_v4) visit(v4);
    if (nat64->as_v6 && list.has_v6) visit(address);
}

inline bool is_claimed(const PolicyList& list, const std::uint8_t* bytes, bool is_v6) {
    bool any = false;
    visit_claimed(list, bytes, is_v6, [&](const IpAddress&) { any = true; });
    return any;
}

// Whether the list has a family for it, never_claim aside.
inline bool has_family_of(const PolicyList& list, const std::uint8_t* bytes, bool is_v6) {
    if (!is_v6 || IpAddress::from_v6(bytes).is_v4()) return list.has_v4;
    const TranslatedPrefix* const nat64 = nat64_of(list, bytes);
    if (nat64 == nullptr) return list.has_v6;
    return (nat64->as_v6 && list.has_v6) || (nat64->as_v4 && list.has_v4);
}

}  // namespace steer
