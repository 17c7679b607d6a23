// The doctor's findings, and the commands that fix them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "routeros/commands.h"

namespace steer::doctor {

// A problem changes clients' answers or routing. Advice concerns safety and tidiness. A note
// reports something that may be intended.
enum class Level : std::uint8_t { problem, advice, note };

// One command. `.id` names the row that it changes.
struct Change {
    const routeros::CommandForm* form;
    routeros::Menu family;
    std::vector<std::pair<std::string, std::string>> arguments;

    // The form for a terminal: /ip firewall mangle set *3 passthrough=yes
    [[nodiscard]] std::string text() const;
    // The form for the API.
    [[nodiscard]] routeros::Command command() const;
};

struct Finding {
    std::string check;  // "route-down"
    Level level = Level::problem;
    std::string what;               // the error, with the row or the name
    std::string why;                // its effect on clients
    std::string advice;             // what to do if there is no command
    std::vector<Change> fix;        // in this order; empty: there is no safe command
    std::vector<std::string> undo;  // terminal commands, in this order
};

using Findings = std::vector<Finding>;

}  // namespace steer::doctor
