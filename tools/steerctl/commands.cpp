#include "commands.h"

#include <string>
#include <utility>
#include <vector>

#include "output.h"

namespace steerctl {

Run add_commands(CLI::App& parent, Options& options, std::span<const Command> commands) {
    std::vector<std::pair<const CLI::App*, Run>> runs;
    runs.reserve(commands.size());
    for (const Command& command : commands) {
        CLI::App* const app = parent.add_subcommand(command.name, command.help);
        runs.emplace_back(app, command.add(*app, options));
    }
    return [&parent, runs = std::move(runs)] {
        for (const auto& [app, run] : runs) {
            if (app->parsed()) return run();
        }
        return misused("a command is missing after '" + parent.get_name() + "'; see --help");
    };
}

const Command* given_command(const CLI::App& app, std::span<const Command> commands) {
    for (const Command& command : commands) {
        if (app.got_subcommand(command.name)) return &command;
    }
    return nullptr;
}

}  // namespace steerctl
