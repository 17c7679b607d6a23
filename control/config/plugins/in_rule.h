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
    std::string tag;         // of a plugin in place: "main[2]"
    int line = 0;
};

// "main[2].matches[1]".
std::string tag_of_match(std::string_view of, std::size_t number);

// The plugin that is meant. No value: the error was reported.
std::optional<PluginIndex> read_use(Reading& in, std::string_view text, Wanted wanted,
                                    const InRule& where);
// A matcher, possibly with a leading '!'.
std::optional<MatchUse> read_match_use(Reading& in, std::string_view text, const InRule& where);

}  // namespace steer::config
