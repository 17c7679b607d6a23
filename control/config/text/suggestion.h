// What to write instead of an unknown name: our word for it, or the nearest name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::config {

enum class NameOf : std::uint8_t { section, key, plugin_type, executor, matcher };

// ": did you mean 'forward'?", ": write …", or empty. `owner`: of a key, as in "adlist 'ads'".
std::string suggestion(NameOf what, std::string_view written, std::string_view owner,
                       const std::vector<std::string_view>& candidates);

}  // namespace steer::config
