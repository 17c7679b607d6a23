// `dns64` (RFC 6147): queries AAAA and A in parallel as branches (branches.h). If the name has no
// AAAA records that count, it translates the answer to A.
//
// TTL (5.1.7): at most the TTL of the SOA that denied AAAA, and at most 600 s if there is none.
#pragma once

#include "dataplane/policy/branches.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_dns64> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
    // The result of the branch for AAAA or of the one for A.
    static Branches::Is end_of_branch(const QueryContext& branch, const Dns64& dns64) noexcept;
    // The branch's response is already in `w`. `other`: the other branch, if it has a response as
    // well.
    static MaybeStep take_branch(LiveRun& w, const QueryContext& branch, const QueryContext* other,
                                 const Dns64& dns64) noexcept;
};

}  // namespace steer
