// Ad lists: `adlist`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command.h"

namespace steerctl {

// The sub-commands of `adlist`.
struct AdlistCommands {
    AdlistCommands(CLI::App& app, Options& options);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *adlist, *pause = nullptr, *resume = nullptr, *reload = nullptr;
};

}  // namespace steerctl
