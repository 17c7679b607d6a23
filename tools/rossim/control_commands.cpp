#include "tools/rossim/control.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

using Words = std::vector<std::string>;

struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view meaning;
    std::size_t least;  // arguments
    std::string (*run)(Host&, const Words&);
};

Family family_of(const std::string& address) {
    return address.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
}

double to_number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1e7)) {
        throw std::runtime_error("\"" + text + "\" is not a number from 0 to 10000000");
    }
    return value;
}

std::int64_t to_us(double seconds) {
    return std::llround(seconds * 1e6);
}

// The words from `begin` on, joined by single spaces.
std::string rest_of(const Words& words, std::size_t begin) {
    std::string text;
    for (std::size_t i = begin; i < words.size(); ++i)
        text += (i > begin ? " " : "") + words[i];
    return text;
}

// "timeout" and "1h" of "timeout=1h".
std::pair<std::string, std::string> setting_of(const std::string& word) {
    const std::size_t equal = word.find('=');
    if (equal == std::string::npos) throw std::runtime_error("\"" + word + "\" is not NAME=VALUE");
    return {word.substr(0, equal), word.substr(equal + 1)};
}

std::int64_t to_timeout(const std::string& text) {
    const auto seconds = parse_duration(text);
    if (!seconds) throw std::runtime_error("\"" + text + "\" is not a timeout");
    return *seconds;
}

bool to_bool(const std::string& text) {
    const auto value = parse_bool(text);
    if (!value) throw std::runtime_error("\"" + text + "\" is not yes or no");
    return *value;
}

std::string row_line(const RowView& row) {
    char text[512];
    const std::string timeout = row.left_us ? duration_text(*row.left_us / 1'000'000) : "-";
    const std::string flags = std::string(row.dynamic ? "D" : " ") + (row.disabled ? "X" : " ");
    std::snprintf(text, sizeof text, "%-7s %s %-20s %-40s %-12s %s\n", id_text(row.id).c_str(),
                  flags.c_str(), row.list.c_str(), row.address.c_str(), timeout.c_str(),
                  row.comment.c_str());
    return text;
}

std::string list(Host& host, const Words& words) {
    host.pump();
    const std::string wanted = words.empty() ? "" : words[0];
    std::string text = host.router().name() + (host.router().is_down() ? " (down)" : "") +
                       "\nid      fl list                 address" + std::string(34, ' ') +
                       "timeout      comment\n";
    std::size_t count = 0;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const RowView& row : host.router().rows(family, wanted)) {
            text += row_line(row);
            ++count;
        }
    }
    return text + std::to_string(count) + " rows\n";
}

std::string reboot(Host& host, const Words& words) {
    const double seconds = words.empty() ? 10 : to_number(words[0]);
    host.router().reboot(to_us(seconds), host.now_us());
    host.pump();
    return "";
}

std::string hang(Host& host, const Words& words) {
    host.hang(words.empty() ? 0 : to_us(to_number(words[0])));
    return "";
}

std::string resume(Host& host, const Words&) {
    host.resume();
    return "";
}

std::string rows(Host& host, const Words& words) {
    const std::string to = words.size() > 1 ? words[1] : "prefill";
    const Family family = words.size() > 2 && words[2] == "6" ? Family::ipv6 : Family::ipv4;
    const std::string comment = words.size() > 3 ? rest_of(words, 3) : "prefill";
    host.router().prefill(family, to, static_cast<std::size_t>(to_number(words[0])), host.now_us(),
                          comment);
    host.pump();
    return "";
}

std::string add_row(Host& host, const Words& words, bool allow_duplicate) {
    std::optional<std::int64_t> timeout_s;
    if (words.size() > 2 && words[2] != "-") timeout_s = to_timeout(words[2]);
    const std::uint64_t id =
        host.router().add_row(family_of(words[1]), words[0], words[1], timeout_s, rest_of(words, 3),
                              host.now_us(), allow_duplicate);
    host.pump();
    return id_text(id) + "\n";
}

std::string add(Host& host, const Words& words) {
    return add_row(host, words, false);
}

