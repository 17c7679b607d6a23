// The message that an upstream sent, made again from what the history keeps of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "control/observe/replay/replayed_query.h"
#include "dataplane/dns/query.h"

namespace steer::replay {

// The response to `asked`, whose name may be one that the client's name was replaced by (then it is a target in `records`).
// TTLs are kKnownTtlS. No value if the records do not tell what it was.
inline constexpr std::uint32_t kKnownTtlS = 300;
std::optional<std::vector<std::uint8_t>> message_of(const KnownAnswer& answer,
                                                    std::span<const std::uint8_t> client_name,
                                                    const dns::Query& asked);
// A response with one address, or with nothing for types that have none: for rules that do not read it.
std::vector<std::uint8_t> any_message(const dns::Query& asked);

// Whether the answer cannot be one that a rule made in place of the upstream's: it has an address, and none is
// unspecified or of loopback.
bool is_plainly_upstreams(const KnownAnswer& answer);

}  // namespace steer::replay
