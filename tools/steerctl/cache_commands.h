// The sub-commands of `cache`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command.h"

namespace steerctl {

// The sub-commands of `cache`.
struct CacheCommands {
    CacheCommands(CLI::App& app, Options& options);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *cache, *stats = nullptr, *show = nullptr, *print = nullptr, *flush = nullptr,
                     *dump = nullptr, *restore = nullptr;
};

}  // namespace steerctl
