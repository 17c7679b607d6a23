// The configuration of a router: how to reach it, and its lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "matchers/secret.h"
#include "routeros/address.h"
#include "routeros/row_types.h"
#include "routeros/shares.h"

namespace steer::routeros {

struct ListConfig {
    ListId id = 0;
    RowType type = RowType::address;
    // Names on the router, of address lists or routing tables. Empty: no rows of that family.
    std::string list4, list6;
    // Values of the type's properties (row_types.h), by family. All lists of a name have the same.
    std::vector<std::string> values4, values6;
    // A route stays after its lease has ended while connection tracking has a connection to it.
    bool connection_guard = false;
    std::string tag;              // `pg=` of the comments: the plugin's tag
    std::string prefix = "fdns";  // of the comments
    // M: longest timeout of a renewal. `fixed_ttl` if that is set; 0: rows without timeout.
    std::uint32_t max_ttl_s = 3600;
    std::uint32_t renew_slack_s = 600;
    std::uint32_t sync_timeout_ms = 100;
    std::size_t max_rows = 50'000;  // maximum number of claims
    // Of these, the maximum for one name, for one registrable domain, and for one client.
    std::size_t max_per_name = SIZE_MAX, max_per_suffix = SIZE_MAX, max_per_client = SIZE_MAX;
    std::vector<Address> persistent;  // rows without timeout that always exist
    // Others write this list as well, and their leases are unknown: our rows without a timeout are
    // never removed.
    bool multi_writer = false;
    // A manual change of our row (removed, disabled, comment or timeout changed) is kept until its
    // claim ends; else the row is written again.
    bool respect_manual_changes = false;
    bool operator==(const ListConfig&) const = default;
};

struct RouterConfig {
    std::string name;     // for messages: its configured name
    std::string address;  // for messages
    std::string username;
    Secret password;
    // Time without acceptance or acknowledgement of data by its TCP that ends the session.
    std::uint32_t send_timeout_ms = 5'000;
    // Silence that ends the session while only a heartbeat is due; six times this while it prints
    // or writes.
    std::uint32_t receive_timeout_ms = 5'000;
    double routine_share = 0.30;  // share of the router's time for background writes
    double repair_share = 0.90;   // the same after a reboot
    bool scripts = true;          // many rows per sentence, if the router supports it
    // Whether unknown versions are probed (probe.h), once each.
    bool probe = false;
    // Removes connections from connection tracking that were opened before the row of their address
    // existed and have no connection mark (connections.h).
    bool repair_connections = false;
    std::vector<ListConfig> lists;
    bool operator==(const RouterConfig&) const = default;
};

}  // namespace steer::routeros
