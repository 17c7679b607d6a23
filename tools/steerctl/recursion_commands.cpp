#include <boost/json/object.hpp>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

void add_name(CLI::App& command, Options& options) {
    command.add_option("NAME", options.name, "Domain name")->required();
}

// In both caches: first in the one that would fill the other again.
Run add_flush(CLI::App& command, Options& options) {
    add_name(command, options);
    command.add_flag("--below", options.below, "Also all names below it");
    return [&options] {
        const int code = show(options, "recursion.flush", recursion_done_text,
                              json::object{{"name", options.name}, {"below", options.below}});
        if (code != 0) return code;
        return show(options, "cache.flush", cache_done_text,
                    json::object{{options.below ? "suffix" : "name", options.name}}, kLongPatience);
    };
}

int set_trust(const Options& options, std::uint64_t seconds) {
    const int code = show(options, "recursion.distrust", recursion_done_text,
                          json::object{{"name", options.name}, {"seconds", seconds}});
    if (code != 0) return code;
    return show(options, "cache.flush", cache_done_text, json::object{{"suffix", options.name}},
                kLongPatience);
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
