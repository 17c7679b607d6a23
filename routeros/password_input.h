// A router's password, typed at the terminal: for programs that ask a person. The only code here that blocks.
#pragma once

#include <optional>
#include <string>

namespace steer::routeros {

// Prints `prompt` and reads a line, without its end: from the terminal if standard input is one; nothing: the input ended. It
// does not show what is typed, and is as before when a signal ends the program (readpassphrase(3)).
std::optional<std::string> read_password(const std::string& prompt);

}  // namespace steer::routeros
