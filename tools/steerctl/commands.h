// The commands of steerctl, one row each. The command line, --help and the completions are
// generated from the rows.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <span>

#include "command.h"

namespace steerctl {

// Runs a command whose arguments were parsed. Returns the exit code.
using Run = std::function<int()>;

struct Command {
    const char* name;
    const char* help;
    // Adds the arguments and the sub-commands. `options` must outlive the returned function.
    Run (*add)(CLI::App& command, Options& options);
    bool is_local = false;  // does not ask the daemon at --url
};

// Adds a sub-command for each row, in this order. The returned function runs the given one.
Run add_commands(CLI::App& parent, Options& options, std::span<const Command> commands);

// Returns the row of the given command; null if none was given.
const Command* given_command(const CLI::App& app, std::span<const Command> commands);

// The `add` functions of the rows, by source file.
// daemon_commands.cpp
Run add_status(CLI::App& command, Options& options);
Run add_counters(CLI::App& command, Options& options);
Run add_reload(CLI::App& command, Options& options);
Run add_fleet(CLI::App& command, Options& options);
Run add_limits(CLI::App& command, Options& options);
Run add_bans(CLI::App& command, Options& options);
Run add_drain(CLI::App& command, Options& options);
Run add_version(CLI::App& command, Options& options);
Run add_methods(CLI::App& command, Options& options);
// list_commands.cpp
Run add_lists(CLI::App& command, Options& options);
Run add_adlist(CLI::App& command, Options& options);
Run add_zones(CLI::App& command, Options& options);
// blocking_commands.cpp
Run add_block(CLI::App& command, Options& options);
Run add_allow(CLI::App& command, Options& options);
Run add_unblock(CLI::App& command, Options& options);
Run add_pause(CLI::App& command, Options& options);
Run add_blocking(CLI::App& command, Options& options);
// page_commands.cpp
Run add_page(CLI::App& command, Options& options);
// recursion_commands.cpp
Run add_recursion(CLI::App& command, Options& options);
// cache_commands.cpp
Run add_cache(CLI::App& command, Options& options);
// name_commands.cpp
Run add_leases(CLI::App& command, Options& options);
Run add_reverse(CLI::App& command, Options& options);
Run add_why(CLI::App& command, Options& options);
Run add_hits(CLI::App& command, Options& options);
// client_commands.cpp
Run add_client_list(CLI::App& command, Options& options);
// explain_commands.cpp
Run add_explain(CLI::App& command, Options& options);
Run add_trace(CLI::App& command, Options& options);
// record_commands.cpp
Run add_rules(CLI::App& command, Options& options);
Run add_static(CLI::App& command, Options& options);
// history_commands.cpp
Run add_events(CLI::App& command, Options& options);
Run add_history(CLI::App& command, Options& options);
Run add_recorder(CLI::App& command, Options& options);
Run add_support(CLI::App& command, Options& options);
// configuration_commands.cpp
Run add_configuration(CLI::App& command, Options& options);
// managed_commands.cpp
Run add_managed(CLI::App& command, Options& options);
// replay_commands.cpp; the first is `configuration replay`
Run add_recorded_replay(CLI::App& command, Options& options);
Run add_replay(CLI::App& command, Options& options);
// router_commands.cpp
Run add_routers(CLI::App& command, Options& options);
Run add_bypass(CLI::App& command, Options& options);
// top.cpp, capture_command.cpp, announce_command.cpp
Run add_top(CLI::App& command, Options& options);
Run add_capture(CLI::App& command, Options& options);
Run add_announce(CLI::App& command, Options& options);
// import_commands.cpp
Run add_import(CLI::App& command, Options& options);
// machine_commands.cpp
Run add_setup(CLI::App& command, Options& options);
Run add_doctor(CLI::App& command, Options& options);
// completion.cpp
Run add_completion(CLI::App& command, Options& options);

// For both kinds of texts of the configuration (configuration_commands.cpp).
// Prints the answer with `text`; one whose `key` is not true is exit 2.
int judge_configuration(const Options& options, const Reply& reply, std::string_view key,
                        std::string (*text)(const boost::json::value& answer));
// Prints the text itself, so that `steerctl configuration show > FILE` is the file.
int print_configuration(const Options& options, std::string_view method,
                        const boost::json::value& params);

}  // namespace steerctl
