// reverse_lookup: stores for each address the name whose answer contained it.
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::array<Row<ReverseLookup>, 3> kReverseLookupRows{{
    {"size", &ReverseLookup::size, "65535", "1..1048576",
     "maximum addresses to remember; each takes about 288 bytes"},
    {"ttl", &ReverseLookup::ttl_s, "7200", "1..604800",
     "maximum seconds to remember an address; the TTLs of answers are limited to it"},
    {"handle_ptr", &ReverseLookup::handle_ptr, "false", "",
     "answer PTR queries for remembered addresses, with a TTL of 5 s, without running the rest of "
     "the sequence"},
}};

void read_reverse_lookup(Reading& in, const Node* node, Plugin& plugin) {
    ReverseLookup args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kReverseLookupRows, owner_of(plugin), args);
    plugin.args = args;
}

}  // namespace

const PluginType kReverseLookupType{
    "reverse_lookup",
    Role::executor,
    "Remembers the name for which each address was last answered. It wraps the rest of its "
    "sequence. `steerctl reverse IP` shows the name. Reloads keep the memory.",
    "",
    "",
    [] { return row_texts(kReverseLookupRows); },
    read_reverse_lookup,
    nullptr};

}  // namespace steer::config
