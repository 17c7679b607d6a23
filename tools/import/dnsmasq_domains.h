// The domain of dnsmasq that decides about a name: the longest one that fits the question. The
// rules here express the same as a sequence, which runs from top to bottom.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/forward.h"

namespace steer::importing {

// The effect of address=, server= and local= on a domain. The domain "" is every name.
struct Domain {
    std::string place;
    std::vector<std::string> addresses4, addresses6;  // address=/DOMAIN/ADDRESS
    std::vector<Upstream> servers;                    // server=/DOMAIN/SERVER
    bool is_null = false;                             // address=/DOMAIN/#
    bool has_usual = false;                           // server=/DOMAIN/#: the default upstreams
    bool is_denied = false;                           // local=/DOMAIN/, address=/DOMAIN/

    // Includes the addresses of address=/DOMAIN/#.
    [[nodiscard]] std::vector<std::string> addresses() const;
};
using Domains = std::map<std::string, Domain>;

// Returns the name without the first label; empty if it has only one label.
inline std::string_view parent_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

// Returns the next shorter domain above `name` in `names`; nullptr if there is none.
template <class Map>
const typename Map::value_type* above(const Map& names, std::string_view name) {
    while (!name.empty()) {
        name = parent_of(name);
        if (const auto at = names.find(std::string(name)); at != names.end()) return &*at;
    }
    return nullptr;
}

// A rule for the names at or below `within` that are not at or below `except`.
struct DomainRule {
    std::size_t action = 0;
    std::vector<std::string> within, except;
};

// `actions`: the action for the names of a domain that belong to no longer domain. The first rule
// that fits is that of the longest domain; with `except`, it is the only one that fits.
std::vector<DomainRule> longest_first(const std::map<std::string, std::size_t>& actions);

}  // namespace steer::importing
