// A router's password, typed at the terminal, for programs that interact with a person. The only
// code in this module that blocks.
#pragma once

#include <optional>
#include <string>

namespace steer::routeros {

// Prints `prompt` and reads a line without its end, from the terminal if standard input is one. No
// value: the input ended. The terminal does not show the text; its settings are restored if a
// signal ends the program (readpassphrase(3)).
std::optional<std::string> read_password(const std::string& prompt);

}  // namespace steer::routeros
