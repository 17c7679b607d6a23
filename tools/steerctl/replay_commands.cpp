#include "replay_commands.h"

#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "cells.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::chrono::seconds kReplayPatience{600};
constexpr std::uint64_t kHour = 3600;

// A text that is not good is exit 2; differences are none.
int shown(const Options& options, const Reply& reply) {
    if (!reply.error.empty()) return fail(reply);
    const bool is_good = is_true(object_of(reply.result), "good");
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(is_good ? replay_text(reply.result) : configuration_problems_text(reply.result));
    }
    if (is_good) return 0;
    constexpr auto kCode = steer::ErrorCode::invalid_configuration;
    return options.as_json ? fail(kCode, "the configuration is invalid; correct `problems`")
                           : row_of(kCode).code;
}

}  // namespace

ReplayCommands::ReplayCommands(CLI::App& configuration, const Options& options)
    : recorded_(configuration.add_subcommand(
          "replay", "List recorded queries that another text would answer in another way")),
      options_(options) {
    auto* const file = recorded_->add_option("FILE", file_, "The other text; - is standard input");
    recorded_->add_option("--version", version_, "Instead of FILE: a text of 'history'")
        ->excludes(file)
        ->check(CLI::Range(1U, 1'000'000'000U));
    recorded_->add_option("--plugin", plugin_, "Tag of the query_recorder");
    auto* const seconds =
        recorded_->add_option("--seconds", seconds_, "How far back (default: 3600)");
    recorded_->add_option("--hours", hours_, "How far back, in hours")
        ->excludes(seconds)
        ->check(CLI::Range(1U, 100'000U));
    recorded_->add_option("--from", from_, "Begin, in seconds since 1970");
    recorded_->add_option("--to", to_, "End, in seconds since 1970");
    recorded_->add_option("--limit", limit_, "Maximum number of differences (default: 100)")
        ->check(CLI::Range(0U, 10'000U));
}

int ReplayCommands::run() const {
    json::object params;
    if (version_) {
        params["version"] = *version_;
    } else if (file_.empty()) {
        return misused("a text is missing: write FILE or --version");
    } else {
        auto text = text_of_file(file_);
        if (!text) return misused(file_ + " cannot be read: " + std::strerror(errno));
        params["text"] = *std::move(text);
    }
    if (!plugin_.empty()) params["plugin"] = plugin_;
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"seconds", hours_ ? std::optional(*hours_ * kHour) : seconds_},
             {"from", from_},
             {"to", to_},
             {"limit", limit_}}) {
        if (value) params[key] = *value;
    }
    return shown(options_, ask(options_.socket, "configuration.replay", params, kReplayPatience));
}

}  // namespace steerctl
