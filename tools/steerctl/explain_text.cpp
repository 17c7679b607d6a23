#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

namespace {

// "main.yaml:12": a trace has many lines, most of one file.
std::string place_text(const json::object& step) {
    if (find(step, "file") == nullptr) return "";
    const std::string file = text_of(step, "file");
    return file.substr(file.rfind('/') + 1) + ":" + text_of(step, "line");
}

std::string ms_text(const json::object& of, std::string_view key) {
    const auto n = number_of(find(of, key));
    return n ? std::to_string(static_cast<long long>(*n)) + " ms" : "";
}

void add_step(const json::object& step, Table& steps) {
    const bool is_written = find(step, "file") != nullptr;
    if (text_of(step, "what") == "step" && !is_written) return;  // the ends of sequences
    const bool is_branch = find(step, "branch") != nullptr;
    const std::string sequence = find(step, "sequence") != nullptr ? text_of(step, "sequence") : "";
    std::string text = text_of(step, "text");
    if (is_branch) text = "[" + text_of(step, "branch") + "] " + text;
    if (is_true(step, "by_plan")) text += " (by plan)";
    steps.row({ms_text(step, "at_ms"), place_text(step), sequence == "-" ? "" : sequence, text});
    for (const json::value& one : array_of(step, "matched")) {
        const json::object& rule = object_of(one);
        // A zone by transfer has no lines.
        const std::string line = text_of(rule, "line");
        steps.row({"", "", "",
                   "  " + text_of(rule, "rule") + " " + text_of(rule, "says") + ", " +
                       text_of(rule, "file") + (line == "0" ? "" : ":" + line)});
    }
}

std::string rows_text(const json::object& all) {
    Table rows;
    for (const json::value& one : array_of(all, "rows")) {
        const json::object& row = object_of(one);
        const bool is_done = find(row, "reply") != nullptr;
        rows.row({text_of(row, "router"), ms_text(row, "at_ms"), text_of(row, "words"),
                  is_done ? text_of(row, "reply") + " after " + ms_text(row, "took_ms")
                          : "no reply yet"});
    }
    return rows.empty() ? "" : "\nsent to routers\n" + rows.text();
}

// What happened, in some words: of the events that decide.
std::string summary(const json::object& trace) {
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
    for (const json::value& one : array_of(trace, "way")) {
        const json::object& step = object_of(one);
        const std::string what = text_of(step, "what");
        if (what == "packet_cache" && text_of(step, "packet_cache") == "answered")
            add("packet cache");
        if (what == "cache") add("cache " + text_of(step, "result"));
        if (what == "replied") add(text_of(step, "upstream") + " " + ms_text(step, "took_ms"));
        if (what == "upstream_ede") add("EDE " + text_of(step, "ede"));
        if (what == "silent") add(text_of(step, "upstream") + " silent");
        if (what == "late") add("stale answer");
        if (what == "row") add("list " + text_of(step, "list") + " " + text_of(step, "row"));
    }
    return out;
}

}  // namespace

std::string explain_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = text_of(all, "name") + " " + text_of(all, "type") + " from " +
                      text_of(all, "client") + " to " + text_of(all, "server") + " port " +
                      text_of(all, "port") + " (" + text_of(all, "transport") + "), trace " +
                      text_of(all, "id") + "\n\n";
    Table steps;
    for (const json::value& one : array_of(all, "way"))
        add_step(object_of(one), steps);
    out += steps.text();
    if (number_of(find(all, "events_lost")).value_or(0) > 0)
        out += "events without room: " + text_of(all, "events_lost") + "\n";
    out += rows_text(all);
    const auto& failures = array_of(all, "failures");
    if (!failures.empty()) out += "\nreasons of recursion\n";
    for (const json::value& line : failures)
        out += "  " + cell_text(line) + "\n";
    const auto& response = array_of(all, "response");
    if (!response.empty()) out += "\nresponse\n";
    for (const json::value& line : response)
        out += "  " + cell_text(line) + "\n";
    if (is_true(all, "rules_more"))
        out += "\nmore rules match: see 'steerctl why " + text_of(all, "name") + "'\n";
    return out + "\nended as " + text_of(all, "end") + " after " + ms_text(all, "took_ms") + "\n";
}

std::string trace_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out;
    for (const json::value& one : array_of(all, "traces")) {
        const json::object& t = object_of(one);
        const auto* const replied = find(t, "answer");
        const std::string rcode = replied != nullptr ? text_of(object_of(*replied), "rcode") : "-";
        out += text_of(t, "id") + "  " + text_of(t, "client") + "  " + text_of(t, "name") + " " +
               text_of(t, "type") + "  " + text_of(t, "end") + " " + rcode + " in " +
               ms_text(t, "took_ms");
        const std::string how = summary(t);
        out += (how.empty() ? "" : "  " + how) + "\n";
    }
    const auto lost = number_of(find(all, "lost")).value_or(0);
    if (lost > 0) out += text_of(all, "lost") + " queries could not be traced\n";
    return out;
}

std::uint64_t next_trace(const json::value& answer) {
    return static_cast<std::uint64_t>(number_of(find(object_of(answer), "next")).value_or(0));
}

unsigned count_traces(const json::value& answer) {
    return static_cast<unsigned>(array_of(object_of(answer), "traces").size());
}

bool asks_for_more(std::chrono::nanoseconds time_left, unsigned traces_left) {
    constexpr std::chrono::milliseconds kHalfSecond(500);
    return traces_left > 0 && time_left >= kHalfSecond;
}

}  // namespace steerctl
