#include "control/program/build/secondary_plans.h"

#include <algorithm>

#include "control/program/build/registry.h"

namespace steer::build {

SecondaryPlans secondary_plans(const config::Settings& settings, Registry& registry) {
    SecondaryPlans out;
    for (config::PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const config::Plugin& plugin = settings.plugins[i];
        const auto* const args = std::get_if<config::Secondary>(&plugin.args);
        if (args == nullptr) continue;
        SecondaryPlan plan{plugin.tag, *args, false, nullptr, nullptr};
        plan.feeds_lists = std::ranges::count(settings.listed_secondaries, i) != 0;
        for (const config::Plugin& user : settings.plugins) {
            const auto* const rpz = std::get_if<config::Rpz>(&user.args);
            if (rpz != nullptr && std::ranges::any_of(rpz->zones, [i](const config::RpzZone& zone) {
                    return zone.secondary == i;
                }))
                plan.policy = registry.live_policy(plugin.tag);
            const auto* const zone = std::get_if<config::Zone>(&user.args);
            if (zone != nullptr && zone->secondary == i)
                plan.local = registry.local_zone(plugin.tag);
        }
        if (plan.policy != nullptr || plan.local != nullptr) out.targets = registry.live_targets();
        out.zones.push_back(std::move(plan));
    }
    return out;
}

}  // namespace steer::build
