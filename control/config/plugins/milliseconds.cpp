#include "control/config/plugins/milliseconds.h"

#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {

bool read_milliseconds(Reading& in, const Node& node, const Place& place, std::string_view range,
                       Milliseconds& out) {
    const auto border = range.find("..");
    const Milliseconds least = *parse_duration(range.substr(0, border));
    const Milliseconds most = *parse_duration(range.substr(border + 2));
    if (node.is_text()) {
        const bool is_bare = parse_integer(node.text).has_value();
        const auto value = parse_duration(is_bare ? node.text + "ms" : node.text);
        if (value && *value >= least && *value <= most) {
            out = *value;
            return true;
        }
    }
    in.report().error(place.line,
                      place.name() +
                          (node.is_text() ? " is " + matchers::quoted(node.text) + ": "
                                          : ": found " + std::string(node.what()) + ", ") +
                          "expected milliseconds or a duration such as 250ms or 2s within " +
                          std::string(range));
    return false;
}

}  // namespace steer::config
