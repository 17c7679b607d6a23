// fallback: a second executor for queries that the first one fails to answer or answers late.
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

constexpr std::array<Row<Fallback>, 8> kFallbackRows{{
    {"primary", Own<Fallback>{"tag of an executor", read_tag<&Fallback::primary>}, "required", "",
     "executor that runs first\nAny response counts as success, also NXDOMAIN and SERVFAIL."},
    {"secondary", Own<Fallback>{"tag of an executor", read_tag<&Fallback::secondary>}, "required",
     "",
     "executor that runs if the primary fails or is late\nA primary fails if it ends without a "
     "response or with an error. A cached failure counts as well."},
    {"threshold", Own<Fallback>{"milliseconds or duration", read_threshold}, "500", "0ms..1m",
     "time after which the primary is late; then the first response wins\n`0` means 500 ms."},
    {"always_standby", &Fallback::always_standby, "false", "",
     "start the secondary at once and keep its response until the primary fails or is late"},
    {"fallback_on_timeout", &Fallback::on_timeout, "true", "",
     "use the secondary if the primary is late\nIf `false`, a late primary is waited for."},
    {"fallback_on_error", &Fallback::on_error, "true", "",
     "use the secondary if the primary ends with an error\nIf `false`, the query then gets "
     "SERVFAIL, unless the primary was late before."},
    {"fallback_on_no_response", &Fallback::on_no_response, "true", "",
     "use the secondary if the primary ends without a response\nIf `false`, the query then "
     "continues without a response, unless the primary was late before."},
    {"short_circuit", &Fallback::short_circuit, "false", "", "a response ends the whole program"},
}};

void read_fallback(Reading& in, const Node* node, Plugin& plugin) {
    Fallback args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kFallbackRows, owner_of(plugin), args);
    if (!args.on_timeout && !args.on_error && !args.on_no_response) {
        in.report().warn(plugin.line, owner_of(plugin) +
                                          " never uses its secondary: set fallback_on_timeout, "
                                          "fallback_on_error or fallback_on_no_response to true");
    }
    plugin.args = args;
}

}  // namespace

const PluginType kFallbackType{
    "fallback",
    Role::executor,
    "Runs one executor, and a second one if the first fails or is late. Inside each of them, "
    "`accept`, `reject` and `return` end only that executor, and `drop` ends the query. If both "
    "fail, the query gets SERVFAIL after an error; otherwise it continues without a response.",
    "",
    "",
    [] { return row_texts(kFallbackRows); },
    read_fallback,
    nullptr};

}  // namespace steer::config
