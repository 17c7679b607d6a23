// Which of dnsmasq's domains decides about a name: the longest one that fits the question.
// The rules here say the same to a sequence, which runs from top to bottom.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/forward.h"

namespace steer::importing {

// What address=, server= and local= say about a domain; the domain "" is every name.
struct Domain {
    std::string place;
    std::vector<std::string> addresses4, addresses6;  // address=/DOMAIN/ADDRESS
    std::vector<Upstream> servers;                    // server=/DOMAIN/SERVER
    bool is_null = false;                             // address=/DOMAIN/#
    bool has_usual = false;                           // server=/DOMAIN/#: the default upstreams
    bool is_denied = false;                           // local=/DOMAIN/, address=/DOMAIN/

    // Those of address=/DOMAIN/#, too.
    [[nodiscard]] std::vector<std::string> addresses() const;
};
using Domains = std::map<std::string, Domain>;

// Without the first label; empty: there is one label.
inline std::string_view parent_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

// The next shorter domain above `name` in `names`; nullptr: none.
template <class Map>
const typename Map::value_type* above(const Map& names, std::string_view name) {
    while (!name.empty()) {
        name = parent_of(name);
        if (const auto at = names.find(std::string(name)); at != names.end()) return &*at;
    }
    return nullptr;
}

// A rule for names at or below `within`, unless they are at or below `except`.
struct DomainRule {
    std::size_t action = 0;
    std::vector<std::string> within, except;
};

// `actions`: what is done with the names of a domain, unless a longer one is there.
// The first rule that fits is the one of the longest domain; with `except`, only that one fits.
std::vector<DomainRule> longest_first(const std::map<std::string, std::size_t>& actions);

}  // namespace steer::importing
