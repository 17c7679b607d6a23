#include "control/program/build/lists.h"

#include <algorithm>
#include <cstdlib>

#include "control/config/plugin_type.h"
#include "control/program/build/build_steps.h"
#include "control/program/build/durations.h"
#include "control/program/build/ranges.h"
#include "dataplane/policy/list_addresses.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/host_text.h"
#include "routeros/row_types.h"

namespace steer::build {
namespace {

constexpr std::size_t kMinShare = 64;  // addresses of a name, suffix or client
std::string too_many_lists() {
    return "more than 255 lists (" + config::names_of(config::Sink::router) +
           ", opnsense_alias, ipset, nftset, bgp_route): use fewer";
}

void append(std::vector<matchers::Prefix>& to, const std::vector<matchers::Prefix>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

// How lists treat addresses in the prefixes of all dns64 plugins.
std::vector<TranslatedPrefix> translated_prefixes(const config::Settings& settings) {
    std::vector<TranslatedPrefix> out;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const dns64 = std::get_if<config::Dns64>(&plugin.args);
        if (dns64 == nullptr) continue;
        for (const config::Dns64Prefix& p : dns64->prefixes)
            out.push_back({p.prefix, dns64->claim != config::Dns64Claim::ipv4,
                           dns64->claim != config::Dns64Claim::ipv6});
    }
    return out;
}

// Collects addresses of this system.
class Hosts {
  public:
    explicit Hosts(const std::vector<TranslatedPrefix>& translated) : translated_(translated) {}

    // The IPv4 address behind a NAT64 is the same host.
    void add(const IpAddress& address) {
        all_.push_back(host(address));
        if (address.is_v4()) return;
        const TranslatedPrefix* const nat64 = nat64_of(translated_, address.bytes.data());
        if (nat64 != nullptr) all_.push_back(host(ipv4_behind(*nat64, address)));
    }
    // An address as text. A name is no address: it is known once it was looked up (NeededHosts).
    void add(const std::string& text) {
        if (const auto address = IpAddress::parse(text)) add(*address);
    }
    void add(const config::ReachSettings& reach) {
        if (reach.bootstrap) add(reach.bootstrap->address);
        if (reach.socks5) add(reach.socks5->host);
    }
    void add(const config::Forward& forward) {
        add(forward.reach);
        for (const config::UpstreamSettings& upstream : forward.upstreams) {
            if (upstream.address) add(*upstream.address);
            add(upstream.host);
            add(upstream.reach);
        }
    }
    void add(const config::Fleet& fleet) {
        if (fleet.redis) add(fleet.redis->host);
        for (const config::FleetEndpoint& sentinel : fleet.sentinels)
            add(sentinel.host);
    }
    [[nodiscard]] std::vector<matchers::Prefix> take() { return std::move(all_); }

