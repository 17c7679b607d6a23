#include <boost/json/array.hpp>

#include "base64.h"
#include "cells.h"
#include "matchers/utf8.h"
#include "report.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;

std::string configuration_problems_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out;
    for (const json::value& one : array_of(all, "problems")) {
        const json::object& problem = object_of(one);
        const std::string level = text_of(problem, "level"), line = text_of(problem, "line");
        out += styled(level == "error" ? Style::bad : Style::warning, level + ":") + " " +
               text_of(problem, "file") + (line == "0" ? "" : ":" + line) + ": " +
               text_of(problem, "text") + "\n";
    }
    if (find(all, "good") != nullptr) return out + (is_true(all, "good") ? "it is good\n" : "");
    if (!is_true(all, "applied")) return out + "not applied: the file is as before\n";
    return out + "configuration " + text_of(all, "generation") +
           " is active; the old text is version " + text_of(all, "kept") + "\n";
}

std::string configuration_bytes(const json::value& answer) {
    const json::object& all = object_of(answer);
    const auto* const bytes = find(all, "base64");
    if (bytes != nullptr && bytes->is_string()) {
        if (auto read = from_base64(std::string_view(bytes->get_string()))) return *std::move(read);
    }
    return string_of(all, "text");
}

std::string configuration_text_problem(const std::string& file, std::string_view text) {
    const auto wrong = steer::find_not_utf8(text);
    if (!wrong) return {};
    return (file == "-" ? "standard input" : file) + ":" + std::to_string(wrong->line) + ": " +
           wrong->text() + ": save the file as UTF-8";
}

std::string configuration_history_text(const json::value& answer) {
    const json::array& versions = array_of(object_of(answer), "versions");
    if (versions.empty()) return "no earlier text is kept\n";
    Table table;
    table.headings({"version", "kept at", "size"});
    for (const json::value& one : versions) {
        const json::object& version = object_of(one);
        table.row({text_of(version, "version"),
                   date_text(number_of(find(version, "at_s")).value_or(0)),
                   size_text(number_of(find(version, "bytes")).value_or(0))});
    }
    return table.text();
}

}  // namespace steerctl
