// sleep: delays the query.
#include "control/config/plugins/milliseconds.h"

namespace steer::config {
namespace {

constexpr std::string_view kRange = "0ms..1m";

void read_duration(Reading& in, const Node& node, const Place& place, Sleep& out) {
    read_milliseconds(in, node, place, kRange, out.duration);
}

constexpr std::array<Row<Sleep>, 1> kSleepRows{{
    {"duration", Own<Sleep>{"milliseconds or duration", read_duration}, "required", kRange,
     "how long the query waits"},
}};

void read_sleep(Reading& in, const Node* node, Plugin& plugin) {
    Sleep args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kSleepRows, owner_of(plugin), args);
    plugin.args = args;
}

void read_sleep_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    Sleep args;
    Node value;
    value.kind = Node::Kind::text;
    value.text = words;
    const std::string owner = owner_of(plugin);
    read_duration(in, value, {"duration", owner, line}, args);
    plugin.args = args;
}

}  // namespace

const PluginType kSleepType{"sleep",
                            Role::executor,
                            "Waits, then continues. A query with a stale answer does not wait.",
                            "sleep DURATION",
                            "",
                            [] { return row_texts(kSleepRows); },
                            read_sleep,
                            read_sleep_quick};

}  // namespace steer::config
