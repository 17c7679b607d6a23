// The sub-commands of `import`, which need no daemon.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command.h"
#include "tools/import/command.h"

namespace steerctl {

// The sub-commands of `import`, which ask no daemon.
struct ImportCommands {
    explicit ImportCommands(CLI::App& app);
    CLI::App* add(const char* kind, const char* help);
    [[nodiscard]] int run();
    CLI::App* import;
    steer::importing::ImportOptions options;
};

}  // namespace steerctl
