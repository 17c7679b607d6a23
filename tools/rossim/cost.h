// What the router's one CPU pays for a sentence, in microseconds, and the presets that come from
// measured routers.
//
// A sentence costs base + rows scanned * scan_row + rows emitted * emit_row + rows written * add,
// set or remove. A filtered print scans the whole table of its family, as real routers do. Removal
// is paid once per id, also in a comma list. A command of a script pays a part of base. The numbers
// of presets.json are compiled in; another file may be given.
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
    std::int64_t script_row_base_divisor = 20;  // of a command of a script

    // Rows that a router with these costs can add in a second when it does nothing else.
    double writes_per_second() const;
};

// After `bucket_requests` sentences without a second of rest each sentence costs at least
// `then_us`.
struct Throttle {
    std::int64_t bucket_requests = 0;
    std::int64_t then_us = 0;
};

struct Presets {
    std::map<std::string, Costs, std::less<>> costs;
    Throttle throttle;

    // Throws std::runtime_error with a sentence that lists the names that there are.
    const Costs& get(std::string_view name) const;
};

// The text of presets.json as it was when this was built.
std::string_view built_in_presets_text();
const Presets& built_in_presets();

// Throws std::runtime_error with a sentence that names the member that is missing or wrong.
Presets parse_presets(std::string_view json_text);

}  // namespace rossim
