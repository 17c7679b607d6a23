#include "control/program/build/lease_plans.h"

#include <set>

#include "control/program/build/lists.h"
#include "control/program/build/registry.h"

namespace steer::build {

LeasePlans lease_plans(const config::Settings& settings, Registry& registry) {
    LeasePlans out;
    std::set<config::RouterIndex> known;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const args = std::get_if<config::DhcpLeases>(&plugin.args);
        if (args == nullptr) continue;
        LeasePlan plan{plugin.tag, *args, {}, registry.live_answers(plugin.tag)};
        for (const config::RouterIndex index : args->routers) {
            const config::Router& router = settings.routers[index];
            plan.routers.push_back(router.name);
            if (!known.insert(index).second) continue;
            out.routers.push_back(
                {{router.name, address_text(router), router.username, router.password},
                 transport_config(router)});
        }
        out.plugins.push_back(std::move(plan));
    }
    return out;
}

}  // namespace steer::build
