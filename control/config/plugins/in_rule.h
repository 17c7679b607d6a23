// The content of a rule: $TAG of a plugin, or a type with inline arguments.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/reading.h"

namespace steer::config {

struct InRule {
    std::string_view owner;  // "sequence 'main'", for messages
    std::string tag;         // of what is written in place: "main[2]"
    int line = 0;
};

// "main[2].matches[1]".
std::string tag_of_match(std::string_view of, std::size_t number);

// The plugin that is meant; what is wrong is reported and nothing returned.
std::optional<PluginIndex> read_use(Reading& in, std::string_view text, Wanted wanted,
                                    const InRule& where);
// A matcher, perhaps with '!' before it.
std::optional<MatchUse> read_match_use(Reading& in, std::string_view text, const InRule& where);

}  // namespace steer::config
