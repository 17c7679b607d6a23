#include "configuration_commands.h"

#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cells.h"
#include "output.h"
#include "report.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Prints the answer; a text that is not good is exit 2.
int judge(const Options& options, const Reply& reply, std::string_view key) {
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(configuration_problems_text(reply.result));
    }
    if (is_true(object_of(reply.result), key)) return 0;
    constexpr auto kCode = steer::ErrorCode::invalid_configuration;
    return options.as_json ? fail(kCode, "the new configuration is invalid; correct `problems`")
                           : row_of(kCode).code;
}

}  // namespace

ConfigurationCommands::ConfigurationCommands(CLI::App& app, Options& options)
    : configuration(app.add_subcommand(
          "configuration", "Show, check and change the configuration of the running daemon")) {
    configuration->require_subcommand(1);
    configuration->fallthrough();
    show = configuration->add_subcommand("show", "Print the configuration's file");
    check = configuration->add_subcommand("check", "Check a text as the running daemon would");
    apply = configuration->add_subcommand(
        "apply", "Replace the configuration's file and reload; the old text is kept");
    history = configuration->add_subcommand("history", "List the texts that are kept");
    version = configuration->add_subcommand("version", "Print a text that is kept");
    rollback = configuration->add_subcommand("rollback", "Apply a text that is kept");
    for (CLI::App* const verb : {check, apply})
        verb->add_option("FILE", options.file, "The new text; - is standard input")->required();
    for (CLI::App* const verb : {version, rollback})
        verb->add_option("VERSION", options.number, "Number of a text, from 'history'")
            ->required()
            ->check(CLI::Range(1U, 1'000'000'000U));
}

// The text itself, so that `steerctl configuration show > FILE` is the file.
int ConfigurationCommands::print_text(const Options& options, std::string_view method,
                                      const json::value& params) {
    const Reply reply = ask(options.socket, method, params, kPatience);
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
        return 0;
    }
    return print_data(configuration_bytes(reply.result));
}

int ConfigurationCommands::run(const Options& options) const {
    if (show->parsed()) return print_text(options, "configuration.show", nullptr);
    if (history->parsed())
        return steerctl::show(options, "configuration.history", configuration_history_text);
    if (version->parsed())
        return print_text(options, "configuration.version",
                          json::object{{"version", options.number}});
    return change(options);
}

int ConfigurationCommands::change(const Options& options) const {
    json::object params;
    if (rollback->parsed()) {
        params["version"] = options.number;
    } else {
        auto given = text_of_file(options.file);
        if (!given) return misused(options.file + " cannot be read: " + std::strerror(errno));
        if (const std::string problem = configuration_text_problem(options.file, *given);
            !problem.empty())
            return fail(steer::ErrorCode::invalid_configuration, problem);
        params["text"] = *std::move(given);
    }
    if (check->parsed())
        return judge(options, ask(options.socket, "configuration.check", params, kLongPatience),
                     "good");
    // The text that is there now is changed.
    const Reply now = ask(options.socket, "configuration.show", nullptr, kPatience);
    if (!now.error.empty()) return fail(now);
    if (const auto* const hash = find(object_of(now.result), "hash")) params["hash"] = *hash;
    const char* const method =
        rollback->parsed() ? "configuration.rollback" : "configuration.apply";
    return judge(options, ask(options.socket, method, params, kLongPatience), "applied");
}

}  // namespace steerctl
