#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

std::string zones_text(const json::value& answer) {
    constexpr std::array<std::string_view, 10> kZone{
        "tag",   "zone",          "serial", "records", "skipped",
        "state", "checked_ago_s", "next_s", "primary", "trouble"};
    const json::object& all = object_of(answer);
    json::array rows = array_of(all, "zones");
    if (find(all, "tag") != nullptr) rows.push_back(answer);  // of one zone
    const std::string out = rows_text(rows, kZone,
                                      {"secondary", "zone", "serial", "records", "skipped", "state",
                                       "checked before", "next check in", "primary", "error"});
    return out.empty() ? "the configuration has no secondary\n" : out;
}

}  // namespace steerctl
