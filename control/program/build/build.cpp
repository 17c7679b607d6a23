#include "control/program/build/build.h"

#include <map>

#include "control/program/build/build_steps.h"
#include "control/program/build/compile.h"
#include "control/program/build/limit_rows.h"
#include "control/program/build/lists.h"
#include "control/program/build/program_advice.h"
#include "control/program/build/ranges.h"
#include "control/program/build/tag_masks.h"

namespace steer::build {
namespace {

matchers::PrefixSet allowed(const config::Dataplane& dataplane, const Surroundings& surroundings) {
    if (dataplane.allow) return matchers::PrefixSet(*dataplane.allow);
    std::vector<matchers::Prefix> prefixes = private_ranges();
    prefixes.insert(prefixes.end(), surroundings.own_networks.begin(),
                    surroundings.own_networks.end());
    return matchers::PrefixSet(prefixes);
}

// Primaries, and those that `notify_from` adds.
matchers::PrefixSet senders_of_notify(const SecondaryPlans& plans) {
    std::vector<matchers::Prefix> senders;
    for (const SecondaryPlan& plan : plans.zones) {
        for (const config::ZonePrimary& primary : plan.settings.primaries)
            senders.push_back(matchers::Prefix::masked(primary.address, 128));
        senders.insert(senders.end(), plan.settings.notify_from.begin(),
                       plan.settings.notify_from.end());
    }
    return matchers::PrefixSet(senders);
}

void check_tls(const config::Settings& settings, Built& built) {
    for (const config::Router& router : settings.routers) {
        const routeros::TlsConfig tls = transport_config(router).tls;
        if (!tls.enabled) continue;
        const std::string error = routeros::check_tls(tls);
        if (error.empty()) continue;
        built.errors.push_back(
            settings.error(router.line, "'tls' of router '" + router.name + "': " + error));
    }
}

// Two caches with one dump file would overwrite each other's dump.
void check_dump_files(const config::Settings& settings, Built& built) {
    std::map<std::string, std::string> owners;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const cache = std::get_if<config::Cache>(&plugin.args);
        if (cache == nullptr || cache->dump_file.empty()) continue;
        const auto [other, is_first] = owners.emplace(cache->dump_file, plugin.tag);
        if (is_first) continue;
        built.errors.push_back(
            settings.error(plugin.line, "caches '" + other->second + "' and '" + plugin.tag +
                                            "' have the same dump_file: give each one of its own"));
    }
}

void add_inheriting(const config::Settings& settings,
                    const std::vector<TagMasks::InheritingSet>& sets, Registry& registry,
                    Built& built) {
    for (const auto& set : sets) {
        const config::Plugin& plugin = settings.plugin(set.plugin);
        const auto number = registry.inherited_set(plugin.tag);
        if (!number) {
            built.errors.push_back(settings.error(plugin.line, number.error().text));
            return;
        }
        built.snapshot->inheriting.push_back({*number, set.own, set.sets});
        built.snapshot->inherited = registry.inherited();
    }
}

}  // namespace

Built build(const config::Settings& settings, const Surroundings& surroundings, Registry& registry,
            matchers::ImageStore* images) {
    Built built;
    built.snapshot = std::make_unique<Snapshot>();
    Snapshot& snapshot = *built.snapshot;
    const auto list_places = build_lists(settings, surroundings, registry, built);
    built.leases = lease_plans(settings, registry);
    built.router_lists = router_list_plans(settings, registry);
    built.secondaries = secondary_plans(settings, registry);
    snapshot.live_targets = built.secondaries.targets;
    snapshot.notify_from = senders_of_notify(built.secondaries);
    check_tls(settings, built);
    check_dump_files(settings, built);
    TagMasks masks(settings);
    const auto designated = designated_resolvers(settings, surroundings.own_addresses);
    if (!designated) built.errors.push_back(settings.error(0, designated.error().text));
    Compiler compiler(settings, registry, masks, list_places, snapshot, built.errors);
    compiler.run(designated ? *designated : std::vector<config::KnownRecord>{},
                 surroundings.host_name);
    built.channels = compiler.channels();
    built.windows = compiler.windows();
    set_windows(built.windows, surroundings.now);
    built.upstream_needs = upstream_needs(settings, compiler.groups());
    built.probes = upstream_probes(settings, compiler.groups(), snapshot);
    built.sets = masks.named_sets();
    add_inheriting(settings, masks.inheriting(), registry, built);
    write_source(settings, snapshot);
    snapshot.names = masks.finish(snapshot.tag_masks, built.errors, images);
    snapshot.allow = allowed(settings.dataplane, surroundings);
    snapshot.withheld = matchers::PrefixSet(special_ranges());
    snapshot.trusted_forwarders = matchers::PrefixSet(settings.dataplane.trusted_forwarders);
    snapshot.limits = limit_policy(settings, registry, built.errors);
    built.listeners = listen(settings, registry, snapshot.frontends, built.errors);
    if (built.ok()) {
        if (auto ready = equip(snapshot); !ready) built.errors.push_back(ready.error());
    }
    if (built.ok()) {
        std::vector<Error> advice = program_advice(settings, snapshot, compiler.makers());
        built.warnings.insert(built.warnings.end(), advice.begin(), advice.end());
    }
    if (!built.ok()) built.snapshot.reset();
    return built;
}

}  // namespace steer::build
