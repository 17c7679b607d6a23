// Which address of an answer a list claims, and in which family. Claims from other sources
// (control: ClaimTerms) use the same rules.
//
// An IPv4 address in an AAAA or ipv6hint (::ffff:0:0/96) counts as IPv4, because clients connect to
// it over IPv4. For an address with the prefix of a NAT64, `claim` of the dns64 decides: the list
// gets the address, the IPv4 address in it, or both. With 64:ff9b::/96 that no dns64 names, it gets
// both. The IPv4 address decides whether the address may be claimed. Also, the address as written
// must not be forbidden: by a configured never_claim, or as an address of this system
// (PolicyList::never_exact).
//
// Pure. `bytes`: 4 or 16, in network order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/dns/hints.h"
#include "dataplane/policy/policy_list.h"

namespace steer {

// The NAT64 of this network that handles the address; nullptr if there is none.
inline const TranslatedPrefix* nat64_of(const std::vector<TranslatedPrefix>& named,
                                        const std::uint8_t* v6) {
    static constexpr TranslatedPrefix kUnnamed{dns::kWellKnownPref64, true, true};
    for (const TranslatedPrefix& one : named) {
        if (one.prefix.holds(v6)) return &one;
    }
    return kUnnamed.prefix.holds(v6) ? &kUnnamed : nullptr;
}

// The IPv4 address in an address with this prefix.
inline IpAddress ipv4_behind(const TranslatedPrefix& nat64, const IpAddress& address) {
    std::array<std::uint8_t, 4> four;
    nat64.prefix.extract(address.bytes.data(), four.data());
    return IpAddress::from_v4(four.data());
}

// Whether an address may be claimed, and the NAT64 that handles it. `Terms`: a PolicyList or
// ClaimTerms.
struct Judgement {
    bool may_claim;
    const TranslatedPrefix* nat64;  // the one that handles the address; nullptr: none
    IpAddress behind;               // with a NAT64: the IPv4 address
};
template <class Terms>
Judgement judge(const Terms& terms, const IpAddress& address) {
    const TranslatedPrefix* const nat64 =
        address.is_v4() ? nullptr : nat64_of(terms.translated, address.bytes.data());
    if (nat64 == nullptr) return {!terms.never_claim.contains(address), nullptr, {}};
    const IpAddress behind = ipv4_behind(*nat64, address);
    return {!terms.never_claim.contains(behind) && !terms.never_exact.contains(address), nat64,
            behind};
}

// Calls visit(address) for each address that the list claims because of this one.
template <class Visit>
void visit_claimed(const PolicyList& list, const std::uint8_t* bytes, bool is_v6, Visit&& visit) {
    const IpAddress address = is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
    if (address.is_v4()) {
        if (list.has_v4 && !list.never_claim.contains(address)) visit(address);
        return;
    }
    const Judgement one = judge(list, address);
    if (!one.may_claim) return;
    if (one.nat64 != nullptr && one.nat64->as_v4 && list.has_v4) visit(one.behind);
    if ((one.nat64 == nullptr || one.nat64->as_v6) && list.has_v6) visit(address);
}

inline bool is_claimed(const PolicyList& list, const std::uint8_t* bytes, bool is_v6) {
    bool any = false;
    visit_claimed(list, bytes, is_v6, [&](const IpAddress&) { any = true; });
    return any;
}

// Whether the list has a family for this address, apart from never_claim.
inline bool has_family_of(const PolicyList& list, const std::uint8_t* bytes, bool is_v6) {
    if (!is_v6 || IpAddress::from_v6(bytes).is_v4()) return list.has_v4;
    const TranslatedPrefix* const nat64 = nat64_of(list.translated, bytes);
    if (nat64 == nullptr) return list.has_v6;
    return (nat64->as_v6 && list.has_v6) || (nat64->as_v4 && list.has_v4);
}

}  // namespace steer
