// debug_print and query_summary: write a log line about a query.
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::array<Row<DebugPrint>, 1> kDebugRows{{
    {"msg", &DebugPrint::msg, "(empty)", "", "title of the line"},
}};
constexpr std::array<Row<QuerySummary>, 1> kSummaryRows{{
    {"msg", &QuerySummary::msg, "query summary", "", "title of the line"},
}};

template <class T, const auto& Rows>
void read_print(Reading& in, const Node* node, Plugin& plugin) {
    T args;
    if (node != nullptr && node->is_text()) {  // the quick form's text as `args`
        args.msg = node->text;
    } else {
        Node empty;
        read_rows(in, args_or_empty(node, plugin, empty), Rows, owner_of(plugin), args);
    }
    plugin.args = std::move(args);
}

template <class T>
void read_print_quick(Reading& /*in*/, std::string_view words, int /*line*/, Plugin& plugin) {
    T args;
    if (!words.empty()) args.msg = words;
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kDebugPrintType{"debug_print",
                                 Role::executor,
                                 "Logs the query and the current response.",
                                 "debug_print TEXT",
                                 "",
                                 [] { return row_texts(kDebugRows); },
                                 read_print<DebugPrint, kDebugRows>,
                                 read_print_quick<DebugPrint>};
const PluginType kQuerySummaryType{"query_summary",
                                   Role::executor,
                                   "Logs one line per query after the rest of its sequence: title, "
                                   "name, type, client, rcode and time.",
                                   "query_summary TEXT",
                                   "",
                                   [] { return row_texts(kSummaryRows); },
                                   read_print<QuerySummary, kSummaryRows>,
                                   read_print_quick<QuerySummary>};

}  // namespace steer::config
