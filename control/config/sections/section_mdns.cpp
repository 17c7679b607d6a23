// `mdns:`: repeats mDNS messages between interfaces.
#include <algorithm>
#include <array>

#include "control/config/sections/section_rows.h"
#include "control/config/text/service_name.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

void read_interfaces(Reading& in, const Node& node, const Place& place, Mdns& out) {
    for (Text& item : read_texts(in, node, place)) {
        if (!may_name_interface(item.value)) {
            in.report().error(item.line,
                              matchers::quoted(item.value) + " in " + place.name() +
                                  " is not an interface name: expected a name such as eth0.20");
        } else if (std::find(out.interfaces.begin(), out.interfaces.end(), item.value) !=
                   out.interfaces.end()) {
            in.report().error(item.line, matchers::quoted(item.value) + " appears twice in " +
                                             place.name() + ": remove one");
        } else {
            out.interfaces.push_back(std::move(item.value));
        }
    }
}

void read_services(Reading& in, const Node& node, const Place& place, Mdns& out) {
    if (node.is_text() && lowered(node.text) == "all") return;
    const auto items = read_texts(in, node, place);
    for (const Text& item : items) {
        if (auto service = mdns::parse_service(item.value)) {
            out.services.push_back(std::move(*service));
        } else {
            in.report().error(
                item.line,
                matchers::quoted(item.value) + " in " + place.name() +
                    " is not a service name: expected a name such as _ipp._tcp or _osc._udp");
        }
    }
    if (node.is_list() && node.items.empty())
        in.report().error(place.line, place.name() + " is empty: write service names, or all");
}

void read_families(Reading& in, const Node& node, const Place& place, Mdns& out) {
    out.v4 = out.v6 = false;
    for (const Text& item : read_texts(in, node, place)) {
        bool& family = item.value == "6" ? out.v6 : out.v4;
        if (item.value != "4" && item.value != "6") {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected 4 or 6, as in [4, 6]");
        } else if (family) {
            in.report().error(item.line,
                              item.value + " appears twice in " + place.name() + ": remove one");
        }
        family = true;
    }
    if (node.is_list() && node.items.empty())
        in.report().error(place.line, place.name() + " is empty: expected 4, 6 or both");
}

constexpr std::array<Row<Mdns>, 3> kMdnsRows{{
    {"repeat_interfaces", Own<Mdns>{"list of interfaces", read_interfaces}, "none", "",
     "two or more interfaces, as in `[eth0, eth0.20]`\nAn mDNS message that arrives on one "
     "interface is sent on all others. Interfaces may appear and disappear while the daemon runs."},
    {"services", Own<Mdns>{"list of services", read_services}, "all", "",
     "services to repeat, as in `[_airplay._tcp, _ipp._tcp]`\nThe hosts that offer these services "
     "are repeated as well. `all` repeats every message."},
    {"families", Own<Mdns>{"list of 4, 6", read_families}, "(`[4, 6]`)", "",
     "address families to repeat: 4 (224.0.0.251), 6 (ff02::fb)\nEach message is repeated in its "
     "own family."},
}};

}  // namespace

void read_mdns(Reading& in, const Node& node, int line) {
    Mdns& mdns = in.settings().mdns;
    if (!read_rows(in, node, kMdnsRows, "'mdns'", mdns)) return;
    const Node* const interfaces = node.find("repeat_interfaces");
    if (interfaces == nullptr && !node.entries.empty()) {
        in.report().error(line,
                          "'mdns' has no effect without 'repeat_interfaces': write two or more "
                          "interfaces, or remove the section");
    } else if (interfaces != nullptr && interfaces->is_list() && interfaces->items.size() == 1) {
        in.report().error(
            interfaces->line,
            "'repeat_interfaces' of 'mdns' has only one interface: write two or more");
    }
}

std::vector<RowText> mdns_row_texts() {
    return row_texts(kMdnsRows);
}

}  // namespace steer::config
