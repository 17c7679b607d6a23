#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cells.h"
#include "client_names.h"
#include "commands.h"
#include "csv.h"
#include "local_time.h"
#include "matchers/safe_text.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr unsigned kPage = 50, kExportPage = 10'000;

// Of `history` and its sub-commands: its options may stand behind their names.
struct History {
    std::string plugin, name, suffix, contains, client, group, type, rcode, end, upstream, kind;
    std::string decision, list, decided_by, rule, from, to, daily, form;
    bool is_blocked = false;
    std::optional<std::uint64_t> seconds, before, after, step;
    std::optional<std::uint64_t> limit;

    // The time in seconds since 1970, and the zone that it was written in. Returns an error.
    [[nodiscard]] std::string add_span(json::object& params) const {
        if (!plugin.empty()) params["plugin"] = plugin;
        if (seconds) params["seconds"] = *seconds;
        const std::int64_t now = std::time(nullptr);
        for (const auto& [key, text] :
             std::initializer_list<std::pair<const char*, const std::string&>>{{"from", from},
                                                                               {"to", to}}) {
            if (text.empty()) continue;
            const auto at = time_from(text, now);
            if (!at) return std::string("--") + key + ": " + kTimeForms;
            // The end is not included, and this second's queries are of now.
            params[key] = text == "now" ? now + 1 : *at;
        }
        return {};
    }
    // Returns an error.
    [[nodiscard]] std::string add_ranges(json::object& params) const {
        if (daily.empty()) return {};
        constexpr std::int64_t kDay = 86'400;
        const std::int64_t now = std::time(nullptr);
        const auto given = [&params](const char* key, std::int64_t otherwise) {
            const auto* const value = params.if_contains(key);
            return value == nullptr ? otherwise : value->to_number<std::int64_t>();
        };
        const std::int64_t until = given("to", now + 1);
        const std::int64_t most = static_cast<std::int64_t>(kMostDays - 1) * kDay;
        const std::int64_t since = given("from", until - given("seconds", most));
        if (until - since > most)
            return "--daily: expected at most " + std::to_string(kMostDays - 1) +
                   " days; name a later --from";
        const auto ranges = daily_ranges(daily, since, until);
        if (!ranges) return "--daily: expected a time of the day such as 21:00-06:00";
        params["ranges"] = json::value_from(*ranges);
        return {};
    }
};

// Sums are of all queries. Returns an error.
std::string beside_sums(const History& wanted) {
    const std::initializer_list<std::pair<const char*, const std::string&>> filters = {
        {"--name", wanted.name},
        {"--suffix", wanted.suffix},
        {"--contains", wanted.contains},
        {"--client", wanted.client},
        {"--group", wanted.group},
        {"--type", wanted.type},
        {"--rcode", wanted.rcode},
        {"--end", wanted.end},
        {"--decision", wanted.decision},
        {"--list", wanted.list},
        {"--decided-by", wanted.decided_by},
        {"--rule", wanted.rule},
        {"--daily", wanted.daily}};
    for (const auto& [option, text] : filters) {
        if (!text.empty())
            return std::string(option) +
                   " is for 'steerctl history' alone: its sums are of all queries";
    }
    return wanted.is_blocked
               ? "--blocked is for 'steerctl history' alone: write --kind blocked_name"
               : "";
}

int show_series(const Options& options, const History& wanted) {
    if (const std::string wrong = beside_sums(wanted); !wrong.empty()) return misused(wrong);
    json::object params;
    if (const std::string wrong = wanted.add_span(params); !wrong.empty()) return misused(wrong);
    if (wanted.step) params["step"] = *wanted.step;
    if (wanted.upstream.empty())
        return show(options, "recorder.series", series_text, params, kLongPatience);
    params["kind"] = "upstream";
    params["key"] = wanted.upstream;
    return show(options, "recorder.series", course_text, params, kLongPatience);
}

// JSON has addresses alone.
ClientNames shown_names(const Options& options) {
    return options.as_json ? ClientNames() : client_names(options);
}

int show_top(const Options& options, const History& wanted) {
    if (const std::string wrong = beside_sums(wanted); !wrong.empty()) return misused(wrong);
    if (!wanted.upstream.empty())
        return misused("--upstream is for 'history' and 'history series': write --kind upstream");
    json::object params;
    if (const std::string wrong = wanted.add_span(params); !wrong.empty()) return misused(wrong);
    if (wanted.limit) params["limit"] = *wanted.limit;
    if (!wanted.kind.empty()) params["kind"] = wanted.kind;
    const ClientNames names = shown_names(options);
    return show(
        options, "recorder.top", [&](const json::value& answer) { return top_text(answer, names); },
        params, kLongPatience);
}

// Writes all matching queries, some thousand at a time.
int export_history(const Options& options, const History& wanted, json::object params) {
    const bool is_csv = wanted.form == "csv";
    std::uint64_t left = wanted.limit.value_or(UINT64_MAX);
    if (is_csv) {
        if (const int code = print_data(csv_heading()); code != 0) return code;
    }
    while (left > 0) {
        params["limit"] = std::min<std::uint64_t>(left, kExportPage);
        const Reply reply = ask(options.socket, "recorder.history", params, kLongPatience);
        if (!reply.error.empty()) return fail(reply);
        const json::object& all = object_of(reply.result);
        std::string out;
        for (const json::value& one : array_of(all, "queries"))
            out +=
                is_csv ? csv_line(object_of(one)) : steer::safe_json(json::serialize(one)) + "\n";
        if (const int code = print_data(out); code != 0) return code;
        left -= std::min<std::uint64_t>(left, array_of(all, "queries").size());
        const auto* const next = find(all, "next_us");
        if (next == nullptr) break;
        params["before_us"] = *next;
    }
    return 0;
}

