// ecs_handler (inline also `ecs`, as in mosdns): the client subnet for upstreams (RFC 7871).

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// "IP" or "IP/LENGTH". False: invalid.
bool take_preset(std::string_view text, EcsHandler& out) {
    const auto slash = text.find('/');
    const auto ip = IpAddress::parse(text.substr(0, slash));
    if (!ip) return false;
    out.preset = *ip;
    out.preset_mask.reset();
    if (slash == std::string_view::npos) return true;
    const auto length = parse_integer(text.substr(slash + 1));
    if (!length || *length > (ip->is_v4() ? 32U : 128U)) return false;
    out.preset_mask = static_cast<std::uint32_t>(*length);
    return true;
}

void bad_preset(Reading& in, int line, const std::string& owner, std::string_view text) {
    in.report().error(line, owner + ": " + matchers::quoted(text) +
                                " is not an address for 'preset': expected one such as "
                                "'192.0.2.1', '192.0.2.0/24' or '2001:db8::/48'");
}

void read_preset(Reading& in, const Node& node, const Place& place, EcsHandler& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    if (!take_preset(trimmed(text), out)) bad_preset(in, place.line, place.name(), text);
}

constexpr std::array<Row<EcsHandler>, 5> kEcsHandlerRows{{
    {"forward", &EcsHandler::forward, "false", "",
     "forward the client's own subnet option; otherwise it is removed\nThe subnet returns to the "
     "client with the scope of the answer."},
    {"send", &EcsHandler::send, "false", "",
     "send the client's address, truncated to `mask4` or `mask6` bits\nIt applies if no other "
     "subnet is sent. Addresses in special ranges (private, loopback and so on) are never sent. "
     "Clients that sent the prefix length 0 are exempt."},
    {"preset", Own<EcsHandler>{"`IP` or `IP/LENGTH`", read_preset}, "none", "",
     "fixed subnet for queries without a forwarded one\nIt is part of the key of every cache that "
     "follows."},
    {"mask4", &EcsHandler::mask4, "24", "0..32", "prefix length sent for IPv4 addresses"},
    {"mask6", &EcsHandler::mask6, "48", "0..128", "prefix length sent for IPv6 addresses"},
}};

void finish_ecs_handler(Reading& in, const EcsHandler& args, int line, Plugin& plugin) {
    if (args.send && args.preset) {
        in.report().warn(
            line, owner_of(plugin) + " has 'preset', so 'send' has no effect: remove one of them");
    }
    plugin.args = args;
}

// ecs_handler [IP[/LENGTH]]; mosdns: ecs IP[/LENGTH] [IP[/LENGTH]]
void read_ecs_handler_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    EcsHandler args;
    const auto all = split_words(words);
    if (!all.empty() && !take_preset(all[0], args)) {
        bad_preset(in, line, owner_of(plugin), all[0]);
    } else if (all.size() == 2 && IpAddress::parse(all[1].substr(0, all[1].find('/')))) {
        in.report().warn(line, owner_of(plugin) + ": the second address, " +
                                   matchers::quoted(all[1]) +
                                   ", is ignored (also in mosdns): remove it");
    } else if (all.size() > 1) {
        in.report().error(line, owner_of(plugin) + ": unexpected " + matchers::quoted(all[1]) +
                                    " after the address; define an ecs_handler under 'plugins' "
                                    "for more settings");
    }
    finish_ecs_handler(in, args, line, plugin);
}

void read_ecs_handler(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_ecs_handler_quick(in, node->text, node->line, plugin);
    EcsHandler args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kEcsHandlerRows, owner_of(plugin), args);
    finish_ecs_handler(in, args, plugin.line, plugin);
}

}  // namespace

const PluginType kEcsHandlerType{
    "ecs_handler",
    Role::executor,
    "Sets the client subnet (RFC 7871) that the rest of its sequence sends to upstreams. It wraps "
    "the rest of its sequence and applies to queries of class IN. An outer `ecs_handler` that has "
    "set a subnet takes precedence.\n\nThe subnet is returned to the client only if the client "
    "sent it. Caches after it use it with `ecs_in_key`. Caches before it do not store answers made "
    "for a client's address.",
    "ecs_handler [IP[/LENGTH]]",
    "",
    [] { return row_texts(kEcsHandlerRows); },
    read_ecs_handler,
    read_ecs_handler_quick};
const PluginType kEcsType{"ecs",
                          Role::executor,
                          "Same as `ecs_handler`.",
                          "ecs IP[/LENGTH]",
                          "",
                          [] { return row_texts(kEcsHandlerRows); },
                          read_ecs_handler,
                          read_ecs_handler_quick};

}  // namespace steer::config
