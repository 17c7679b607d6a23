// A router's password, typed at the terminal: for programs that ask a person. The only code here that blocks.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

namespace steer::routeros {

// A line of standard input without its end; nothing: the input ended. A terminal does not show it, and `screen` gets the line
// end that the terminal did not show.
std::optional<std::string> read_hidden_line(std::ostream& screen);

}  // namespace steer::routeros
