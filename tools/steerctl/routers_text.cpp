#include <boost/json/array.hpp>

#include "cells.h"
#include "report.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Of each router, under a line with its name and `more(router)`.
template <class Rest, class Body>
std::string each(const json::value& answer, Rest rest, Body body) {
    const json::array& all = array_of(object_of(answer), "routers");
    if (all.empty()) return "the configuration has no RouterOS router\n";
    std::string out;
    for (const json::value& one : all) {
        const json::object& router = object_of(one);
        out += styled(Style::heading, text_of(router, "name"));
        if (text_of(router, "address") != text_of(router, "name"))
            out += " at " + text_of(router, "address");
        out += rest(router) + "\n" + body(router);
    }
    return out;
}

bool is_given(const std::string& text) {
    return !text.empty() && text != "-";
}

// What is known of the router's version, a question a line.
std::string findings_text(const json::object& router) {
    const auto* const findings = find(router, "findings");
    if (findings == nullptr) return {};
    Table table;
    for (const auto& [name, value] : object_of(*findings)) {
        const json::object& found = object_of(value);
        const std::string message = text_of(found, "text");
        table.row({text_of(found, "question"),
                   text_of(found, "answer") + (is_given(message) ? " (" + message + ")" : "")});
    }
    return table.text();
}

std::string none(const json::object&) {
    return {};
}

struct Heading {
    std::string_view key, text;
};
// Of a router's values; other keys are headings by themselves.
constexpr Heading kHeadings[] = {{"away_for_s", "unreachable for"},
                                 {"blocked", "blocked rows"},
                                 {"cpu_share_percent", "CPU share for background writes (%)"},
                                 {"foreign", "rows of others"},
                                 {"held", "answers that wait"},
                                 {"lag_ms", "oldest claim without a row (ms)"},
                                 {"late", "late rows to check"},
                                 {"left_alone", "rows left as changed"},
                                 {"orphans", "orphaned rows"},
                                 {"owed", "rows to write"},
                                 {"routes_inactive", "routes without a reachable gateway"},
                                 {"routes_kept", "ended routes kept for connections"},
                                 {"rtt_ms", "round trip (ms)"},
                                 {"second_writer", "second writer of"},
                                 {"service_us", "time per write (us)"},
                                 {"shared", "shared addresses"},
                                 {"told_meanwhile", "claims while unreachable"},
                                 {"trouble", "last error"},
                                 {"unknown_sentences", "messages not understood"},
                                 {"version_lacks", "the version lacks"}};

std::string heading_of(std::string_view key) {
    for (const Heading& heading : kHeadings) {
        if (heading.key == key) return std::string(heading.text);
    }
    return heading_text(key);
}

}  // namespace

std::string routers_text(const json::value& answer) {
    const std::string opnsense = opnsense_text(answer);
    if (array_of(object_of(answer), "routers").empty())
        return opnsense.empty() ? "the configuration has no router\n" : opnsense;
    const std::string routeros = each(
        answer,
        [](const json::object& router) {
            return ": " + state_cell(router, "state") +
                   (is_true(router, "paused") ? ", " + styled(Style::warning, "paused") : "");
        },
        [](const json::object& router) {
            Table table;
            for (const auto& [name, value] : router) {
                const std::string_view key(name);
                if (key == "name" || key == "address" || key == "state" || key == "paused" ||
                    key == "findings" || key == "lists")
                    continue;
                const std::string text = cell_text(key, &value);
                if (!text.empty()) table.row({heading_of(key), text});
            }
            for (const json::value& one : array_of(router, "lists")) {
                const json::object& list = object_of(one);
                table.row({"list " + text_of(list, "tag"),
                           text_of(list, "claims") + " claims of " + text_of(list, "max_rows")});
            }
            return table.text() + findings_text(router);
        });
    return opnsense.empty() ? routeros : routeros + "\n" + opnsense;
}

std::string router_differences_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            const std::string state = text_of(router, "state");
            if (state != "in_sync") return ": " + state + ", rows unknown";
            const auto count = array_of(router, "differences").size();
            return count == 0 ? std::string(": no difference")
                              : ": " + std::to_string(count) +
                                    (is_true(router, "more") ? " differences, and more"
                                     : count == 1            ? " difference"
                                                             : " differences");
        },
        [](const json::object& router) {
            Table table;
            for (const json::value& one : array_of(router, "differences")) {
                const json::object& row = object_of(one);
                table.row({text_of(row, "what"), text_of(row, "list"), text_of(row, "address"),
                           find(row, "left_s") == nullptr ? "for good" : text_of(row, "left_s"),
                           find(row, "name") == nullptr ? "persistent" : text_of(row, "name")});
            }
            for (const json::value& one : array_of(router, "orphans")) {
                const json::object& row = object_of(one);
                table.row({"orphan", text_of(row, "list"), text_of(row, "address"), "",
                           text_of(row, "comment")});
            }
            return table.text();
        });
}

std::string router_shared_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            const auto count = array_of(router, "addresses").size();
            if (count == 0) return std::string(": no shared addresses");
            return ": " + std::to_string(count) + (count == 1 ? " address" : " addresses") +
                   (is_true(router, "more") ? " and more" : "");
        },
        [](const json::object& router) {
            Table table;
            if (!array_of(router, "addresses").empty())
                table.headings({"", "list", "address", "name", "other names", "examples"});
            for (const json::value& one : array_of(router, "addresses")) {
                const json::object& row = object_of(one);
                std::string examples;
                for (const json::value& name : array_of(row, "such_as"))
                    examples += (examples.empty() ? "" : ", ") + cell_text(name);
                table.row({is_true(row, "shared") ? "shared" : "", text_of(row, "list"),
                           text_of(row, "address"), text_of(row, "name"), text_of(row, "others"),
                           examples});
            }
            return table.text();
        });
}

