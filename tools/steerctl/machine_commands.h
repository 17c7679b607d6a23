// `setup` and `doctor`, which steerdnsd carries out.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "command.h"

namespace steerctl {

// `setup`, which is steerdnsd's work.
struct SetupCommand {
    explicit SetupCommand(CLI::App& app);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App* setup;
    std::string config;
    bool as_lines = false, applies = false, undoes = false, agrees = false;
};

// `doctor`, which is steerdnsd's work, too.
struct DoctorCommand {
    explicit DoctorCommand(CLI::App& app);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App* doctor;
    CLI::Option* watch = nullptr;
    std::string router, config, seconds;
    std::map<std::string, std::string> given;
    bool fixes = false, agrees = false, redirects = false;
};

}  // namespace steerctl
