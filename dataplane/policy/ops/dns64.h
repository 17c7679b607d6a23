// `dns64` (RFC 6147): AAAA and A are asked side by side as branches (branches.h), and the answer to A is made into that to
// AAAA where the name has none that count.
//
// TTL (5.1.7): not above that of the SOA with which AAAA was denied, nor above 600 s where none is known.
#pragma once

#include "dataplane/policy/branches.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_dns64> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
    // How the branch that asks for AAAA ended, or that for A.
    static Branches::Is end_of_branch(const QueryContext& branch, const Dns64& dns64) noexcept;
    // With the branch's response in `w` already; `other`: the other branch, if it is there as well.
    static MaybeStep take_branch(LiveRun& w, const QueryContext& branch, const QueryContext* other,
                                 const Dns64& dns64) noexcept;
};

}  // namespace steer
