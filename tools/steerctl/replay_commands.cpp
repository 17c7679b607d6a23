#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "capture_file.h"
#include "captured_queries.h"
#include "cells.h"
#include "commands.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::chrono::seconds kReplayPatience{600};
constexpr std::uint64_t kHour = 3600;
constexpr std::size_t kEnvelope = 512;  // bytes of a request beside its parameters

// The other configuration: a text, or a version that the daemon kept.
struct OtherText {
    std::string file;
    std::optional<std::uint64_t> version;
    std::optional<std::uint64_t> limit;  // of differences

    // Into the request. Empty: done; else what is wrong.
    [[nodiscard]] std::string put_into(boost::json::object& params, const char* option) const;
};

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
            {"trouble", file.read_error},
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

struct RecordedReplay {
    OtherText other;
    std::string plugin;
    std::optional<std::uint64_t> seconds, hours, from, to;
};

int replay_recorded(const Options& options, const RecordedReplay& wanted) {
    json::object params;
    if (const auto wrong = wanted.other.put_into(params, "FILE"); !wrong.empty())
        return misused(wrong);
    if (!wanted.plugin.empty()) params["plugin"] = wanted.plugin;
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"seconds", wanted.hours ? std::optional(*wanted.hours * kHour) : wanted.seconds},
             {"from", wanted.from},
             {"to", wanted.to}}) {
        if (value) params[key] = *value;
    }
    return shown(options, ask(options.socket, "configuration.replay", params, kReplayPatience));
}

// A capture is read here: the daemon gets queries, not frames.
struct CaptureReplay {
    OtherText other;
    std::string file;
};

int replay_capture(const Options& options, const CaptureReplay& wanted) {
    json::object params;
    if (wanted.file == "-" && wanted.other.file == "-")
        return misused("the capture and the configuration cannot both be standard input");
    if (const auto wrong = wanted.other.put_into(params, "--config FILE"); !wrong.empty())
        return misused(wrong);
    CapturedQueries captured;
    const CaptureFile file = read_capture(wanted.file, captured);
    if (!file.error.empty()) return fail(steer::ErrorCode::bad_input, file.error);
    const auto queries = captured.take();
    const std::size_t used = json::serialize(params).size() + kEnvelope;
    if (used > kMostRequest)
        return misused(wanted.other.file + " is too long: a request may have 4 MiB");
    Records records = records_of(queries, kMostRequest - used);
    const json::object facts = facts_of(wanted.file, file, captured.counts(), records);
    if (records.lines.empty()) return fail(steer::ErrorCode::bad_input, no_queries_text(facts));
    params["records"] = std::move(records.lines);
    Reply reply = ask(options.socket, "configuration.replay", params, kReplayPatience);
    if (auto* const answer = reply.result.if_object()) (*answer)["capture"] = facts;
    return shown(options, reply);
}

}  // namespace

Run add_recorded_replay(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<RecordedReplay>();
    add_other(
        command, wanted->other,
        command.add_option("FILE", wanted->other.file, "The other text; - is standard input"));
    command.add_option("--plugin", wanted->plugin, "Tag of the query_recorder");
    auto* const seconds =
        command.add_option("--seconds", wanted->seconds, "How far back (default: 3600)");
    command.add_option("--hours", wanted->hours, "How far back, in hours")
        ->excludes(seconds)
        ->check(CLI::Range(1U, 100'000U));
    command.add_option("--from", wanted->from, "Begin, in seconds since 1970");
    command.add_option("--to", wanted->to, "End, in seconds since 1970");
    return [&options, wanted] { return replay_recorded(options, *wanted); };
}

Run add_replay(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<CaptureReplay>();
    command.add_option("FILE", wanted->file, "The capture, pcap or pcapng; - is standard input")
        ->option_text("FILE")
        ->type_name("FILE")
        ->required();
    add_other(command, wanted->other,
              command.add_option("-c,--config", wanted->other.file, "The other configuration")
                  ->option_text("FILE")
                  ->type_name("FILE"));
    return [&options, wanted] { return replay_capture(options, *wanted); };
}

}  // namespace steerctl
