#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;

std::string events_text(const json::value& answer) {
    constexpr double kMillisecondsPerSecond = 1'000;
    const json::array& all = array_of(object_of(answer), "events");
    if (all.empty()) return "no events\n";
    Table table;
    table.headings({"time", "level", "kind", "event"});
    for (const json::value& one : all) {
        const json::object& event = object_of(one);
        const auto at_ms = number_of(find(event, "at_ms"));
        table.row({at_ms ? date_text(*at_ms / kMillisecondsPerSecond) : "-",
                   text_of(event, "level"), text_of(event, "kind"), text_of(event, "text")});
    }
    return table.text();
}

}  // namespace steerctl
