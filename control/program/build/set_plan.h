// The targets of `ipset`, `nftset` and `bgp_route` plugins: the name of a kernel set, and the plan
// of its list. A routing table counts as a set of host routes.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "routeros/shares.h"

namespace steer::sets {

struct SetName {
    static constexpr const char* kRoutes = "route";

    std::string family;  // of the nftables table; empty: an ipset; kRoutes: a routing table
    std::string table;   // its name; for a routing table, its number
    std::string name;    // of the set; empty for a routing table
    bool v6 = false;     // the family of its addresses

    [[nodiscard]] bool is_ipset() const { return family.empty(); }
    [[nodiscard]] bool is_routes() const { return family == kRoutes; }
    [[nodiscard]] bool is_nftables() const { return !is_ipset() && !is_routes(); }
    // "nftables set inet fw4 policy4", "ipset policy4", "IPv4 routes of table 5301".
    [[nodiscard]] std::string text() const {
        if (is_ipset()) return "ipset " + name;
        if (is_routes()) return (v6 ? "IPv6 routes of table " : "IPv4 routes of table ") + table;
        return "nftables set " + family + " " + table + " " + name;
    }
    friend auto operator<=>(const SetName&, const SetName&) = default;
};

// The removal of elements that the kernel does not expire (routes).
struct SetEnds {
    std::uint32_t linger_s = 0;  // time after the lease
    std::uint32_t apart_s = 0;   // minimum time between two removals of an element
    std::uint32_t adopt_s = 0;   // how long elements of an earlier process stay without a claim
    friend bool operator==(const SetEnds&, const SetEnds&) = default;
};

// One list of the dataplane (an `ipset`, `nftset` or `bgp_route` plugin) and the sets with its
// addresses.
struct SetPlan {
    struct Family {
        SetName set;
        std::uint32_t mask = 0;  // 1..32, 1..128
        friend bool operator==(const Family&, const Family&) = default;
    };
    ListId list = 0;
    std::string tag;
    std::vector<Family> families;  // one or two
    std::uint32_t max_elements = 50'000;
    std::vector<matchers::Prefix> never_claim{};  // no element contains any of these
    SetEnds ends{};                               // for routes
    std::vector<IpAddress> allowed{};  // ClaimTerms::allowed; not used by the process for sets
    routeros::ShareLimits shares{};    // of max_elements
    friend bool operator==(const SetPlan&, const SetPlan&) = default;
};

}  // namespace steer::sets
