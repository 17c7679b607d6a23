// Frames of the workers as a pcapng file: `capture`.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "command.h"

namespace steerctl {

// Ends after --count or --seconds, or by Ctrl-C, and then the file is complete.
class CaptureCommand {
  public:
    explicit CaptureCommand(CLI::App& app);
    [[nodiscard]] bool parsed() const { return capture_->parsed(); }
    [[nodiscard]] int run(const Options& options) const;

  private:
    [[nodiscard]] boost::json::object filter() const;

    CLI::App* capture_;
    std::string file_, name_, client_, interface_;
    std::optional<std::uint64_t> port_, count_, seconds_, bytes_;
};

}  // namespace steerctl
