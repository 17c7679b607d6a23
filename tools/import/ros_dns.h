// The settings of a router's DNS server: rows of /ip/dns and its submenus, from an export or the
// API. Property names and texts are those of RouterOS.
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

    // Returns nullptr if the property is missing or empty.
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
    std::vector<Note> notes;  // about settings in none of these members

    [[nodiscard]] const RosSetting* find(std::string_view name) const;
    void set(std::string_view name, RosSetting setting);
};

// Collects the settings of an export. Sets `failure` if the text is not an export.
RosDns gather(RosExport from, std::optional<Failure>& failure);

// Parses "1d2h3m4s", "1w", "00:10:00", "1d00:00:00", "500ms" or "30" to milliseconds.
std::optional<std::uint64_t> parse_ros_time(std::string_view text);
bool is_ros_true(std::string_view text);

}  // namespace steer::importing
