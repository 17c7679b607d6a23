#include "tools/import/records.h"

#include <hs/hs.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

using Aliases = std::map<std::string, std::string>;

Aliases aliases_of(const std::vector<Record>& records) {
    Aliases out;
    for (const Record& r : records) {
        if (!r.alias.empty() && r.owner == Record::Owner::name && !r.disabled)
            out.try_emplace(r.name, r.alias);
    }
    return out;
}

bool leads_in_a_circle(const Record& record, const Aliases& aliases) {
    std::set<std::string> seen{record.name};
    for (std::string next = record.alias; seen.insert(next).second;) {
        const auto at = aliases.find(next);
        if (at == aliases.end()) return false;
        next = at->second;
    }
    return true;
}

std::string text_of(const Record& record) {
    Flow flow;
    flow.add(record.owner == Record::Owner::expression ? "regexp" : "name", record.name);
    if (!record.type.empty()) flow.add("type", record.type);
    if (record.owner == Record::Owner::subdomains) flow.add_yaml("match_subdomain", "true");
    std::string text = flow.text();
    const std::string data = record.data.text();
    if (data.size() > 4) {  // "{  }"
        text.resize(text.size() - 2);
        text += ", " + data.substr(2);
    }
    if (record.disabled) text.insert(text.size() - 2, ", disabled: true");
    return text;
}

}  // namespace

std::vector<Note> drop_circles(std::vector<Record>& records) {
    std::vector<Note> notes;
    for (bool again = true; again;) {
        const Aliases aliases = aliases_of(records);
        const auto bad = std::ranges::find_if(records, [&](const Record& r) {
            return !r.alias.empty() && !r.disabled && leads_in_a_circle(r, aliases);
        });
        again = bad != records.end();
        if (!again) break;
        notes.push_back({bad->place, "the CNAME of " + in_quotes(bad->name) +
                                         " is not imported: it is part of a loop"});
        records.erase(bad);
    }
    return notes;
}

void write_records(Sheet& sheet, const std::string& tag, const std::vector<Record>& records,
                   const std::string& cache, bool with_ptr) {
    if (records.empty()) return;
    sheet.open_plugin(tag, "static");
    const bool asks = std::ranges::any_of(
        records, [](const Record& r) { return r.asks_forwarder && !r.disabled; });
    if (asks && !cache.empty()) sheet.key("cache", cache);
    if (!with_ptr) sheet.line("ptr: false");
    sheet.open("records:");
    for (const Record& record : records) {
        sheet.notes(record.notes);
        sheet.line("- " + text_of(record));
    }
    sheet.close();
    sheet.close_plugin();
}

std::string expression_error(const std::string& expression) {
    if (expression.find('\0') != std::string::npos) return "has a zero byte";
    for (const std::string_view words : {"\\<", "\\>", "[[.", "[[="}) {
        if (expression.find(words) != std::string::npos)
            return "has " + in_quotes(words) + ", which only POSIX expressions have";
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* raw = nullptr;
    constexpr unsigned kFlags =
        HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY;
    hs_compile(expression.c_str(), kFlags, HS_MODE_BLOCK, nullptr, &database, &raw);
    hs_free_database(database);
    if (raw == nullptr) return {};
    const std::unique_ptr<hs_compile_error_t, decltype(&hs_free_compile_error)> error(
        raw, hs_free_compile_error);
    std::string why = error->message == nullptr ? "no reason given" : error->message;
    while (why.ends_with('.'))
        why.pop_back();
    return "cannot be compiled (" + why + ")";
}

}  // namespace steer::importing
