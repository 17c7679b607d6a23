// The tables of Pi-hole's gravity database as JSON: lists, domains, clients and their groups.
// Pi-hole 5 writes them into its teleporter archive; `sqlite3 -json` writes those of Pi-hole 6.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tools/import/blocker_model.h"

namespace steer::importing {

struct PiholeTables {
    // Texts; empty: there is no such file.
    std::string_view adlist, adlist_by_group, domainlist, domainlist_by_group, client,
        client_by_group, group;
    std::string_view block_exact, block_regex, allow_exact, allow_regex;
};

// Adds lists and rules of the default group to `everyone`, other groups of clients to `groups`.
void read_pihole_tables(const PiholeTables& tables, BlockerModel& model,
                        const std::function<bool(const std::string&)>& is_file);

}  // namespace steer::importing
