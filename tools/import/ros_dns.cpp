#include "tools/import/ros_dns.h"

#include <algorithm>
#include <array>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::string_view kDns = "/ip/dns";

std::vector<RosRow>* table_of(RosDns& dns, std::string_view menu) {
    if (menu == "/ip/dns/static") return &dns.statics;
    if (menu == "/ip/dns/adlist") return &dns.adlists;
    if (menu == "/ip/dns/forwarders") return &dns.forwarders;
    return nullptr;
}

bool is_about_dns(std::string_view menu) {
    return menu == kDns || menu.starts_with("/ip/dns/");
}

void take_settings(RosDns& dns, const RosStatement& statement) {
    dns.was_set = true;
    for (const RosValue& value : statement.values) {
        const std::string place = line_place(value.line);
        if (value.is_expression) {
            dns.notes.push_back(
                {place, value.name + " is not imported: its value is a script expression"});
        } else {
            dns.set(value.name, {place, value.text});
        }
    }
}

void take_row(std::vector<RosRow>& table, std::vector<Note>& notes, const RosStatement& statement) {
    RosRow row{line_place(statement.line), {}};
    for (const RosValue& value : statement.values) {
        if (value.is_expression) {
            notes.push_back({row.place, "this row is not imported: its " + value.name +
                                            " is a script expression"});
            return;
        }
        row.values.emplace_back(value.name, value.text);
    }
    for (const std::string& word : statement.words)
        notes.push_back({row.place, in_quotes(word) + " is skipped: it has no value"});
    table.push_back(std::move(row));
}

// A script of the router that adds static entries when it runs.
void note_script(RosDns& dns, const RosStatement& statement) {
    for (const RosValue& value : statement.values) {
        const bool adds = value.text.find("/ip dns static") != std::string::npos ||
                          value.text.find("/ip/dns/static") != std::string::npos;
        if (value.name == "source" && adds)
            dns.notes.push_back({line_place(statement.line),
                                 "a script with '/ip dns static' is skipped: run it on the "
                                 "router, and import the router's /export"});
    }
}

void take(RosDns& dns, const RosStatement& statement) {
    const bool is_read_only = statement.verb == "print" || statement.verb == "export" ||
                              statement.verb == "flush" || statement.verb == "get";
    if (statement.menu == "/system/script") return note_script(dns, statement);
    if (!is_about_dns(statement.menu) || is_read_only) return;
    auto* const table = table_of(dns, statement.menu);
    if (statement.menu == kDns && statement.verb == "set") {
        take_settings(dns, statement);
    } else if (table != nullptr && statement.verb == "add") {
        take_row(*table, dns.notes, statement);
    } else {
        const std::string what =
            statement.menu + (statement.verb.empty() ? "" : "/") + statement.verb;
        dns.notes.push_back(
            {line_place(statement.line),
             in_quotes(what) + " is skipped: it edits existing rows; import an /export instead"});
    }
}

// "10:20:30" or "20:30" after the days: milliseconds.
std::optional<std::uint64_t> parse_clock(std::string_view text) {
    const auto parts = split_all(text, ':');
    if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
    std::uint64_t seconds = 0;
    for (const std::string& part : parts) {
        const auto number = parse_number(part, 1'000'000);
        if (!number) return std::nullopt;
        seconds = seconds * 60 + *number;
    }
    return seconds * 1000;
}

}  // namespace

const std::string* RosRow::find(std::string_view name) const {
    const auto at =
        std::ranges::find(values, name, [](const auto& v) { return std::string_view(v.first); });
    return at == values.end() || at->second.empty() ? nullptr : &at->second;
}

std::string RosRow::get(std::string_view name, std::string_view fallback) const {
    const std::string* const value = find(name);
    return value == nullptr ? std::string(fallback) : *value;
}

bool RosRow::is_true(std::string_view name) const {
    return is_ros_true(get(name));
}

const RosSetting* RosDns::find(std::string_view name) const {
    const auto at =
        std::ranges::find(settings, name, [](const auto& s) { return std::string_view(s.first); });
    return at == settings.end() || at->second.text.empty() ? nullptr : &at->second;
}

void RosDns::set(std::string_view name, RosSetting setting) {
    const auto at =
        std::ranges::find(settings, name, [](const auto& s) { return std::string_view(s.first); });
    if (at != settings.end())
        at->second = std::move(setting);
    else
        settings.emplace_back(name, std::move(setting));
}

RosDns gather(RosExport from, std::optional<Failure>& failure) {
    RosDns dns;
    failure = std::move(from.failure);
    if (failure) return dns;
    const bool has_dns = std::ranges::any_of(
        from.statements, [](const RosStatement& s) { return is_about_dns(s.menu); });
    if (!from.has_header && !has_dns) {
        failure = Failure{0,
                          "is not a RouterOS export: it has neither the first line '# ... by "
                          "RouterOS ...' nor a command of /ip/dns"};
        return dns;
    }
    dns.version = from.version;
    const auto known = [&](std::string_view major) { return dns.version.starts_with(major); };
    if (!known("6.") && !known("7.")) {
        dns.notes.push_back(
            {"", dns.version.empty()
                     ? "the export has no RouterOS version: read as version 7"
                     : "RouterOS " + in_quotes(dns.version) + " is unknown: read as version 7"});
    }
    dns.notes.insert(dns.notes.end(), from.notes.begin(), from.notes.end());
    for (const RosStatement& statement : from.statements)
        take(dns, statement);
    if (!has_dns)
        dns.notes.push_back({"", "the export has no /ip/dns: RouterOS's defaults are used"});
    return dns;
}

std::optional<std::uint64_t> parse_ros_time(std::string_view text) {
    constexpr std::array<TimeUnit, 6> kUnits{{{"w", 604'800'000},
                                              {"d", 86'400'000},
                                              {"h", 3'600'000},
                                              {"ms", 1},
                                              {"m", 60'000},
                                              {"s", 1000}}};
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return parse_time(text, kUnits);
    const auto units = text.substr(0, text.find_last_not_of("0123456789", colon - 1) + 1);
    const auto clock = parse_clock(text.substr(units.size()));
    const auto before = units.empty() ? std::optional<std::uint64_t>(0) : parse_time(units, kUnits);
    return clock && before ? std::optional(*before + *clock) : std::nullopt;
}

bool is_ros_true(std::string_view text) {
    return text == "yes" || text == "true";
}

}  // namespace steer::importing
