// What a router's DNS server is set to: rows of /ip/dns and below, as an export or the API gives
// them. Property names and texts are RouterOS's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/note.h"
#include "tools/import/ros_export.h"

namespace steer::importing {

struct RosRow {
    std::string place;
    std::vector<std::pair<std::string, std::string>> values;

    // nullptr: it is not there, or empty.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    [[nodiscard]] std::string get(std::string_view name, std::string_view fallback = {}) const;
    [[nodiscard]] bool is_true(std::string_view name) const;
};

// One property of /ip/dns.
struct RosSetting {
    std::string place, text;
};

struct RosDns {
    std::string source;   // for the first line: "edge.rsc", "the router 192.0.2.1"
    std::string version;  // empty: not known
    std::string router_address, router_user;  // of a router that was read over its API
    std::vector<std::pair<std::string, RosSetting>> settings;
    std::vector<RosRow> statics, adlists, forwarders;
    bool was_set = false;     // /ip/dns itself is part of the input
    std::vector<Note> notes;  // about what is in none of these

    [[nodiscard]] const RosSetting* find(std::string_view name) const;
    void set(std::string_view name, RosSetting setting);
};

// Of an export. A failure if it is none.
RosDns gather(RosExport from, std::optional<Failure>& failure);

// "1d2h3m4s", "1w", "00:10:00", "1d00:00:00", "500ms", "30": milliseconds.
std::optional<std::uint64_t> parse_ros_time(std::string_view text);
bool is_ros_true(std::string_view text);

}  // namespace steer::importing
