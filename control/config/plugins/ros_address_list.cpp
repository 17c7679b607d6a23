// ros_address_list: writes the addresses of answers into address lists of RouterOS routers.
#include <array>
#include <ostream>

#include "control/config/plugins/router_rows.h"
#include "control/config/plugins/share_rows.h"

namespace steer::config {
namespace {

struct AddressListArgs : RouterRowsArgs {
    std::string address_list4, address_list6;
};

constexpr std::array<Row<AddressListArgs>, 3> kListRows{{
    {"address_list4", &AddressListArgs::address_list4, "none", "",
     "address list for IPv4; it or `address_list6` is required"},
    {"address_list6", &AddressListArgs::address_list6, "none", "", "address list for IPv6"},
    {"comment_prefix", &AddressListArgs::comment_prefix, "fdns", "",
     "prefix of the comment of every row that steerdnsd writes"},
}};
constexpr std::array<Row<AddressListArgs>, 1> kListLifeRows{{
    {"fixed_ttl", &AddressListArgs::fixed_ttl, "none", "0s..245d",
     "fixed lifetime of all rows; 0: rows without a timeout\nIt must be longer than `extra_time`, "
     "or 0."},
}};
constexpr std::array<Row<AddressListArgs>, 1> kListSlackRows{{
    {"renew_slack", &AddressListArgs::renew_slack, "10m", "0s..1d",
     "maximum lifetime added to a renewed row, which saves renewals"},
}};
constexpr std::array<Row<AddressListArgs>, 2> kListBoundRows{{
    {"missing_family", choice<AddressListArgs, &AddressListArgs::missing_family>(), "answer",
     "answer|nodata",
     "answer for a family without an address list\nThe family is IPv6 without `address_list6`, or "
     "IPv4 without `address_list4`. With `nodata`, HTTPS and SVCB records also lose the hints of "
     "that family."},
    {"max_rows", &AddressListArgs::max_rows, "50000", "1..4000000",
     "maximum rows of this plugin on one router\nWith `serves`, each group of clients has its own "
     "count. See `memory` of `dataplane`."},
}};
constexpr std::array<Row<AddressListArgs>, 1> kListWriterRows{{
    {"multi_writer", &AddressListArgs::multi_writer, "false", "",
     "several instances write this list\nAll rows then get the same constant lifetime, and rows "
     "without a timeout are not removed."},
}};
constexpr std::array<Row<AddressListArgs>, 1> kListCleanupRows{{
    {"cleanup_on_shutdown", &AddressListArgs::cleanup_on_shutdown, "false", "",
     "remove this instance's rows at shutdown"},
}};
constexpr auto kRosAddressListRows = in_order(
    router_access_rows<AddressListArgs>("none"), router_name_rows<AddressListArgs>(), kListRows,
    row_life_rows<AddressListArgs>(), kListLifeRows, row_persistence_rows<AddressListArgs>(),
    kListSlackRows, row_wait_rows<AddressListArgs>(), kListBoundRows,
    row_answer_rows<AddressListArgs>(), share_rows<AddressListArgs>(), kListWriterRows,
    row_manual_rows<AddressListArgs>(), kListCleanupRows, shared_address_rows<AddressListArgs>());

constexpr std::array<std::string_view, 2> kListTexts{"address_list4", "address_list6"};
constexpr RouterRowsText kListText{
    .what = "list", .key4 = "address_list4", .key6 = "address_list6", .texts = kListTexts};

void read_ros_address_list(Reading& in, const Node* node, Plugin& plugin) {
    AddressListArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const bool is_map = read_rows(in, map, kRosAddressListRows, owner_of(plugin), args);
    args.groups = {args.address_list4, args.address_list6};
    if (is_map) check_router_rows(in, map, plugin, kListText, args);
    plugin.args = static_cast<RouterRows&&>(args);
}

constexpr std::string_view kLists =
    R"(**Lifetimes**: t is the TTL of the record, m is `min_ttl`, M is `max_ttl`, x is `extra_time` and F
is `fixed_ttl`.

| | TTL of the answer | lifetime of the row |
|---|---|---|
| normally | min(t, M - x) | max(clamp(t, m, M), TTL of the answer + x) |
| with `fixed_ttl` | min(t, F - x) | F |
| with `fixed_ttl: 0` | t | no timeout |

**Comments**: rows of steerdnsd have the comment `PREFIX;pg=TAG;kind=D;dm=NAME`, as in ForgeDNS.
Persistent rows have `kind=P`. Rows with other comments are never changed.

**Differences to ForgeDNS**: `cleanup_on_shutdown` is false by default. With `async: false`, an
answer waits at most `sync_timeout` instead of 8 seconds. DNS keeps working while a router is
unreachable.
)";

void write_lists(std::ostream& out) {
    write_persistent(out);
    out << kLists << '\n';
}

}  // namespace

const PluginType kRosAddressListType{
    "ros_address_list",
    Role::executor,
    "Writes the addresses of each answer into an address list of a RouterOS router: A and AAAA "
    "records, and the hints of HTTPS and SVCB. It wraps the rest of its sequence. It needs a "
    "`tag`, which becomes part of the comments of its rows.",
    "",
    "",
    [] { return row_texts(kRosAddressListRows); },
    read_ros_address_list,
    nullptr,
    {.sink = Sink::router, .needs_tag = true, .reference = write_lists}};

}  // namespace steer::config
