#include "tools/rossim/control_commands.h"

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
    host.router().reboot(std::llround(seconds * 1e6), host.now_us());
    host.pump();
    return "";
}

std::string hang(Host& host, const Words&) {
    host.hang();
    return "";
}

std::string resume(Host& host, const Words&) {
    host.resume();
    return "";
}

std::string rows(Host& host, const Words& words) {
    const std::string to = words.size() > 1 ? words[1] : "prefill";
    const Family family = words.size() > 2 && words[2] == "6" ? Family::ipv6 : Family::ipv4;
    host.router().prefill(family, to, static_cast<std::size_t>(to_number(words[0])), host.now_us());
    host.pump();
    return "";
}

std::string add(Host& host, const Words& words) {
    std::optional<std::int64_t> timeout_s;
    if (words.size() > 2 && words[2] != "-") {
        timeout_s = parse_duration(words[2]);
        if (!timeout_s) throw std::runtime_error("\"" + words[2] + "\" is not a timeout");
    }
    std::string comment;
    for (std::size_t i = 3; i < words.size(); ++i)
        comment += (i > 3 ? " " : "") + words[i];
    const std::uint64_t id = host.router().add_row(family_of(words[1]), words[0], words[1],
                                                   timeout_s, comment, host.now_us());
    host.pump();
    return id_text(id) + "\n";
}

std::string remove(Host& host, const Words& words) {
    if (!host.router().remove_row(family_of(words[1]), words[0], words[1], host.now_us())) {
        throw std::runtime_error("no row " + words[1] + " in list " + words[0]);
    }
    host.pump();
    return "";
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

constexpr Command kCommands[] = {
    {"list", "[LIST]", "print the rows", 0, list},
    {"reboot", "[SECONDS]", "refuse connections that long (10); rows with a timeout are lost", 0,
     reboot},
    {"hang", "", "accept connections, answer nothing", 0, hang},
    {"resume", "", "end of hang", 0, resume},
    {"rows", "COUNT [LIST [4|6]]", "add that many permanent rows at once (prefill, IPv4)", 1, rows},
    {"add", "LIST ADDRESS [TIMEOUT|- [COMMENT]]", "add a row as somebody else", 2, add},
    {"remove", "LIST ADDRESS", "remove a row behind the client's back", 2, remove},
    {"resolve", "NAME ADDRESS...", "the addresses that a row with a DNS name stands for", 2,
     resolve},
    {"report", "[json|reset]",
     "what was asked and what it cost, as text or one JSON line; or from 0", 0, report},
};

std::string help() {
    std::string text = "[@ROUTER] COMMAND: without @ROUTER all routers of the process\n";
    for (const Command& command : kCommands) {
        char line[200];
        std::snprintf(line, sizeof line, "  %-8s %-36s %s\n", command.name.data(),
                      command.arguments.data(), command.meaning.data());
        text += line;
    }
    return text;
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
