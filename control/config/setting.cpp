#include "control/config/setting.h"

#include <algorithm>
#include <limits>

#include "control/config/predecessors.h"
#include "control/config/reading.h"
#include "control/config/report.h"
#include "control/config/text/suggestion.h"
#include "control/config/text/url.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct Bounds {
    std::string_view low, high;  // empty: no bound
};

bool takes_nearest(std::string_view range) {
    return range.starts_with('~');
}

Bounds bounds_of(std::string_view range) {
    if (takes_nearest(range)) range.remove_prefix(1);
    const auto dots = range.find("..");
    if (dots == std::string_view::npos) return {};
    return {range.substr(0, dots), range.substr(dots + 2)};
}

// Reports an unexpected value; the range, if there is one, follows "expected".
void refuse(Reading& in, const Node& node, const Place& place, std::string expected,
            std::string_view range) {
    if (!range.empty())
        expected += " within " + std::string(range.substr(takes_nearest(range) ? 1 : 0));
    in.report().error(
        place.line,
        place.name() + (node.is_text()
                            ? " is " + matchers::quoted(node.text) + ": expected " + expected
                            : ": expected " + expected + ", found " + std::string(node.what())));
}

// The value if it is within the range; else no value, or the nearest bound with a warning.
template <class V, class Parse>
std::optional<V> within(Reading& in, const Node& node, const Place& place, V value,
                        std::string_view range, Parse parse) {
    const auto [low, high] = bounds_of(range);
    const bool below = !low.empty() && value < *parse(low);
    const bool above = !high.empty() && value > *parse(high);
    if (!below && !above) return value;
    if (!takes_nearest(range)) return std::nullopt;
    const std::string_view nearest = below ? low : high;
    in.report().warn(place.line, place.name() + " is " + matchers::quoted(node.text) +
                                     ", outside of " + std::string(range.substr(1)) + ": using " +
                                     std::string(nearest));
    return *parse(nearest);
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
    auto value = node.is_text() ? parse_integer(node.text) : std::nullopt;
    if (value) value = within(in, node, place, *value, range, parse_integer);
    if (!value || *value > std::numeric_limits<std::uint32_t>::max()) {
        refuse(in, node, place, "an integer", range);
        return false;
    }
    out = static_cast<std::uint32_t>(*value);
    return true;
}

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                Milliseconds& out) {
    auto value = node.is_text() ? parse_duration(node.text) : std::nullopt;
    const bool whole_seconds = !bounds_of(range).low.ends_with("ms");
    const bool broken = value && whole_seconds && value->count() % 1000 != 0;
    if (value && !broken) value = within(in, node, place, *value, range, parse_duration);
    if (!value || broken) {
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
    const auto split = [](std::string_view text, char by) {
        std::vector<std::string_view> parts;
        while (!text.empty()) {
            const auto end = text.find(by);
            parts.push_back(text.substr(0, end));
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
        return parts;
    };
    const std::string written = node.is_text() ? lowered(node.text) : "";
    std::string expected;
    unsigned index = 0;
    for (const auto choice : split(words, '|')) {
        for (const auto word : split(choice, '/')) {
            if (node.is_text() && word == written) return index;
            expected += (expected.empty() ? "one of " : ", ") + std::string(word);
        }
        ++index;
    }
    refuse(in, node, place, expected, {});
    return std::nullopt;
}

void keep_in_layer(Reading& in, const Node& node) {
    if (node.is_text()) {
        const std::string_view text = trimmed(node.text);
        if (!is_url(text) && in.leaves_layer(text, node.line)) (void)in.resolve(text, node.line);
    }
    for (const Node& item : node.items)
        keep_in_layer(in, item);
    for (const Entry& entry : node.entries)
        keep_in_layer(in, entry.value);
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
    if (take_predecessor_key(in, entry, owner)) return;
    in.report().unknown(
        entry.line, "key " + matchers::quoted(entry.key) + " in " + std::string(owner) +
                        suggestion(NameOf::key, entry.key, owner, {names.begin(), names.end()}));
}

bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner) {
    return config::counts_as_absent(in, entry, owner);
}

void missing_key(Reading& in, const Node& map, std::string_view owner, std::string_view key,
                 std::string_view text) {
    const std::string_view first_part = text.substr(0, text.find_first_of(";\n"));
    in.report().error(map.line, "'" + std::string(key) + "' is missing in " + std::string(owner) +
                                    " (" + std::string(first_part) + ")");
}

}  // namespace rows
}  // namespace steer::config
