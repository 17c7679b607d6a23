// `fleet`: machines, routers and faults; `fleet upgrade-check`: whether this machine may stop now.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr std::string_view kNoFleet = "the configuration has no fleet";

std::string state_of(const json::object& box) {
    if (!is_true(box, "alive")) return "gone for " + cell_text("ago_s", find(box, "ago_s"));
    if (!is_true(box, "ready")) return "not ready";
    return is_true(box, "draining") ? "draining" : "ready";
}

// "edge1 writer, edge2 standby".
std::string roles_of(const json::object& box) {
    std::string out;
    for (const json::value& one : array_of(box, "routers")) {
        const json::object& router = object_of(one);
        out += (out.empty() ? "" : ", ") + text_of(router, "name") + " " + text_of(router, "role");
    }
    return out.empty() ? "-" : out;
}

std::string boxes_table(const json::object& all) {
    Table table;
    table.headings({"box", "state", "version", "configuration", "routers"});
    for (const json::value& one : array_of(all, "boxes")) {
        const json::object& box = object_of(one);
        table.row({text_of(box, "box") + (is_true(box, "self") ? " (this one)" : ""), state_of(box),
                   text_of(box, "version"), text_of(box, "configuration"), roles_of(box)});
    }
    return table.text();
}

std::string routers_table(const json::object& all) {
    Table table;
    table.headings(
        {"router", "role here", "state", "writer", "token", "claims", "not written", "lag ms"});
    for (const json::value& one : array_of(all, "routers")) {
        const json::object& router = object_of(one);
        table.row({text_of(router, "name"), text_of(router, "role"), state_cell(router, "state"),
                   text_of(router, "writer"), text_of(router, "token"), text_of(router, "claims"),
                   text_of(router, "pending"), text_of(router, "lag_ms")});
    }
    return table.text();
}

// What people change on one box and all have.
std::string shared_table(const json::object& all) {
    Table table;
    table.headings({"shared", "here", "unsent", "not in force here"});
    for (const json::value& one : array_of(all, "shared")) {
        const json::object& kind = object_of(one);
        table.row({text_of(kind, "kind"), text_of(kind, "entries"), text_of(kind, "unsent"),
                   text_of(kind, "refused")});
    }
    return table.text();
}

}  // namespace

std::string fleet_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    if (!is_true(all, "configured")) return std::string(kNoFleet) + "\n";
    std::string out = "fleet " + text_of(all, "name") + ", box " + text_of(all, "box") + ", ";
    out += is_true(all, "connected")
               ? "connected to Redis at " + text_of(all, "redis")
               : "without Redis for " + cell_text("trouble_s", find(all, "trouble_s")) + ": " +
                     text_of(all, "trouble");
    out += "\n";
    if (!array_of(all, "boxes").empty()) out += "\n" + boxes_table(all);
    if (!array_of(all, "routers").empty()) out += "\n" + routers_table(all);
    if (!array_of(all, "shared").empty()) out += "\n" + shared_table(all);
    std::string problems;
    for (const json::value& one : array_of(all, "problems"))
        problems += cell_text(one) + "\n";
    return problems.empty() ? out : out + "\n" + section_heading("problems") + problems;
}

UpgradeCheck upgrade_check(const json::value& answer) {
    const json::object& all = object_of(answer);
    UpgradeCheck check;
    if (!is_true(all, "configured")) {
        check.obstacles = std::string(kNoFleet) + ", so no other box is known";
        return check;
    }
    for (const json::value& one : array_of(all, "obstacles"))
        check.obstacles += (check.obstacles.empty() ? "" : "; ") + cell_text(one);
    std::string others;
    for (const json::value& one : array_of(all, "boxes")) {
        const json::object& box = object_of(one);
        if (is_true(box, "self") || !is_true(box, "alive")) continue;
        others += (others.empty() ? "" : ", ") + text_of(box, "box");
    }
    check.sentence = "box " + text_of(all, "box") +
                     " may be taken out of service now: ready, with all its routers: " + others;
    return check;
}

}  // namespace steerctl
