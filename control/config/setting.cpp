#include "control/config/setting.h"

#include <algorithm>
#include <limits>

#include "control/config/reading.h"
#include "control/config/report.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct Bounds {
    std::string_view low, high;  // empty: no bound
};

Bounds bounds_of(std::string_view range) {
    const auto dots = range.find("..");
    if (dots == std::string_view::npos) return {};
    return {range.substr(0, dots), range.substr(dots + 2)};
}

// Says that the value is not what was expected: "expected" is continued by the range, if there is
// one.
void refuse(Reading& in, const Node& node, const Place& place, std::string expected,
            std::string_view range) {
    if (!range.empty()) expected += " within " + std::string(range);
    in.report().error(
        place.line,
        place.name() + (node.is_text()
                            ? " is " + matchers::quoted(node.text) + ": expected " + expected
                            : ": expected " + expected + ", found " + std::string(node.what())));
}

template <class V, class Parse>
bool within(V value, std::string_view range, Parse parse) {
    const auto [low, high] = bounds_of(range);
    if (!low.empty() && value < *parse(low)) return false;
    return high.empty() || value <= *parse(high);
}

}  // namespace

std::string Place::name() const {
    return "'" + std::string(key) + "' of " + std::string(owner);
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                bool& out) {
    const auto value = node.is_text() ? parse_boolean(node.text) : std::nullopt;
    if (value) {
        out = *value;
    } else {
        refuse(in, node, place, "true or false", range);
    }
    return value.has_value();
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::uint32_t& out) {
    const auto value = node.is_text() ? parse_integer(node.text) : std::nullopt;
    if (!value || *value > std::numeric_limits<std::uint32_t>::max() ||
        !within(*value, range, parse_integer)) {
        refuse(in, node, place, "an integer", range);
        return false;
    }
    out = static_cast<std::uint32_t>(*value);
    return true;
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                Milliseconds& out) {
    const auto value = node.is_text() ? parse_duration(node.text) : std::nullopt;
    const bool whole_seconds = !bounds_of(range).low.ends_with("ms");
    const bool broken = value && whole_seconds && value->count() % 1000 != 0;
    if (!value || broken || !within(*value, range, parse_duration)) {
        refuse(in, node, place,
               whole_seconds ? "whole seconds or a duration such as 5s or 3m"
                             : "seconds or a duration such as 250ms or 5s",
               range);
        return false;
    }
    out = *value;
    return true;
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::optional<Milliseconds>& out) {
    Milliseconds value{};
    if (!read_value(in, node, place, range, value)) return false;
    out = value;
    return true;
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::string& out) {
    if (!node.is_text() || node.text.empty()) {
        refuse(in, node, place, "text", range);
        return false;
    }
    out = node.text;
    return true;
}

std::optional<unsigned> read_choice(Reading& in, const Node& node, const Place& place,
                                    std::string_view words) {
    std::vector<std::string_view> known;
    for (std::string_view rest = words; !rest.empty();) {
        const auto bar = rest.find('|');
        known.push_back(rest.substr(0, bar));
        rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    }
    if (node.is_text()) {
        const auto at = std::find(known.begin(), known.end(), lowered(node.text));
        if (at != known.end()) return static_cast<unsigned>(at - known.begin());
    }
    std::string expected = "one of";
    for (const auto word : known)
        expected += (word == known.front() ? " " : ", ") + std::string(word);
    refuse(in, node, place, expected, {});
    return std::nullopt;
}

void refuse_not_yet(Reading& in, const Node& node, const Place& place,
                    std::string_view default_text) {
    if (node.is_text() && !default_text.empty() && lowered(node.text) == default_text) return;
    in.report().error(place.line,
                      place.name() + " is not supported yet: remove it" +
                          (default_text.empty() ? "" : ", or write " + std::string(default_text)));
}

namespace rows {

bool is_value(std::string_view default_text) {
    return !default_text.empty() && default_text != "required" && default_text != "none" &&
           default_text != "auto" && default_text.front() != '(';
}

bool expect_map(Reading& in, const Node& map, std::string_view owner,
                std::span<const std::string_view> names) {
    if (map.is_map()) return true;
    std::string keys;
    for (const auto name : names.first(std::min<std::size_t>(names.size(), 3))) {
        keys += (keys.empty() ? "" : ", ") + std::string(name);
    }
    if (names.size() > 3) keys += ", ...";
    in.report().error(map.line, std::string(owner) + ": expected a map with the keys " + keys +
                                    ", found " + std::string(map.what()));
    return false;
}

void unknown_key(Reading& in, const Entry& entry, std::string_view owner,
                 std::span<const std::string_view> names) {
    in.report().error(entry.line, "unknown key " + matchers::quoted(entry.key) + " in " +
                                      std::string(owner) +
                                      did_you_mean(entry.key, {names.begin(), names.end()}));
}

void missing_key(Reading& in, const Node& map, std::string_view owner, std::string_view key,
                 std::string_view text) {
    const std::string_view first_part = text.substr(0, text.find(';'));
    in.report().error(map.line, "'" + std::string(key) + "' is missing in " + std::string(owner) +
                                    " (" + std::string(first_part) + ")");
}

}  // namespace rows
}  // namespace steer::config
