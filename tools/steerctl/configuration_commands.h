// The configuration's file of a running daemon: `configuration`.
#pragma once

#include <CLI/CLI.hpp>

#include "command.h"

namespace steerctl {

// The sub-commands of `configuration`. A text with errors is exit 2, as of steerdnsd's own --check.
struct ConfigurationCommands {
    ConfigurationCommands(CLI::App& app, Options& options);
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *configuration, *show, *check, *apply, *history, *version, *rollback;

  private:
    static int print_text(const Options& options, std::string_view method,
                          const boost::json::value& params);
    [[nodiscard]] int change(const Options& options) const;
};

}  // namespace steerctl
