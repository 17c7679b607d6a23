// `prefer_ipv4`, `prefer_ipv6`: also run the rest of their sequence, or a unit, for the other
// family (branches.h).
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_prefer> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
    // The preferred family has records: empties the answer, and the query continues where that
    // branch ended.
    static MaybeStep deny(LiveRun& w, bool stopped, std::uint16_t pc) noexcept;
    // The unit of `probe_executor` found records: empties the answer, and the query ends.
    static MaybeStep take_probe(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
