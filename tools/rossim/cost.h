// The CPU cost of a sentence for the router, which has one CPU, in microseconds, and the presets
// that were measured on routers.
//
// A sentence costs base + rows scanned * scan_row + rows emitted * emit_row + rows written * add,
// set or remove. A filtered print scans the whole table of its family, as RouterOS does. A removal
// is charged once per id, also in a comma list. A command in a script costs a fraction of base. The
// numbers of presets.json are compiled in; another file can replace them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace rossim {

struct Costs {
    std::int64_t base = 0;
    std::int64_t add = 0;
    std::int64_t set = 0;
    std::int64_t remove = 0;
    std::int64_t scan_row = 0;
    std::int64_t emit_row = 0;
    std::int64_t script_row_base_divisor = 20;  // of a command in a script

    // Returns the rows per second that a router with these costs can add without other load.
    double writes_per_second() const;
};

// After `bucket_requests` sentences without a pause of a second, each sentence costs at least
// `then_us`.
struct Throttle {
    std::int64_t bucket_requests = 0;
    std::int64_t then_us = 0;
};

struct Presets {
    std::map<std::string, Costs, std::less<>> costs;
    Throttle throttle;

    // Throws std::runtime_error with a sentence that lists the available names.
    const Costs& get(std::string_view name) const;
};

// Returns the text of presets.json at build time.
std::string_view built_in_presets_text();
const Presets& built_in_presets();

// Throws std::runtime_error with a sentence that names the member that is missing or wrong.
Presets parse_presets(std::string_view json_text);

}  // namespace rossim
