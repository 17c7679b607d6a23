// `routers:`: RouterOS routers by name, shared by any number of lists.
#include <utility>

#include "control/config/sections/router_access.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct RouterArgs : RouterAccess {
    std::vector<matchers::Prefix> serves;
};

void read_serves(Reading& in, const Node& node, const Place& place, RouterArgs& out) {
    out.serves = read_prefixes(in, node, place);
}

constexpr std::array<Row<RouterArgs>, 1> kOwnRows{{
    {"serves", Own<RouterArgs>{"list of prefixes", read_serves}, "none", "",
     "clients whose traffic the router routes\nIt matters for lists with several routers. An "
     "answer then waits only for the routers that serve its client, and its addresses are written "
     "only to them. Without `serves` a router serves all clients. Clients without a router, and "
     "`trusted_forwarders`, count as served by every router of the list."},
}};

constexpr auto kRouterRows = joined(router_access_rows<RouterArgs>("required"), kOwnRows);

}  // namespace

void read_routers(Reading& in, const Node& node, int line) {
    if (!node.is_map()) {
        in.report().error(line, "'routers': expected a map of names to routers, found " +
                                    std::string(node.what()));
        return;
    }
    for (const Entry& entry : node.entries) {
        if (!is_printable_word(entry.key)) {
            in.report().error(entry.line, "the name " + matchers::quoted(entry.key) +
                                              " of a router: remove blanks and control characters");
            continue;
        }
        const std::string owner = "router '" + entry.key + "'";
        RouterArgs access;
        if (!read_rows(in, entry.value, kRouterRows, owner, access)) continue;
        const Node* address = entry.value.find("address");
        auto router =
            finish_router(in, access, owner, address == nullptr ? entry.line : address->line);
        // A router with errors is still registered, so that its uses give no further errors.
        if (!router) router.emplace();
        router->name = entry.key;
        router->line = entry.line;
        router->serves = std::move(access.serves);
        in.settings().routers.push_back(std::move(*router));
    }
}

std::vector<RowText> router_row_texts() {
    return row_texts(kRouterRows);
}

}  // namespace steer::config
