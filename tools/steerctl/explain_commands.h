// What happens to queries: `explain`, `trace`.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "command.h"

namespace steerctl {

struct ExplainCommands {
    explicit ExplainCommands(CLI::App& app);
    ExplainCommands(const ExplainCommands&) = delete;
    ExplainCommands& operator=(const ExplainCommands&) = delete;
    [[nodiscard]] bool parsed() const { return explain->parsed() || trace->parsed(); }
    [[nodiscard]] int run(const Options& options) const;
    CLI::App *explain, *trace;

  private:
    [[nodiscard]] int run_explain(const Options& options) const;
    [[nodiscard]] int run_trace(const Options& options) const;

    std::string name_, type_ = "A", client_, server_, id_, end_;
    std::uint16_t port_ = 53;
    bool tcp_ = false, exact_ = false;
    unsigned seconds_ = 10, most_ = 100, one_in_ = 1;
};

}  // namespace steerctl
