// A plugin that another one uses: by its tag, or written where it is used, as arguments of its type.
#pragma once

#include <optional>
#include <string_view>

#include "control/config/plugin_type.h"

namespace steer::config {

struct TagOrArgs {
    const Node* node = nullptr;  // nullptr: it is not written
    int line = 0;
};

// The key of a row: nothing is read yet, because a plugin's tag is known to use_plugin() only.
template <auto Member, class T>
void keep_node(Reading&, const Node& node, const Place& place, T& out) {
    out.*Member = {&node, place.line};
}

// The plugin of this type that `what` names, or a new one called `TAG OF USER.TYPE`. Nothing: it is
// not written, or is an error, which was reported.
std::optional<PluginIndex> use_plugin(Reading& in, const TagOrArgs& what,
                                      std::string_view type_name, const Plugin& user);

}  // namespace steer::config
