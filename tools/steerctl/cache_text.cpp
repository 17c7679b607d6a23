#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

const json::array& rows_of(const json::value& value, std::string_view key) {
    static const json::array kNone;
    const auto* const found = find(object_of(value), key);
    const auto* const rows = found != nullptr ? found->if_array() : nullptr;
    return rows != nullptr ? *rows : kNone;
}

std::string seconds_text(const json::object& object, std::string_view key) {
    const auto seconds = number_of(find(object, key));
    return seconds ? duration_text(*seconds) : "-";
}

// "www.example A IN, NOERROR, 3 min left, age 2 min, DO, from cache main, 192 bytes"
std::string heading(const json::object& answer) {
    const auto cell = [&](std::string_view key) { return text_of(answer, key); };
    std::string line =
        cell("name") + " " + cell("type") + " " + cell("class") + ", " + cell("rcode");
    const auto left = number_of(find(answer, "left_s"));
    if (left && *left > 0) {
        line += ", " + duration_text(*left) + " left";
    } else if (const auto usable = number_of(find(answer, "usable_s")); usable && *usable > 0) {
        line += ", stale for another " + duration_text(*usable);
    } else {
        line += ", expired";
    }
    line += ", age " + seconds_text(answer, "age_s");
    if (is_true(answer, "do")) line += ", DO";
    if (is_true(answer, "cd")) line += ", CD";
    if (is_true(answer, "over_v4")) line += ", for IPv4 clients";
    if (find(answer, "subnet") != nullptr) line += ", subnet " + cell("subnet");
    return line + ", in cache " + cell("cache") + ", " + cell("bytes") + " bytes\n";
}

std::string ratio_text(const json::object& cache) {
    const double hits = number_of(find(cache, "hits")).value_or(0);
    return share_text(hits, hits + number_of(find(cache, "misses")).value_or(0));
}

}  // namespace

std::string cache_stats_text(const json::value& stats) {
    constexpr std::array<std::string_view, 15> kColumns{
        "name",     "limit",  "entries",      "bytes",        "hits",
        "misses",   "stale",  "inserts",      "evictions",    "flushed",
        "restored", "dumped", "dumped_ago_s", "dumps_failed", "dump_file"};
    Table table;
    table.headings({"cache", "limit", "entries", "bytes", "hits", "misses", "stale", "hit ratio",
                    "inserts", "evictions", "flushed", "restored", "dumped", "dump age",
                    "dump failures", "dump file"});
    for (const auto& row : rows_of(stats, "caches")) {
        const json::object& cache = object_of(row);
        std::vector<std::string> cells;
        cells.reserve(kColumns.size());
        for (const auto column : kColumns) {
            cells.push_back(text_of(cache, column));
            if (column == "stale") cells.push_back(ratio_text(cache));
        }
        table.row(std::move(cells));
    }
    return table.text();
}

std::string cache_show_text(const json::value& answers) {
    std::string out;
    for (const auto& row : rows_of(answers, "answers")) {
        const json::object& answer = object_of(row);
        out += heading(answer);
        for (const auto& list : rows_of(row, "lists"))
            out += "  claims " + cell_text(list) + "\n";
        for (const auto& record : rows_of(row, "records"))
            out += "  " + cell_text(record) + "\n";
    }
    const auto* const more = find(object_of(answers), "more");
    if (more != nullptr && more->is_bool() && more->get_bool())
        out += "... more answers exist: raise the limit with --most N\n";
    return out.empty() ? "no matching answer in the caches\n" : out;
}

std::string cache_done_text(const json::value& done) {
    const json::object& object = object_of(done);
    if (find(object, "restored") != nullptr) {
        const auto cell = [&](const char* key) { return cell_text("", find(object, key)); };
        return cell("restored") + " answers restored in " + cell("took_ms") + " ms; " +
               cell("expired") + " expired, " + cell("known") + " already in the cache\n";
    }
    const bool flushed = find(object, "flushed") != nullptr;
    if (find(object, "rows") != nullptr) {
        return cell_text("", find(object, "flushed")) + " answers flushed, and " +
               cell_text("", find(object, "rows")) + " rows removed from routers, in " +
               cell_text("", find(object, "took_ms")) + " ms\n" +
               (is_true(object, "more")
                    ? "rows of further addresses remain: flush fewer names at a time\n"
                    : "");
    }
    return cell_text("", find(object, flushed ? "flushed" : "answers")) +
           (flushed ? " answers flushed in " : " answers written in ") +
           cell_text("", find(object, "took_ms")) + " ms\n";
}

}  // namespace steerctl
