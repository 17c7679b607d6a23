// metrics_collector: counts the queries that run the rest of its sequence.
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

void check_metrics_collector_name(Reading& in, const std::string& name, const Place& place) {
    const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
    if (good) return;
    in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                      ": expected letters, digits, '_', '-' and '.'");
}

void read_metrics_collector_name(Reading& in, const Node& node, const Place& place,
                                 MetricsCollector& out) {
    if (read_value(in, node, place, {}, out.name))
        check_metrics_collector_name(in, out.name, place);
}

constexpr std::array<Row<MetricsCollector>, 1> kMetricsCollectorRows{{
    {"name", Own<MetricsCollector>{"text", read_metrics_collector_name}, "(its tag)", "",
     "label `name` of the metrics; collectors with the same name share their counts"},
}};

void read_metrics_collector_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    MetricsCollector args;
    args.name = trimmed(words);
    check_metrics_collector_name(in, args.name, {"name", owner_of(plugin), line});
    plugin.args = std::move(args);
}

void read_metrics_collector(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_metrics_collector_quick(in, node->text, node->line, plugin);
    MetricsCollector args;
    args.name = plugin.tag;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kMetricsCollectorRows, owner_of(plugin),
              args);
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kMetricsCollectorType{
    "metrics_collector",
    Role::executor,
    "Counts the queries that pass through the rest of its sequence, which it wraps: total, failed "
    "(SERVFAIL or no response), in progress, and their duration. The metrics are "
    "`steerdns_collector_*`.",
    "metrics_collector NAME",
    "",
    [] { return row_texts(kMetricsCollectorRows); },
    read_metrics_collector,
    read_metrics_collector_quick};

}  // namespace steer::config
