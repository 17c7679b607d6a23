// The reference of the configuration, as Markdown, made from the rows that the parser uses:
// docs/reference/configuration.md is exactly this (a test compares them), `steerdnsd --config-reference`
// prints it.
#pragma once

#include <iosfwd>
#include <string_view>

#include "matchers/result.h"

namespace steer::config {

void write_reference(std::ostream& out);
// One type's part of it. Error: there is no such type, or not yet.
Result<void> explain_plugin(std::string_view type, std::ostream& out);

}  // namespace steer::config
