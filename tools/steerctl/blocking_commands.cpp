// `block`, `allow`, `unblock`, `pause` and `blocking`: rules that people add while the daemon serves.
#include <boost/json/object.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "commands.h"
#include "matchers/text.h"
#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// A script whose variable is not set must not write a rule for everyone.
std::string why_empty(const std::string& text) {
    return text.empty() ? "it is empty: leave the option out for everyone" : "";
}

void add_clients(CLI::App& command, Options& options) {
    auto* const client =
        command
            .add_option("--client", options.clients,
                        "For an address, a prefix, a MAC address, or the name of a device or a "
                        "group (default: for everyone)")
            ->check(why_empty);
    command
        .add_option("--group", options.group,
                    "For a group of devices, as 'steerctl clients group' shows them")
        ->check(why_empty)
        ->excludes(client);
}
void add_note(CLI::App& command, Options& options) {
    command.add_option("--note", options.note, "A remark that is shown with the rule");
}
// "30m" and "30 m" become "1800". Returns an error. (0 would be no end, in place of no time.)
std::string to_seconds(std::string& text) {
    constexpr std::string_view kUnits = "smhdw";
    constexpr std::uint64_t kSeconds[] = {1, 60, 3600, 86'400, 604'800};
    constexpr std::uint64_t kMostNumber = 1'000'000'000;
    std::uint64_t number = 0;
    const std::string_view written = steer::matchers::trimmed(text);
    const char* const end = written.data() + written.size();
    const auto [rest, error] = std::from_chars(written.data(), end, number);
    const std::string_view unit =
        steer::matchers::trimmed({rest, static_cast<std::size_t>(end - rest)});
    const auto at = unit.empty() ? 0 : kUnits.find(unit);
    if (error != std::errc() || unit.size() > 1 || at == std::string_view::npos || number == 0 ||
        number > kMostNumber)
        return "'" + text +
               "' is not a duration: write a number from 1 and s, m, h, d or w, such as 30m";
    text = std::to_string(number * kSeconds[at]);
    return {};
}

CLI::Option* add_for(CLI::App& command, Options& options, const char* help) {
    return command.add_option("--for", options.rule_seconds, help)
        ->transform(CLI::Validator(to_seconds, "TIME"));
}

// Of the options that were given.
json::object params_of(const Options& options) {
    json::object out;
    if (!options.clients.empty()) out["clients"] = options.clients;
    if (!options.group.empty()) out["group"] = options.group;
    if (!options.note.empty()) out["note"] = options.note;
    if (options.rule_seconds != 0) out["seconds"] = options.rule_seconds;
    return out;
}

Run add_set(CLI::App& command, Options& options, bool allows) {
    command.add_option("NAME", options.name, "Domain name, with all names below it")->required();
    command.add_flag("--exact", options.exact, "Only the name, not the names below it");
    add_clients(command, options);
    add_for(command, options, "How long: 30m, 8h, 2d (default: until it is removed)");
    add_note(command, options);
    command.add_flag("--dry-run", options.dry_run,
                     "Change nothing: show which queries of the last day it would have changed");
    return [&options, allows] {
        json::object params = params_of(options);
        if (options.dry_run) {  // it is about what was, for any time and note
            params.erase("note");
            params.erase("seconds");
        }
        params["name"] = options.name;
        if (allows) params["allow"] = true;
        if (options.exact) params["exact"] = true;
        if (options.dry_run)
            return show(options, "blocking.preview", blocking_preview_text, params, kLongPatience);
        return show(options, "blocking.set", blocking_done_text, params);
    };
}

Run add_export(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "blocking.export", blocking_export_text); };
}

constexpr Command kBlockingCommands[] = {
    {"export", "Print the rules as a list in AdGuard's syntax", add_export}};

}  // namespace

Run add_block(CLI::App& command, Options& options) {
    return add_set(command, options, false);
}

Run add_allow(CLI::App& command, Options& options) {
    return add_set(command, options, true);
}

Run add_unblock(CLI::App& command, Options& options) {
    auto* const name = command.add_option("NAME", options.name, "Remove all rules for this name");
    auto* const number =
        command.add_option("--number", options.number, "Remove the rule with this number");
    number->excludes(name);
    add_clients(command, options);
    return [&options, number] {
        json::object params = params_of(options);
        if (number->count() != 0) params["number"] = options.number;
        if (!options.name.empty()) params["name"] = options.name;
        return show(options, "blocking.remove", blocking_removed_text, params);
    };
}

Run add_pause(CLI::App& command, Options& options) {
    constexpr unsigned kTenMinutes = 600;
    add_for(command, options, "How long: 30m, 8h (default: 10m)");
    command.add_option("--tag", options.tag, "Only the adlist or rpz with this tag");
    command.add_option("--list", options.instance, "Of the plugin, only this list")->needs("--tag");
    add_clients(command, options);
    add_note(command, options);
    command
        .add_flag("--legal", options.legal,
                  "A list that is marked `legal`, for admins; needs a note")
        ->needs("--tag", "--note");
    return [&options] {
        if (options.legal && !(options.clients.empty() && options.group.empty()))
            return misused("--legal suspends a list for everyone: leave out --client and --group");
        json::object params = params_of(options);
        if (options.rule_seconds == 0) params["seconds"] = kTenMinutes;
        if (!options.tag.empty()) params["plugin"] = options.tag;
        if (!options.instance.empty()) params["list"] = options.instance;
        return show(options, options.legal ? "blocking.suspend" : "blocking.pause",
                    blocking_done_text, params);
    };
}

Run add_blocking(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kBlockingCommands)] {
        return command.get_subcommands().empty() ? show(options, "blocking.list", blocking_text)
                                                 : below();
    };
}

}  // namespace steerctl
