#include "control/program/build/build_steps.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/advice/readiness.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::build {
namespace {

constexpr std::uint16_t kOneQuestion = 1, kInternet = 1;
constexpr std::size_t kAdditionalCount = 10;  // in the header
// The root, OPT, 1232 bytes, no flags, no options: whether the upstream takes EDNS.
constexpr std::array<std::uint8_t, 11> kOpt{0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0};

UpstreamProbe probe_of(const config::ProbeSettings& settings) {
    UpstreamProbe probe;
    probe.every_ms = static_cast<std::uint64_t>(settings.every.count());
    const auto name = dns::name_from_text(settings.name);
    if (!name) return probe;
    const std::size_t end = dns::kHeaderSize + name->size();
    probe.query.resize(end + dns::kTypeAndClass);
    dns::store_be16(&probe.query[kAdditionalCount], 1);
    dns::store_be16(&probe.query[2], dns::kRd);
    dns::store_be16(&probe.query[4], kOneQuestion);
    std::copy(name->begin(), name->end(), probe.query.begin() + dns::kHeaderSize);
    dns::store_be16(&probe.query[end], settings.type);
    dns::store_be16(&probe.query[end + 2], kInternet);
    probe.query.insert(probe.query.end(), kOpt.begin(), kOpt.end());
    return probe;
}

// 0 is never.
bool is_more_often(const UpstreamProbe& a, const UpstreamProbe& b) {
    return a.every_ms != 0 && (b.every_ms == 0 || a.every_ms < b.every_ms);
}

}  // namespace

// A forward that no entry leads to has no group, and is never needed.
std::vector<UpstreamNeed> upstream_needs(const config::Settings& settings,
                                         const GroupsOfForwards& groups) {
    std::vector<UpstreamNeed> needs;
    for (const config::ForwardNeed& forwards : config::forward_needs(settings)) {
        UpstreamNeed need{.groups = {}, .has_stale = forwards.has_stale};
        for (const config::PluginIndex forward : forwards.any_of) {
            if (const auto group = groups.find(forward); group != groups.end())
                need.groups.push_back(group->second);
        }
        if (!need.groups.empty()) needs.push_back(std::move(need));
    }
    return needs;
}

std::map<std::uint16_t, UpstreamProbe> upstream_probes(const config::Settings& settings,
                                                       const GroupsOfForwards& groups,
                                                       const Snapshot& snapshot) {
    std::map<std::uint16_t, UpstreamProbe> probes;
    for (const auto& [forward, group] : groups) {
        const config::ProbeSettings& asked =
            std::get<config::Forward>(settings.plugin(forward).args).probe;
        if (asked.off) continue;
        const UpstreamProbe probe = probe_of(asked);
        for (const std::uint16_t member : snapshot.groups[group].members) {
            const auto [known, is_new] = probes.try_emplace(snapshot.upstreams[member].id, probe);
            if (!is_new && is_more_often(probe, known->second)) known->second = probe;
        }
    }
    return probes;
}

}  // namespace steer::build
