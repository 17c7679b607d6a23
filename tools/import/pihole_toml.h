// pihole.toml of Pi-hole 6, in the form that FTL writes: tables, and keys with texts, numbers, flags
// or lists of texts. Other forms of TOML are errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct TomlEntry {
    int line = 0;
    std::string key;                  // with its tables: "dns.cache.size"
    std::vector<std::string> values;  // one, or those of a list
    bool is_list = false;
    [[nodiscard]] std::string text() const {
        return values.empty() ? std::string() : values.front();
    }
};

struct TomlFile {
    std::vector<TomlEntry> entries;
    std::optional<Failure> failure;
};

TomlFile read_pihole_toml(std::string_view text);

}  // namespace steer::importing
