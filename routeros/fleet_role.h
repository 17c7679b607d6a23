// The role of this instance on a router that several appliances (a fleet) write, and the claims
// that they share.
//
// One appliance writes a router. Its writer row, a static entry of list `steerdns-writer`, has the
// fencing token of its term. A former writer that sees a higher token there stops writing at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routeros/shares.h"

namespace steer::routeros {

#define STEER_FLEET_ROLES(X)                                                                      \
    X(alone, "alone", "no fleet, or it is unreachable: writes, by the rules for several writers") \
    X(writer, "writer", "writes, once its writer row with its token is on the router")            \
    X(standby, "standby", "another one writes: writes nothing; answers wait for its rows")        \
    X(waiting, "waiting", "no writer is known: writes nothing, and no answer waits")
enum class Role : std::uint8_t {
#define STEER_FLEET_ROLE_ENUM(name, label, text) name,
    STEER_FLEET_ROLES(STEER_FLEET_ROLE_ENUM)
#undef STEER_FLEET_ROLE_ENUM
};
std::string_view label(Role role);

// The list of the writer rows, in the menu of IPv4.
inline constexpr std::string_view kWriterList = "steerdns-writer";

// JSON and Redis scripts store numbers as doubles, which cannot hold higher tokens. A row with a
// higher one counts as a row without a token.
inline constexpr std::uint64_t kHighestToken = (std::uint64_t{1} << 53) - 1;

struct FleetRole {
    Role role = Role::alone;
    std::string fleet;  // name of the fleet; empty: none, and writer rows are ignored
    // The name of the writer. For Role::writer: this appliance; for a standby: the writer's name
    // for its log, may be empty.
    std::string box;
    std::uint64_t token = 0;  // of the writer's term, 1 to kHighestToken; 0: unknown
    bool operator==(const FleetRole&) const = default;
};

// A claim in the form for another appliance. Times are in the clock of the appliance that has it.
struct SharedClaim {
    ListId list = 0;
    AddressBytes address{};
    Origin origin{};               // valid during the call; for_each_claim() gives no client
    std::uint64_t until_ms = 0;    // the end of the last lease that relies on the row
    std::uint32_t row_life_s = 0;  // the row's life from now; 0: no timeout
};

}  // namespace steer::routeros
