#include "history_commands.h"

#include <boost/json/object.hpp>
#include <initializer_list>
#include <utility>

#include "report.h"

namespace steerctl {
namespace json = boost::json;

HistoryCommands::HistoryCommands(CLI::App& app, const Options& options)
    : history(app.add_subcommand("history", "Show recorded queries, the newest first")),
      options_(options) {
    history->require_subcommand(0, 1);
    history->fallthrough();
    history->add_option("--name", name_, "Only this name");
    history->add_option("--suffix", suffix_, "Only this name and names below it");
    history->add_option("--client", client_, "Only this address or prefix");
    history->add_option("--type", type_, "Only this query type");
    history->add_option("--rcode", rcode_, "Only this response code");
    history->add_option("--end", end_, "Only this end (a verdict)");
    history->add_option("--upstream", upstream_, "Only answers of this upstream");
    history->add_option("--before", before_, "Continue a list: 'next_us' of the one before");
    add_span(history);
    history->add_option("--limit", limit_, "Maximum number of rows")
        ->check(CLI::Range(1U, 10'000U));
    top = history->add_subcommand("top", "Show the most frequent names, clients and so on");
    top->add_option("--kind", kind_,
                    "name, client, end, upstream, type, rcode, path, transport, entry or latency");
    series = history->add_subcommand("series", "Show queries, hit ratio and latency over time");
    series->add_option("--step", step_, "Seconds of a row");
    recorder = app.add_subcommand("recorder", "Show each query_recorder, its files and receivers");
}

void HistoryCommands::add_span(CLI::App* command) {
    command->add_option("--plugin", plugin_, "Tag of the query_recorder");
    command->add_option("--seconds", seconds_, "How far back");
    command->add_option("--from", from_, "Begin, in seconds since 1970");
    command->add_option("--to", to_, "End, in seconds since 1970");
}

int HistoryCommands::run() const {
    if (recorder->parsed()) return show(options_, "recorder.status", recorder_text);
    json::object params;
    if (!plugin_.empty()) params["plugin"] = plugin_;
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"seconds", seconds_}, {"from", from_}, {"to", to_}}) {
        if (value) params[key] = *value;
    }
    if (series->parsed()) {
        if (step_) params["step"] = *step_;
        return show(options_, "recorder.series", series_text, params, kLongPatience);
    }
    if (limit_) params["limit"] = *limit_;
    if (top->parsed()) {
        if (!kind_.empty()) params["kind"] = kind_;
        return show(options_, "recorder.top", top_text, params, kLongPatience);
    }
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, const std::string&>>{
             {"name", name_},
             {"suffix", suffix_},
             {"client", client_},
             {"type", type_},
             {"rcode", rcode_},
             {"end", end_},
             {"upstream", upstream_}}) {
        if (!value.empty()) params[key] = value;
    }
    if (before_) params["before_us"] = *before_;
    return show(options_, "recorder.history", history_text, params, kLongPatience);
}

EventCommand::EventCommand(CLI::App& app)
    : events(app.add_subcommand(
          "events", "Show the last events: reloads, routers, lists, upstreams, changes")) {
    constexpr unsigned kMost = 500;
    events->add_option("--kind", kind_,
                       "Only this kind: reload, router, list, upstream, overload, certificate, "
                       "doctor or change");
    events->add_option("--most", most_, "Maximum number of events (default: 100)")
        ->check(CLI::Range(1U, kMost));
}

int EventCommand::run(const Options& options) const {
    json::object params;
    if (!kind_.empty()) params["kind"] = kind_;
    if (most_) params["most"] = *most_;
    return show(options, "events", events_text, params);
}

}  // namespace steerctl
