#include "tools/rossim/journal.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

// Whole seconds without a point, others with six places.
std::string seconds_text(std::int64_t us) {
    char text[48];
    const long long whole = us / 1'000'000;
    const long long part = us % 1'000'000;
    const int size = part == 0 ? std::snprintf(text, sizeof text, "%lld", whole)
                               : std::snprintf(text, sizeof text, "%lld.%06lld", whole, part);
    return {text, static_cast<std::size_t>(size)};
}

std::string as_json(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

}  // namespace

std::string_view change_name(Change change) {
    constexpr std::string_view kNames[] = {"add", "set", "remove", "expire", "reboot", "up"};
    return kNames[static_cast<std::size_t>(change)];
}

std::string to_json_line(const Commit& commit) {
    std::string line = "{\"t_ns\":" + std::to_string(commit.t_ns);
    line += ",\"router\":" + as_json(commit.router);
    line += ",\"op\":" + as_json(change_name(commit.change));
    if (commit.change != Change::reboot && commit.change != Change::up) {
        line += ",\"family\":" + std::to_string(static_cast<int>(commit.family));
        line += ",\"list\":" + as_json(commit.list);
        line += ",\"address\":" + as_json(commit.address);
        line += ",\"timeout_s\":" + (commit.left_us ? seconds_text(*commit.left_us) : "null");
        line += ",\"comment\":" + as_json(commit.comment);
        line += ",\".id\":" + as_json(id_text(commit.id));
        if (commit.is_route) line += ",\"menu\":\"route\",\"gateway\":" + as_json(commit.gateway);
        if (commit.disabled) line += ",\"disabled\":true";
    }
    line += "}\n";
    return line;
}

}  // namespace rossim
