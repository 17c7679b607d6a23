// The operations on a set of the kernel (control/program/build/set_plan.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/program/build/set_plan.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::sets {

// The abilities of a set, as reported by the kernel.
struct SetAbility {
    bool timeouts = false;
    bool prefixes = false;
    bool removal = false;  // elements stay until remove(), which removes only ours
    bool evicts = false;   // remove() works for elements that have a timeout
    friend bool operator==(const SetAbility&, const SetAbility&) = default;
};

struct SetElement {
    matchers::Prefix prefix;      // a single address, unless the set can hold prefixes
    std::uint32_t timeout_s = 0;  // 0: none
};

// Blocking calls of milliseconds (netlink): only on a thread that no other thread waits for.
class SetWriter {
  public:
    virtual ~SetWriter() = default;
    // Reads the set's abilities; an Error says why it cannot be filled.
    virtual Result<SetAbility> read(const SetName& set) = 0;
    // Adds all elements; after an Error some may be added. An existing one gets the new timeout.
    virtual Result<void> add(const SetName& set, std::span<const SetElement> elements) = 0;
    // Whether it has this element. Error: unknown.
    virtual Result<bool> has(const SetName& set, const matchers::Prefix& prefix) = 0;
    // Removes our elements; missing ones are no error.
    virtual Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) = 0;

    // Of sets with `removal`: our elements that are in it.
    virtual Result<std::vector<matchers::Prefix>> ours(const SetName& set) = 0;
};

}  // namespace steer::sets
