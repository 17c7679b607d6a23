// The permissions of a client of the control socket, or of the JSON-RPC over HTTP. Each role
// includes those before it.
//
//   read     reads: states, counters, names, clients. Changes nothing.
//   operate  makes changes that a request or time can undo: reload, pause, flush, drain, rules,
//            records.
//   admin    writes files that the client names, takes over foreign rows, or stops all writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace steer {

enum class AccessRole : std::uint8_t { none, read, operate, admin };

inline constexpr std::array<std::string_view, 4> kRoleLabels{"none", "read", "operate", "admin"};

constexpr std::string_view label_of(AccessRole role) {
    return kRoleLabels[static_cast<std::size_t>(role)];
}
constexpr std::optional<AccessRole> role_from(std::string_view text) {
    for (std::size_t i = 1; i < kRoleLabels.size(); ++i) {
        if (kRoleLabels[i] == text) return static_cast<AccessRole>(i);
    }
    return std::nullopt;
}

}  // namespace steer
