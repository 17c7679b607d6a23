// The report about an OPNsense router: status, counters and metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "matchers/counter_table.h"

namespace steer::opnsense {

//    name, what was counted
#define STEER_ALIAS_COUNTERS(X)                                                         \
    X(added, "elements added to the alias, including repeated ones")                    \
    X(deleted, "elements deleted from the alias")                                       \
    X(failed, "writes that OPNsense rejected")                                          \
    X(lost, "elements that were gone when the table was read, and added again")         \
    X(reads, "times that the table was read")                                           \
    X(full, "claims dropped: the alias has `max_elements` elements")                    \
    X(over_share, "claims dropped: name, domain or client used its share of the alias") \
    X(evicted, "elements evicted from a full alias for others")

STEER_COUNTER_STRUCT(AliasCounters, kAliasCounters, STEER_ALIAS_COUNTERS);

struct AliasReport {
    std::string name, tag;
    bool ready = false;
    std::string error;         // why it is not; empty: none
    std::size_t elements = 0;  // that must be in it
    std::size_t pending = 0;   // of these, not written yet
    std::size_t foreign = 0;   // elements in it that we did not add
    AliasCounters counters;
};

struct RouterReport {
    std::string name, address;
    bool reachable = false;
    bool paused = false;
    std::string error;  // of the last failure; empty: none
    std::vector<AliasReport> aliases;
};

}  // namespace steer::opnsense
