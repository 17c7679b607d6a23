// `routers:`: RouterOS routers by name, shared by any number of lists.
#include <algorithm>

#include "control/config/router_access.h"
#include "control/config/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<Row<RouterAccess>, 2> kLaterRows{{
    {"serves", NotYet{}, "", "", "clients whose connections it routes"},
    {"repair_connections", NotYet{}, "false", "",
     "connections that started before their row are cut"},
}};

constexpr auto kRows = [] {
    constexpr auto kAccess = router_access_rows<RouterAccess>("required");
    std::array<Row<RouterAccess>, kAccess.size() + kLaterRows.size()> out{};
    std::copy(kAccess.begin(), kAccess.end(), out.begin());
    std::copy(kLaterRows.begin(), kLaterRows.end(), out.begin() + kAccess.size());
    return out;
}();

}  // namespace

void read_routers(Reading& in, const Node& node, int line) {
    if (!node.is_map()) {
        in.report().error(line, "'routers': expected a map of names to routers, found " +
                                    std::string(node.what()));
        return;
    }
    for (const Entry& entry : node.entries) {
        if (!is_printable_word(entry.key)) {
            in.report().error(entry.line,
                              "the name " + matchers::quoted(entry.key) +
                                  " of a router: write it without blanks and control characters");
            continue;
        }
        const std::string owner = "router '" + entry.key + "'";
        RouterAccess access;
        if (!read_rows(in, entry.value, kRows, owner, access)) continue;
        const Node* address = entry.value.find("address");
        auto router =
            finish_router(in, access, owner, address == nullptr ? entry.line : address->line);
        // A router that is wrong is known all the same, so that its uses are not wrong as well.
        if (!router) router.emplace();
        router->name = entry.key;
        router->line = entry.line;
        in.settings().routers.push_back(std::move(*router));
    }
}

std::vector<RowText> router_row_texts() {
    return row_texts(kRows);
}

}  // namespace steer::config
