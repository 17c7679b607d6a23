#include "control/operator/setup/router_plan.h"

#include <algorithm>
#include <string_view>
#include <variant>

namespace steer::setup {
namespace {

using config::Router;
using config::RouterRows;
using config::Settings;

void add_once(std::vector<std::string>& all, const std::string& one) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

// "policy_set" of "policy_set_v4", as a table and a mark can be called.
std::string stem(std::string_view list) {
    for (const std::string_view ending : {"_v4", "_v6", "-v4", "-v6", ".v4", ".v6"}) {
        if (list.size() > ending.size() && list.ends_with(ending)) {
            list.remove_suffix(ending.size());
            break;
        }
    }
    constexpr std::string_view kOthers = "._-";
    std::string out(list);
    std::replace_if(
        out.begin(), out.end(),
        [&](char c) {
            const bool word =
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            return !word && kOthers.find(c) == std::string_view::npos;
        },
        '_');
    return out;
}

std::string unused_name(const std::vector<Egress>& egresses, const std::string& wanted) {
    const auto taken = [&](const std::string& name) {
        return std::any_of(egresses.begin(), egresses.end(),
                           [&](const Egress& e) { return e.name == name; });
    };
    std::string name = wanted;
    for (int other = 2; taken(name); ++other)
        name = wanted + "-" + std::to_string(other);
    return name;
}

// The egress that has the list already; end() of none.
auto egress_of(std::vector<Egress>& egresses, std::vector<std::string> Egress::*lists,
               const std::string& list) {
    return std::find_if(egresses.begin(), egresses.end(), [&](const Egress& e) {
        return std::find((e.*lists).begin(), (e.*lists).end(), list) != (e.*lists).end();
    });
}

void add_lists(std::vector<Egress>& egresses, const RouterRows& plugin) {
    const auto with4 = egress_of(egresses, &Egress::lists4, plugin.group(false));
    const auto with6 = egress_of(egresses, &Egress::lists6, plugin.group(true));
    const bool new4 = !plugin.group(false).empty() && with4 == egresses.end();
    const bool new6 = !plugin.group(true).empty() && with6 == egresses.end();
    if (!new4 && !new6) return;
    auto egress = with4 != egresses.end() ? with4 : with6;
    if (egress == egresses.end()) {
        const std::string& first = new4 ? plugin.group(false) : plugin.group(true);
        egresses.push_back({unused_name(egresses, stem(first)), {}, {}});
        egress = egresses.end() - 1;
    }
    if (new4) egress->lists4.push_back(plugin.group(false));
    if (new6) egress->lists6.push_back(plugin.group(true));
}

void add_access(RouterPlan& plan, const Router& router) {
    add_once(plan.names, router.name);
    add_once(plan.users, router.username);
    const bool known = std::any_of(plan.services.begin(), plan.services.end(),
                                   [&](const ApiService& s) { return s.tls == router.tls; });
    if (!known) plan.services.push_back({router.tls, router.tls_anonymous, router.port});
}

RouterPlan& plan_of(Plan& plan, const Router& router) {
    auto& all = plan.routers;
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const RouterPlan& r) { return r.host == router.host; });
    if (known != all.end()) return *known;
    all.emplace_back().host = router.host;
    return all.back();
}

bool is_for_clients(const IpAddress& ip, bool v4) {
    return ip.is_v4() == v4 && !ip.is_loopback() && !ip.is_link_local();
}

// The first of a family that ports answer on; else the first that we put on their interfaces.
std::optional<IpAddress> own_address(const Settings& settings, bool v4) {
    for (const auto& port : settings.dataplane.ports) {
        for (const IpAddress& ip : port.addresses)
            if (is_for_clients(ip, v4)) return ip;
    }
    for (const auto& port : settings.dataplane.ports) {
        for (const auto& address : port.interface_addresses)
            if (is_for_clients(address.ip, v4)) return address.ip;
    }
    return std::nullopt;
}

// Our address in the router's own network, which is what we speak to it from.
std::string address_beside(const Settings& settings, const std::optional<IpAddress>& router) {
    if (!router) return {};
    for (const auto& port : settings.dataplane.ports) {
        for (const auto& ours : port.interface_addresses) {
            const unsigned length = ours.length + (ours.ip.is_v4() ? 96U : 0U);
            if (ours.ip.is_v4() == router->is_v4() &&
                matchers::Prefix::masked(ours.ip, length).address ==
                    matchers::Prefix::masked(*router, length).address) {
                return ours.ip.to_string();
            }
        }
    }
    return {};
}

std::string text_of(const dns::Pref64& prefix) {
    IpAddress address;
    std::ranges::copy(prefix.prefix, std::begin(address.bytes));
    return address.to_string() + "/" + std::to_string(prefix.length);
}

}  // namespace

Plan plan_routers(const Settings& settings) {
    Plan plan;
    plan.dns4 = own_address(settings, true);
    plan.dns6 = own_address(settings, false);
    std::vector<bool> used(settings.routers.size());
    const auto plan_for = [&](config::RouterIndex index) -> RouterPlan& {
        const Router& router = settings.routers[index];
        used[index] = true;
        RouterPlan& its = plan_of(plan, router);
        add_access(its, router);
        if (its.api_client.empty()) its.api_client = address_beside(settings, router.address);
        return its;
    };
    for (const auto& plugin : settings.plugins) {
        if (const auto* list = std::get_if<RouterRows>(&plugin.args)) {
            for (const config::RouterIndex index : list->routers) {
                RouterPlan& its = plan_for(index);
                switch (list->kind->setup) {
                    case config::RouterRowKind::Setup::egress:
                        add_lists(its.egresses, *list);
                        break;
                    case config::RouterRowKind::Setup::routing_table:
                        add_once(its.route_tables, list->group(list->group(false).empty()));
                        break;
                    case config::RouterRowKind::Setup::none:
                        break;
                }
            }
        }
        if (const auto* dns64 = std::get_if<config::Dns64>(&plugin.args)) {
            for (const config::Dns64Prefix& prefix : dns64->prefixes)
                add_once(plan.nat64, text_of(prefix.prefix));
        }
        if (const auto* leases = std::get_if<config::DhcpLeases>(&plugin.args)) {
            for (const config::RouterIndex index : leases->routers)
                plan_for(index);
        }
        const auto* const set = std::get_if<config::IpSet>(&plugin.args);
        if (set != nullptr && set->live) {
            for (const config::RouterIndex index : set->live->routers)
                plan_for(index);
        }
        const auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward != nullptr && forward->servers_of) plan_for(*forward->servers_of);
    }
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i]) plan.unused.push_back(settings.routers[i].name);
    return plan;
}

std::vector<routeros::FeatureId> features_of(const RouterPlan& router, bool has_nat64) {
    using routeros::FeatureId;
    std::vector<FeatureId> out;
    if (!router.egresses.empty() || !router.route_tables.empty()) out.push_back(FeatureId::tables);
    const bool has_lists6 =
        std::any_of(router.egresses.begin(), router.egresses.end(),
                    [](const Egress& egress) { return !egress.lists6.empty(); });
    if (has_lists6) out.push_back(FeatureId::egress6);
    if (has_nat64) out.push_back(FeatureId::pref64);
    return out;
}

}  // namespace steer::setup
