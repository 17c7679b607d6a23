#include <boost/json/object.hpp>
#include <chrono>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::chrono::minutes kTransferPatience{60};  // of a large zone over a slow path

Run add_fetch(CLI::App& command, Options& options) {
    command.add_flag("--any-size", options.any_size, kAnySizeHelp);
    return [&options] {
        return show(options, "lists.fetch", lists_text,
                    json::object{{"any_size", options.any_size}}, kLongPatience);
    };
}

constexpr Command kListCommands[] = {
    {"fetch", "Fetch all lists from URLs now and wait", add_fetch}};

json::object pause_of(const Options& options) {
    json::object params;
    if (!options.tag.empty()) params["tag"] = options.tag;
    return params;
}

void add_tag(CLI::App& command, Options& options) {
    command.add_option("--tag", options.tag, "Only the adlist with this tag");
}

Run add_adlist_pause(CLI::App& command, Options& options) {
    command.add_option("SECONDS", options.seconds, "Length of the pause in seconds")->required();
    add_tag(command, options);
    return [&options] {
        json::object params = pause_of(options);
        params["seconds"] = options.seconds;
        return show(options, "adlist.pause", adlists_text, params);
    };
}

Run add_adlist_resume(CLI::App& command, Options& options) {
    add_tag(command, options);
    return [&options] { return show(options, "adlist.resume", adlists_text, pause_of(options)); };
}

Run add_adlist_reload(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "lists.fetch", lists_text, nullptr, kLongPatience); };
}

constexpr Command kAdlistCommands[] = {
    {"pause", "Stop blocking for SECONDS", add_adlist_pause},
    {"resume", "End a pause of blocking", add_adlist_resume},
    {"reload", "Fetch the lists that have a URL now", add_adlist_reload}};

Run add_zone_action(CLI::App& command, Options& options, const char* method) {
    command.add_option("TAG", options.tag, "Tag of the secondary")->required();
    return [&options, method] {
        return show(options, method, zones_text, json::object{{"tag", options.tag}},
                    kTransferPatience);
    };
}

Run add_zone_refresh(CLI::App& command, Options& options) {
    return add_zone_action(command, options, "zones.refresh");
}

Run add_zone_retransfer(CLI::App& command, Options& options) {
    return add_zone_action(command, options, "zones.retransfer");
}

constexpr Command kZoneCommands[] = {
    {"refresh", "Ask a primary for the SOA now, and transfer what is newer", add_zone_refresh},
    {"retransfer", "Transfer the whole zone again", add_zone_retransfer}};

}  // namespace

Run add_zones(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kZoneCommands)] {
        return command.get_subcommands().empty() ? show(options, "zones", zones_text) : below();
    };
}

Run add_lists(CLI::App& command, Options& options) {
    return [&command, &options, below = add_commands(command, options, kListCommands)] {
        return command.get_subcommands().empty() ? show(options, "lists", lists_text) : below();
    };
}

Run add_adlist(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kAdlistCommands)] {
        return command.get_subcommands().empty() ? show(options, "adlist", adlists_text) : below();
    };
}

}  // namespace steerctl
