// ros_address_list and ros_route: write the addresses of answers into address lists or routing tables of RouterOS routers.
#include <algorithm>
#include <ostream>

#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/plugins/on_full.h"
#include "control/config/reference.h"
#include "control/config/sections/claim_prefixes.h"
#include "control/config/sections/router_access.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct RouterRowsArgs : RouterAccess, RouterRows, RouteRows {
    std::string router_name;
    std::vector<Text> router_names;
};

void read_ros_address_list_router_names(Reading& in, const Node& node, const Place& place,
                                        RouterRowsArgs& out) {
    out.router_names = read_texts(in, node, place);
    if (out.router_names.empty()) {
        in.report().error(place.line,
                          place.name() + " is empty: write the names of one or more of 'routers'");
    }
}

// ---- persistent

struct PersistentArgs {
    std::vector<Text> ips, files;
};
template <auto Member>
void read_list(Reading& in, const Node& node, const Place& place, PersistentArgs& out) {
    out.*Member = read_texts(in, node, place);
}
constexpr std::array<Row<PersistentArgs>, 2> kPersistentRows{{
    {"ips", Own<PersistentArgs>{"list of addresses and prefixes", read_list<&PersistentArgs::ips>},
     "none", "", "addresses of the rows"},
    {"files", Own<PersistentArgs>{"list of paths", read_list<&PersistentArgs::files>}, "none", "",
     "files with one address or prefix per line; `#` starts a comment\nInvalid lines are skipped "
     "with a warning."},
}};

void read_persistent(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    const std::string owner = place.name();
    PersistentArgs args;
    read_rows(in, node, kPersistentRows, owner, args);
    for (const Text& ip : args.ips) {
        if (const auto prefix = matchers::Prefix::parse(ip.value)) {
            out.persistent.push_back({*prefix, 0, ip.line});
        } else {
            in.report().error(ip.line, matchers::quoted(ip.value) + " in 'ips' of " + owner +
                                           " is not an address or prefix: expected one such as "
                                           "192.0.2.1 or 2001:db8::/32");
        }
    }
    for (const Text& file : args.files)
        read_prefix_file(in, file, {"files", owner, file.line}, out.persistent);
}

void read_rows_never(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    out.never_claim = read_never_claim(in, node, place);
}

void read_allow_claim(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    out.allow_claim = read_prefixes(in, node, place);
}

template <std::uint32_t RouterRows::*Percent>
void read_row_share(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (percent && *percent >= 1 && *percent <= 100) {
        out.*Percent = static_cast<std::uint32_t>(*percent);
        return;
    }
    in.report().error(place.line, place.name() + found(node) + "expected a percentage, 1%..100%");
}

// ---- rows

