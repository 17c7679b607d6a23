#include "top_model.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "cells.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxRates = 60;
constexpr double kLastBoundUs = 10e6;  // of the daemon's histograms; "more" took longer

// Tables of a worker's counters in which queries end, and what is no end of a query.
constexpr std::string_view kEndTables[] = {"verdicts", "moved", "injected", "pending_outcomes"};
constexpr std::string_view kNoEnds[] = {"forwarded",
                                        "held",
                                        "query_moved",
                                        "upstream_reply",
                                        "upstream_moved",
                                        "punted",
                                        "drop_upstream_unknown",
                                        "drop_upstream_malformed",
                                        "drop_no_kernel",
                                        "refreshed",
                                        "drop_other_host",
                                        "drop_short_frame",
                                        "drop_bad_ip",
                                        "drop_bad_mac",
                                        "drop_segmented",
                                        "branch_over",
                                        "drop_bad_source",
                                        "drop_source_port",
                                        "drop_bad_checksum"};

bool is_end(std::string_view name) {
    return std::ranges::find(kNoEnds, name) == std::end(kNoEnds);
}

Style style_of_end(std::string_view name) {
    if (name == "answered" || name == "answered_truncated") return Style::good;
    return name == "servfail" || name.starts_with("drop_") ? Style::bad : Style::warning;
}

std::string number_text(double number) {
    char text[32];
    std::snprintf(text, sizeof text, number < 10 && number != std::floor(number) ? "%.1f" : "%.0f",
                  number);
    return text;
}

// "12", "1.5k", "23.4M".
std::string short_text(double number) {
    constexpr char kUnits[] = {'\0', 'k', 'M', 'G', 'T'};
    std::size_t unit = 0;
    for (; number >= 10'000 && unit + 1 < std::size(kUnits); ++unit)
        number /= 1000;
    std::string text = number_text(number);
    if (unit > 0) text += kUnits[unit];
    return text;
}

std::string milliseconds_text(double us) {
    char text[32];
    std::snprintf(text, sizeof text, "%g ms", us / 1000);
    return text;
}

TopCell number_cell(std::optional<double> number) {
    return {number ? short_text(*number) : "-", number};
}
TopCell text_cell(std::string text, Style style = Style::plain) {
    return {std::move(text), std::nullopt, style};
}
TopCell share_cell(double part, double whole) {
    if (whole <= 0) return text_cell("-");
    return {share_text(part, whole), part / whole};
}

// A cell of `row`: a number, or text with the colour of a state.
TopCell cell_of(const json::object& row, std::string_view key) {
    const auto* const value = find(row, key);
    const auto number = number_of(value);
    if (number) return {cell_text(key, value), number};
    const std::string text = cell_text(key, value);
    const Style style = key == "state"                                        ? style_of_state(text)
                        : (key == "paused" || key == "away") && text == "yes" ? Style::warning
                                                                              : Style::plain;
    return text_cell(text, style);
}

struct TopColumn {
    std::string_view key, heading;
};
// Histograms of a worker's counters, and what the sources of their answers are.
constexpr TopColumn kTopPaths[] = {{"answer_us_cache", "cache, packet cache"},
                                   {"answer_us_stale", "stale answers"},
                                   {"answer_us_local", "records, lists, rejects"},
                                   {"answer_us_forwarded", "upstream"},
                                   {"answer_us_held", "held for a router"}};
// "all over TCP", "all over DoT".
std::string transport_heading(std::string_view label) {
    std::string name(label);
    for (char& c : name)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (label.size() == 3 && label.starts_with("do")) name[1] = 'o';
    return "all over " + name;
}
// A column is there if a row has its key.
constexpr TopColumn kTopUpstreams[] = {
    {"state", "state"},       {"rtt_ms", "rtt ms"},       {"p50_ms", "p50 ms"},
    {"p99_ms", "p99 ms"},     {"replies", "replies"},     {"timeouts", "timeouts"},
    {"failures", "failures"}, {"in_flight", "in flight"}, {"forward", "forward"},
    {"via", "via"},           {"connections", "conns"}};
constexpr TopColumn kTopRouters[] = {
    {"state", "state"},   {"lag_ms", "lag ms"},  {"rtt_ms", "rtt ms"}, {"rows", "rows"},
    {"claims", "claims"}, {"owed", "to write"},  {"held", "waiting"},  {"paused", "paused"},
    {"away", "away"},     {"version", "version"}};

// A line of eight heights, the highest for the highest value.
std::string curve(const std::deque<double>& values) {
    constexpr std::string_view kHeights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double most = values.empty() ? 0 : *std::ranges::max_element(values);
    std::string out;
    for (const double value : values) {
        const auto height = most > 0 ? static_cast<std::size_t>(value / most * 7.0) : 0;
        out += kHeights[std::min<std::size_t>(height, 7)];
    }
    return out;
}

double sum_of(const json::value& counters, std::string_view table, std::string_view name) {
    double sum = 0;
    for (const json::value& worker : array_of(object_of(counters), "workers")) {
        const auto* const found = find(object_of(worker), table);
        if (found != nullptr) sum += number_of(find(object_of(*found), name)).value_or(0);
    }
    return sum;
}

double queries_in(const json::value& counters) {
    double sum = 0;
    for (const json::value& worker : array_of(object_of(counters), "workers")) {
        for (const std::string_view table : kEndTables) {
            const auto* const found = find(object_of(worker), table);
            if (found == nullptr) continue;
            for (const auto& [name, count] : object_of(*found))
                sum += is_end(std::string_view(name)) ? number_of(&count).value_or(0) : 0;
        }
    }
    return sum;
}

// Answers of one path by the time they took, of all workers: pairs of the bound in us and their number, with the bound
// of the last one infinite.
using Times = std::map<double, double>;
Times times_of(const json::value& counters, std::string_view table) {
    Times out;
    for (const json::value& worker : array_of(object_of(counters), "workers")) {
        const auto* const found = find(object_of(worker), table);
        if (found == nullptr) continue;
        for (const auto& [key, count] : object_of(*found)) {
            const std::string name(key);
            const bool is_bound = name.starts_with("to_");
            if (!is_bound && name != "more") continue;
            const double bound = is_bound ? std::strtod(name.c_str() + 3, nullptr)
                                          : std::numeric_limits<double>::infinity();
            out[bound] += number_of(&count).value_or(0);
        }
    }
    return out;
}

double answers_in(const Times& times) {
    return std::accumulate(times.begin(), times.end(), 0.0,
                           [](double sum, const auto& time) { return sum + time.second; });
}

// The bound below which this share of the answers stayed, in milliseconds.
TopCell time_cell(const Times& times, double share) {
    const double wanted = answers_in(times) * share;
    double so_far = 0;
    for (const auto& [bound_us, count] : times) {
        so_far += count;
        if (so_far >= wanted && wanted > 0) {
            if (!std::isinf(bound_us)) return {"<= " + milliseconds_text(bound_us), bound_us};
            return {"> " + milliseconds_text(kLastBoundUs), bound_us};
        }
    }
    return text_cell("-");
}

std::string per_second_text(std::optional<double> rate) {
    return rate ? short_text(*rate) + "/s" : "-";
}

}  // namespace

