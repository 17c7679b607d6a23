#include "control/program/build/router_list_plans.h"

#include <algorithm>
#include <map>

#include "control/program/build/lists.h"
#include "control/program/build/registry.h"

namespace steer::build {

RouterListPlans router_list_plans(const config::Settings& settings, Registry& registry) {
    RouterListPlans out;
    std::map<config::RouterIndex, std::size_t> known;
    const auto followed = [&](config::RouterIndex index) -> ListedRouter& {
        const auto [at, fresh] = known.try_emplace(index, out.routers.size());
        if (fresh) {
            const config::Router& router = settings.routers[index];
            ListedRouter one;
            one.reader.access = {router.name, address_text(router), router.username,
                                 router.password};
            one.transport = transport_config(router);
            out.routers.push_back(std::move(one));
        }
        return out.routers[at->second];
    };
    for (const config::Plugin& plugin : settings.plugins) {
        if (const auto* const forward = std::get_if<config::Forward>(&plugin.args);
            forward != nullptr && forward->servers_of) {
            ListedRouter& router = followed(*forward->servers_of);
            router.reader.with_servers = true;
            router.servers_file = forward->resolv_file;
        }
        const auto* const set = std::get_if<config::IpSet>(&plugin.args);
        if (set == nullptr || !set->live) continue;
        RouterListPlan plan{plugin.tag, set->live->list, {}, registry.live_prefixes(plugin.tag)};
        for (const config::RouterIndex index : set->live->routers) {
            plan.routers.push_back(settings.routers[index].name);
            std::size_t& max = followed(index).reader.max_entries[set->live->list];
            max = std::max<std::size_t>(max, set->live->max_entries);
        }
        out.plugins.push_back(std::move(plan));
    }
    return out;
}

}  // namespace steer::build
