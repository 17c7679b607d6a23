#include <boost/json/object.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Of `history` and its sub-commands: its options may stand behind their names.
struct History {
    std::string plugin, name, suffix, client, type, rcode, end, upstream, kind;
    std::optional<std::uint64_t> seconds, from, to, before, step;
    std::optional<unsigned> limit;

    [[nodiscard]] json::object span() const {
        json::object params;
        if (!plugin.empty()) params["plugin"] = plugin;
        for (const auto& [key, value] :
             std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
                 {"seconds", seconds}, {"from", from}, {"to", to}}) {
            if (value) params[key] = *value;
        }
        return params;
    }
};

int show_series(const Options& options, const History& wanted) {
    json::object params = wanted.span();
    if (wanted.step) params["step"] = *wanted.step;
    return show(options, "recorder.series", series_text, params, kLongPatience);
}

int show_top(const Options& options, const History& wanted) {
    json::object params = wanted.span();
    if (wanted.limit) params["limit"] = *wanted.limit;
    if (!wanted.kind.empty()) params["kind"] = wanted.kind;
    return show(options, "recorder.top", top_text, params, kLongPatience);
}

int show_history(const Options& options, const History& wanted) {
    json::object params = wanted.span();
    if (wanted.limit) params["limit"] = *wanted.limit;
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, const std::string&>>{
             {"name", wanted.name},
             {"suffix", wanted.suffix},
             {"client", wanted.client},
             {"type", wanted.type},
             {"rcode", wanted.rcode},
             {"end", wanted.end},
             {"upstream", wanted.upstream}}) {
        if (!value.empty()) params[key] = value;
    }
    if (wanted.before) params["before_us"] = *wanted.before;
    return show(options, "recorder.history", history_text, params, kLongPatience);
}

}  // namespace

Run add_history(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<History>();
    command.require_subcommand(0, 1);
    command.add_option("--name", wanted->name, "Only this name");
    command.add_option("--suffix", wanted->suffix, "Only this name and names below it");
    command.add_option("--client", wanted->client, "Only this address or prefix");
    command.add_option("--type", wanted->type, "Only this query type");
    command.add_option("--rcode", wanted->rcode, "Only this response code");
    command.add_option("--end", wanted->end, "Only this end (a verdict)");
    command.add_option("--upstream", wanted->upstream, "Only answers of this upstream");
    command.add_option("--before", wanted->before, "Continue a list: 'next_us' of the one before");
    command.add_option("--plugin", wanted->plugin, "Tag of the query_recorder");
    command.add_option("--seconds", wanted->seconds, "How far back");
    command.add_option("--from", wanted->from, "Begin, in seconds since 1970");
    command.add_option("--to", wanted->to, "End, in seconds since 1970");
    command.add_option("--limit", wanted->limit, "Maximum number of rows")
        ->check(CLI::Range(1U, 10'000U));
    auto* const top =
        command.add_subcommand("top", "Show the most frequent names, clients and so on");
    top->add_option("--kind", wanted->kind,
                    "name, client, end, upstream, type, rcode, path, transport, entry or latency");
    auto* const series =
        command.add_subcommand("series", "Show queries, hit ratio and latency over time");
    series->add_option("--step", wanted->step, "Seconds of a row");
    return [&options, wanted, top, series] {
        return series->parsed() ? show_series(options, *wanted)
               : top->parsed()  ? show_top(options, *wanted)
                                : show_history(options, *wanted);
    };
}

Run add_recorder(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "recorder.status", recorder_text); };
}

Run add_events(CLI::App& command, Options& options) {
    struct Wanted {
        std::string kind;
        std::optional<unsigned> most;
    };
    constexpr unsigned kMost = 500;
    const auto wanted = std::make_shared<Wanted>();
    command.add_option("--kind", wanted->kind,
                       "Only this kind: reload, router, list, upstream, overload, certificate, "
                       "doctor or change");
    command.add_option("--most", wanted->most, "Maximum number of events (default: 100)")
        ->check(CLI::Range(1U, kMost));
    return [&options, wanted] {
        json::object params;
        if (!wanted->kind.empty()) params["kind"] = wanted->kind;
        if (wanted->most) params["most"] = *wanted->most;
        return show(options, "events", events_text, params);
    };
}

}  // namespace steerctl
