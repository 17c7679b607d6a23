// `steerctl top`: the state of the daemon on a terminal, updated each second; or once as text.
#pragma once

#include <CLI/CLI.hpp>

#include "command.h"

namespace steerctl {

struct TopCommand {
    explicit TopCommand(CLI::App& app);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App* top;
    bool is_once = false;
};

}  // namespace steerctl
