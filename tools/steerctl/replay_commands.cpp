#include "replay_commands.h"

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "capture_file.h"
#include "captured_queries.h"
#include "cells.h"
#include "report.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::chrono::seconds kReplayPatience{600};
constexpr std::uint64_t kHour = 3600;
constexpr std::size_t kEnvelope = 512;  // bytes of a request beside its parameters

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

void add_other(CLI::App& command, OtherText& other, CLI::Option* file) {
    command
        .add_option("--version", other.version,
                    "Instead of a file: a text of 'configuration history'")
        ->excludes(file)
        ->check(CLI::Range(1U, 1'000'000'000U));
    command.add_option("--limit", other.limit, "Maximum number of differences (default: 100)")
        ->check(CLI::Range(0U, 10'000U));
}

// What was read, and what was left out: `capture` of the answer.
json::object facts_of(const std::string& name, const CaptureFile& file, const CaptureCounts& counts,
                      const Records& sent) {
    return {{"file", name},
            {"trouble", file.trouble},
            {"from", static_cast<std::uint64_t>(file.from_s)},
            {"to", static_cast<std::uint64_t>(file.to_s)},
            {"frames", counts.frames},
            {"queries", counts.queries},
            {"answered", counts.answered},
            {"left_out", json::object{{"rare", sent.omitted_queries + counts.surplus},
                                      {"rare_distinct", sent.omitted_distinct},
                                      {"servers", counts.servers},
                                      {"tcp", counts.tcp},
                                      {"fragments", counts.fragments},
                                      {"cut", counts.cut},
                                      {"malformed", counts.malformed}}}};
}

}  // namespace

std::string OtherText::put_into(json::object& params, const char* option) const {
    if (version) {
        params["version"] = *version;
    } else if (file.empty()) {
        return std::string("a text is missing: write ") + option + " or --version";
    } else {
        auto text = text_of_file(file);
        if (!text) return file + " cannot be read: " + std::strerror(errno);
        if (std::string problem = configuration_text_problem(file, *text); !problem.empty())
            return problem;
        params["text"] = *std::move(text);
    }
    if (limit) params["limit"] = *limit;
    return {};
}

ReplayCommands::ReplayCommands(CLI::App& configuration, const Options& options)
    : recorded_(configuration.add_subcommand(
          "replay", "List recorded queries that another text would answer in another way")),
      options_(options) {
    add_other(*recorded_, other_,
              recorded_->add_option("FILE", other_.file, "The other text; - is standard input"));
    recorded_->add_option("--plugin", plugin_, "Tag of the query_recorder");
    auto* const seconds =
        recorded_->add_option("--seconds", seconds_, "How far back (default: 3600)");
    recorded_->add_option("--hours", hours_, "How far back, in hours")
        ->excludes(seconds)
        ->check(CLI::Range(1U, 100'000U));
    recorded_->add_option("--from", from_, "Begin, in seconds since 1970");
    recorded_->add_option("--to", to_, "End, in seconds since 1970");
}

int ReplayCommands::run() const {
    json::object params;
    if (const auto wrong = other_.put_into(params, "FILE"); !wrong.empty()) return misused(wrong);
    if (!plugin_.empty()) params["plugin"] = plugin_;
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"seconds", hours_ ? std::optional(*hours_ * kHour) : seconds_},
             {"from", from_},
             {"to", to_}}) {
        if (value) params[key] = *value;
    }
    return shown(options_, ask(options_.socket, "configuration.replay", params, kReplayPatience));
}

CaptureReplayCommand::CaptureReplayCommand(CLI::App& app, const Options& options)
    : captured_(app.add_subcommand(
          "replay",
          "List queries of a capture file that another configuration would answer in another way")),
      options_(options) {
    captured_->add_option("FILE", file_, "The capture, pcap or pcapng; - is standard input")
        ->option_text("FILE")
        ->type_name("FILE")
        ->required();
    add_other(*captured_, other_,
              captured_->add_option("-c,--config", other_.file, "The other configuration")
                  ->option_text("FILE")
                  ->type_name("FILE"));
}

int CaptureReplayCommand::run() const {
    json::object params;
    if (file_ == "-" && other_.file == "-")
        return misused("the capture and the configuration cannot both be standard input");
    if (const auto wrong = other_.put_into(params, "--config FILE"); !wrong.empty())
        return misused(wrong);
    CapturedQueries captured;
    const CaptureFile file = read_capture(file_, captured);
    if (!file.error.empty()) return fail(steer::ErrorCode::bad_input, file.error);
    const auto queries = captured.take();
    const std::size_t used = json::serialize(params).size() + kEnvelope;
    if (used > kMostRequest) return misused(other_.file + " is too long: a request may have 4 MiB");
    Records records = records_of(queries, kMostRequest - used);
    const json::object facts = facts_of(file_, file, captured.counts(), records);
    if (records.lines.empty()) return fail(steer::ErrorCode::bad_input, no_queries_text(facts));
    params["records"] = std::move(records.lines);
    Reply reply = ask(options_.socket, "configuration.replay", params, kReplayPatience);
    if (auto* const answer = reply.result.if_object()) (*answer)["capture"] = facts;
    return shown(options_, reply);
}

}  // namespace steerctl
