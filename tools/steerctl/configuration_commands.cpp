#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cells.h"
#include "commands.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;

int judge_configuration(const Options& options, const Reply& reply, std::string_view key,
                        std::string (*text)(const json::value& answer)) {
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(text(reply.result));
    }
    if (is_true(object_of(reply.result), key)) return 0;
    constexpr auto kCode = steer::ErrorCode::invalid_configuration;
    return options.as_json ? fail(kCode, "the new configuration is invalid; correct `problems`")
                           : row_of(kCode).code;
}

int print_configuration(const Options& options, std::string_view method,
                        const json::value& params) {
    const Reply reply = ask(options.socket, method, params, kPatience);
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
        return 0;
    }
    return print_data(configuration_bytes(reply.result));
}

namespace {

// Changes the text that is there now.
int change(const Options& options, const char* method, json::object params) {
    const Reply now = ask(options.socket, "configuration.show", nullptr, kPatience);
    if (!now.error.empty()) return fail(now);
    if (const auto* const hash = find(object_of(now.result), "hash")) params["hash"] = *hash;
    return judge_configuration(options, ask(options.socket, method, params, kLongPatience),
                               "applied", configuration_problems_text);
}

// Runs `next` with the text of the file, if it can be one.
int with_text(const Options& options, int (*next)(const Options&, json::object)) {
    auto given = text_of_file(options.file);
    if (!given) return misused(options.file + " cannot be read: " + std::strerror(errno));
    if (const std::string problem = configuration_text_problem(options.file, *given);
        !problem.empty())
        return fail(steer::ErrorCode::invalid_configuration, problem);
    return next(options, {{"text", *std::move(given)}});
}

int check_text(const Options& options, json::object params) {
    return judge_configuration(
        options, ask(options.socket, "configuration.check", std::move(params), kLongPatience),
        "good", configuration_problems_text);
}

int apply_text(const Options& options, json::object params) {
    return change(options, "configuration.apply", std::move(params));
}

void add_text_file(CLI::App& command, Options& options) {
    command.add_option("FILE", options.file, "The new text; - is standard input")->required();
}

void add_kept_version(CLI::App& command, Options& options) {
    command.add_option("VERSION", options.number, "Number of a text, from 'history'")
        ->required()
        ->check(CLI::Range(1U, 1'000'000'000U));
}

Run add_configuration_show(CLI::App& /*command*/, Options& options) {
    return [&options] { return print_configuration(options, "configuration.show", nullptr); };
}

Run add_configuration_check(CLI::App& command, Options& options) {
    add_text_file(command, options);
    return [&options] { return with_text(options, check_text); };
}

Run add_configuration_apply(CLI::App& command, Options& options) {
    add_text_file(command, options);
    return [&options] { return with_text(options, apply_text); };
}

Run add_configuration_history(CLI::App& /*command*/, Options& options) {
    return
        [&options] { return show(options, "configuration.history", configuration_history_text); };
}

Run add_configuration_version(CLI::App& command, Options& options) {
    add_kept_version(command, options);
    return [&options] {
        return print_configuration(options, "configuration.version",
                                   json::object{{"version", options.number}});
    };
}

Run add_configuration_rollback(CLI::App& command, Options& options) {
    add_kept_version(command, options);
    return [&options] {
        return change(options, "configuration.rollback", {{"version", options.number}});
    };
}

constexpr Command kConfigurationCommands[] = {
    {"show", "Print the configuration's file", add_configuration_show},
    {"check", "Check a text as the running daemon would", add_configuration_check},
    {"apply", "Replace the configuration's file and reload; the old text is kept",
     add_configuration_apply},
    {"history", "List the texts that are kept", add_configuration_history},
    {"version", "Print a text that is kept", add_configuration_version},
    {"rollback", "Apply a text that is kept", add_configuration_rollback},
    {"replay", "List recorded queries that another text would answer in another way",
     add_recorded_replay}};

}  // namespace

Run add_configuration(CLI::App& command, Options& options) {
    command.require_subcommand(1);
    return add_commands(command, options, kConfigurationCommands);
}

}  // namespace steerctl
