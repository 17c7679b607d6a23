#include "control/sources/transfer/zone_rules.h"

#include <algorithm>
#include <optional>
#include <span>

#include "control/config/text/dns_names.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"

namespace steer {
namespace {

using Says = config::HoldingRule::Says;

std::optional<ZoneRule> rule_of(const PolicyZone& zone, std::span<const std::uint8_t> name) {
    const auto found = zone.names->find(name, zone.changes.get());
    ZoneRule out;
    std::uint32_t action = found.value();
    if (action == PolicyZone::kNone) {
        if (zone.all == PolicyZone::kNone || name.size() == 1) return std::nullopt;
        action = zone.all;
        out.rule = "*";
    } else {
        out.rule = found.is_exact() ? dns::name_to_text(name)
                                    : "*." + dns::name_to_text(name.last(found.below_length));
    }
    const bool passes = zone.at(action).action.does == PolicyAction::Does::passthru;
    out.says = passes ? Says::not_in : Says::in;
    return out;
}

}  // namespace

std::vector<ZoneRule> zone_rules(const Snapshot& snapshot, std::string_view name) {
    std::vector<ZoneRule> out;
    auto wire = config::asked_name(name);
    if (!wire) return out;
    dns::lower_case(wire->data(), wire->data(), wire->size());
    for (const Rpz& rpz : snapshot.rpzs) {
        for (const Rpz::Zone& zone : rpz.zones) {
            const PolicyZone* const loaded = zone.load();
            const bool is_known = std::ranges::any_of(out, [&](const ZoneRule& rule) {
                return rule.source == zone.name && rule.is_local == rpz.is_authority;
            });
            if (loaded == nullptr || is_known) continue;
            auto rule = rule_of(*loaded, *wire);
            if (!rule) continue;
            rule->source = zone.name;
            rule->is_local = rpz.is_authority;
            out.push_back(*std::move(rule));
        }
    }
    return out;
}

void add_zone_rules(const config::Settings& settings, const std::vector<ZoneRule>& found,
                    std::vector<config::HoldingRule>& rules) {
    if (found.empty()) return;
    for (config::PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const auto add = [&](config::PluginIndex secondary, bool is_local) {
            const std::string source = "$" + settings.plugin(secondary).tag;
            for (const ZoneRule& rule : found) {
                if (rule.source == source && rule.is_local == is_local)
                    rules.push_back({i, rule.says, rule.rule, source, 0, 1});
            }
        };
        const auto& args = settings.plugins[i].args;
        if (const auto* const rpz = std::get_if<config::Rpz>(&args)) {
            for (const config::RpzZone& zone : rpz->zones)
                if (zone.secondary) add(*zone.secondary, false);
        } else if (const auto* const zone = std::get_if<config::Zone>(&args)) {
            if (zone->secondary) add(*zone->secondary, true);
        }
    }
    std::ranges::stable_sort(rules, {}, &config::HoldingRule::plugin);
}

}  // namespace steer
