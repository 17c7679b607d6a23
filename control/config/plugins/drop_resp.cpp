// drop_resp: removes the response.
#include "control/config/plugin_type.h"
#include "control/config/plugins/words.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

void read_drop_resp_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    if (!words.empty())
        in.report().error(line, owner_of(plugin) + " takes no arguments: remove them");
    plugin.args = DropResp{};
}

void read_drop_resp(Reading& in, const Node* args, Plugin& plugin) {
    const bool none =
        args == nullptr || args->is_null() || (args->is_map() && args->entries.empty());
    read_drop_resp_quick(in, none ? "" : "some", args == nullptr ? plugin.line : args->line,
                         plugin);
}

}  // namespace

const PluginType kDropRespType{"drop_resp",
                               Role::executor,
                               "Removes the current response. The query continues without one.",
                               "drop_resp",
                               "none",
                               no_rows,
                               read_drop_resp,
                               read_drop_resp_quick};

}  // namespace steer::config
