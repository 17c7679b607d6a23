// A plugin that another one uses: named by its tag, or written in place as arguments of its type.
#pragma once

#include <optional>
#include <string_view>

#include "control/config/plugin_type.h"

namespace steer::config {

struct TagOrArgs {
    const Node* node = nullptr;  // nullptr: it is missing
    int line = 0;
};

// The key of a row. It reads nothing yet, because only use_plugin() knows the plugin's tag.
template <auto Member, class T>
void keep_node(Reading&, const Node& node, const Place& place, T& out) {
    out.*Member = {&node, place.line};
}

// The plugin of this type that `what` names, or a new one named `TAG OF USER.TYPE`. No value: it is
// missing, or an error was reported.
std::optional<PluginIndex> use_plugin(Reading& in, const TagOrArgs& what,
                                      std::string_view type_name, const Plugin& user);

}  // namespace steer::config
