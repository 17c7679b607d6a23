// The reference of the configuration, as Markdown, made from the rows that the parser uses:
// docs/configuration.md is exactly this (a test compares them), `steerdnsd --config-reference`
// prints it.
#pragma once

#include <iosfwd>

namespace steer::config {

void write_reference(std::ostream& out);

}  // namespace steer::config
