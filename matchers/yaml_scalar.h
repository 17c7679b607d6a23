// Writes a text as a YAML scalar, for programs that write configurations (steerctl import,
// steerdnsd --init).
//
// Guarantees that our reader gets the same text back, in block and flow context. The text is in
// double quotes wherever YAML or a placeholder (`${...}`) could change its meaning. Expects valid
// UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace steer {

std::string yaml_scalar(std::string_view text);
// The same for a text whose placeholders are meant, so that they stay.
std::string yaml_scalar_with_placeholders(std::string_view text);

}  // namespace steer
