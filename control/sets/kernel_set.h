// A set of the kernel, and the operations on it: the sink of claims for `ipset` and `nftset`.
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
    std::string family;  // of the table; empty: an ipset
    std::string table;
    std::string name;
    bool v6 = false;  // the family of its addresses

    [[nodiscard]] bool is_ipset() const { return family.empty(); }
    // "nftables set inet fw4 policy4", "ipset policy4".
    [[nodiscard]] std::string text() const {
        return is_ipset() ? "ipset " + name : "nftables set " + family + " " + table + " " + name;
    }
    friend auto operator<=>(const SetName&, const SetName&) = default;
};

// One list of the dataplane (an `ipset` or `nftset` plugin) and where its addresses go.
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
    friend bool operator==(const SetPlan&, const SetPlan&) = default;
};

// The abilities of a set, as reported by the kernel.
struct SetAbility {
    bool timeouts = false;
    bool prefixes = false;
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
};

}  // namespace steer::sets
