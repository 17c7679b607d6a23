// reverse_lookup: remembers which name each address was told for.
#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::array<Row<ReverseLookup>, 3> kReverseLookupRows{{
    {"size", &ReverseLookup::size, "65535", "1..1048576",
     "addresses that are remembered; about 288 bytes each"},
    {"ttl", &ReverseLookup::ttl_s, "7200", "1..604800",
     "seconds that an address is remembered at most; no record of an answer with addresses leaves "
     "with more"},
    {"handle_ptr", &ReverseLookup::handle_ptr, "false", "",
     "answers PTR questions about them, with a TTL of 5; the rest of its sequence is not run then"},
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
    "Remembers for which name an address was last answered; wraps the rest of its sequence. "
    "`steerctl reverse IP` asks it, over reloads too.",
    "",
    "",
    [] { return row_texts(kReverseLookupRows); },
    read_reverse_lookup,
    nullptr};

}  // namespace steer::config
