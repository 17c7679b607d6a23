// What the doctor found, and the commands that mend it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "routeros/commands.h"

namespace steer::doctor {

// A problem changes what clients get or how they are routed; advice is about safety and tidiness; a note says what may be
// meant so.
enum class Level : std::uint8_t { problem, advice, note };

// One command. `.id` names the row that it changes.
struct Change {
    const routeros::CommandForm* form;
    routeros::Menu family;
    std::vector<std::pair<std::string, std::string>> arguments;

    // As a terminal takes it: /ip firewall mangle set *3 passthrough=yes
    [[nodiscard]] std::string text() const;
    // As the API takes it.
    [[nodiscard]] routeros::Command command() const;
};

struct Finding {
    std::string check;  // "route-down"
    Level level = Level::problem;
    std::string what;               // what is wrong, with the row or the name
    std::string why;                // what that does to clients
    std::string advice;             // what to do where no command can be given
    std::vector<Change> fix;        // in this order; empty: there is no safe command
    std::vector<std::string> undo;  // terminal commands, in this order
};

using Findings = std::vector<Finding>;

}  // namespace steer::doctor
