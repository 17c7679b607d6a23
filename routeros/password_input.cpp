#include "routeros/password_input.h"

#include <bsd/readpassphrase.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <iostream>

namespace steer::routeros {

std::optional<std::string> read_password(const std::string& prompt) {
    std::string line;
    if (::isatty(STDIN_FILENO) == 0) {  // a pipe: std::cin may have read ahead
        std::cerr << prompt << std::flush;
        if (!std::getline(std::cin, line)) return std::nullopt;
        return line;
    }
    std::array<char, 1024> typed{};
    if (::readpassphrase(prompt.c_str(), typed.data(), typed.size(), RPP_ECHO_OFF) == nullptr)
        return std::nullopt;
    line = typed.data();
    ::explicit_bzero(typed.data(), typed.size());
    return line;
}

}  // namespace steer::routeros
