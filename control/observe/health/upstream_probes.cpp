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

void UpstreamProbes::begin_round(Known& known) {
    known.round_unsent = kCaseProbes - 1;  // one is sent
    known.round_awaited = kCaseProbes;
    known.round_changed = 0;
    known.saw_other_case = false;
    known.round_ms = known.sent_ms;
}

void UpstreamProbes::note_case(Known& known, stream::ReplyCase name_case) {
    using stream::ReplyCase;
    if (name_case == ReplyCase::unknown) return;
    const bool is_changed = name_case == ReplyCase::changed;
    if (known.round_awaited == 0 && is_changed && !known.changes_case) begin_round(known);
    if (known.round_awaited == 0) return;
    --known.round_awaited;
    if (is_changed) ++known.round_changed;
    if (known.round_changed == kCaseChanged) known.round_awaited = known.round_unsent = 0;
    if (known.round_awaited == 0) known.changes_case = known.round_changed == kCaseChanged;
}

bool UpstreamProbes::is_round_due(const Known& known, std::uint64_t now_ms) {
    if (known.round_unsent > 0) return false;
    const std::uint64_t after_ms = known.changes_case     ? kCaseAgainMs
                                   : known.saw_other_case ? kCaseSoonestMs
                                                          : UINT64_MAX;
    return !known.round_ms ? after_ms == kCaseSoonestMs : now_ms - *known.round_ms >= after_ms;
}

void UpstreamProbes::see(std::uint16_t upstream, Traffic traffic, std::uint64_t now_ms) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return;
    Known& known = at->second;
    const Traffic before = std::exchange(known.traffic, traffic).value_or(traffic);
    if (traffic.edns_refusals != before.edns_refusals) known.refused_edns = true;
    if (traffic.case_mismatches != before.case_mismatches) known.saw_other_case = true;
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
    if (known.round_unsent > 0 && !known.is_waiting) return true;
    const bool may_again = !known.sent_ms || now_ms - *known.sent_ms >= kAgainMs;
    if (!may_again) return false;
    if (is_round_due(known, now_ms)) return true;
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
        if (is_round_due(known, now_ms)) {
            begin_round(known);
        } else if (known.round_unsent > 0) {
            --known.round_unsent;
        }
    }
    return now;
}

void UpstreamProbes::replied(std::uint16_t upstream, const stream::ProbeReply& reply) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return;
    live(at->second);
    at->second.without_edns = reply.refuses_edns;
    note_case(at->second, reply.name_case);
}

bool UpstreamProbes::is_silent(std::uint16_t upstream) const {
    const auto at = by_id_.find(upstream);
    return at != by_id_.end() && at->second.unanswered >= kSilentAfter;
}

bool UpstreamProbes::is_without_edns(std::uint16_t upstream) const {
    const auto at = by_id_.find(upstream);
    return at != by_id_.end() && at->second.without_edns;
}

bool UpstreamProbes::changes_case(std::uint16_t upstream) const {
    const auto at = by_id_.find(upstream);
    return at != by_id_.end() && at->second.changes_case;
}

std::string UpstreamProbes::case_news(Known& known, const std::string& who) {
    if (known.changes_case == known.reported_case) return {};
    known.reported_case = known.changes_case;
    if (!known.changes_case) return who + std::string(kReturnsCase);
    return who + " changes the case of names (in " + std::to_string(kCaseChanged) +
           " probes): its queries have less protection from forged replies; use another upstream, "
           "or "
           "DNS over TLS";
}

std::string UpstreamProbes::news(std::uint16_t upstream, std::string_view name,
                                 std::uint64_t now_ms, bool has_descriptors) {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return {};
    Known& known = at->second;
    const bool silent = known.unanswered >= kSilentAfter;
    const std::string who = "upstream " + std::string(name);
    if (silent == known.reported_silent) return case_news(known, who);
    if (!silent) {
        known.reported_silent = false;
        return who + std::string(kAnswersAgain);
    }
    if (known.reported_ms && now_ms - *known.reported_ms < kReportEveryMs) return {};
    known.reported_silent = true;
    known.reported_ms = now_ms;
    const std::string_view advice = has_descriptors
                                        ? "check that it runs, lets this machine ask it, and that "
                                          "no firewall drops its replies"
                                        : kNoDescriptor;
    return who + " does not answer (" + std::to_string(kSilentAfter) +
           " probes without a reply): " + std::string(advice);
}

}  // namespace steer
