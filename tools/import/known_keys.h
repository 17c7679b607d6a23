// The types of plugins and the keys of our configuration. The build generates the table from
// docs/reference/configuration.md, which the parser's tables generate, so imports share no code
// with the parser.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace steer::importing {

enum class KnownRole : std::uint8_t { section, provider, matcher, executor, server };
struct KnownType {
    std::string_view name;
    KnownRole role;
};
// `where`: a section, a type of plugin, or a part of one ("forward.upstreams[]").
struct KnownKey {
    std::string_view where, key;
};

std::span<const KnownType> known_types();
std::span<const KnownKey> known_keys();

inline bool is_known_type(std::string_view name, KnownRole role) {
    return std::ranges::any_of(known_types(), [&](const KnownType& type) {
        return type.name == name && type.role == role;
    });
}
inline bool is_plugin_type(std::string_view name) {
    return std::ranges::any_of(known_types(), [&](const KnownType& type) {
        return type.name == name && type.role != KnownRole::section;
    });
}
// Also returns false if no table lists the keys of `where`.
inline bool has_known_keys(std::string_view where) {
    return std::ranges::find(known_keys(), where, &KnownKey::where) != known_keys().end();
}
inline bool is_known_key(std::string_view where, std::string_view key) {
    return std::ranges::any_of(
        known_keys(), [&](const KnownKey& row) { return row.where == where && row.key == key; });
}

}  // namespace steer::importing
