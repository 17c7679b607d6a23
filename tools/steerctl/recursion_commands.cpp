#include <boost/json/object.hpp>

#include "cells.h"
#include "commands.h"
#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

void add_name(CLI::App& command, Options& options) {
    command.add_option("NAME", options.name, "Domain name")->required();
}

// For the processes that resolve, then for the cache of the daemon, which they would fill again.
int change(const Options& options, const char* method, const json::object& params,
           const char* flushed) {
    const Reply first = ask(options.socket, method, params, kPatience);
    if (!first.error.empty()) return fail(first);
    const Reply second =
        ask(options.socket, "cache.flush", json::object{{flushed, options.name}}, kLongPatience);
    if (!second.error.empty()) return fail(second);
    json::object both = object_of(second.result);
    for (const auto& [key, value] : object_of(first.result))
        both.insert_or_assign(key, value);
    if (options.as_json) {
        print_json(both);
    } else {
        print(recursion_done_text(both));
    }
    const json::value* const failed = find(both, "failed");
    if (failed == nullptr || *failed == 0) return 0;
    return fail(steer::ErrorCode::incomplete,
                cell_text("failed", failed) + " of the processes that resolve did not answer");
}

Run add_flush(CLI::App& command, Options& options) {
    add_name(command, options);
    command.add_flag("--below", options.below, "Also all names below it ('.': all names)");
    return [&options] {
        return change(options, "recursion.flush", json::object{{"name", options.name}},
                      options.below ? "suffix" : "name");
    };
}

int set_trust(const Options& options, std::uint64_t seconds) {
    return change(options, "recursion.distrust",
                  json::object{{"name", options.name}, {"seconds", seconds}}, "suffix");
}

Run add_distrust(CLI::App& command, Options& options) {
    add_name(command, options);
    command.add_option("--for", options.distrust_seconds, "Length in seconds (default: 3600)");
    return [&options] { return set_trust(options, options.distrust_seconds); };
}

Run add_trust(CLI::App& command, Options& options) {
    add_name(command, options);
    return [&options] { return set_trust(options, 0); };
}

constexpr Command kRecursionCommands[] = {
    {"flush", "Remove a name from the caches of the engine and of this daemon", add_flush},
    {"distrust", "Do not validate a domain for a while (negative trust anchor)", add_distrust},
    {"trust", "Validate it again", add_trust}};

}  // namespace

Run add_recursion(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kRecursionCommands)] {
        return command.get_subcommands().empty() ? show(options, "recursion", recursion_text)
                                                 : below();
    };
}

}  // namespace steerctl
