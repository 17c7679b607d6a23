#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cells.h"
#include "commands.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Changes the text that is there now.
int change_layer(const Options& options, const char* method, json::object params) {
    const Reply now = ask(options.socket, "managed.show", nullptr, kPatience);
    if (!now.error.empty()) return fail(now);
    if (const auto* const hash = find(object_of(now.result), "hash")) params["hash"] = *hash;
    return judge_configuration(options, ask(options.socket, method, params, kLongPatience),
                               "applied", configuration_problems_text);
}

void add_part(CLI::App& command, Options& options) {
    command
        .add_option("PART", options.name,
                    "plugins.TAG, routers.NAME, policy.SETTING, mdns.SETTING, or http")
        ->required();
}

void add_layer_version(CLI::App& command, Options& options, bool is_required) {
    auto* const version =
        command.add_option("VERSION", options.number, "Number of a text, from 'history'")
            ->check(CLI::Range(1U, 1'000'000'000U));
    if (is_required) version->required();
}

Run add_managed_show(CLI::App& /*command*/, Options& options) {
    return [&options] { return print_configuration(options, "managed.show", nullptr); };
}

int check_part(const Options& options, json::object params) {
    return judge_configuration(
        options, ask(options.socket, "managed.check", std::move(params), kLongPatience), "good",
        managed_diff_text);
}

Run add_managed_check(CLI::App& command, Options& options) {
    add_part(command, options);
    command.add_option("FILE", options.file,
                       "The part as YAML; - is standard input; without it, the part is removed");
    return [&options]() -> int {
        json::object params{{"parts", json::array{options.name}}};
        if (options.file.empty()) return check_part(options, std::move(params));
        auto given = text_of_file(options.file);
        if (!given) return misused(options.file + " cannot be read: " + std::strerror(errno));
        params["values"] = json::array{*std::move(given)};
        return check_part(options, std::move(params));
    };
}

Run add_managed_set(CLI::App& command, Options& options) {
    add_part(command, options);
    command.add_option("FILE", options.file, "The part as YAML; - is standard input")->required();
    return [&options]() -> int {
        auto given = text_of_file(options.file);
        if (!given) return misused(options.file + " cannot be read: " + std::strerror(errno));
        return change_layer(
            options, "managed.set",
            {{"parts", json::array{options.name}}, {"values", json::array{*std::move(given)}}});
    };
}

Run add_managed_remove(CLI::App& command, Options& options) {
    add_part(command, options);
    return [&options] {
        return change_layer(options, "managed.set", {{"parts", json::array{options.name}}});
    };
}

Run add_managed_undo(CLI::App& command, Options& options) {
    add_layer_version(command, options, false);
    return [&options] {
        json::object params;
        if (options.number > 0) params["version"] = options.number;
        return change_layer(options, "managed.undo", std::move(params));
    };
}

Run add_managed_keep(CLI::App& command, Options& options) {
    command.add_option("PATH", options.name, "Path of the value, from 'problems' of 'status'")
        ->required();
    return [&options] {
        const json::object params{{"path", options.name}};
        const auto text = [](const json::value& answer) {
            return "the value of " + text_of(object_of(answer), "kept") + " is kept\n";
        };
        return show(options, "managed.keep", text, params);
    };
}

Run add_managed_history(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "managed.history", configuration_history_text); };
}

Run add_managed_version(CLI::App& command, Options& options) {
    add_layer_version(command, options, true);
    return [&options] {
        return print_configuration(options, "managed.version",
                                   json::object{{"version", options.number}});
    };
}

constexpr Command kManagedCommands[] = {
    {"show", "Print the layer over the configuration", add_managed_show},
    {"check", "Show what a change of a part would do", add_managed_check},
    {"set", "Write a part and reload; the old text is kept", add_managed_set},
    {"remove", "Remove a part and reload; the old text is kept", add_managed_remove},
    {"undo", "Take the last change back, or apply a text that is kept", add_managed_undo},
    {"keep", "Keep a value whose value in the configuration has changed", add_managed_keep},
    {"history", "List the texts that are kept", add_managed_history},
    {"version", "Print a text that is kept", add_managed_version}};

}  // namespace

Run add_managed(CLI::App& command, Options& options) {
    command.require_subcommand(1);
    return add_commands(command, options, kManagedCommands);
}

}  // namespace steerctl