int show_history(const Options& options, const History& wanted) {
    json::object params;
    for (const std::string& wrong : {wanted.add_span(params), wanted.add_ranges(params)}) {
        if (!wrong.empty()) return misused(wrong);
    }
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, const std::string&>>{
             {"name", wanted.name},
             {"suffix", wanted.suffix},
             {"contains", wanted.contains},
             {"group", wanted.group},
             {"type", wanted.type},
             {"rcode", wanted.rcode},
             {"end", wanted.end},
             {"upstream", wanted.upstream},
             {"decision", wanted.decision},
             {"list", wanted.list},
             {"decided_by", wanted.decided_by},
             {"rule", wanted.rule}}) {
        if (!value.empty()) params[key] = value;
    }
    if (!wanted.client.empty()) params["client"] = wanted.client;
    if (wanted.is_blocked) params["decision"] = "blocked";
    if (wanted.before) params["before_us"] = *wanted.before;
    if (!wanted.form.empty()) return export_history(options, wanted, std::move(params));
    if (wanted.after) params["after_us"] = *wanted.after;
    params["limit"] = std::min<std::uint64_t>(wanted.limit.value_or(kPage), kExportPage);
    const ClientNames names = shown_names(options);
    return show(
        options, "recorder.history",
        [&](const json::value& answer) { return history_text(answer, names); }, params,
        kLongPatience);
}

}  // namespace

Run add_history(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<History>();
    command.require_subcommand(0, 1);
    command.add_option("--name", wanted->name, "Only this name");
    command.add_option("--suffix", wanted->suffix, "Only this name and names below it");
    command.add_option("--contains", wanted->contains, "Only names that contain this text");
    command.add_option("--client", wanted->client,
                       "Only this client: an address, a prefix, or a name of one");
    command.add_option("--group", wanted->group,
                       "Only this group of devices, as 'steerctl clients group' shows them");
    command.add_option("--type", wanted->type, "Only this query type");
    command.add_option("--rcode", wanted->rcode, "Only this response code");
    command.add_option("--end", wanted->end, "Only this end (a verdict)");
    command.add_option("--upstream", wanted->upstream, "Only answers of this upstream");
    command.add_flag("--blocked", wanted->is_blocked, "Only what was blocked");
    command
        .add_option("--decision", wanted->decision,
                    "Only this decision of the policy, such as allowed")
        ->check(CLI::IsMember({"forwarded", "local", "blocked", "rejected", "dropped", "refused",
                               "error", "empty", "allowed", "rewritten", "steered"}));
    command.add_option("--list", wanted->list,
                       "Only what this list decided: its path, URL or zone, or its file name");
    command.add_option("--decided-by", wanted->decided_by,
                       "Only what the plugin with this tag decided");
    command.add_option("--rule", wanted->rule,
                       "Only what a line of the policy with this text decided");
    command.add_option("--before", wanted->before, "Older ones than in the list before");
    command.add_option("--after", wanted->after, "Newer ones than in the list before");
    command.add_option("--daily", wanted->daily, "Only this time of each day, such as 21:00-06:00");
    command.add_option("--export", wanted->form, "All of them, as 'csv' or as 'json' lines")
        ->check(CLI::IsMember({"csv", "json"}));
    command.add_option("--plugin", wanted->plugin, "Tag of the query_recorder");
    command.add_option("--seconds", wanted->seconds, "How far back");
    command.add_option(
        "--from", wanted->from,
        "Begin: 2026-11-27T21:00, 2026-11-27, 21:00 (local time), or seconds since 1970");
    command.add_option("--to", wanted->to, "End, in the same forms; without it, now");
    command.add_option("--limit", wanted->limit, "Maximum number of rows (default: 50)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
    auto* const top =
        command.add_subcommand("top", "Show the most frequent names, clients and so on");
    top->add_option("--kind", wanted->kind,
                    "name, client, end, upstream, type, rcode, path, transport, entry, latency, "
                    "decision, list, blocked_name, blocked_client or blocked_list");
    auto* const series =
        command.add_subcommand("series",
                               "Show queries, hit ratio and latency over time; with --upstream, "
                               "the latency of its answers");
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

Run add_support(CLI::App& command, Options& options) {
    const auto client = std::make_shared<std::string>();
    const auto plugin = std::make_shared<std::string>();
    command
        .add_option("CLIENT", *client,
                    "The client's address, its IPv6 prefix of /48 or longer, or its name")
        ->required();
    command.add_option("--plugin", *plugin, "Tag of the query_recorder");
    return [&options, client, plugin] {
        json::object params{{"client", *client}};
        if (!plugin->empty()) params["plugin"] = *plugin;
        return show(options, "support", support_text, params, kLongPatience);
    };
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
