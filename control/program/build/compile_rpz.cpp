// Compiler: response policy zones.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "control/program/build/compile.h"

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
    for (const config::RpzZone& zone : args.zones) {
        const auto first = static_cast<std::uint32_t>(out.actions.size());
        for (const config::RpzAction& action : zone.actions)
            out.actions.push_back(rpz_action(out, action, plugin.line));
        out.zones.push_back(rpz_zone(zone, first));
        out.zones.back().matches = registry_.list_matches(plugin.tag, zone.source);
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

steer::Rpz::Action Compiler::rpz_action(steer::Rpz& rpz, const config::RpzAction& action,
                                        int line) {
    using Does = config::RpzAction::Does;
    using Done = steer::Rpz::Action::Does;
    steer::Rpz::Action out;
    switch (action.does) {
        case Does::nxdomain:
            out.answer = known_.unkept(known_.negative(dns::kNxDomain, action.ttl_s));
            break;
        case Does::nodata:
            out.answer = known_.unkept(known_.negative(dns::kNoError, action.ttl_s));
            break;
        case Does::passthru:
            out.does = Done::passthru;
            break;
        case Does::drop:
            out.does = Done::drop;
            break;
        case Does::tcp_only:
            out.does = Done::tcp_only;
            out.answer = known_.unkept(known_.truncated());
            break;
        case Does::alias:
            out.answer = known_.unkept(known_.of_records(
                dns::kCname, dns::kIn, {{dns::kCname, dns::kIn, action.ttl_s, action.target}}));
            [[fallthrough]];
        case Does::alias_below:
            out.does = Done::alias;
            out.alias = static_cast<std::uint16_t>(snapshot_.redirect_targets.size());
            snapshot_.redirect_targets.push_back(action.target);
            snapshot_.redirect_ttls.resize(snapshot_.redirect_targets.size() - 1, 1);
            snapshot_.redirect_ttls.push_back(action.ttl_s);
            snapshot_.redirect_below.resize(snapshot_.redirect_targets.size());
            snapshot_.redirect_below.back() = action.does == Does::alias_below;
            break;
        case Does::records: {
            out.does = Done::records;
            std::map<std::uint16_t, std::vector<config::KnownRecord>> sets;
            std::uint32_t least_ttl_s = action.ttl_s;
            for (const config::KnownRecord& record : action.records) {
                auto& set = sets[record.type];
                least_ttl_s = std::min(least_ttl_s, record.ttl_s);
                const bool is_there = std::ranges::any_of(
                    set, [&](const auto& other) { return other.rdata == record.rdata; });
                if (!is_there) set.push_back(record);
            }
            out.typed.first = static_cast<std::uint32_t>(rpz.typed.size());
            for (const auto& [type, records] : sets) {
                const AnswerRef answer = known_.unkept(known_.of_records(type, dns::kIn, records));
                if (answer == kNoAnswer)
                    error(line, "the records of type " + std::to_string(type) +
                                    " of a trigger in rpz '" + rpz.tag +
                                    "' are longer than a message may be: write fewer");
                rpz.typed.push_back({type, dns::kIn, answer});
            }
            out.typed.count = static_cast<std::uint32_t>(rpz.typed.size()) - out.typed.first;
            out.answer = known_.unkept(known_.negative(dns::kNoError, least_ttl_s));
            break;
        }
    }
    return out;
}

}  // namespace steer::build
