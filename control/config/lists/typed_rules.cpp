#include "control/config/lists/typed_rules.h"

#include <algorithm>
#include <string>

#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

// The sets of a plugin that tests names without the type of the question.
std::vector<const NameRules*> names_of(const Plugin& plugin) {
    if (const auto* qname = std::get_if<Qname>(&plugin.args)) return {qname};
    if (const auto* cname = std::get_if<Cname>(&plugin.args)) return {cname};
    if (const auto* zone = std::get_if<Zone>(&plugin.args)) return {&zone->names};
    if (const auto* dns64 = std::get_if<Dns64>(&plugin.args)) return {&dns64->except, &dns64->keep};
    return {};
}

}  // namespace

bool has_own_types(const Settings& settings, const DomainSet& set) {
    return std::ranges::any_of(set.steps, &RuleStep::has_types) ||
           (set.exceptions &&
            has_own_types(settings, std::get<DomainSet>(settings.plugin(*set.exceptions).args)));
}

bool has_types(const Settings& settings, PluginIndex provider) {
    const auto* const set = std::get_if<DomainSet>(&settings.plugin(provider).args);
    return set != nullptr &&
           (has_own_types(settings, *set) || std::ranges::any_of(set->sets, [&](PluginIndex inner) {
                return has_types(settings, inner);
            }));
}

void advise_types(Reading& in, const std::vector<bool>& used) {
    const Settings& settings = in.settings();
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        if (!used[i]) continue;
        const Plugin& plugin = settings.plugins[i];
        for (const NameRules* names : names_of(plugin)) {
            for (const PluginIndex set : names->sets) {
                if (!has_types(settings, set)) continue;
                in.report().warn(plugin.line,
                                 owner_of(plugin) + " tests names only, so rules of " +
                                     owner_of(settings.plugin(set)) +
                                     " with 'dnstype' have no effect; use the matcher 'question' "
                                     "or an adlist");
            }
        }
    }
}

}  // namespace steer::config
