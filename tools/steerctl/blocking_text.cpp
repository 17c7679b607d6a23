#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cells.h"
#include "local_time.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::int64_t whole_of(const json::object& rule, std::string_view key) {
    const json::value* const found = find(rule, key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

// "ads.example and all below", "the lists of ads"
std::string subject_of(const json::object& rule) {
    const std::string name = string_of(rule, "name"), plugin = string_of(rule, "plugin"),
                      list = string_of(rule, "list");
    if (!list.empty()) return "list " + list + " of " + plugin;
    if (!plugin.empty()) return "the lists of " + plugin;
    if (name == ".") return string_of(rule, "does") == "allow" ? "all lists" : "all names";
    return is_true(rule, "exact") ? name : name + " and below";
}

std::string end_of(const json::object& rule) {
    const std::int64_t until_s = whole_of(rule, "until_s");
    if (until_s == 0) return "it is removed";
    const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    return "in " + duration_text(static_cast<double>(std::max<std::int64_t>(until_s - now_s, 0)));
}

std::string does_of(const json::object& rule) {
    const bool pauses = string_of(rule, "name") == "." && string_of(rule, "does") == "allow";
    return pauses ? "pause" : string_of(rule, "does");
}

std::string audience_of(const json::object& rule) {
    const std::string clients = string_of(rule, "clients"), group = string_of(rule, "group");
    if (!group.empty()) return "group " + group;
    return clients.empty() ? "everyone" : clients;
}

json::object row_of(const json::object& rule) {
    return {{"number", whole_of(rule, "number")},
            {"does", does_of(rule)},
            {"subject", subject_of(rule)},
            {"clients", audience_of(rule)},
            {"end", end_of(rule)},
            {"box", string_of(rule, "box")},
            {"note", string_of(rule, "note")}};
}

std::string rules_table(const json::value& answer, std::string_view key = "rules") {
    constexpr std::array<std::string_view, 7> kColumns{"number", "does", "subject", "clients",
                                                       "end",    "note", "box"};
    json::array rows;
    bool has_box = false;  // of another box of a fleet
    for (const json::value& one : array_of(object_of(answer), key)) {
        const json::object& rule = object_of(one);
        json::object row = row_of(rule);
        has_box = has_box || !string_of(rule, "box").empty();
        if (is_true(rule, "decides")) row["does"] = does_of(rule) + " (decides)";
        rows.push_back(std::move(row));
    }
    std::vector<std::string> headings{"number", "does", "what", "for", "until", "note"};
    if (has_box) headings.emplace_back("box");
    return rows_text(rows, std::span(kColumns).first(headings.size()), headings);
}

}  // namespace

std::string blocking_text(const json::value& answer) {
    const std::string rows = rules_table(answer);
    return rows.empty() ? "no rules: 'steerctl block NAME' and 'steerctl allow NAME' add one\n"
                        : rows;
}

std::string rules_of_people_text(const json::value& answer) {
    const std::string rows = rules_table(answer, "people");
    return rows.empty() ? "" : "rules of people:\n" + rows;
}

std::string blocking_done_text(const json::value& answer) {
    return "in force:\n" + rules_table(answer);
}

std::string blocking_preview_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    const bool allows = find(all, "would_allow") != nullptr;
    const std::string changed = text_of(all, allows ? "would_allow" : "would_block");
    std::string out = "nothing was changed; since " +
                      date_text(number_of(find(all, "from")).value_or(0)) +
                      ", the rule would have " + (allows ? "allowed " : "blocked ") + changed +
                      " of " + text_of(all, "queries") + " queries for these names, of " +
                      text_of(all, "clients") + " clients\n";
    if (!is_true(all, "complete")) out += "older queries were not read in time\n";
    if (is_true(all, "masked"))
        out +=
            "the recorder keeps only prefixes of clients, so a rule for an address matches "
            "none\n";
    const json::array& names = array_of(all, "names");
    return names.empty() ? out
                         : out + "\n" +
                               rows_text(names, std::array<std::string_view, 2>{"queries", "name"},
                                         {"queries", "name"});
}

std::string blocking_removed_text(const json::value& answer) {
    return "removed:\n" + rules_table(answer);
}

// The lines are made of names, which are safe for a terminal, and notes.
std::string blocking_export_text(const json::value& answer) {
    std::string out;
    const std::string all = string_of(object_of(answer), "text");
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find('\n', at), all.size());
        out += printable(std::string_view(all).substr(at, end - at)) + "\n";
        at = end + 1;
    }
    return out;
}

}  // namespace steerctl
