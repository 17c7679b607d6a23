// Matchers without arguments: has_resp, has_wanted_ans, _true, _false.
#include "control/config/plugin_type.h"
#include "control/config/plugins/words.h"

namespace steer::config {
namespace {

void refuse_words(Reading& in, std::string_view words, int line, const Plugin& plugin) {
    if (!words.empty())
        in.report().error(line, owner_of(plugin) + " takes no arguments: remove them");
}

void refuse_args(Reading& in, const Node* args, const Plugin& plugin) {
    if (args == nullptr || args->is_null() || (args->is_list() && args->items.empty()) ||
        (args->is_map() && args->entries.empty())) {
        return;
    }
    in.report().error(args->line, owner_of(plugin) + " takes no arguments: remove 'args'");
}

template <class T, bool... Value>
void read_has_resp(Reading& in, const Node* args, Plugin& plugin) {
    refuse_args(in, args, plugin);
    plugin.args = T{Value...};
}
template <class T, bool... Value>
void read_has_resp_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    refuse_words(in, words, line, plugin);
    plugin.args = T{Value...};
}

}  // namespace

const PluginType kHasRespType{"has_resp",
                              Role::matcher,
                              "Matches if there is a response already.",
                              "has_resp",
                              "none",
                              no_rows,
                              read_has_resp<HasResp>,
                              read_has_resp_quick<HasResp>};
const PluginType kHasWantedAnsType{
    "has_wanted_ans",
    Role::matcher,
    "Matches if there is a response that contains a record of the query's type.",
    "has_wanted_ans",
    "none",
    no_rows,
    read_has_resp<HasWantedAnswer>,
    read_has_resp_quick<HasWantedAnswer>};
const PluginType kTrueType{"_true",
                           Role::matcher,
                           "Always matches.",
                           "_true",
                           "none",
                           no_rows,
                           read_has_resp<Constant, true>,
                           read_has_resp_quick<Constant, true>};
const PluginType kFalseType{"_false",
                            Role::matcher,
                            "Never matches.",
                            "_false",
                            "none",
                            no_rows,
                            read_has_resp<Constant, false>,
                            read_has_resp_quick<Constant, false>};

}  // namespace steer::config
