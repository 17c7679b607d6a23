// A branch of a query (branches.h): how it begins, how it ended, and what its query takes from it.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/policy/branches.h"
#include "dataplane/policy/query_context.h"

namespace steer {

// After Step::branches, for the instruction at state.pc.
[[nodiscard]] NextOfBranches next_branch(const QueryContext& c, const Branches& b) noexcept;
// When what became of them since `before` sets the clock after which the first is late: how long; nothing: it does not.
[[nodiscard]] std::optional<std::uint32_t> branch_time_ms(const QueryContext& c,
                                                          const Branches& before,
                                                          const Branches& b) noexcept;
// The type that branch number `which` asks for.
[[nodiscard]] std::uint16_t branch_type(const QueryContext& c, unsigned which) noexcept;
// `branch`, of the same name, stands at the beginning of branch number `which`.
void begin_branch(QueryContext& c, unsigned which, QueryContext& branch) noexcept;
// How a branch ended, whose program is over.
[[nodiscard]] Branches::Is end_of_branch(const QueryContext& branch) noexcept;
// It asked for the family that prefer_ipv4 or prefer_ipv6 prefers.
[[nodiscard]] bool is_probe(const QueryContext& branch) noexcept;
// The response has a record of the type that was asked for.
[[nodiscard]] bool has_wanted(const QueryContext& c) noexcept;
// The branch's response, claims and marks become those of its query.
void adopt(QueryContext& c, QueryContext& branch) noexcept;

}  // namespace steer