std::string duplicate(Host& host, const Words& words) {
    return add_row(host, words, true);
}

std::string edit(Host& host, const Words& words) {
    RowEdit edit;
    for (std::size_t i = 2; i < words.size() && !edit.comment; ++i) {
        const auto [name, value] = setting_of(words[i]);
        if (name == "list") {
            edit.list = value;
        } else if (name == "address") {
            edit.address = value;
        } else if (name == "timeout") {
            edit.timeout_s = to_timeout(value);
        } else if (name == "disabled") {
            edit.disabled = to_bool(value);
        } else if (name == "comment") {
            edit.comment = setting_of(rest_of(words, i)).second;
        } else {
            throw std::runtime_error("\"" + name +
                                     "\" is not one of list, address, timeout, disabled, comment");
        }
    }
    if (!host.router().edit_row(family_of(words[1]), words[0], words[1], edit, host.now_us())) {
        throw std::runtime_error("no row " + words[1] + " in list " + words[0]);
    }
    host.pump();
    return "";
}

std::string remove(Host& host, const Words& words) {
    if (!host.router().remove_row(family_of(words[1]), words[0], words[1], host.now_us())) {
        throw std::runtime_error("no row " + words[1] + " in list " + words[0]);
    }
    host.pump();
    return "";
}

std::string connection(Host& host, const Words& words) {
    TrackedConnection connection;
    connection.protocol = words[0];
    connection.src_address = words[1];
    connection.dst_address = words[2];
    if (words.size() > 3 && words[3] != "-") connection.connection_mark = words[3];
    if (words.size() > 4) connection.timeout_s = to_timeout(words[4]);
    if (words.size() > 5) connection.reply_src_address = words[5];
    if (words.size() > 6) connection.reply_dst_address = words[6];
    const Family family = words[2].starts_with("[") ? Family::ipv6 : Family::ipv4;
    const std::uint64_t id =
        host.router().add_connection(family, std::move(connection), host.now_us());
    host.pump();
    return id_text(id) + "\n";
}

std::string record(Host& host, const Words& words) {
    std::vector<std::pair<std::string, std::string>> attributes;
    for (std::size_t i = 1; i < words.size(); ++i)
        attributes.push_back(setting_of(words[i]));
    const std::uint64_t id = host.router().put_record(words[0], attributes, host.now_us());
    host.pump();
    return id_text(id) + "\n";
}

std::string netwatch(Host& host, const Words& words) {
    if (words[1] != "up" && words[1] != "down")
        throw std::runtime_error("netwatch: \"" + words[1] + "\" is not up or down");
    const std::size_t changed = host.router().netwatch(words[0], words[1] == "up", host.now_us());
    host.pump();
    return std::to_string(changed) + "\n";
}

std::string resolve(Host& host, const Words& words) {
    const Words addresses(words.begin() + 1, words.end());
    host.router().resolve(family_of(words[1]), words[0], addresses, host.now_us());
    host.pump();
    return "";
}

std::string report(Host& host, const Words& words) {
    host.pump();
    const std::string form = words.empty() ? "" : words[0];
    if (form == "json") return report_json(host.router(), host.now_us());
    if (form == "reset") {
        host.router().reset_report(host.now_us());
        return "";
    }
    if (!form.empty()) throw std::runtime_error("report: \"" + form + "\" is not json or reset");
    return report_text(host.router(), host.now_us());
}

constexpr std::pair<std::string_view, std::string_view> kFaultKinds[] = {
#define X(kind, text, meaning) {text, meaning},
    ROSSIM_FAULTS(X)
#undef X
};

std::string fault_names() {
    std::string text;
    for (const auto& [name, meaning] : kFaultKinds)
        text.append(" ").append(name);
    return text;
}

