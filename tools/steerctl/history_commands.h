// Recorded queries: `history`, `history top`, `history series`, `recorder`. The last events: `events`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "command.h"

namespace steerctl {

struct HistoryCommands {
    HistoryCommands(CLI::App& app, const Options& options);
    [[nodiscard]] bool parsed() const { return history->parsed() || recorder->parsed(); }
    [[nodiscard]] int run() const;

    CLI::App *history, *top = nullptr, *series = nullptr, *recorder = nullptr;

  private:
    void add_span(CLI::App* command);

    const Options& options_;
    std::string plugin_, name_, suffix_, client_, type_, rcode_, end_, upstream_, kind_;
    std::optional<std::uint64_t> seconds_, from_, to_, before_, step_;
    std::optional<unsigned> limit_;
};

// The last lines of the log that an operator waits for.
struct EventCommand {
    explicit EventCommand(CLI::App& app);
    [[nodiscard]] int run(const Options& options) const;

    CLI::App* events;

  private:
    std::string kind_;
    std::optional<unsigned> most_;
};

}  // namespace steerctl
