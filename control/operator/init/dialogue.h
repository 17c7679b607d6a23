// Asks the questions that no option answered. `read` returns lines, so a terminal, a pipe and a
// test are alike.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>

#include "control/operator/init/answers.h"

namespace steer::init {

struct Dialogue {
    // Prints `prompt` and reads a line without its end. No value: the input ended. `secret`: a
    // terminal does not show it.
    std::function<std::optional<std::string>(const std::string& prompt, bool secret)> read;
    std::ostream& out;
};

// Uses options first. Other answers are the proposed ones with `defaults`, else those that
// `dialogue` reads. A rejected answer is asked for again; if it is from an option, it is the Error.
Result<Answers> ask(const Host& host, const std::map<std::string, std::string, std::less<>>& given,
                    bool defaults, Dialogue& dialogue);

}  // namespace steer::init