// One setting of a fault; the times are the router's, `from` and `until` begin now.
void set_fault(Fault& fault, const std::string& name, const std::string& value,
               std::int64_t now_us) {
    if (name == "command") {
        fault.command = value;
    } else if (name == "probability") {
        fault.probability = to_number(value);
    } else if (name == "skip") {
        fault.skip = static_cast<std::uint64_t>(to_number(value));
    } else if (name == "times") {
        fault.times = static_cast<std::uint64_t>(to_number(value));
    } else if (name == "from") {
        fault.from_us = now_us + to_us(to_number(value));
    } else if (name == "until") {
        fault.until_us = now_us + to_us(to_number(value));
    } else if (name == "for") {
        fault.for_us = to_us(to_number(value));
    } else if (name == "byte-ms") {
        fault.byte_us = std::llround(to_number(value) * 1000);
    } else if (name == "applied") {
        fault.applied = to_bool(value);
    } else if (name == "category") {
        fault.category = static_cast<int>(to_number(value));
    } else {
        throw std::runtime_error("\"" + name +
                                 "\" is not one of command, probability, skip, times, from, " +
                                 "until, for, byte-ms, applied, category, message");
    }
}

std::string fault(Host& host, const Words& words) {
    if (words[0] == "none") {
        host.router().withdraw_faults();
        return "";
    }
    const auto kind = find_fault(words[0]);
    if (!kind) throw std::runtime_error("\"" + words[0] + "\" is not one of" + fault_names());
    Fault fault;
    fault.kind = *kind;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto [name, value] = setting_of(words[i]);
        if (name == "message") {
            fault.message = setting_of(rest_of(words, i)).second;
            break;
        }
        set_fault(fault, name, value, host.now_us());
    }
    return std::to_string(host.router().inject(std::move(fault))) + "\n";
}

std::string faults(Host& host, const Words&) {
    std::string text = host.router().name() + "\n";
    for (const FaultView& view : host.router().faults()) {
        text += "  " + std::to_string(view.id) + " " + std::string(fault_name(view.fault.kind)) +
                " command=" + view.fault.command + ": struck " + std::to_string(view.struck) +
                " of " + std::to_string(view.matched) + "\n";
    }
    return text;
}

std::string max_rows(Host& host, const Words& words) {
    std::optional<std::size_t> most;
    if (words[0] != "none") most = static_cast<std::size_t>(to_number(words[0]));
    host.router().set_max_rows(most);
    return "";
}

std::string max_routes(Host& host, const Words& words) {
    std::optional<std::size_t> most;
    if (words[0] != "none") most = static_cast<std::size_t>(to_number(words[0]));
    host.router().set_max_routes(most);
    return "";
}

std::string gateway(Host& host, const Words& words) {
    if (words[1] != "up" && words[1] != "down")
        throw std::runtime_error("\"" + words[1] + "\" is not up or down");
    host.router().set_gateway(words[0], words[1] == "up", host.now_us());
    host.pump();
    return "";
}

std::string routes(Host& host, const Words& words) {
    host.pump();
    std::string text;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const RouteView& route : host.router().routes(family, words.empty() ? "" : words[0])) {
            text += id_text(route.id) + " " + (route.dynamic ? "D" : "-") +
                    (route.disabled ? "X" : "-") + (route.inactive ? "I" : "-") + " " +
                    route.table + " " + route.destination + " " + route.gateway + " " +
                    route.comment + "\n";
        }
    }
    return text;
}

std::string clock(Host& host, const Words& words) {
    const bool back = words[0].starts_with("-");
    const double seconds = to_number(back ? words[0].substr(1) : words[0]);
    host.router().jump_clock((back ? -1000 : 1000) * to_us(seconds));
    return "";
}