void TopModel::take(TopSample sample) {
    error_ = std::move(sample.error);
    if (!error_.empty()) {
        was_lost_ = true;  // the daemon may be another one when it answers again
        return;
    }
    before_ = std::exchange(now_, std::move(sample));
    if (std::exchange(was_lost_, false)) before_.reset();
    if (const auto rate = queries().per_second) rates_.push_back(*rate);
    while (rates_.size() > kMaxRates)
        rates_.pop_front();
}

void TopModel::take_hits(json::value hits, std::string error) {
    hits_error_ = std::move(error);
    if (hits_error_.empty()) hits_ = std::move(hits);
}

void TopModel::take_detail(TopPage page, std::string key, std::string text) {
    detail_page_ = page;
    detail_key_ = std::move(key);
    detail_text_ = std::move(text);
}

std::optional<double> TopModel::seconds() const {
    if (!now_ || !before_ || now_->at_s <= before_->at_s) return std::nullopt;
    return now_->at_s - before_->at_s;
}

TopModel::Counted TopModel::counter(std::string_view table, std::string_view name) const {
    if (!now_) return {};
    Counted out{sum_of(now_->counters, table, name)};
    const double before = before_ ? sum_of(before_->counters, table, name) : 0;
    // A counter that went back belongs to another run of the daemon.
    if (const auto s = seconds(); s && out.value >= before)
        out.per_second = (out.value - before) / *s;
    return out;
}

TopModel::Counted TopModel::queries() const {
    if (!now_) return {};
    Counted out{queries_in(now_->counters)};
    const double before = before_ ? queries_in(before_->counters) : 0;
    if (const auto s = seconds(); s && out.value >= before)
        out.per_second = (out.value - before) / *s;
    return out;
}