std::string router_reconciled_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            if (is_true(router, "paused")) return std::string(": paused, rows not read");
            if (!is_true(router, "asked"))
                return ": " + text_of(router, "state") + ", rows not read";
            const std::string orphans = text_of(router, "orphans_removed");
            return ": reading its rows again" +
                   (orphans == "0" ? std::string{} : ", " + orphans + " orphaned rows removed");
        },
        none);
}

std::string router_adopted_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            const std::string found = text_of(router, "found"), asked = text_of(router, "asked");
            if (text_of(router, "state") != "in_sync")
                return ": " + text_of(router, "state") + ", so its rows are not known";
            std::string text =
                ": " + (found == "0" ? "no such row" : found + (found == "1" ? " row" : " rows"));
            if (is_true(router, "paused")) text += "; paused, nothing is written";
            if (asked != "0") text += "; " + asked + " of them get our comment now";
            return text;
        },
        [](const json::object& router) {
            Table table;
            for (const json::value& one : array_of(router, "rows")) {
                const json::object& row = object_of(one);
                table.row({text_of(row, "list"), text_of(row, "address"), text_of(row, "comment"),
                           text_of(row, "becomes")});
            }
            return table.text();
        });
}

std::string router_forgotten_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            const std::string rows = text_of(router, "rows"), kept = text_of(router, "persistent");
            std::string text = ": " + rows + (rows == "1" ? " row" : " rows") + " removed";
            if (is_true(router, "paused")) text = ": paused, its rows expire by their timeouts";
            if (text_of(router, "state") != "in_sync")
                text = ": " + text_of(router, "state") + ", its rows expire by their timeouts";
            if (kept != "0") text += "; a persistent row stays";
            return text;
        },
        none);
}

// What was sent before may still be in progress.
std::string in_flight_text(const json::object& from) {
    const auto* const found = find(from, "writes_in_flight");
    if (found == nullptr || text_of(from, "writes_in_flight") == "0") return {};
    return ", but " + text_of(from, "writes_in_flight") + " writes are still in flight after 5 s";
}

std::string router_paused_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            return std::string(is_true(router, "paused") ? ": paused, no writes"
                                                         : ": writes are active") +
                   in_flight_text(router);
        },
        none);
}

std::string bypass_text(const json::value& answer) {
    return is_true(object_of(answer), "bypass")
               ? "the bypass is on: no router writes; queries are still answered" +
                     in_flight_text(object_of(answer)) + "\n"
               : "the bypass is off: router writes are active\n";
}

std::string router_trace_text(const json::value& answer) {
    std::string out;
    for (const json::value& one : array_of(object_of(answer), "routers")) {
        for (const json::value& sentence : array_of(object_of(one), "sentences")) {
            const json::object& s = object_of(sentence);
            out += "#" + text_of(s, "serial") + " tag " + text_of(s, "tag") + ", " +
                   text_of(s, "ago_s") + " ago: " + text_of(s, "words") + "\n    ";
            if (find(s, "rows") != nullptr) out += text_of(s, "rows") + " rows, ";
            out += find(s, "reply") == nullptr
                       ? std::string("no reply yet\n")
                       : text_of(s, "reply") + " after " + text_of(s, "took_ms") + " ms\n";
        }
    }
    return out;
}

std::string router_errors_text(const json::value& answer) {
    std::string out;
    for (const json::value& one : array_of(object_of(answer), "routers")) {
        for (const json::value& error : array_of(object_of(one), "errors")) {
            const json::object& e = object_of(error);
            out += text_of(e, "ago_s") + " ago: " + text_of(e, "text") + "\n";
        }
    }
    return out.empty() ? "no errors\n" : out;
}

std::string router_probe_text(const json::value& answer) {
    return each(
        answer,
        [](const json::object& router) {
            const std::string error = text_of(router, "trouble");
            return ": RouterOS " + text_of(router, "version") + ", probe " +
                   text_of(router, "probe") + (is_given(error) ? " (" + error + ")" : "");
        },
        findings_text);
}

ProbeProgress probe_progress(const json::value& answer) {
    ProbeProgress progress;
    for (const json::value& one : array_of(object_of(answer), "routers")) {
        const json::object& router = object_of(one);
        progress.state = text_of(router, "probe");
        progress.router_state = text_of(router, "state");
        // As it is: it has no bytes that would disturb a terminal, and is to be read by programs.
        const auto* const text = find(router, "transcript");
        if (text != nullptr && text->is_string()) progress.transcript = text->get_string();
    }
    return progress;
}

std::uint64_t last_serial(const json::value& answer, std::uint64_t before) {
    for (const json::value& one : array_of(object_of(answer), "routers")) {
        for (const json::value& sentence : array_of(object_of(one), "sentences")) {
            const auto serial = number_of(find(object_of(sentence), "serial"));
            if (serial) before = static_cast<std::uint64_t>(*serial);
        }
    }
    return before;
}

}  // namespace steerctl
