// Asks the questions that no option answered. Lines come from `read`, so a terminal, a pipe and a test are alike.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>

#include "control/operator/init/answers.h"

namespace steer::init {

struct Dialogue {
    // Prints `prompt` and reads a line without its end; nothing: the input ended. `secret`: a terminal does not show it.
    std::function<std::optional<std::string>(const std::string& prompt, bool secret)> read;
    std::ostream& out;
};

// Answers by options first; then, with `defaults`, what the questions propose, else what `dialogue` reads. An answer
// that cannot be taken is asked for again, or is the Error if an option gave it.
Result<Answers> ask(const Host& host, const std::map<std::string, std::string, std::less<>>& given,
                    bool defaults, Dialogue& dialogue);

}  // namespace steer::init
