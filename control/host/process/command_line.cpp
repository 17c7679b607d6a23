#include "control/host/process/command_line.h"

#include <cstdio>
#include <iostream>

#include "matchers/safe_text.h"

namespace steer {

ExitCode refuse(const std::string& sentence) {
    std::fprintf(stderr, "steerctl: %s\n", safe_text(sentence, kSafeLineBytes).c_str());
    return kExitRejected;
}

void print_errors(const std::vector<Error>& errors) {
    for (const Error& error : errors)
        std::fprintf(stderr, "error: %s\n", safe_text(error.sentence(), kSafeLineBytes).c_str());
}

bool agree(const std::string& question) {
    std::cout << question << " [y/N] " << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) std::cout << "\n";
    return line == "y" || line == "Y" || line == "yes";
}

}  // namespace steer
