#include "control/config/plugins/tag_or_args.h"

#include <string>
#include <utility>

namespace steer::config {

std::optional<PluginIndex> use_plugin(Reading& in, const TagOrArgs& what,
                                      std::string_view type_name, const Plugin& user) {
    if (what.node == nullptr) return std::nullopt;
    const PluginType* const type = find_type(type_name);
    if (!what.node->is_text()) {
        Plugin own;
        own.tag = user.tag + "." + std::string(type_name);
        own.type = type->name;
        own.role = type->role;
        own.line = what.line;
        type->read(in, what.node, own);
        return in.add_in_place(std::move(own));
    }
    const std::string owner = owner_of(user);
    const Place place{type_name, owner, what.line};
    const std::string_view tag =
        std::string_view(what.node->text).substr(what.node->text.starts_with('$') ? 1 : 0);
    const auto* const known = in.find_tag(tag);
    if (known != nullptr && known->type != type_name) {
        in.report().error(what.line, "'" + std::string(tag) + "' in " + place.name() + " is a " +
                                         known->type + ": expected a " + std::string(type_name));
        return std::nullopt;
    }
    return in.refer(tag, Wanted::executor, what.line);
}

}  // namespace steer::config
