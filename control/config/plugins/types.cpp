// The list of all plugin types.
#include <algorithm>
#include <array>

#include "control/config/plugin_type.h"
#include "control/config/text/suggestion.h"

namespace steer::config {
namespace {

#define STEER_TYPE_AT(name) &k##name##Type,
constexpr std::array kTypes{STEER_PLUGIN_TYPES(STEER_TYPE_AT)};
#undef STEER_TYPE_AT

}  // namespace

std::span<const PluginType* const> plugin_types() {
    return kTypes;
}

const PluginType* find_type(std::string_view name) {
    const auto* at = std::find_if(kTypes.begin(), kTypes.end(),
                                  [name](const PluginType* t) { return t->name == name; });
    return at == kTypes.end() ? nullptr : *at;
}

std::string names_of(Sink sink, std::string_view quote) {
    std::string out;
    for (const PluginType* type : kTypes) {
        if (type->extras.sink != sink) continue;
        out.append(out.empty() ? "" : ", ").append(quote).append(type->name).append(quote);
    }
    return out;
}

std::string did_you_mean_type(std::string_view written) {
    std::vector<std::string_view> names;
    names.reserve(kTypes.size());
    for (const PluginType* type : kTypes)
        names.push_back(type->name);
    return suggestion(NameOf::plugin_type, written, {}, names);
}

std::string owner_of(const Plugin& plugin) {
    return std::string(plugin.type) + " '" + plugin.tag + "'";
}

void warn_without(Reading& in, const Node& args, const Plugin& plugin,
                  std::initializer_list<std::string_view> keys, std::string_view consequence) {
    std::string missing;
    for (const std::string_view key : keys) {
        if (args.find(key) != nullptr) return;
        missing.append(missing.empty() ? " has neither '" : " nor '").append(key).append("'");
    }
    in.report().warn(plugin.line, owner_of(plugin) + missing + ": " + std::string(consequence));
}

void read_short_circuit(Reading& in, std::string_view word, const Place& place, bool& out) {
    if (word == "short_circuit") {
        out = true;
        return;
    }
    Node value;
    value.kind = Node::Kind::text;
    value.text = word.substr(std::min(word.size(), std::string_view("short_circuit=").size()));
    read_value(in, value, place, {}, out);
}

const Node& args_or_empty(const Node* args, const Plugin& plugin, Node& empty) {
    if (args != nullptr && !args->is_null()) return *args;
    empty.kind = Node::Kind::map;
    empty.line = plugin.line;
    return empty;
}

}  // namespace steer::config
