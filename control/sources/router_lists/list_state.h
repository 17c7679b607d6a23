// The file that keeps address lists across restarts: JSON, {"edge1": {"at": 1763900000, "servers":
// ["192.0.2.1"], "lists": {"kids": [["192.168.88.10/32", 0], ["192.168.88.11/32", 1763903600]]}}}.
// Times are seconds since 1970. An address has the end of its timeout; 0: none.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "matchers/result.h"
#include "routeros/list_reader.h"

namespace steer::router_lists {

struct KnownLists {
    routeros::RouterLists lists;
    std::uint64_t current_ms = 0;  // when they were last known to be current, CLOCK_BOOTTIME
    bool was_read = false;         // `current_ms` is known
};
using ByRouter = std::map<std::string, KnownLists>;

// The time of both clocks at one moment.
struct Moment {
    std::uint64_t boot_ms = 0;
    std::int64_t wall_s = 0;
};

std::string state_text(const ByRouter& all, const Moment& now);
// Empty if there is no file.
Result<ByRouter> load_lists(const std::string& file, const Moment& now);
Result<void> save_lists(const std::string& file, const std::string& text);

// The content of a router's file of DNS servers.
std::string servers_text(const std::string& router, const routeros::RouterLists& lists);

}  // namespace steer::router_lists
