// The description of a plugin type for the rest of the configuration: one constant per type, in the
// type's file, next to its rows. plugin_tables.h lists them.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/reading.h"
#include "control/config/setting.h"
#include "control/config/settings/plugin_tables.h"

namespace steer::config {

// Where a type keeps the addresses of answers.
enum class Sink : std::uint8_t { none, router, kernel, opnsense };

// What few types have.
struct TypeExtras {
    Sink sink = Sink::none;
    bool needs_tag = false;  // its tag is in what it writes elsewhere
    // Writes what stands below its rows in the documentation: keys of maps inside them, explanations.
    void (*reference)(std::ostream& out) = nullptr;
};

struct PluginType {
    std::string_view name;
    Role role;
    std::string_view text;  // what it does, for the documentation
    std::string_view
        quick;  // its form in place ("forward ADDRESS..."); empty: only under `plugins:`
    std::string_view args;  // the content of `args`, if it is not a map of rows
    std::vector<RowText> (*rows)();
    // Reads `args` (nullptr: missing) into plugin.args. plugin.tag, type, role and line are set
    // before.
    void (*read)(Reading& in, const Node* args, Plugin& plugin);
    // Reads the words after the type's name in place.
    void (*read_quick)(Reading& in, std::string_view words, int line, Plugin& plugin);
    TypeExtras extras{};
};

std::span<const PluginType* const> plugin_types();
const PluginType* find_type(std::string_view name);
// "ros_address_list, ros_route": the types of a sink, each between two `quote`s.
std::string names_of(Sink sink, std::string_view quote = {});
// ": did you mean 'forward'?", over all types that are built.
std::string did_you_mean_type(std::string_view written);

// "cache 'main'", for messages.
std::string owner_of(const Plugin& plugin);
// `args` of a type that takes a map: an empty map if it is missing.
const Node& args_or_empty(const Node* args, const Plugin& plugin, Node& empty);

// The entry of a server: the executor that its queries enter.
template <class T>
void read_entry(Reading& in, const Node& node, const Place& place, T& out) {
    std::string tag;
    if (!read_value(in, node, place, {}, tag)) return;
    if (const auto index = in.refer_bare(tag, Wanted::executor, place)) out.entry = *index;
}
template <class T>
void read_listen(Reading& in, const Node& node, const Place& place, T& out) {
    if (const auto endpoint = read_endpoint(in, node, place)) out.listen = *endpoint;
}

// `ready` of a plugin that asks upstreams.
template <class T>
void read_ready(Reading& in, const Node& node, const Place& place, T& out) {
    bool ready = false;
    if (read_value(in, node, place, {}, ready)) out.ready = ready;
}

// Reads a list of texts into a member of `out`.
template <auto Member, class T>
void read_list(Reading& in, const Node& node, const Place& place, T& out) {
    out.*Member = read_texts(in, node, place);
}
// Warns if `args` of a plugin has none of these keys, so that the plugin does nothing, as
// `consequence` says.
void warn_without(Reading& in, const Node& args, const Plugin& plugin,
                  std::initializer_list<std::string_view> keys, std::string_view consequence);

// Reads "short_circuit" or "short_circuit=BOOL" of a plugin in place.
void read_short_circuit(Reading& in, std::string_view word, const Place& place, bool& out);

#define STEER_TYPE_OF(name) extern const PluginType k##name##Type;
STEER_PLUGIN_TYPES(STEER_TYPE_OF)
#undef STEER_TYPE_OF
}  // namespace steer::config