  private:
    const std::vector<TranslatedPrefix>& translated_;
    std::vector<matchers::Prefix> all_;
};

// Addresses of this system, and those that it needs: ports, routers, upstreams with their proxies and resolvers, the
// fleet's Redis.
std::vector<matchers::Prefix> hosts_of(const config::Settings& settings,
                                       const Surroundings& surroundings,
                                       const std::vector<TranslatedPrefix>& translated) {
    Hosts out(translated);
    for (const IpAddress& own : surroundings.own_addresses)
        out.add(own);
    for (const config::Router& router : settings.routers) {
        if (router.address) out.add(*router.address);
    }
    for (const config::OpnsenseRouter& router : settings.opnsense)
        out.add(router.address);
    for (const config::Plugin& plugin : settings.plugins) {
        if (const auto* forward = std::get_if<config::Forward>(&plugin.args)) out.add(*forward);
    }
    out.add(settings.fleet);
    return out.take();
}

// What all lists share.
struct Around {
    std::vector<TranslatedPrefix> translated;
    std::vector<matchers::Prefix> hosts;
};

// The addresses of this system that the list does not claim.
template <class Args>
std::vector<matchers::Prefix> forbidden_hosts(const Args& args, const Around& around) {
    std::vector<matchers::Prefix> out;
    for (const matchers::Prefix& one : around.hosts) {
        if (std::ranges::find(args.allow_claim, one) == args.allow_claim.end()) out.push_back(one);
    }
    return out;
}

// What a list never claims: what a person wrote, what never is an address of a server, and addresses of this system. Further
// special ranges and IPv6 that is not global, unless `allow_claim` has them. An empty `never_claim` leaves the special
// ranges out. Only a prefix that is one address allows an address of this system.
// Of addresses in the prefixes of a NAT64, the IPv4 address inside them must not be here.
template <class Args>
std::vector<matchers::Prefix> never_claimed(const Args& args, const Around& around) {
    std::vector<matchers::Prefix> defaults = not_global_v6();
    const bool has_defaults = !args.never_claim || !args.never_claim->empty();
    if (has_defaults) append(defaults, special_ranges());
    std::vector<matchers::Prefix> out = without(std::move(defaults), args.allow_claim);
    append(out, forbidden_hosts(args, around));
    append(out, never_ranges());
    if (args.never_claim) append(out, *args.never_claim);
    return out;
}

// Nor must such an address itself be here. The special ranges are not: NAT64 prefixes lie in them.
template <class Args>
std::vector<matchers::Prefix> never_claimed_exactly(const Args& args, const Around& around) {
    std::vector<matchers::Prefix> out = forbidden_hosts(args, around);
    if (args.never_claim) append(out, *args.never_claim);
    return out;
}

// The addresses of this system that `allow_claim` lets the list claim, should it have them.
template <class Args>
std::vector<IpAddress> allowed_hosts(const Args& args) {
    std::vector<IpAddress> out;
    for (const matchers::Prefix& one : args.allow_claim) {
        if (one == host(one.address)) out.push_back(one.address);
    }
    return out;
}

template <class Args>
void set_claimable(PolicyList& list, const Args& args, const Around& around) {
    list.never_claim = matchers::PrefixSet(never_claimed(args, around));
    list.never_exact = matchers::PrefixSet(never_claimed_exactly(args, around));
    list.translated = around.translated;
}

// What a worker's claim could have at most (claim_word.h).
ClaimTerms claim_terms(const PolicyList& list) {
    ClaimTerms terms;
    terms.never_claim = list.never_claim;
    terms.never_exact = list.never_exact;
    terms.translated = list.translated;
    terms.fixed = list.fixed;
    terms.longest_life_s = list.fixed ? list.fixed_ttl_s : list.max_ttl_s;
    terms.extra_time_s = list.extra_time_s;
    return terms;
}

// A list of the kernel's sets: it has no persistent rows.
// `max_elements` is of each set, and a set has one family.
std::uint32_t rows_of_sets(const PolicyList& list, std::uint32_t max_elements) {
    return list.has_v4 && list.has_v6 ? 2 * max_elements : max_elements;
}

PolicyList policy_list(const config::Plugin& plugin, const config::KernelSets& args, ListId id,
                       const Around& around) {
    PolicyList list;
    list.id = id;
    list.tag = plugin.tag;
    list.has_v4 = args.v4.has_value();
    list.has_v6 = args.v6.has_value();
    list.synchronous = !args.async;
    list.sync_timeout_ms = static_cast<std::uint32_t>(args.sync_timeout.count());
    list.on_timeout = static_cast<OnTimeout>(args.on_timeout);
    list.on_full = static_cast<OnFull>(args.on_full);
    list.min_ttl_s = seconds(args.min_ttl);
    list.max_ttl_s = seconds(args.max_ttl);
    list.extra_time_s = seconds(args.extra_time);
    list.cap_answer_ttl = args.cap_answer_ttl;
    list.max_rows = rows_of_sets(list, args.max_elements);
    set_claimable(list, args, around);
    return list;
}

// As a list of the kernel's sets, with the rules for missing families and for large answers.
PolicyList policy_list(const config::Plugin& plugin, const config::OpnsenseAlias& args, ListId id,
                       const Around& around) {
    PolicyList list;
    list.id = id;
    list.tag = plugin.tag;
    list.has_v4 = !args.alias4.empty();
    list.has_v6 = !args.alias6.empty();
    list.synchronous = !args.async;
    list.sync_timeout_ms = static_cast<std::uint32_t>(args.sync_timeout.count());
    list.on_timeout = static_cast<OnTimeout>(args.on_timeout);
    list.on_full = static_cast<OnFull>(args.on_full);
    list.missing_family = static_cast<MissingFamily>(args.missing_family);
    list.min_ttl_s = seconds(args.min_ttl);
    list.max_ttl_s = seconds(args.max_ttl);
    list.extra_time_s = seconds(args.extra_time);
    list.cap_answer_ttl = args.cap_answer_ttl;
    list.max_addresses = static_cast<std::uint16_t>(args.max_addresses);
    list.max_rows = rows_of_sets(list, args.max_elements);
    set_claimable(list, args, around);
    return list;
}

routeros::ShareLimits share_limits(const config::ClaimShares& shares, std::size_t most) {
    const auto share = [&](std::uint32_t percent) {
        return std::max(most * percent / 100, std::min(most, kMinShare));
    };
    return {share(shares.name_percent), share(shares.suffix_percent), share(shares.client_percent)};
}

// A share of all is none.
routeros::ShareLimits effective_limits(const config::ClaimShares& shares, std::size_t most) {
    routeros::ShareLimits limits = share_limits(shares, most);
    for (std::size_t* const limit : {&limits.per_name, &limits.per_domain, &limits.per_client}) {
        if (*limit >= most) *limit = SIZE_MAX;
    }
    return limits;
}

OpnsensePlan opnsense_plan(const config::OpnsenseRouter& router) {
    OpnsensePlan plan;
    plan.name = router.name;
    plan.address = router.address;
    plan.port = router.port;
    plan.key = router.key;
    plan.secret = router.secret;
    plan.tls = router.tls;
    plan.ca_file = router.tls_ca;
    plan.pin_sha256 = router.tls_pin;
    plan.certificate_name = router.tls_name;
    plan.connect_timeout_ms = static_cast<std::uint32_t>(router.connect_timeout.count());
    plan.receive_timeout_ms = static_cast<std::uint32_t>(router.receive_timeout.count());
    plan.read_every_ms = static_cast<std::uint32_t>(router.read_every.count());
    plan.cpu_percent = router.cpu_percent;
    return plan;
}

// The aliases of a list, on each of its routers.
void add_aliases(Built& built, const config::Settings& settings, const config::Plugin& plugin,
                 const config::OpnsenseAlias& args, ListId id) {
    AliasPlan alias;
    alias.list = id;
    alias.tag = plugin.tag;
    alias.max_elements = args.max_elements;
    alias.shares = effective_limits(args.shares, args.max_elements);
    alias.longest_life_s = std::max(seconds(args.max_ttl), seconds(args.min_ttl + args.extra_time));
    alias.sync_timeout_ms = static_cast<std::uint32_t>(args.sync_timeout.count());
    alias.allowed = allowed_hosts(args);
    if (args.routers.size() > 1) alias.quorum = args.quorum;
    alias.ready = args.ready;
    for (const config::OpnsenseIndex router : args.routers) {
        const std::string& name = settings.opnsense[router].name;
        auto plan = std::ranges::find(built.opnsense, name, &OpnsensePlan::name);
        if (plan == built.opnsense.end())
            plan = built.opnsense.insert(plan, opnsense_plan(settings.opnsense[router]));
        const auto add = [&](const std::string& alias_name, bool v4, bool v6) {
            alias.name = alias_name;
            alias.v4 = v4;
            alias.v6 = v6;
            if (!alias_name.empty()) plan->aliases.push_back(alias);
        };
        if (args.alias4 == args.alias6) {
            add(args.alias4, true, true);
        } else {
            add(args.alias4, true, false);
            add(args.alias6, false, true);
        }
    }
}

sets::SetPlan set_plan(const config::Plugin& plugin, const config::KernelSets& args, ListId id,
                       const Around& around) {
    sets::SetPlan plan;
    plan.never_claim = never_claimed(args, around);
    plan.allowed = allowed_hosts(args);
    plan.list = id;
    plan.tag = plugin.tag;
    plan.max_elements = args.max_elements;
    plan.shares = effective_limits(args.shares, args.max_elements);
    for (const bool v6 : {false, true}) {
        const auto& set = v6 ? args.v6 : args.v4;
        if (!set) continue;
        const std::string family = args.routes ? sets::SetName::kRoutes : set->family;
        plan.families.push_back({{family, set->table, set->name, v6}, set->mask});
    }
    // The longest lease that an earlier process may have given.
    if (args.routes)
        plan.ends = {seconds(args.routes->linger), seconds(args.routes->flap_interval),
                     seconds(args.max_ttl)};
    return plan;
}

// The identity of a list over reloads and restarts: its tag, or the text of an inline plugin.
std::string stable_name(const sets::SetPlan& plan) {
    std::string name;
    for (const auto& family : plan.families) {
        if (!name.empty()) name += ", ";
        name.append(family.set.text()).append("/").append(std::to_string(family.mask));
    }
    return name;
}

// With several writers, every row gets the same constant lifetime, so that no write shortens a row of
// another writer. The lifetime is `max_ttl` plus `extra_time`, so clients may get all of
// `max_ttl`.
std::uint32_t longest_life_s(const config::RouterRows& args) {
    if (args.fixed_ttl) return seconds(*args.fixed_ttl);
    return seconds(args.multi_writer ? args.max_ttl + args.extra_time : args.max_ttl);
}

PolicyList policy_list(const config::Plugin& plugin, const config::RouterRows& args, ListId id,
                       const Around& around) {
    PolicyList list;
    list.id = id;
    list.tag = plugin.tag;
    list.has_v4 = !args.group(false).empty();
    list.has_v6 = !args.group(true).empty();
    list.synchronous = !args.async;
    list.max_ttl_s = args.fixed_ttl ? seconds(args.max_ttl) : longest_life_s(args);
    list.min_ttl_s = args.multi_writer ? list.max_ttl_s : seconds(args.min_ttl);
    list.extra_time_s = seconds(args.extra_time);
    list.fixed = args.fixed_ttl.has_value();
    list.fixed_ttl_s = seconds(args.fixed_ttl.value_or(config::Milliseconds(0)));
    list.cap_answer_ttl = args.cap_answer_ttl;
    list.sync_timeout_ms = static_cast<std::uint32_t>(args.sync_timeout.count());
    list.on_timeout = static_cast<OnTimeout>(args.on_timeout);
    list.on_full = static_cast<OnFull>(args.on_full);
    list.missing_family = static_cast<MissingFamily>(args.missing_family);
    list.shared = static_cast<Sharing>(args.shared);
    list.shared_above = static_cast<std::uint8_t>(args.shared_above);
    list.max_addresses = static_cast<std::uint16_t>(args.max_addresses);
    list.max_rows = args.max_rows;
    set_claimable(list, args, around);
    return list;
}
static_assert(static_cast<int>(OnTimeout::drop) == static_cast<int>(config::OnTimeoutMode::drop));
static_assert(static_cast<int>(OnFull::servfail) == static_cast<int>(config::OnFullMode::servfail));
static_assert(static_cast<int>(MissingFamily::nodata) ==
              static_cast<int>(config::MissingFamilyMode::nodata));
static_assert(static_cast<int>(Sharing::report) == static_cast<int>(config::SharedMode::report));

routeros::RowType type_of(const config::RouterRows& args) {
    const auto type = routeros::row_type_of(args.kind->menu);
    if (!type) std::abort();  // a kind of the configuration is a row of kRowTypes
    return *type;
}

routeros::ListConfig list_config(const config::Plugin& plugin, const config::RouterRows& args,
                                 ListId id) {
    routeros::ListConfig list;
    list.id = id;
    list.type = type_of(args);
    list.list4 = args.groups[0];
    list.list6 = args.groups[1];
    list.values4 = args.values[0];
    list.values6 = args.values[1];
    list.connection_guard = args.conntrack_guard;
    list.tag = plugin.tag;
    list.prefix = args.comment_prefix;
    list.max_ttl_s = longest_life_s(args);
    list.renew_slack_s = seconds(args.renew_slack);
    list.multi_writer = args.multi_writer;
    list.respect_manual_changes = args.on_manual_change == config::ManualChangeMode::respect;
    list.sync_timeout_ms = static_cast<std::uint32_t>(args.sync_timeout.count());
    list.max_rows = args.max_rows;
    const routeros::ShareLimits limits = share_limits(args.shares, args.max_rows);
    list.max_per_name = limits.per_name;
    list.max_per_suffix = limits.per_domain;
    list.max_per_client = limits.per_client;
    for (const config::PersistentRow& row : args.persistent) {
        list.persistent.push_back({row.prefix.address.bytes, row.prefix.length});
    }
    std::sort(list.persistent.begin(), list.persistent.end());
    list.persistent.erase(std::unique(list.persistent.begin(), list.persistent.end()),
                          list.persistent.end());
    return list;
}

RouterPlan router_plan(const config::Router& router, config::RouterIndex index) {
    RouterPlan plan;
    plan.router = index;
    plan.config.name = router.name;
    plan.config.address = address_text(router);
    plan.config.username = router.username;
    plan.config.password = router.password;
    plan.config.routine_share = router.cpu_percent / 100.0;
    plan.config.scripts = router.scripts != config::RouterScripts::off;
    plan.config.probe = router.probe;
    plan.config.repair_connections = router.repair_connections;
    plan.config.send_timeout_ms = static_cast<std::uint32_t>(router.send_timeout.count());
    plan.config.receive_timeout_ms = static_cast<std::uint32_t>(router.receive_timeout.count());
    plan.transport = transport_config(router);
    return plan;
}

RouterPlan& plan_of(Built& built, const config::Settings& settings, config::RouterIndex router) {
    const auto known = std::find_if(built.routers.begin(), built.routers.end(),
                                    [router](const RouterPlan& p) { return p.router == router; });
    if (known != built.routers.end()) return *known;
    return built.routers.emplace_back(router_plan(settings.routers[router], router));
}

// A plugin's list, on each group of its routers that serve the same clients.
struct RouterLists {
    const config::Settings& settings;
    Registry& registry;
    Built& built;
    const config::Plugin& plugin;
    const config::RouterRows& args;
    const Around& around;

