// The settings of AdGuardHome.yaml, and what becomes of each.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace steer::importing {

struct AghKey {
    // read: adguardhome_import.cpp converts it. unneeded: it needs nothing here. note: `text` says
    // what to do instead.
    enum class Becomes : std::uint8_t { read, unneeded, note };
    std::string_view where;  // "dns"; "" for the top; "clients.persistent[]"
    std::string_view key;
    Becomes becomes = Becomes::read;
    std::string_view text = {};
};

std::span<const AghKey> adguardhome_keys();

}  // namespace steer::importing