constexpr Command kCommands[] = {
    {"list", "[LIST]", "print the rows", 0, list},
    {"reboot", "[SECONDS]", "refuse connections that long (10); rows with a timeout are lost", 0,
     reboot},
    {"hang", "[SECONDS]", "accept connections, answer nothing; that long, or until resume", 0,
     hang},
    {"resume", "", "end of hang", 0, resume},
    {"rows", "COUNT [LIST [4|6 [COMMENT]]]",
     "add that many permanent rows at once (prefill, IPv4, prefill)", 1, rows},
    {"add", "LIST ADDRESS [TIMEOUT|- [COMMENT]]", "add a row as another writer", 2, add},
    {"duplicate", "LIST ADDRESS [TIMEOUT|- [COMMENT]]", "add a row that may be there already", 2,
     duplicate},
    {"edit", "LIST ADDRESS NAME=VALUE...",
     "change a row as another writer: list, address, timeout, disabled; comment last", 3, edit},
    {"remove", "LIST ADDRESS", "remove a row behind the client's back", 2, remove},
    {"connection",
     "PROTOCOL SOURCE DESTINATION [MARK|- [TIMEOUT [REPLY-SOURCE REPLY-DESTINATION]]]",
     "an entry of connection tracking; with ports, IPv6 in []", 3, connection},
    {"record", "MENU NAME=VALUE...",
     "a row of another menu, as the router itself makes it; .id=ID: a change, with .dead=true its "
     "end",
     2, record},
    {"netwatch", "HOST up|down",
     "what /tool/netwatch sees of a host: rows that change run their script; how many", 2,
     netwatch},
    {"resolve", "NAME ADDRESS...", "the addresses that a row with a DNS name stands for", 2,
     resolve},
    {"max-rows", "COUNT|none", "one more row is out of memory", 1, max_rows},
    {"routes", "[TABLE]", "print the routes: id, flags, table, destination, gateway, comment", 0,
     routes},
    {"gateway", "NAME up|down", "routes by this gateway become active or inactive", 2, gateway},
    {"max-routes", "COUNT|none", "one more route is out of memory", 1, max_routes},
    {"clock", "SECONDS", "put the router's clock forward, or with - back", 1, clock},
    {"fault", "KIND [NAME=VALUE...]", "strike the next sentences; see below", 1, fault},
    {"fault", "none", "withdraw all faults", 1, fault},
    {"faults", "", "the faults, and how often each struck", 0, faults},
    {"report", "[json|reset]",
     "what was asked and what it cost, as text or one JSON line; or from 0", 0, report},
};

std::string help_line(std::string_view name, std::string_view arguments, std::string_view meaning) {
    char line[240];
    std::snprintf(line, sizeof line, "  %-13s %-36s %s\n", name.data(), arguments.data(),
                  meaning.data());
    return line;
}

std::string help() {
    std::string text = "[@ROUTER] COMMAND: without @ROUTER all routers of the process\n";
    for (const Command& command : kCommands)
        text += help_line(command.name, command.arguments, command.meaning);
    text += "KIND of fault\n";
    for (const auto& [name, meaning] : kFaultKinds)
        text += help_line(name, "", meaning);
    return text +
           "NAME of fault: command (a regular expression, searched in /menu/verb), probability, "
           "skip and times\n(sentences; times=0: no end), from and until (seconds from now), for "
           "(seconds), applied=yes, byte-ms,\ncategory, message (last)\n";
}

const Command& find_command(const std::string& name) {
    const auto* const it = std::find_if(std::begin(kCommands), std::end(kCommands),
                                        [&](const Command& c) { return c.name == name; });
    if (it == std::end(kCommands)) {
        throw std::runtime_error("no command \"" + name + "\"; try help");
    }
    return *it;
}

}  // namespace

std::string run_control_line(Hosts& hosts, const std::string& line) {
    std::istringstream in(line);
    Words words{std::istream_iterator<std::string>(in), {}};
    std::string wanted;
    if (!words.empty() && words[0].starts_with("@")) {
        wanted = words[0].substr(1);
        words.erase(words.begin());
    }
    if (words.empty() || words[0] == "help") return help();
    const Command& command = find_command(words[0]);
    words.erase(words.begin());
    if (words.size() < command.least) {
        throw std::runtime_error("usage: " + std::string(command.name) + " " +
                                 std::string(command.arguments));
    }
    std::string text;
    bool found = false;
    for (const auto& host : hosts) {
        if (!wanted.empty() && host->router().name() != wanted) continue;
        found = true;
        text += command.run(*host, words);
    }
    if (!found) throw std::runtime_error("no router \"" + wanted + "\" here");
    return text;
}

}  // namespace rossim
