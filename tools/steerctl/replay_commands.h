// Recorded or captured queries under another configuration: `configuration replay`, `replay`.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "command.h"

namespace steerctl {

// The other configuration: a text, or a version that the daemon kept.
struct OtherText {
    std::string file;
    std::optional<std::uint64_t> version;
    std::optional<std::uint64_t> limit;  // of differences

    // Into the request. Empty: done; else what is wrong.
    [[nodiscard]] std::string put_into(boost::json::object& params, const char* option) const;
};

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
    OtherText other_;
    std::string plugin_;
    std::optional<std::uint64_t> seconds_, hours_, from_, to_;
};

// The same with a capture file, which is read here: the daemon gets queries, not frames.
class CaptureReplayCommand {
  public:
    CaptureReplayCommand(CLI::App& app, const Options& options);
    [[nodiscard]] bool parsed() const { return captured_->parsed(); }
    [[nodiscard]] int run() const;

  private:
    CLI::App* captured_;
    const Options& options_;
    OtherText other_;
    std::string file_;
};

}  // namespace steerctl
