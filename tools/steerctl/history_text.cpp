#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cells.h"
#include "local_time.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

namespace {

std::string percent(const json::value* ratio) {
    const auto number = number_of(ratio);
    if (!number) return "-";
    char text[24];
    (void)std::snprintf(text, sizeof text, "%.1f %%", *number * 100);
    return text;
}

// "120 us", "1.5 ms", "2.0 s".
std::string latency(const json::value* microseconds) {
    const auto number = number_of(microseconds);
    if (!number) return "-";
    char text[32];
    if (*number < 1000) {
        (void)std::snprintf(text, sizeof text, "%.0f us", *number);
    } else if (*number < 1e6) {
        (void)std::snprintf(text, sizeof text, "%.1f ms", *number / 1e3);
    } else {
        (void)std::snprintf(text, sizeof text, "%.1f s", *number / 1e6);
    }
    return text;
}

std::string span_of(const json::object& all) {
    const auto from = number_of(find(all, "from")), to = number_of(find(all, "to"));
    if (!from || !to) return "";
    return date_text(*from) + " to " + date_text(*to);
}

// "ads.txt", or with the line that decided "ads.txt:17 domain:ads.example".
std::string list_of(const json::object& query) {
    std::string out = text_of(query, "list");
    if (find(query, "line") != nullptr)
        out += ":" + text_of(query, "line") + " " + text_of(query, "list_rule");
    return out;
}

const char* if_incomplete(const json::object& all) {
    const auto* const complete = find(all, "complete");
    return complete != nullptr && complete->is_bool() && !complete->as_bool()
               ? "\nnot all were read in time: ask for a shorter time\n"
               : "";
}

}  // namespace

std::string history_text(const json::value& answer, const ClientNames& names) {
    const json::object& all = object_of(answer);
    const json::array& queries = array_of(all, "queries");
    const auto microseconds = [](const json::object& object, std::string_view key) {
        return static_cast<std::int64_t>(number_of(find(object, key)).value_or(0));
    };
    const bool has_decisions = std::ranges::any_of(queries, [](const json::value& one) {
        return find(object_of(one), "decision") != nullptr;
    });
    const bool has_lists = std::ranges::any_of(
        queries, [](const json::value& one) { return find(object_of(one), "list") != nullptr; });
    const std::int64_t newest =
        queries.empty() ? 0 : microseconds(object_of(queries[0]), "time_us");
    Table table;
    std::vector<std::string> headings{
        "time (" + zone_text(newest / 1'000'000) + ")", "client", "by", "name", "type", "result"};
    if (has_decisions) headings.emplace_back("decision");
    for (const char* const heading : {"path", "duration", "upstream", "answers"})
        headings.emplace_back(heading);
    if (has_lists) headings.emplace_back("list");
    table.headings(std::move(headings));
    for (const json::value& one : queries) {
        const json::object& q = object_of(one);
        const bool has_rcode = find(q, "rcode") != nullptr;
        std::vector<std::string> cells{local_time_text(microseconds(q, "time_us")),
                                       names.shown(text_of(q, "client")),
                                       text_of(q, "transport"),
                                       text_of(q, "name"),
                                       text_of(q, "type"),
                                       text_of(q, has_rcode ? "rcode" : "end")};
        if (has_decisions) cells.push_back(text_of(q, "decision"));
        cells.push_back(text_of(q, "path"));
        cells.push_back(latency(find(q, "duration_us")));
        cells.push_back(text_of(q, "upstream"));
        cells.push_back(text_of(q, "answers"));
        if (has_lists) cells.push_back(list_of(q));
        table.row(std::move(cells));
    }
    const auto* const next = find(all, "next_us");
    const auto* const back = find(all, "back_us");
    std::string out = queries.empty() ? "no recorded queries match\n" : table.text();
    if (is_true(all, "cut")) {
        out += "\nthe search took too long and ended";
        if (next != nullptr) out += " at " + local_time_text(microseconds(all, "next_us"));
        out += ": go on with the option below, or name a shorter time\n";
    }
    if (next != nullptr || back != nullptr) out += "\n";
    if (next != nullptr) out += "older ones: --before " + cell_text(*next) + "\n";
    if (back != nullptr) out += "newer ones: --after " + cell_text(*back) + "\n";
    return out;
}