std::vector<std::string> TopModel::head() const {
    if (!now_) return {error_.empty() ? "waiting for steerdnsd" : styled(Style::bad, error_)};
    const json::object& status = object_of(now_->status);
    const std::string ready = text_of(status, "ready");
    std::vector<std::string> lines;
    lines.push_back("steerdnsd " + text_of(status, "version") + ", up " +
                    text_of(status, "uptime_s") + ", ready " +
                    styled(ready == "yes" ? Style::good : Style::bad, ready) + ", configuration " +
                    text_of(status, "generation"));
    const Counted hits = counter("stats", "cache_hits"), misses = counter("stats", "cache_misses");
    const bool has_rate = hits.per_second && misses.per_second;
    const double found = has_rate ? *hits.per_second : hits.value;
    const double missed = has_rate ? *misses.per_second : misses.value;
    lines.push_back(
        "queries " + styled(Style::heading, per_second_text(queries().per_second)) +
        "  cache hits " + styled(Style::heading, share_text(found, found + missed)) +
        "  upstream " + per_second_text(counter("stats", "upstream_queries").per_second) +
        "  timeouts " + per_second_text(counter("stats", "upstream_timeouts").per_second) +
        "  rows claimed " + per_second_text(counter("stats", "events_raised").per_second));
    double pending = 0;
    for (const json::value& worker : array_of(status, "workers"))
        pending += number_of(find(object_of(worker), "parked")).value_or(0);
    const auto* const cache = find(status, "cache");
    const std::string entries = cache == nullptr ? "-" : text_of(object_of(*cache), "entries");
    // Microseconds of work in a second, of all workers.
    const double workers = static_cast<double>(array_of(status, "workers").size());
    const auto busy = counter("time_us", "busy").per_second;
    lines.push_back("busy " + (busy ? share_text(*busy / 1e6, workers) : std::string("-")) +
                    "  pending " + number_text(pending) + "  cached " + entries + "  memory " +
                    text_of(status, "resident_bytes") + "  " + curve(rates_));
    if (!error_.empty()) lines.push_back(styled(Style::bad, error_));
    return lines;
}

TopTable TopModel::ends() const {
    TopTable table{
        {"per second", "share", "since the start", "end"}, {}, 3, 0, "no query ended yet"};
    if (!now_) return table;
    const double all = queries().per_second.value_or(0);
    std::vector<std::string> names;
    for (const json::value& worker : array_of(object_of(now_->counters), "workers")) {
        for (const std::string_view key : kEndTables) {
            const auto* const found = find(object_of(worker), key);
            if (found == nullptr) continue;
            for (const auto& [name, count] : object_of(*found)) {
                const std::string_view text(name);
                if (is_end(text) && number_of(&count).value_or(0) > 0 &&
                    std::ranges::find(names, text) == names.end())
                    names.emplace_back(text);
            }
        }
    }
    for (const std::string& name : names) {
        Counted sum;
        for (const std::string_view key : kEndTables) {
            const Counted one = counter(key, name);
            sum.value += one.value;
            if (one.per_second) sum.per_second = sum.per_second.value_or(0) + *one.per_second;
        }
        table.rows.push_back(
            {name,
             {number_cell(sum.per_second), share_cell(sum.per_second.value_or(0), all),
              number_cell(sum.value), text_cell(printable(name), style_of_end(name))}});
    }
    return table;
}

TopTable TopModel::of_status(TopPage page) const {
    const bool is_router = page == TopPage::routers;
    TopTable table;
    table.headings = {is_router ? "router" : "upstream"};
    table.empty =
        is_router ? "the configuration has no router" : "the configuration has no upstream";
    if (!now_) return table;
    const json::array& rows =
        array_of(object_of(now_->status), is_router ? "routers" : "upstreams");
    std::vector<TopColumn> columns;
    const auto add = [&](const auto& known) {
        for (const TopColumn& column : known) {
            const bool is_there = std::ranges::any_of(rows, [&](const json::value& row) {
                return find(object_of(row), column.key) != nullptr;
            });
            if (!is_there) continue;
            columns.push_back(column);
            table.headings.emplace_back(column.heading);
        }
    };
    if (is_router) {
        add(kTopRouters);
    } else {
        add(kTopUpstreams);
    }
    for (const json::value& one : rows) {
        const json::object& row = object_of(one);
        TopRow out{text_of(row, "name"), {text_cell(text_of(row, "name"))}};
        for (const TopColumn& column : columns)
            out.cells.push_back(cell_of(row, column.key));
        table.rows.push_back(std::move(out));
    }
    return table;
}

