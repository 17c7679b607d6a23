// fallback: another executor where the first gives no response, or too late.
#include "control/config/plugins/milliseconds.h"

namespace steer::config {
namespace {

constexpr Milliseconds kUsual{500};

template <PluginIndex Fallback::*Member>
void read_tag(Reading& in, const Node& node, const Place& place, Fallback& out) {
    std::string tag;
    if (!read_value(in, node, place, {}, tag)) return;
    if (const auto index = in.refer_bare(tag, Wanted::executor, place)) out.*Member = *index;
}

void read_threshold(Reading& in, const Node& node, const Place& place, Fallback& out) {
    if (!read_milliseconds(in, node, place, "0ms..1m", out.threshold)) return;
    if (out.threshold.count() == 0) out.threshold = kUsual;
}

constexpr std::array<Row<Fallback>, 5> kFallbackRows{{
    {"primary", Own<Fallback>{"tag of an executor", read_tag<&Fallback::primary>}, "required", "",
     "who is asked first; any response of it counts, also NXDOMAIN and SERVFAIL"},
    {"secondary", Own<Fallback>{"tag of an executor", read_tag<&Fallback::secondary>}, "required",
     "",
     "who is asked if it fails or is late; to fail is to end without a response, or with an error: "
     "nobody answered, now or (in a cache) a moment ago"},
    {"threshold", Own<Fallback>{"milliseconds or duration", read_threshold}, "500", "0ms..1m",
     "when the primary is late; then the first response counts. 0: 500"},
    {"always_standby", &Fallback::always_standby, "false", "",
     "the secondary is asked at once, and its response kept until the primary failed or is late"},
    {"short_circuit", &Fallback::short_circuit, "false", "", "a response ends the whole program"},
}};

void read_fallback(Reading& in, const Node* node, Plugin& plugin) {
    Fallback args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kFallbackRows, owner_of(plugin), args);
    plugin.args = args;
}

}  // namespace

const PluginType kFallbackType{
    "fallback",
    Role::executor,
    "Runs one executor, and another if that fails or is late; each as a unit of its own, in which "
    "accept, reject and return end that unit; drop ends the query. If both fail: SERVFAIL if one "
    "had an error, else "
    "the query goes on without a response.",
    "",
    "",
    [] { return row_texts(kFallbackRows); },
    read_fallback,
    nullptr};

}  // namespace steer::config
