#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

std::string clients_text(const json::value& answer) {
    constexpr std::array<std::string_view, 5> kClient{"name", "address", "mac", "source", "from"};
    const json::object& all = object_of(answer);
    json::array rows = array_of(all, "clients");
    const std::size_t shown = rows.size();
    for (json::value& one : rows) {
        json::object* const row = one.if_object();
        if (row == nullptr || !is_true(*row, "private_mac")) continue;
        // The device made it up.
        (*row)["mac"] = text_of(*row, "mac") + " (private)";
    }
    std::string out =
        rows_text(rows, kClient, {"name", "address", "MAC address", "source", "from"});
    if (out.empty()) return "no client is known; give a name with 'steerctl clients name'\n";
    const auto total = number_of(find(all, "total"));
    if (total && *total > static_cast<double>(shown))
        out += "and " + std::to_string(static_cast<std::size_t>(*total) - shown) + " more\n";
    return out;
}

std::string client_changed_text(const json::value& answer) {
    const json::object& done = object_of(answer);
    const std::string kept =
        is_true(done, "kept")
            ? ""
            : ", until the next start: `control.leases` is off, or its folder is missing";
    return text_of(done, "client") + ": " + text_of(done, "name") + kept + "\n";
}

std::string groups_text(const json::value& answer) {
    constexpr std::array<std::string_view, 4> kMember{"group", "client", "name", "who"};
    json::array rows;
    for (const json::value& one : array_of(object_of(answer), "groups")) {
        const json::object& group = object_of(one);
        const json::array& members = array_of(group, "members");
        const std::string name = string_of(group, "group");
        if (members.empty()) rows.push_back(json::object{{"group", name}, {"client", "nobody"}});
        for (const json::value& member : members) {
            json::object row = object_of(member);
            row["group"] = name;
            rows.push_back(std::move(row));
        }
    }
    for (const json::value& one : array_of(object_of(answer), "of_file")) {
        const json::object& group = object_of(one);
        rows.push_back(json::object{{"group", string_of(group, "group")},
                                    {"client", text_of(group, "members") + " members"},
                                    {"who", "client_groups"}});
    }
    const std::string out = rows_text(rows, kMember, {"group", "device", "name", "added by"});
    return out.empty() ? "no groups: 'steerctl clients group add' makes one\n" : out;
}

std::string group_changed_text(const json::value& answer) {
    const json::object& done = object_of(answer);
    std::string clients;
    for (const json::value& one : array_of(done, "clients")) {
        if (const json::string* const client = one.if_string())
            clients += (clients.empty() ? "" : ", ") + printable(std::string_view(*client));
    }
    return text_of(done, "group") + ": " + (clients.empty() ? "removed" : clients) + "\n";
}

}  // namespace steerctl