    ListId on(const std::vector<config::RouterIndex>& routers) {
        std::string names;
        for (const auto router : routers)
            names.append(names.empty() ? "" : ", ").append(settings.routers[router].name);
        const auto id = registry.list(plugin.tag, names);
        if (!id) {
            built.errors.push_back(settings.error(plugin.line, id.error().text));
            return 0;
        }
        if (std::ranges::find(known, *id) != known.end()) return *id;
        known.push_back(*id);
        for (const auto router : routers) {
            RouterPlan& plan = plan_of(built, settings, router);
            plan.config.lists.push_back(list_config(plugin, args, *id));
            ClaimTerms& terms = plan.terms[*id];
            terms = claim_terms(policy_list(plugin, args, *id, around));
            terms.allowed = allowed_hosts(args);
            if (routers.size() > 1) plan.quorums.emplace(*id, args.quorum);
            if (args.ready != config::ReadyNeed::off) plan.ready.emplace(*id, args.ready);
            plan.cleanup_on_shutdown = plan.cleanup_on_shutdown || args.cleanup_on_shutdown;
        }
        return *id;
    }

    std::vector<ListId> known{};
};

}  // namespace

routeros::TransportConfig transport_config(const config::Router& router) {
    routeros::TransportConfig out;
    out.host = router.host;
    out.port = router.port;
    out.tls.enabled = router.tls;
    // A certificate has no zone.
    if (const auto zone = router.host.find('%'); zone != std::string::npos)
        out.tls.server_name = router.host.substr(0, zone);
    out.tls.ca_file = router.tls_ca;
    out.tls.pin_sha256 = router.tls_pin;
    out.tls.anonymous = router.tls_anonymous;
    out.connect_timeout_ms = static_cast<std::uint32_t>(router.connect_timeout.count());
    out.send_timeout_ms = static_cast<std::uint32_t>(router.send_timeout.count());
    return out;
}

std::string address_text(const config::Router& router) {
    return matchers::bracketed(router.host) + ":" + std::to_string(router.port);
}

std::map<config::PluginIndex, std::uint32_t> build_lists(const config::Settings& settings,
                                                         const Surroundings& surroundings,
                                                         Registry& registry, Built& built) {
    std::map<config::PluginIndex, std::uint32_t> places;
    Around around{translated_prefixes(settings), {}};
    around.hosts = hosts_of(settings, surroundings, around.translated);
    // A box that cannot reach the others writes on its own.
    const bool is_in_fleet = !settings.fleet.name.empty();
    auto& lists = built.snapshot->lists;
    for (config::PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const config::Plugin& plugin = settings.plugin(i);
        if (const auto* kernel = std::get_if<config::KernelSets>(&plugin.args)) {
            const std::string name = stable_name(set_plan(plugin, *kernel, 0, {}));
            const auto id =
                registry.list(plugin.in_place ? std::string(plugin.type) : plugin.tag, name);
            const auto known = std::find_if(lists.begin(), lists.end(), [&](const PolicyList& l) {
                return plugin.in_place && id && l.id == *id;
            });
            places.emplace(i, static_cast<std::uint32_t>(known - lists.begin()));
            if (known != lists.end()) continue;  // the same words in another place
            if (!id || lists.size() >= kNoList) {
                built.errors.push_back(
                    settings.error(plugin.line, id ? too_many_lists() : id.error().text));
                continue;
            }
            lists.push_back(policy_list(plugin, *kernel, *id, around));
            built.kernel_sets.push_back(set_plan(plugin, *kernel, *id, around));
            if (kernel->ready != config::ReadyNeed::off)
                built.ready_sets.emplace(*id, kernel->ready);
            continue;
        }
        if (const auto* alias = std::get_if<config::OpnsenseAlias>(&plugin.args)) {
            places.emplace(i, static_cast<std::uint32_t>(lists.size()));
            std::string names;
            for (const config::OpnsenseIndex router : alias->routers)
                names.append(names.empty() ? "" : ", ").append(settings.opnsense[router].name);
            const auto id = registry.list(plugin.tag, "OPNsense " + names);
            if (!id || lists.size() >= kNoList) {
                built.errors.push_back(
                    settings.error(plugin.line, id ? too_many_lists() : id.error().text));
                continue;
            }
            lists.push_back(policy_list(plugin, *alias, *id, around));
            add_aliases(built, settings, plugin, *alias, *id);
            continue;
        }
        const auto* args = std::get_if<config::RouterRows>(&plugin.args);
        if (args == nullptr) continue;
        places.emplace(i, static_cast<std::uint32_t>(lists.size()));
        if (lists.size() >= kNoList) {
            built.errors.push_back(settings.error(plugin.line, too_many_lists()));
            continue;
        }
        config::RouterRows rows = *args;
        rows.multi_writer =
            rows.multi_writer || (is_in_fleet && routeros::facts_of(type_of(rows)).has_timeout);
        RouterLists all{settings, registry, built, plugin, rows, around};
        const ListId id = all.on(args->routers);
        lists.push_back(policy_list(plugin, rows, id, around));
        if (args->routers.size() == 1) continue;
        for (const ServedRange& range : served_ranges(settings, args->routers))
            lists.back().served.push_back({range.first, range.last, all.on(range.routers)});
    }
    return places;
}

}  // namespace steer::build
