// A set of the kernel, and the operations on it: the sink of claims for `ipset`, `nftset` and `bgp_route`.
//
// A routing table is a set of host routes.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::sets {

struct SetName {
    static constexpr const char* kRoutes = "route";

    std::string family;  // of the table of nftables; empty: an ipset; kRoutes: a routing table
    std::string table;   // its name; of a routing table: its number
    std::string name;    // of the set; a routing table has none
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

// When elements are removed that the kernel does not end (routes).
struct SetEnds {
    std::uint32_t linger_s = 0;  // after the lease
    std::uint32_t apart_s = 0;   // between two removals of an element, at least
    std::uint32_t adopt_s = 0;   // how long elements of an earlier process stay without a claim
    friend bool operator==(const SetEnds&, const SetEnds&) = default;
};

// One list of the dataplane (an `ipset`, `nftset` or `bgp_route` plugin) and where its addresses go.
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
    std::vector<matchers::Prefix> never_claim{};  // no element holds any of these
    SetEnds ends{};                               // of routes
    std::vector<IpAddress> allowed{};  // ClaimTerms::allowed; not for the process of the sets
    friend bool operator==(const SetPlan&, const SetPlan&) = default;
};

// The abilities of a set, as reported by the kernel.
struct SetAbility {
    bool timeouts = false;
    bool prefixes = false;
    bool removal = false;  // elements stay until remove(): no other program's are touched
    friend bool operator==(const SetAbility&, const SetAbility&) = default;
};

struct SetElement {
    matchers::Prefix prefix;      // a single address, unless the set can hold prefixes
    std::uint32_t timeout_s = 0;  // 0: none
};

// Blocking calls of milliseconds (netlink): on one thread that no other thread waits for.
class SetWriter {
  public:
    virtual ~SetWriter() = default;
    // Reads the set's abilities; an Error says why it cannot be filled.
    virtual Result<SetAbility> read(const SetName& set) = 0;
    // Adds all elements; after an Error some may be added. An existing one gets the new timeout.
    virtual Result<void> add(const SetName& set, std::span<const SetElement> elements) = 0;
    // Whether it has this element. Error: unknown.
    virtual Result<bool> has(const SetName& set, const matchers::Prefix& prefix) = 0;

    // Of sets with `removal`. Removes our elements; missing ones are no error.
    virtual Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) = 0;
    // Our elements that are in it.
    virtual Result<std::vector<matchers::Prefix>> ours(const SetName& set) = 0;
};

}  // namespace steer::sets
