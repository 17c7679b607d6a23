// Routers: `routers` with its sub-commands, and `bypass`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command.h"

namespace steerctl {

// The sub-commands of `routers`, and `bypass`.
struct RouterCommands {
    RouterCommands(CLI::App& app, Options& options);
    [[nodiscard]] bool parsed() const { return routers->parsed() || bypass->parsed(); }
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *routers, *bypass, *diff = nullptr, *reconcile = nullptr, *pause = nullptr,
                                *shared = nullptr, *resume = nullptr, *trace = nullptr,
                                *errors = nullptr, *probe = nullptr, *forget = nullptr,
                                *adopt = nullptr, *lists = nullptr;
};

}  // namespace steerctl
