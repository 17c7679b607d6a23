// What the plugins that write rows on routers have in common: their settings in pieces, so that each type's own settings
// stand beside their neighbours, and the check of what single values do not show. A type is its own file: its settings,
// its RouterRowKind, and its part of the reference (ros_address_list.cpp, ros_route.cpp).
#pragma once

#include <array>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/plugins/on_full.h"
#include "control/config/sections/claim_prefixes.h"
#include "control/config/sections/router_access.h"
#include "control/config/setting.h"

namespace steer::config {

// The base of each type's arguments.
struct RouterRowsArgs : RouterAccess, RouterRows {
    std::string router_name;
    std::vector<Text> router_names;
};

void read_row_router_names(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out);
void read_row_persistent(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out);
void read_row_never_claim(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out);
void read_row_allow_claim(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out);

// Reads into the base of T.
template <class T, auto Read>
constexpr Own<T> own(std::string_view kind) {
    return {kind, [](Reading& in, const Node& node, const Place& place, T& out) {
                Read(in, node, place, out);
            }};
}

// ---- the pieces, in the order of the documentation

template <class T>
constexpr std::array<Row<T>, 4> router_name_rows() {
    return {{
        {"router", &T::router_name, "none", "",
         "router in `routers`; replaces `address`, `username` and the other access keys"},
        {"routers", own<T, read_row_router_names>("list of names"), "none", "",
         "several routers that all hold this list"},
        {"quorum", choice<T, &T::quorum>(), "healthy", "healthy|any|all",
         "with several routers and `async: false`: routers that an answer waits for\n`healthy`: "
         "all reachable routers that serve the client. `any`: the first router. `all`: every "
         "router; while one is unreachable, `on_timeout` applies at once. Unreachable routers do "
         "not delay answers unless `quorum: all` is set."},
        {"ready", choice<T, &T::ready>(), "off", "off|any|all",
         "routers of this list that `/readyz` needs\n`any`: it fails while none of them can be "
         "written. `all`: it fails while one of them cannot. A lost router counts after 3 s; a "
         "pause and the bypass do not count. Set it only if the other boxes of the service reach "
         "the routers by another way: else all boxes stop being ready at once."},
    }};
}

template <class T>
constexpr std::array<Row<T>, 3> row_life_rows() {
    return {{
        {"async", &T::async, "true", "",
         "`false`: an answer waits until its rows are on the router"},
        {"min_ttl", &T::min_ttl, "60", "1s..245d", "minimum lifetime of a row"},
        {"max_ttl", &T::max_ttl, "3600", "1s..245d", "maximum lifetime of a row"},
    }};
}

template <class T>
constexpr std::array<Row<T>, 3> row_persistence_rows() {
    return {{
        {"persistent", own<T, read_row_persistent>("map"), "none", "",
         "rows that always exist, see below"},
        {"extra_time", &T::extra_time, "30s", "0s..1d",
         "how much longer than the client's TTL a row lives"},
        {"cap_answer_ttl", &T::cap_answer_ttl, "true", "",
         "lower the answer's TTL so that no client caches an address longer than the router holds "
         "it"},
    }};
}

template <class T>
constexpr std::array<Row<T>, 5> row_wait_rows() {
    return {{
        {"sync_timeout", &T::sync_timeout, "100ms", "1ms..30s",
         "with `async: false`: how long an answer waits at most"},
        {"on_timeout", choice<T, &T::on_timeout>(), "answer", "answer|servfail|drop",
         "with `async: false`: action when `sync_timeout` expires"},
        on_full_row<T>(),
        {"never_claim", own<T, read_row_never_claim>("list of prefixes"), kNeverClaimDefault, "",
         kNeverClaimText},
        {"allow_claim", own<T, read_row_allow_claim>("list of prefixes"), "none", "",
         kAllowClaimText},
    }};
}

template <class T>
constexpr std::array<Row<T>, 1> row_answer_rows() {
    return {{
        {"max_addresses", &T::max_addresses, "32", "1..4096",
         "maximum addresses of one answer\nFurther addresses are removed from the answer and get "
         "no row."},
    }};
}

template <class T>
constexpr std::array<Row<T>, 1> row_manual_rows() {
    return {{
        {"on_manual_change", choice<T, &T::on_manual_change>(), "repair", "repair|respect",
         "action when a person removes, disables or changes a row of steerdnsd\n`repair` writes "
         "the row again, or enables it. `respect` leaves it until no client uses the address any "
         "more; a disabled row counts as missing."},
    }};
}

template <class T>
constexpr std::array<Row<T>, 2> shared_address_rows() {
    return {{
        {"shared", choice<T, &T::shared>(), "keep", "keep|skip|report",
         "action for addresses that names outside the list also use (CDNs)\n`keep` keeps the row. "
         "`report` keeps it and shows it in `steerctl routers shared`. `skip` stops claiming the "
         "address while it is shared."},
        {"shared_above", &T::shared_above, "3", "1..16",
         "with `skip` and `report`: number of other names from which an address is shared\nIt "
         "stops being shared below half this number. A name counts fully for 10 minutes after an "
         "answer with the address, half for the next 10, and a quarter for 10 more."},
    }};
}

// Pieces and a type's own rows, one after the other.
template <class T, std::size_t A, std::size_t... Rest>
constexpr auto in_order(const std::array<Row<T>, A>& first,
                        const std::array<Row<T>, Rest>&... rest) {
    if constexpr (sizeof...(rest) == 0) {
        return first;
    } else {
        return joined(first, in_order(rest...));
    }
}

// ---- what rows alone cannot say

// The words of a type for the check.
struct RouterRowsText {
    std::string_view what;                    // "gateway": what a family needs
    std::string_view key4, key6;              // its settings
    std::span<const std::string_view> texts;  // settings without control characters
    // Further checks; nullptr: none.
    void (*check)(Reading& in, const Node& args, const Plugin& plugin,
                  RouterRowsArgs& out) = nullptr;
};
// After the rows were read; `out.groups` are set.
void check_router_rows(Reading& in, const Node& args, const Plugin& plugin,
                       const RouterRowsText& text, RouterRowsArgs& out);

// The part of the reference about `persistent`.
void write_persistent(std::ostream& out);

}  // namespace steer::config