// What both types have, in pieces, so that each type's own settings stand beside their neighbours.
constexpr std::array<Row<RouterRowsArgs>, 4> kRouterNameRows{{
    {"router", &RouterRowsArgs::router_name, "none", "",
     "router in `routers`; replaces `address`, `username` and the other access keys"},
    {"routers", Own<RouterRowsArgs>{"list of names", read_ros_address_list_router_names}, "none",
     "", "several routers that all hold this list"},
    {"quorum", choice<RouterRowsArgs, &RouterRowsArgs::quorum>(), "healthy", "healthy|any|all",
     "with several routers and `async: false`: routers that an answer waits for\n`healthy`: all "
     "reachable routers that serve the client. `any`: the first router. `all`: every router; while "
     "one is unreachable, `on_timeout` applies at once. Unreachable routers do not delay answers "
     "unless `quorum: all` is set."},
    {"ready", choice<RouterRowsArgs, &RouterRowsArgs::ready>(), "off", "off|any|all",
     "routers of this list that `/readyz` needs\n`any`: it fails while none of them can be "
     "written. "
     "`all`: it fails while one of them cannot. A lost router counts after 3 s; a pause and the "
     "bypass do not count. Set it only if the other boxes of the service reach the routers by "
     "another way: else all boxes stop being ready at once."},
}};
constexpr std::array<Row<RouterRowsArgs>, 3> kListRows{{
    {"address_list4", &RouterRowsArgs::address_list4, "none", "",
     "address list for IPv4; it or `address_list6` is required"},
    {"address_list6", &RouterRowsArgs::address_list6, "none", "", "address list for IPv6"},
    {"comment_prefix", &RouterRowsArgs::comment_prefix, "fdns", "",
     "prefix of the comment of every row that steerdnsd writes"},
}};
constexpr std::array<Row<RouterRowsArgs>, 6> kRouteRows{{
    {"routing_table", &RouterRowsArgs::routing_table, "required", "",
     "routing table of the routes; it must exist on the router\nGive it to these routes alone, "
     "without a default route."},
    {"gateway4", &RouterRowsArgs::gateway4, "none", "",
     "gateway of the IPv4 routes; it or `gateway6` is required\nAn address, an interface, or "
     "`ADDRESS@TABLE` or `ADDRESS%INTERFACE` as RouterOS writes them."},
    {"gateway6", &RouterRowsArgs::gateway6, "none", "", "gateway of the IPv6 routes"},
    {"distance", &RouterRowsArgs::distance, "100", "1..255", "distance of the routes"},
    {"conntrack_guard", &RouterRowsArgs::conntrack_guard, "false", "",
     "keep a route whose lease has ended while the router tracks a connection to it\nConnection "
     "tracking is read again every 30 s. If it cannot be read, the route stays."},
    {"comment_prefix", &RouterRowsArgs::comment_prefix, "oxi", "",
     "prefix of the comment of every row that steerdnsd writes"},
}};
constexpr std::array<Row<RouterRowsArgs>, 3> kLifeRows{{
    {"async", &RouterRowsArgs::async, "true", "",
     "`false`: an answer waits until its rows are on the router"},
    {"min_ttl", &RouterRowsArgs::min_ttl, "60", "1s..245d", "minimum lifetime of a row"},
    {"max_ttl", &RouterRowsArgs::max_ttl, "3600", "1s..245d", "maximum lifetime of a row"},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kListLifeRows{{
    {"fixed_ttl", &RouterRowsArgs::fixed_ttl, "none", "0s..245d",
     "fixed lifetime of all rows; 0: rows without a timeout\nIt must be longer than `extra_time`, "
     "or 0."},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kRouteLifeRows{{
    {"fixed_ttl", &RouterRowsArgs::fixed_ttl, "none", "0s..245d",
     "fixed lifetime of all routes; 0: routes stay until `cleanup_on_shutdown` or a person removes "
     "them\nIt must be longer than `extra_time`, or 0."},
}};
constexpr std::array<Row<RouterRowsArgs>, 3> kPersistenceRows{{
    {"persistent", Own<RouterRowsArgs>{"map", read_persistent}, "none", "",
     "rows that always exist, see below"},
    {"extra_time", &RouterRowsArgs::extra_time, "30s", "0s..1d",
     "how much longer than the client's TTL a row lives"},
    {"cap_answer_ttl", &RouterRowsArgs::cap_answer_ttl, "true", "",
     "lower the answer's TTL so that no client caches an address longer than the router holds it"},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kListSlackRows{{
    {"renew_slack", &RouterRowsArgs::renew_slack, "10m", "0s..1d",
     "maximum lifetime added to a renewed row, which saves renewals"},
}};
constexpr std::array<Row<RouterRowsArgs>, 5> kWaitRows{{
    {"sync_timeout", &RouterRowsArgs::sync_timeout, "100ms", "1ms..30s",
     "with `async: false`: how long an answer waits at most"},
    {"on_timeout", choice<RouterRowsArgs, &RouterRowsArgs::on_timeout>(), "answer",
     "answer|servfail|drop", "with `async: false`: action when `sync_timeout` expires"},
    on_full_row<RouterRowsArgs>(),
    {"never_claim", Own<RouterRowsArgs>{"list of prefixes", read_rows_never}, kNeverClaimDefault,
     "", kNeverClaimText},
    {"allow_claim", Own<RouterRowsArgs>{"list of prefixes", read_allow_claim}, "none", "",
     kAllowClaimText},
}};
constexpr std::array<Row<RouterRowsArgs>, 2> kListBoundRows{{
    {"missing_family", choice<RouterRowsArgs, &RouterRowsArgs::missing_family>(), "answer",
     "answer|nodata",
     "answer for a family without an address list\nThe family is IPv6 without `address_list6`, or "
     "IPv4 without `address_list4`. With `nodata`, HTTPS and SVCB records also lose the hints of "
     "that family."},
    {"max_rows", &RouterRowsArgs::max_rows, "50000", "1..1000000",
     "maximum rows of this plugin on one router\nWith `serves`, each group of clients has its own "
     "count."},
}};
constexpr std::array<Row<RouterRowsArgs>, 2> kRouteBoundRows{{
    {"missing_family", choice<RouterRowsArgs, &RouterRowsArgs::missing_family>(), "answer",
     "answer|nodata",
     "answer for a family without a gateway\nThe family is IPv6 without `gateway6`, or "
     "IPv4 without `gateway4`. With `nodata`, HTTPS and SVCB records also lose the hints of "
     "that family."},
    {"max_rows", &RouterRowsArgs::max_rows, "10000", "1..1000000",
     "maximum routes of this plugin on one router\nWith `serves`, each group of clients has its "
     "own "
     "count."},
}};
constexpr std::array<Row<RouterRowsArgs>, 4> kShareRows{{
    {"max_addresses", &RouterRowsArgs::max_addresses, "32", "1..4096",
     "maximum addresses of one answer\nFurther addresses are removed from the answer and get no "
     "row."},
    {"max_per_name", Own<RouterRowsArgs>{"percentage", read_row_share<&RouterRows::name_percent>},
     "5%", "1%..100%", "share of `max_rows` that one name may use; at least 64 rows"},
    {"max_per_suffix",
     Own<RouterRowsArgs>{"percentage", read_row_share<&RouterRows::suffix_percent>}, "25%",
     "1%..100%",
     "share of `max_rows` that one registrable domain may use\nNames one label below may use half "
     "of that share, names two labels below a quarter. Both may use `max_per_name`. All domains of "
     "a private suffix, such as `github.io`, may use 50% together. `100%` switches these shares "
     "off. In a full list, "
     "a new claim replaces another. The replaced claim belongs to the name, domain or client that "
     "uses the most of its share."},
    {"max_per_client",
     Own<RouterRowsArgs>{"percentage", read_row_share<&RouterRows::client_percent>}, "25%",
     "1%..100%",
     "share of `max_rows` that one client may use (an IPv4 address or an IPv6 "
     "/64)\n`trusted_forwarders` are exempt."},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kWriterRows{{
    {"multi_writer", &RouterRowsArgs::multi_writer, "false", "",
     "several instances write this list\nAll rows then get the same constant lifetime, and rows "
     "without a timeout are not removed."},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kManualRows{{
    {"on_manual_change", choice<RouterRowsArgs, &RouterRowsArgs::on_manual_change>(), "repair",
     "repair|respect",
     "action when a person removes, disables or changes a row of steerdnsd\n`repair` writes the "
     "row again, or enables it. `respect` leaves it until no client uses the address any "
     "more; a disabled row counts as missing."},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kListCleanupRows{{
    {"cleanup_on_shutdown", &RouterRowsArgs::cleanup_on_shutdown, "false", "",
     "remove this instance's rows at shutdown"},
}};
constexpr std::array<Row<RouterRowsArgs>, 1> kRouteCleanupRows{{
    {"cleanup_on_shutdown", &RouterRowsArgs::cleanup_on_shutdown, "false", "",
     "remove the routes of this tag at shutdown\nThey are removed at once, also with "
     "`conntrack_guard`."},
}};
constexpr std::array<Row<RouterRowsArgs>, 2> kSharedRows{{
    {"shared", choice<RouterRowsArgs, &RouterRowsArgs::shared>(), "keep", "keep|skip|report",
     "action for addresses that names outside the list also use (CDNs)\n`keep` keeps the row. "
     "`report` keeps it and shows it in `steerctl routers shared`. `skip` stops claiming the "
     "address while it is shared."},
    {"shared_above", &RouterRowsArgs::shared_above, "3", "1..16",
     "with `skip` and `report`: number of other names from which an address is shared\nIt stops "
     "being shared below half this number. A name counts fully for 10 minutes after an answer with "
     "the address, half for the next 10, and a quarter for 10 more."},
}};

template <std::size_t A, std::size_t... Rest>
constexpr auto in_order(const std::array<Row<RouterRowsArgs>, A>& first,
                        const std::array<Row<RouterRowsArgs>, Rest>&... rest) {
    if constexpr (sizeof...(rest) == 0) {
        return first;
    } else {
        return joined(first, in_order(rest...));
    }
}
constexpr auto kRosAddressListRows =
    in_order(router_access_rows<RouterRowsArgs>("none"), kRouterNameRows, kListRows, kLifeRows,
             kListLifeRows, kPersistenceRows, kListSlackRows, kWaitRows, kListBoundRows, kShareRows,
             kWriterRows, kManualRows, kListCleanupRows, kSharedRows);
constexpr auto kRosRouteRows =
    in_order(router_access_rows<RouterRowsArgs>("none"), kRouterNameRows, kRouteRows, kLifeRows,
             kRouteLifeRows, kPersistenceRows, kWaitRows, kRouteBoundRows, kShareRows, kManualRows,
             kRouteCleanupRows, kSharedRows);

// ---- what rows alone cannot say

class Check {
  public:
    Check(Reading& in, const Node& map, const Plugin& plugin)
        : in_(in),
          map_(map),
          plugin_(plugin),
          owner_(owner_of(plugin)),
          is_route_(plugin.type == "ros_route") {}

    void all(RouterRowsArgs& args) {
        router(args);
        comment(args);
        families(args);
        times(args);
    }

  private:
    [[nodiscard]] int line_of(std::string_view key) const {
        const Node* value = map_.find(key);
        return value == nullptr ? plugin_.line : value->line;
    }
    void error(std::string_view key, const std::string& text) {
        in_.report().error(line_of(key), text);
    }

    void router(RouterRowsArgs& args) {
        const bool own = map_.find("address") != nullptr || map_.find("username") != nullptr ||
                         map_.find("password") != nullptr || map_.find("tls") != nullptr;
        if (args.router_name.empty() && map_.find("routers") == nullptr) {
            for (const std::string_view key : {"address", "username"}) {
                if (map_.find(key) == nullptr) {
                    in_.report().error(plugin_.line,
                                       "'" + std::string(key) + "' is missing in " + owner_ +
                                           ": write it, or 'router: NAME' of one in 'routers'");
                }
            }
            if (const auto done = finish_router(in_, args, owner_, line_of("address")))
                args.routers = {in_.add_router(*done)};
            return;
        }
        const std::string_view key = args.router_name.empty() ? "routers" : "router";
        if (own) {
            error(key, owner_ + " has '" + std::string(key) +
                           "' and an address or credentials of its own: keep one of them");
        }
        for (const std::string own_key : {"cpu_share", "scripts", "repair_connections"}) {
            if (map_.find(own_key) == nullptr) continue;
            error(own_key, "'" + own_key + "' of " + owner_ +
                               " belongs to the router: move it to 'routers'");
        }
        if (!args.router_name.empty() && !args.router_names.empty())
            error("routers", owner_ + " has 'router' and 'routers': keep one of them");
        if (!args.router_name.empty()) named_router(args, {args.router_name, line_of(key)}, key);
        for (const Text& name : args.router_names)
            named_router(args, name, key);
    }

    void named_router(RouterRowsArgs& args, const Text& name, std::string_view key) {
        const auto index = find_router(in_, name.value, {key, owner_, name.line});
        if (!index) return;
        if (std::ranges::find(args.routers, *index) == args.routers.end()) {
            args.routers.push_back(*index);
        } else {
            in_.report().error(name.line, "router " + matchers::quoted(name.value) +
                                              " appears twice in 'routers' of " + owner_ +
                                              ": remove one");
        }
    }

    void comment(const RouterRowsArgs& args) {
        const auto bad = [](std::string_view text) {
            return std::any_of(text.begin(), text.end(), [](char c) {
                const auto byte = static_cast<unsigned char>(c);
                return c == ';' || c == '=' || byte < 0x20 || byte == 0x7f;
            });
        };
        if (bad(plugin_.tag)) {
            in_.report().error(plugin_.line, "the tag " + matchers::quoted(plugin_.tag) +
                                                 " becomes part of comments: remove ';' and '='");
        }
        if (bad(args.comment_prefix)) {
            error("comment_prefix", "'comment_prefix' of " + owner_ + " is " +
                                        matchers::quoted(args.comment_prefix) +
                                        ": remove ';' and '='");
        }
    }

    void families(RouterRowsArgs& args) {
        if (map_.find(key_of(false)) == nullptr && map_.find(key_of(true)) == nullptr) {
            in_.report().error(plugin_.line, owner_ + " has no " + what() + ": write '" +
                                                 key_of(false) + "', '" + key_of(true) +
                                                 "' or both");
            return;
        }
        const bool v4 = !args.group(false).empty(), v6 = !args.group(true).empty();
        for (const std::string_view key :
             {"address_list4", "address_list6", "routing_table", "gateway4", "gateway6"}) {
            const Node* const value = map_.find(key);
            if (value == nullptr || !value->is_text()) continue;
            const bool bad = std::any_of(value->text.begin(), value->text.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x20;
            });
            if (bad)
                error(key, "'" + std::string(key) + "' of " + owner_ +
                               " has a control character in it: remove it");
        }
        if (is_route_) routes(args);
        if (v4 == v6) return persistent(args, true, true);
        if (args.missing_family == MissingFamilyMode::answer) {
            in_.report().warn(plugin_.line, owner_ + " has no '" + key_of(v4) +
                                                "': " + (v4 ? "IPv6" : "IPv4") +
                                                " connections to its names do not follow the "
                                                "policy; add the " +
                                                what() + ", or write 'missing_family: nodata'");
        }
        persistent(args, v4, !v4);
    }

    void routes(RouterRowsArgs& args) {
        std::erase_if(args.persistent, [&](const PersistentRow& row) {
            const bool is_v4 = row.prefix.address.is_v4() && row.prefix.length >= 96;
            if (row.prefix.length > (is_v4 ? 96 : 0)) return false;
            in_.report().error(row.line, "the persistent prefix " + row.prefix.to_string() +
                                             " of " + owner_ +
                                             " is a default route, which would take all traffic: "
                                             "remove it");
            return true;
        });
        if (args.routing_table == "main") {
            in_.report().warn(line_of("routing_table"),
                              "'routing_table' of " + owner_ +
                                  " is main: its routes apply to all traffic of the router; add a "
                                  "routing table of their own, and a routing rule");
        }
    }

    [[nodiscard]] std::string key_of(bool v6) const {
        return std::string(is_route_ ? "gateway" : "address_list") + (v6 ? "6" : "4");
    }
    [[nodiscard]] std::string what() const { return is_route_ ? "gateway" : "list"; }

    // Addresses of a family without a list: an error in the configuration, a skipped line in a file.
    void persistent(RouterRowsArgs& args, bool v4, bool v6) {
        std::erase_if(args.persistent, [&](const PersistentRow& row) {
            const bool is_v4 = row.prefix.address.is_v4() && row.prefix.length >= 96;
            if (is_v4 ? v4 : v6) return false;
            const std::string text = "the persistent address " + row.prefix.to_string() +
                                     " has no " + what() + ": add '" + key_of(!is_v4) + "' to " +
                                     owner_;
            if (row.file == 0) {
                in_.report().error(row.line, text);
            } else {
                in_.report().warn_in(in_.settings().files[row.file], row.line,
                                     text + "; the line is skipped");
            }
            return true;
        });
    }

    void times(const RouterRowsArgs& args) {
        if (args.min_ttl > args.max_ttl) {
            error("min_ttl", "'min_ttl' of " + owner_ + " (" + duration_text(args.min_ttl) +
                                 ") is longer than 'max_ttl' (" + duration_text(args.max_ttl) +
                                 "): lower it");
        }
        const std::string extra = "'extra_time' (" + duration_text(args.extra_time) + ")";
        if (args.fixed_ttl) {
            const Milliseconds fixed = *args.fixed_ttl;
            if (fixed > Milliseconds(0) && fixed <= args.extra_time) {
                error("fixed_ttl",
                      "'fixed_ttl' of " + owner_ + " (" + duration_text(fixed) +
                          ") is not longer than " + extra +
                          ": raise it, lower 'extra_time', or write 0 for rows without a timeout");
            }
        } else if (args.max_ttl <= args.extra_time) {
            error("max_ttl", "'max_ttl' of " + owner_ + " (" + duration_text(args.max_ttl) +
                                 ") is not longer than " + extra +
                                 ": raise it, or lower 'extra_time'");
        }
    }

    Reading& in_;
    const Node& map_;
    const Plugin& plugin_;
    std::string owner_;
    bool is_route_;
};

void read_ros_address_list(Reading& in, const Node* node, Plugin& plugin) {
    RouterRowsArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kRosAddressListRows, owner_of(plugin), args))
        Check(in, map, plugin).all(args);
    plugin.args = static_cast<RouterRows&&>(args);
}

void read_ros_route(Reading& in, const Node* node, Plugin& plugin) {
    RouterRowsArgs args;
    args.comment_prefix = "oxi";
    args.max_rows = 10'000;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kRosRouteRows, owner_of(plugin), args)) {
        args.route = static_cast<RouteRows&>(args);
        Check(in, map, plugin).all(args);
    }
    if (!args.route) args.route.emplace();
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

constexpr std::string_view kRoutes =
    R"(**Lifetimes** are those of a [ros_address_list](#ros_address_list). A route has no timeout on the
router, so steerdnsd removes it: within a minute after its lifetime, and with `conntrack_guard`
after its last connection. While steerdnsd is stopped, routes stay. After a start, routes of the
same tag stay for the longest lifetime, and then go unless an answer needs them.

**Comments** are those of a [ros_address_list](#ros_address_list), by default with the prefix of
OxiDNS. Other routes are never changed, default routes neither.

**Flash**: the router saves each added or removed route in its flash. A renewed lifetime writes
nothing. [Routes instead of lists](../guides/routers.md#routes-instead-of-lists) says when to use
which, and what the router needs.
)";

void write_lists(std::ostream& out) {
    write_part(out, "persistent", row_texts(kPersistentRows));
    out << kLists << '\n';
}

void write_routes(std::ostream& out) {
    write_part(out, "persistent", row_texts(kPersistentRows));
    out << kRoutes << '\n';
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

const PluginType kRosRouteType{
    "ros_route",
    Role::executor,
    "Writes a route to each address of an answer into a routing table of a RouterOS 7 router. "
    "Addresses are those of A and AAAA records, and the hints of HTTPS and SVCB. It wraps the rest "
    "of its sequence. It needs a `tag`, which becomes part of the comments of its routes.",
    "",
    "",
    [] { return row_texts(kRosRouteRows); },
    read_ros_route,
    nullptr,
    {.sink = Sink::router, .needs_tag = true, .reference = write_routes}};

}  // namespace steer::config
