// Compiler: response policy zones.
#include <algorithm>
#include <utility>
#include <vector>

#include "control/program/build/compile.h"
#include "control/program/build/policy_action.h"

namespace steer::build {

void Compiler::rpz(config::PluginIndex index, const config::Rpz& args, int line,
                   std::uint16_t instance, unsigned& depth) {
    enter(Op::enter_rpz, instance, line, rpz_of(index, args), depth);
}

std::uint32_t Compiler::rpz_of(config::PluginIndex index, const config::Rpz& args) {
    const auto [at, fresh] = place_of(index, snapshot_.rpzs);
    if (!fresh) return at;
    const config::Plugin& plugin = settings_.plugin(index);
    steer::Rpz out;
    out.tag = plugin.tag;
    out.id = list_id(out.tag, {});
    out.logs = args.logs;
    std::vector<const config::RpzZone*> in_order;
    for (const config::RpzZone& zone : args.zones)
        in_order.push_back(&zone);
    const auto others =
        std::stable_partition(in_order.begin(), in_order.end(),
                              [](const config::RpzZone* zone) { return zone->terms.legal; });
    out.legal_zones = static_cast<std::uint32_t>(others - in_order.begin());
    for (const config::RpzZone* const next : in_order) {
        const config::RpzZone& zone = *next;
        if (zone.secondary) {
            out.zones.push_back(live_zone(
                registry_.live_policy(settings_.plugin(*zone.secondary).tag), zone.source));
            name_zone(plugin.tag, zone, out.zones.back());
            out.asks_answers = true;  // what the zone has may change
            continue;
        }
        const auto first = static_cast<std::uint32_t>(out.actions.size());
        for (const config::RpzAction& action : zone.actions)
            out.actions.push_back(rpz_action(out, action, plugin.line));
        out.zones.push_back(rpz_zone(zone, first));
        name_zone(plugin.tag, zone, out.zones.back());
        out.asks_answers =
            out.asks_answers || !out.zones.back().addresses.empty() || out.zones.back().has_names();
    }
    if (snapshot_.redirect_targets.size() > kMaxRedirectTargets)
        error(plugin.line, "policy zones, redirects and static CNAME records have more than " +
                               std::to_string(kMaxRedirectTargets) + " targets: write fewer");
    out.translated.push_back(dns::kWellKnownPref64);
    for (const config::Plugin& other : settings_.plugins) {
        const auto* const translator = std::get_if<config::Dns64>(&other.args);
        if (translator == nullptr) continue;
        for (const config::Dns64Prefix& prefix : translator->prefixes)
            out.translated.push_back(prefix.prefix);
    }
    snapshot_.rpzs.push_back(std::move(out));
    return at;
}

void Compiler::name_zone(const std::string& tag, const config::RpzZone& zone,
                         steer::Rpz::Zone& out) {
    out.matches = registry_.list_matches(tag, zone.source);
    out.id = list_id(tag, zone.source);
    out.is_legal = zone.terms.legal;
    out.notice = block_notice(zone.terms);
    out.logs_hits = zone.terms.hit_log;
    out.version = zone.version;
}

steer::Rpz::Zone Compiler::rpz_zone(const config::RpzZone& zone, std::uint32_t first_action) {
    steer::Rpz::Zone out;
    out.name = zone.source;
    out.rules = zone.rules();
    matchers::NameValuesBuilder names, below;
    for (const config::RuleAt& at : zone.names) {
        const bool is_below = at.rule.kind == matchers::RuleKind::domain;
        (is_below ? below : names)
            .add(at.rule, first_action + at.value, settings_.files[at.file], at.line);
    }
    out.names = names.build(errors_);
    out.below = below.build(errors_);
    if (zone.all) out.all = first_action + *zone.all;
    const auto prefixes_of_zone = [&](const std::vector<config::RpzPrefix>& prefixes) {
        std::vector<matchers::PrefixValues::Rule> rules;
        rules.reserve(prefixes.size());
        for (const config::RpzPrefix& p : prefixes)
            rules.push_back({p.prefix, p.is_v4, first_action + p.action});
        return matchers::PrefixValues(std::move(rules));
    };
    out.clients = prefixes_of_zone(zone.clients);
    out.addresses = prefixes_of_zone(zone.addresses);
    return out;
}

steer::Rpz::Zone Compiler::live_zone(std::shared_ptr<const LivePolicy> live,
                                     const std::string& name) {
    steer::Rpz::Zone out;
    out.name = name;
    out.live = std::move(live);
    return out;
}

std::uint32_t Compiler::local_zone(config::PluginIndex index, const config::Zone& args) {
    const auto known = local_zones_.find(index);
    if (known != local_zones_.end()) return known->second;
    const std::string& tag = settings_.plugin(index).tag;
    const std::string& secondary = settings_.plugin(*args.secondary).tag;
    steer::Rpz out;
    out.tag = tag;
    out.is_authority = true;
    out.zones.push_back(live_zone(registry_.local_zone(secondary), "$" + secondary));
    out.zones.back().matches = registry_.list_matches(tag, "$" + secondary);
    const auto at = static_cast<std::uint32_t>(snapshot_.rpzs.size());
    local_zones_.emplace(index, at);
    snapshot_.rpzs.push_back(std::move(out));
    return at;
}

steer::Rpz::Action Compiler::rpz_action(steer::Rpz& rpz, const config::RpzAction& action,
                                        int line) {
    const auto alias = [this](const config::RpzAction& of) -> std::optional<std::uint16_t> {
        const auto number = static_cast<std::uint16_t>(snapshot_.redirect_targets.size());
        snapshot_.redirect_targets.push_back(of.target);
        snapshot_.redirect_ttls.resize(number, 1);
        snapshot_.redirect_ttls.push_back(of.ttl_s);
        snapshot_.redirect_below.resize(number + 1U);
        snapshot_.redirect_below.back() = of.does == config::RpzAction::Does::alias_below;
        return number;
    };
    std::vector<std::uint16_t> too_long;
    const auto made = policy_action(action, known_, rpz.typed, alias, too_long);
    for (const std::uint16_t type : too_long)
        error(line, "the records of type " + std::to_string(type) + " of a trigger in rpz '" +
                        rpz.tag + "' are longer than a message may be: write fewer");
    return *made;
}

}  // namespace steer::build
