#include "control/observe/health/upstream_probes.h"

#include <utility>

namespace steer {

void UpstreamProbes::follow(const std::map<std::uint16_t, build::UpstreamProbe>& probes) {
    std::erase_if(by_id_, [&](const auto& known) { return !probes.contains(known.first); });
    for (const auto& [id, probe] : probes) {
        Known& known = by_id_[id];
        known.every_ms = probe.every_ms;
        known.is_due = true;
    }
}

void UpstreamProbes::network_changed() {
    for (auto& [id, known] : by_id_)
        known.is_due = true;
}

void UpstreamProbes::live(Known& known) {
    known.asked_since_ms.reset();
    known.is_waiting = known.is_late = false;
    known.unanswered = 0;
}

void UpstreamProbes::see(std::uint16_t upstream, Traffic traffic, std::uint64_t now_ms) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return;
    Known& known = at->second;
    const Traffic before = std::exchange(known.traffic, traffic).value_or(traffic);
    if (traffic.edns_refusals != before.edns_refusals) known.refused_edns = true;
    if (traffic.replies != before.replies) {
        live(known);
    } else if (traffic.queries != before.queries && !known.asked_since_ms) {
        known.asked_since_ms = now_ms;
    }
    if (known.is_waiting && !known.is_late && now_ms - *known.sent_ms >= kPatienceMs) {
        known.is_late = true;
        ++known.unanswered;
    }
}

bool UpstreamProbes::is_due(const Known& known, std::uint64_t now_ms) {
    const bool may_again = !known.sent_ms || now_ms - *known.sent_ms >= kAgainMs;
    if (!may_again) return false;
    if (known.is_due || known.is_waiting) return true;
    if (known.asked_since_ms && now_ms - *known.asked_since_ms >= kPatienceMs) return true;
    const std::uint64_t edns_ms = known.without_edns   ? kEdnsAgainMs
                                  : known.refused_edns ? kEdnsSoonestMs
                                                       : UINT64_MAX;
    if (now_ms - *known.sent_ms >= edns_ms) return true;
    return known.every_ms != 0 && now_ms - *known.sent_ms >= known.every_ms;
}

std::vector<std::uint16_t> UpstreamProbes::due(std::uint64_t now_ms) {
    std::vector<std::uint16_t> now;
    for (auto& [id, known] : by_id_) {
        if (!is_due(known, now_ms)) continue;
        now.push_back(id);
        known.is_due = known.is_late = known.refused_edns = false;
        known.is_waiting = true;
        known.sent_ms = now_ms;
    }
    return now;
}

void UpstreamProbes::replied(std::uint16_t upstream, bool refuses_edns) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return;
    live(at->second);
    at->second.without_edns = refuses_edns;
}

bool UpstreamProbes::is_silent(std::uint16_t upstream) const {
    const auto at = by_id_.find(upstream);
    return at != by_id_.end() && at->second.unanswered >= kSilentAfter;
}

bool UpstreamProbes::is_without_edns(std::uint16_t upstream) const {
    const auto at = by_id_.find(upstream);
    return at != by_id_.end() && at->second.without_edns;
}

std::string UpstreamProbes::news(std::uint16_t upstream, std::string_view name,
                                 std::uint64_t now_ms) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return {};
    Known& known = at->second;
    const bool silent = known.unanswered >= kSilentAfter;
    if (silent == known.reported_silent) return {};
    const std::string who = "upstream " + std::string(name);
    if (!silent) {
        known.reported_silent = false;
        return who + std::string(kAnswersAgain);
    }
    if (known.reported_ms && now_ms - *known.reported_ms < kReportEveryMs) return {};
    known.reported_silent = true;
    known.reported_ms = now_ms;
    return who + " does not answer (" + std::to_string(kSilentAfter) +
           " probes without a reply): check that it runs, lets this machine ask it, and that no "
           "firewall drops its replies";
}

}  // namespace steer
