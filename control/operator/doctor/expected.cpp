#include "control/operator/doctor/expected.h"

#include <algorithm>

namespace steer::doctor {

std::vector<std::string> Expected::lists(bool v4) const {
    std::vector<std::string> all;
    for (const setup::Egress& egress : plan.egresses) {
        const auto& lists = v4 ? egress.lists4 : egress.lists6;
        all.insert(all.end(), lists.begin(), lists.end());
    }
    return all;
}

namespace {

// The domain of the leases of a router; empty: no dhcp_leases reads it, or several do for different domains.
std::string lease_domain(const config::Settings& settings, const setup::RouterPlan& router) {
    std::string domain;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const leases = std::get_if<config::DhcpLeases>(&plugin.args);
        if (leases == nullptr) continue;
        const bool is_its = std::ranges::any_of(leases->routers, [&](config::RouterIndex index) {
            return std::ranges::find(router.names, settings.routers[index].name) !=
                   router.names.end();
        });
        if (!is_its || leases->domain == domain) continue;
        if (!domain.empty()) return {};
        domain = leases->domain;
    }
    return domain;
}

std::vector<IpAddress> upstreams_of(const config::Settings& settings) {
    std::vector<IpAddress> out;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward == nullptr) continue;
        for (const config::UpstreamSettings& upstream : forward->upstreams) {
            if (upstream.address) out.push_back(*upstream.address);
        }
    }
    return out;
}

}  // namespace

std::vector<Expected> expected_of(const config::Settings& settings) {
    const setup::Plan plan = setup::plan_routers(settings);
    std::vector<Expected> all;
    for (const setup::RouterPlan& router : plan.routers)
        all.push_back({router, plan.dns4, plan.dns6, plan.nat64,
                       setup::features_of(router, !plan.nat64.empty()), false,
                       lease_domain(settings, router), upstreams_of(settings)});
    if (plan.nat64.empty()) return all;
    // Routers that no plugin needs, of a network with DNS64.
    for (const std::string& name : plan.unused) {
        const auto router = std::ranges::find(settings.routers, name, &config::Router::name);
        if (router == settings.routers.end()) continue;
        setup::RouterPlan alone;
        alone.host = router->host;
        alone.names = {name};
        alone.users = {router->username};
        alone.services = {{router->tls, router->tls_anonymous, router->port}};
        const auto features = setup::features_of(alone, true);
        all.push_back({std::move(alone), plan.dns4, plan.dns6, plan.nat64, features, false, {}});
    }
    return all;
}

}  // namespace steer::doctor
