// Rules of dynamic_domain_sets and records of static plugins: `rules`, `static`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command.h"

namespace steerctl {

// The sub-commands of `static`.
struct StaticCommands {
    StaticCommands(CLI::App& app, Options& options);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *records, *print = nullptr, *add = nullptr, *remove = nullptr;
};

// `rules`, by how much of TAG, what to do and RULE... is there.
int run_rules(const Options& options);

}  // namespace steerctl