std::string top_text(const json::value& answer, const ClientNames& names) {
    const json::object& all = object_of(answer);
    std::string out = text_of(all, "queries") + " queries from " + span_of(all) + "\n\n";
    Table table;
    const std::string kind = text_of(all, "kind");
    const bool is_client = kind == "client" || kind == "blocked_client";
    table.headings({"queries", "share", "mean", kind});
    for (const json::value& one : array_of(all, "rows")) {
        const json::object& row = object_of(one);
        const std::string key = text_of(row, "key");
        table.row({text_of(row, "queries"), percent(find(row, "share")),
                   latency(find(row, "mean_us")),
                   kind == "latency" ? "below " + key + " us"
                   : is_client       ? names.shown(key)
                                     : key});
    }
    out += table.text();
    if (number_of(find(all, "others")).value_or(0) > 0)
        out += "\n" + text_of(all, "others") + " queries of others\n";
    return out + if_incomplete(all);
}

std::string series_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = span_of(all) + ", a row for each " +
                      duration_text(number_of(find(all, "bucket_seconds")).value_or(0)) + "\n\n";
    Table table;
    table.headings(
        {"from", "queries", "hits", "forwarded", "failed", "blocked", "mean", "p95", "p99"});
    for (const json::value& one : array_of(all, "buckets")) {
        const json::object& row = object_of(one);
        table.row({date_text(number_of(find(row, "start")).value_or(0)), text_of(row, "queries"),
                   percent(find(row, "hit_ratio")), text_of(row, "forwarded"),
                   text_of(row, "failed"), text_of(row, "blocked"), latency(find(row, "mean_us")),
                   latency(find(row, "p95_us")), latency(find(row, "p99_us"))});
    }
    return out + table.text() + if_incomplete(all);
}

std::string course_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = span_of(all) + ", a row for each " +
                      duration_text(number_of(find(all, "bucket_seconds")).value_or(0)) + "\n\n";
    if (array_of(all, "buckets").empty()) return out + "no queries in this time\n";
    Table table;
    table.headings({"from", "queries", "mean", "p50", "p95", "p99"});
    for (const json::value& one : array_of(all, "buckets")) {
        const json::object& row = object_of(one);
        table.row({date_text(number_of(find(row, "start")).value_or(0)), text_of(row, "queries"),
                   latency(find(row, "mean_us")), latency(find(row, "p50_us")),
                   latency(find(row, "p95_us")), latency(find(row, "p99_us"))});
    }
    return out + table.text() + if_incomplete(all);
}

std::string recorder_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    const json::array& recorders = array_of(all, "recorders");
    if (recorders.empty()) return "no query_recorder is run by a server\n";
    std::string out = text_of(all, "queries") + " queries read, " + text_of(all, "lost") +
                      " records lost in full rings\n\n";
    Table table;
    table.headings({"plugin", "sink", "written", "dropped", "failed", "size", "state", "place"});
    for (const json::value& one : recorders) {
        const json::object& recorder = object_of(one);
        for (const json::value& sink_of : array_of(recorder, "sinks")) {
            const json::object& sink = object_of(sink_of);
            const std::string error = text_of(sink, "trouble");
            const bool has_error = !error.empty() && error != "-";
            table.row({text_of(recorder, "plugin"), text_of(sink, "sink"), text_of(sink, "written"),
                       text_of(sink, "dropped"), text_of(sink, "failed"), text_of(sink, "bytes"),
                       is_true(sink, "well") ? "well"
                       : has_error           ? error
                                             : "not connected",
                       text_of(sink, "place")});
        }
    }
    return out + table.text();
}

}  // namespace steerctl
