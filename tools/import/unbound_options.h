// The options that unbound has, and what an import does with each.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace steer::importing {

enum class UnboundUse : std::uint8_t {
    mapped,  // has a counterpart
    extra,   // becomes a line for the engine
    same,    // the same, unless its value is `text`: the engine's own, or what steerdnsd writes
    own,     // steerdnsd does this itself, or it has no effect here
    noted,   // left out, because of `text`
    newer,   // unbound of Debian 12 does not know it
};

struct UnboundKnown {
    std::string_view name;
    UnboundUse use = UnboundUse::extra;
    std::string_view text = {};
    std::uint8_t args = 1;
};

// nullptr: unbound has no such option. `clause`: "server", or one that `is_unbound_clause` knows.
const UnboundKnown* find_unbound_option(std::string_view clause, std::string_view name);
bool is_unbound_clause(std::string_view name);
// Those of `server`, and those of clauses of zones.
std::span<const UnboundKnown> unbound_server_options();
std::span<const UnboundKnown> unbound_zone_options();

}  // namespace steer::importing
