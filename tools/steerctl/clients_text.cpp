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

}  // namespace steerctl
