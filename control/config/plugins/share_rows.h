// The settings of shares, which all plugins with a list have.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "control/config/setting.h"
#include "control/config/values.h"

namespace steer::config {

template <class Args, std::uint32_t ClaimShares::*Percent>
void read_share(Reading& in, const Node& node, const Place& place, Args& out) {
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (percent && *percent >= 1 && *percent <= 100) {
        out.shares.*Percent = static_cast<std::uint32_t>(*percent);
        return;
    }
    in.report().error(place.line, place.name() + found(node) + "expected a percentage, 1%..100%");
}

template <class Args>
constexpr std::array<Row<Args>, 3> share_rows() {
    return {{
        {"max_per_name", Own<Args>{"percentage", read_share<Args, &ClaimShares::name_percent>},
         "5%", "1%..100%", "share of the list for one name; at least 64 addresses"},
        {"max_per_suffix", Own<Args>{"percentage", read_share<Args, &ClaimShares::suffix_percent>},
         "25%", "1%..100%",
         "share of the list for one registrable domain\nNames one label below may use "
         "half of that share, names two labels below a quarter. Both may use `max_per_name`. All "
         "domains of a private suffix, such as `github.io`, may use 50% together. `100%` switches "
         "these shares off. In a full list, a new claim replaces another. The replaced claim "
         "belongs to the name, domain or client that uses the most of its share."},
        {"max_per_client", Own<Args>{"percentage", read_share<Args, &ClaimShares::client_percent>},
         "25%", "1%..100%",
         "share of the list for one client (an IPv4 address or an IPv6 "
         "/64)\n`trusted_forwarders` are exempt."},
    }};
}

}  // namespace steer::config
