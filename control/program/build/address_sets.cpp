#include "control/program/build/address_sets.h"

#include <memory>
#include <set>
#include <utility>

namespace steer::build {

AddressSet address_set(const config::Settings& settings, std::vector<matchers::Prefix> prefixes,
                       std::vector<config::PluginIndex> sets, Registry& registry) {
    std::vector<std::shared_ptr<const LivePrefixes>> live;
    std::set<config::PluginIndex> done;
    while (!sets.empty()) {
        const config::PluginIndex next = sets.back();
        sets.pop_back();
        if (!done.insert(next).second) continue;
        const auto& set = std::get<config::IpSet>(settings.plugin(next).args);
        prefixes.insert(prefixes.end(), set.prefixes.begin(), set.prefixes.end());
        if (set.live) live.push_back(registry.live_prefixes(settings.plugin(next).tag));
        sets.insert(sets.end(), set.sets.begin(), set.sets.end());
    }
    return AddressSet(prefixes, std::move(live));
}

}  // namespace steer::build
