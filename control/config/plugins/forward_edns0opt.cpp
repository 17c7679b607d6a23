// forward_edns0opt: options of the client's OPT that are sent to the upstream, and options of its
// reply that are sent to the client.
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint16_t kSubnet = 8, kCookie = 10, kKeepalive = 11, kPadding = 12;

struct ForwardEdns0optArgs {
    std::vector<std::uint16_t> codes;
};

void add_code(Reading& in, std::string_view text, const std::string& where, int line,
              ForwardEdns0optArgs& out) {
    const auto code = parse_integer(text);
    const auto refuse = [&](const std::string& why) {
        in.report().error(line, where + ": " + matchers::quoted(text) + " " + why);
    };
    if (!code || *code == 0 || *code >= UINT16_MAX)
        return refuse("is not an option code: expected a number, 1..65534");
    if (*code == kSubnet)
        return refuse("is the client subnet: use 'ecs_handler' with 'forward: true'");
    if (*code == kKeepalive) {
        return refuse("is the keepalive of one TCP connection (RFC 7828): remove it");
    }
    if (*code == kCookie) {
        in.report().warn(line, where +
                                   ": option 10 is a cookie between one client and one server (RFC "
                                   "7873 5): remove it");
    }
    if (*code == kPadding) {
        in.report().warn(line,
                         where + ": option 12 is the padding of one message (RFC 7830): remove it");
    }
    out.codes.push_back(static_cast<std::uint16_t>(*code));
}

void read_codes(Reading& in, const Node& node, const Place& place, ForwardEdns0optArgs& out) {
    for (const Text& text : read_texts(in, node, place))
        add_code(in, trimmed(text.value), place.name(), text.line, out);
}

constexpr std::array<Row<ForwardEdns0optArgs>, 1> kForwardEdns0optRows{{
    {"codes", Own<ForwardEdns0optArgs>{"list of numbers", read_codes}, "required", "1..65534",
     "option codes; not 8 (client subnet: use `ecs_handler`) and not 11 (TCP keepalive)"},
}};

void finish_forward_edns0opt(ForwardEdns0optArgs args, Plugin& plugin) {
    std::sort(args.codes.begin(), args.codes.end());
    args.codes.erase(std::unique(args.codes.begin(), args.codes.end()), args.codes.end());
    plugin.args = ForwardOptions{std::move(args.codes)};
}

void no_codes(Reading& in, int line, const Plugin& plugin) {
    in.report().error(line, owner_of(plugin) +
                                " names no option: write codes, as in 'forward_edns0opt 15,65001'");
}

// forward_edns0opt CODE[,CODE...]
void read_forward_edns0opt_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    ForwardEdns0optArgs args;
    const auto all = split_words(words);
    for (const auto word : all)
        add_code(in, word, owner_of(plugin), line, args);
    if (all.empty()) no_codes(in, line, plugin);
    finish_forward_edns0opt(std::move(args), plugin);
}

void read_forward_edns0opt(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_forward_edns0opt_quick(in, node->text, node->line, plugin);
    ForwardEdns0optArgs args;
    Node empty;
    const std::size_t before = in.report().error_count();
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kForwardEdns0optRows, owner_of(plugin), args);
    if (args.codes.empty() && in.report().error_count() == before)
        no_codes(in, plugin.line, plugin);
    finish_forward_edns0opt(std::move(args), plugin);
}

}  // namespace

const PluginType kForwardEdns0optType{
    "forward_edns0opt",
    Role::executor,
    "Forwards EDNS options of the client's query to the upstream, and options of the reply to "
    "clients that use EDNS. It wraps the rest of its sequence. A cache stores answers without "
    "options.\n\nName and options together may have 255 bytes. Options that do not fit are left "
    "out and counted (`options_too_long`).",
    "forward_edns0opt CODE[,CODE...]",
    "",
    [] { return row_texts(kForwardEdns0optRows); },
    read_forward_edns0opt,
    read_forward_edns0opt_quick};

}  // namespace steer::config
