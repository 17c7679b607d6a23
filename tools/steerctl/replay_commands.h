// Recorded or captured queries under another configuration: `configuration replay`, `replay`.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "command.h"

namespace steerctl {

// A text with errors is exit 2, as of `configuration check`.
class ReplayCommands {
  public:
    // `configuration`: the command of that name.
    ReplayCommands(CLI::App& configuration, const Options& options);
    [[nodiscard]] bool parsed() const { return recorded_->parsed(); }
    [[nodiscard]] int run() const;

  private:
    CLI::App* recorded_;
    const Options& options_;
    std::string file_, plugin_;
    std::optional<std::uint64_t> version_, seconds_, hours_, from_, to_, limit_;
};

}  // namespace steerctl
