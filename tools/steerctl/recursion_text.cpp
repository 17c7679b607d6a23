#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

namespace {

std::string control_group_text(const json::object& group) {
    const std::string path = string_of(group, "path");
    if (path.empty())
        return "\nno control group: " + string_of(group, "why_none") +
               "; each process has a limit of its own\n";
    return "\ncontrol group " + path + ", memory of all at most " +
           cell_text("cache_bytes", find(group, "memory_max")) + "\n";
}

}  // namespace

std::string recursion_text(const json::value& answer) {
    constexpr std::array<std::string_view, 11> kInstance{
        "name",   "up",    "pid",         "queries",  "recursions", "recursion_mean_ms",
        "secure", "bogus", "cache_bytes", "restarts", "trouble"};
    constexpr std::array<std::string_view, 5> kFailure{"ago_s", "count", "instance", "zone",
                                                       "text"};
    const json::object& all = object_of(answer);
    std::string out = rows_text(array_of(all, "instances"), kInstance,
                                {"instance", "up", "process", "queries", "recursions", "mean ms",
                                 "secure", "bogus", "cache", "restarts", "error"});
    if (out.empty()) return "the configuration has no recursion\n";
    if (const json::value* const group = find(all, "control_group"))
        out += control_group_text(object_of(*group));
    const json::array anchors = array_of(all, "negative_trust_anchors");
    if (!anchors.empty()) {
        out += "\nnot validated for a time:";
        for (const json::value& zone : anchors)
            out += " " + cell_text("name", &zone);
        out += "\n";
    }
    const std::string failures =
        rows_text(array_of(all, "failures"), kFailure,
                  {"before", "times", "instance", "zone", "last failures"});
    return failures.empty() ? out : out + "\n" + failures;
}

std::string recursion_done_text(const json::value& answer) {
    const json::value* const count = find(object_of(answer), "instances");
    return "done by " + cell_text("instances", count) + " of the processes that resolve\n" +
           cache_done_text(answer);
}

}  // namespace steerctl