TopTable TopModel::latency() const {
    TopTable table{
        {"per second", "half within", "90 % within", "99 % within", "since the start", "path"},
        {},
        5,
        0,
        "no query was answered yet"};
    if (!now_) return table;
    for (const TopColumn& path : kTopPaths) {
        const Times now = times_of(now_->counters, path.key);
        Times between = now;
        const Times before = before_ ? times_of(before_->counters, path.key) : Times{};
        bool is_same_run = true;  // a counter that went back belongs to another run of the daemon
        for (const auto& [bound, count] : before) {
            between[bound] -= count;
            is_same_run = is_same_run && between[bound] >= 0;
        }
        if (answers_in(now) == 0) continue;
        const auto s = seconds();
        const bool has_rate = s && is_same_run;
        const double rate = has_rate ? answers_in(between) / *s : 0;
        const Times& shown = rate > 0 ? between : now;
        table.rows.push_back(
            {std::string(path.heading),
             {number_cell(has_rate ? std::optional(rate) : std::nullopt), time_cell(shown, 0.5),
              time_cell(shown, 0.9), time_cell(shown, 0.99), number_cell(answers_in(now)),
              text_cell(std::string(path.heading))}});
    }
    std::vector<std::string> transports;  // as the daemon counts them
    for (const json::value& worker : array_of(object_of(now_->counters), "workers")) {
        const auto* const all = find(object_of(worker), "queries_by_transport");
        if (all == nullptr) continue;
        for (const auto& one : object_of(*all)) {
            if (std::ranges::find(transports, one.key()) == transports.end())
                transports.emplace_back(one.key());
        }
    }
    for (const std::string& transport : transports) {
        const Counted one = counter("queries_by_transport", transport);
        if (one.value == 0) continue;
        const std::string heading = transport_heading(transport);
        table.rows.push_back({heading,
                              {number_cell(one.per_second), text_cell("-"), text_cell("-"),
                               text_cell("-"), number_cell(one.value), text_cell(heading)}});
    }
    return table;
}

TopTable TopModel::of_hits(TopPage page) const {
    const bool is_name = page == TopPage::names;
    const std::string_view what = is_name ? "name" : "client";
    TopTable table{{"per second", "share", std::string(what)}, {}, 2, 0, hits_error_};
    if (table.empty.empty())
        table.empty = hits_.is_null() ? "queries are being counted" : "no query came";
    const json::object& all = object_of(hits_);
    const double queries = number_of(find(all, "queries")).value_or(0);
    const double seconds = number_of(find(all, "seconds")).value_or(1);
    for (const json::value& one : array_of(all, is_name ? "names" : "clients")) {
        const json::object& row = object_of(one);
        const double count = number_of(find(row, "queries")).value_or(0);
        table.rows.push_back({text_of(row, what),
                              {number_cell(seconds > 0 ? count / seconds : 0),
                               share_cell(count, queries), text_cell(text_of(row, what))}});
    }
    return table;
}

TopTable TopModel::table(TopPage page) const {
    switch (page) {
        case TopPage::overview:
            return {};
        case TopPage::ends:
            return ends();
        case TopPage::upstreams:
        case TopPage::routers:
            return of_status(page);
        case TopPage::names:
        case TopPage::clients:
            return of_hits(page);
        case TopPage::latency:
            return latency();
    }
    return {};
}

std::vector<std::string> TopModel::detail(TopPage page, std::string_view key) const {
    std::vector<std::string> lines;
    const TopTable all = table(page);
    const auto row = std::ranges::find(all.rows, key, &TopRow::key);
    const bool is_of_status = page == TopPage::routers || page == TopPage::upstreams;
    if (row != all.rows.end()) {
        // (All of a router and of an upstream follows below.)
        for (std::size_t i = 0; !is_of_status && i < row->cells.size(); ++i)
            lines.push_back(all.headings[i] + ": " +
                            styled(row->cells[i].style, row->cells[i].text));
    } else {
        lines.push_back(std::string(key) + " is not among the rows any more");
    }
    if (page == TopPage::ends && now_) {
        for (const std::string_view table_name : kEndTables) {
            const Counted one = counter(table_name, key);
            if (one.value > 0)
                lines.push_back(heading_text(table_name) + ": " + short_text(one.value) + ", " +
                                per_second_text(one.per_second));
        }
    }
    if (page == detail_page_ && key == detail_key_) {
        if (!lines.empty()) lines.emplace_back();
        for (std::string_view rest = detail_text_; !rest.empty();) {
            const auto end = std::min(rest.find('\n'), rest.size());
            lines.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        if (is_of_status) lines.emplace_back();
    }
    if (is_of_status && now_) {
        const json::object& status = object_of(now_->status);
        for (const json::value& one : array_of(status, kTopPages[static_cast<std::size_t>(page)])) {
            if (text_of(object_of(one), "name") != key) continue;
            for (const auto& [name, value] : object_of(one))
                lines.push_back(heading_text(std::string_view(name)) + ": " +
                                (name == "state" ? state_cell(object_of(one), "state")
                                                 : cell_text(std::string_view(name), &value)));
        }
    }
    return lines;
}

}  // namespace steerctl
