// A branch of a query (branches.h): its beginning, its end, and what the query takes from it.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/policy/branches.h"
#include "dataplane/policy/query_context.h"

namespace steer {

// For the instruction at state.pc, after Step::branches.
[[nodiscard]] NextOfBranches next_branch(const QueryContext& c, const Branches& b) noexcept;
// The time after which the first branch is late, if a change since `before` starts that clock. Else
// no value.
[[nodiscard]] std::optional<std::uint32_t> branch_time_ms(const QueryContext& c,
                                                          const Branches& before,
                                                          const Branches& b) noexcept;
// The query type of branch number `which`.
[[nodiscard]] std::uint16_t branch_type(const QueryContext& c, unsigned which) noexcept;
// Sets `branch`, a query for the same name, to the beginning of branch number `which`.
void begin_branch(QueryContext& c, unsigned which, QueryContext& branch) noexcept;
// The result of a branch whose program has ended.
[[nodiscard]] Branches::Is end_of_branch(const QueryContext& branch) noexcept;
// Whether the branch queried the family that prefer_ipv4 or prefer_ipv6 prefers.
[[nodiscard]] bool is_probe(const QueryContext& branch) noexcept;
// Whether the response has a record of the asked type.
[[nodiscard]] bool has_wanted(const QueryContext& c) noexcept;
// Moves the branch's response, claims and marks to its query.
void adopt(QueryContext& c, QueryContext& branch) noexcept;

}  // namespace steer
