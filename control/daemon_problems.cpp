// What an operator should look at now: `problems` of `status`, one sentence each.
//
// Each sentence says what is wrong, and after a semicolon what to do. A part of the daemon that knows its own trouble
// gives the sentence; here they are only collected.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "control/daemon.h"
#include "matchers/quote.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::int64_t kCertificateSoonS = 21 * 86'400;
constexpr std::uint32_t kSlowReplyMs = 200;  // the fastest one
constexpr double kSlowWriteUs = 25'000;
constexpr double kLongBacklogUs = 5'000'000;
constexpr int kMicrosecondsPerMs = 1'000;

class Problems {
  public:
    void add(std::string_view subject, std::string text) {
        all_.push_back(object{{"subject", subject}, {"text", std::move(text)}});
    }
    array take() { return std::move(all_); }

  private:
    array all_;
};

std::string count_of(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

void add_opnsense(const opnsense::RouterReport& router, Problems& out) {
    const std::string who = "OPNsense router " + router.name;
    if (!router.trouble.empty()) return out.add("routers", who + " " + router.trouble);
    for (const auto& alias : router.aliases) {
        if (!alias.trouble.empty())
            out.add("routers", who + ": alias " + alias.name + " " + alias.trouble);
    }
}

void add_router(const RouterThread::Status& router, bool is_bypassed, Problems& out) {
    const auto& s = router.state;
    const std::string who = "router " + router.name;
    const auto add = [&out](std::string text) { out.add("routers", std::move(text)); };
    if (s.paused && !is_bypassed)
        add(who + ": writes are paused; `steerctl routers resume` resumes them");
    if (!s.trouble.empty()) {
        add(s.trouble);
    } else if (s.state != routeros::RouterState::in_sync) {
        add(who + ": " + std::string(label(s.state)) +
            "; `steerctl routers errors` shows its last errors");
    }
    const double write_us = s.service_us.value_or(0);
    const bool is_slow =
        write_us > kSlowWriteUs || write_us * static_cast<double>(s.pending) > kLongBacklogUs;
    if (!s.away && !s.paused && is_slow)
        add(who + ": it lags: a write takes " +
            std::to_string(static_cast<long>(write_us) / kMicrosecondsPerMs) + " ms, and " +
            count_of(s.pending, "row waits", "rows wait") +
            "; check its CPU load, and `steerctl routers trace`");
    if (!s.late_backlog.empty()) add(who + ": " + s.late_backlog);
    if (s.rows_disabled != 0)
        add(who + ": " + s.disabled_row +
            (s.rows_disabled == 1 ? "" : ", and " + std::to_string(s.rows_disabled - 1) + " more") +
            "; enable or remove it: `steerctl doctor` names each");
    if (const std::size_t rest = s.rows_blocked - std::min(s.rows_disabled, s.rows_blocked);
        rest != 0)
        add(who + ": " + count_of(rest, "row is", "rows are") +
            " not written: a row of others has the address, or the router refuses it; "
            "`steerctl routers diff` lists them");
    if (s.left_alone != 0)
        add(who + ": " + count_of(s.left_alone, "row is", "rows are") +
            " left as a person changed them; `steerctl routers diff` lists them");
    if (s.rows_orphaned != 0)
        add(who + ": " + count_of(s.rows_orphaned, "row is", "rows are") +
            " of plugins that are not configured; `steerctl routers reconcile --orphans` removes "
            "them");
    for (const std::string& list : s.second_writers)
        add(who + ": another instance writes list " + matchers::quoted(list) +
            "; stop one of the two, or set `multi_writer` in both");
    for (const std::string& fleet : s.other_fleets) {
        std::string two = who;
        two.append(": fleet ").append(fleet);
        add(
            two.append(" writes it, too; give each fleet its own routers, or remove its row in "
                       "list steerdns-writer if it has ended"));
    }
    for (const auto& list : s.lists) {
        if (list.max_rows == 0 || list.claims < list.max_rows) continue;
        std::string full = who;
        full.append(": list ").append(matchers::quoted(list.tag)).append(" is full: ");
        full.append(count_of(list.claims, "claim", "claims")).append("; raise its `max_rows`");
        add(std::move(full));
    }
    for (const std::string& what : s.lacks) {
        std::string lacks = who;
        lacks.append(": RouterOS ").append(s.version).append(" does not have ").append(what);
        add(lacks.append("; upgrade it"));
    }
    if (s.routes_inactive != 0)
        add(who + ": " + count_of(s.routes_inactive, "route has", "routes have") +
            " an unreachable gateway; check the gateway");
}

}  // namespace

boost::json::value Daemon::problems() {
    Problems out;
    const std::uint64_t now_ms = clock_.now().ms;
    for (const auto& checks : {liveness(), conditions()}) {
        for (const auto& check : checks) {
            // Those of upstreams, one by one, are below.
            if (!check.is_good() && check.name != "upstreams")
                out.add("health", std::string(check.name) + ": " + check.trouble);
        }
    }
    for (const auto& helper : health_.stuck_helpers)
        out.add("health", helper.sentence() +
                              "; the log has its stack: check the disk or file that it waits for");
    if (!reloads_.trouble.empty())
        out.add("configuration", "the last reload was refused: " + reloads_.trouble +
                                     "; the configuration before it stays in use");
    if (older_patterns_)
        out.add("lists", "the keyword and regexp rules are those of an older image: " +
                             count_of(older_patterns_->missing, "rule has", "rules have") +
                             " no effect yet; they follow when the compilation in the background "
                             "is done" +
                             (reloads_.refused != 0 && !reloads_.trouble.empty()
                                  ? ", which needs a reload that is not refused"
                                  : ""));
    if (routers_->bypassed())
        out.add("routers",
                "the bypass is on: no router is written to; `steerctl bypass off` ends it");
    for (const auto& router : routers_->status())
        add_router(router, routers_->bypassed(), out);
    for (const auto& router : opnsense_->reports())
        add_opnsense(router, out);
    for (std::string& text : fleet_->view().problems)
        out.add("fleet", std::move(text));
    add_upstream_problems([&out](std::string text) { out.add("upstreams", std::move(text)); });
    for (std::string& text : overload_watch_.recent(now_ms))
        out.add("overload", std::move(text));
    if (cache_service_) {
        for (std::string& text : cache_service_->problems())
            out.add("cache", std::move(text));
    }
    add_list_problems([&out](std::string text) { out.add("lists", std::move(text)); });
    const auto now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    for (const CertificateEnd& one : certificate_ends()) {
        if (one.ends_s - now_s < kCertificateSoonS)
            out.add("certificates", certificate_sentence(one, now_s));
    }
    for (const auto& recording : recorder_->status().recordings) {
        for (const auto& sink : recording.sinks) {
            if (!sink.is_well)
                out.add(
                    "recorder",
                    "query_recorder " + matchers::quoted(recording.tag) + ": " +
                        (sink.trouble.empty() ? sink.place + " is not connected" : sink.trouble) +
                        "; `steerctl recorder` counts the queries that are missing");
        }
    }
    for (std::string& text : doctor_reports_.problems())
        out.add("doctor", std::move(text));
    return out.take();
}

void Daemon::add_upstream_problems(const std::function<void(std::string)>& add) const {
    const Snapshot& snapshot = *publisher_->current();
    for (const UpstreamGroup& group : snapshot.groups) {
        for (const auto member : group.members) {
            const Upstream& upstream = snapshot.upstreams[member];
            const std::string ill = upstream_trouble(upstream);
            if (!ill.empty()) {
                add("upstream " + upstream.name + " of forward '" + group.name + "' " + ill +
                    "; check that it runs, and that no firewall drops its replies, or the probes "
                    "that this machine's kernel sends to it");
                continue;
            }
            if (upstream_speed_.is_slower_than(upstream.id, kSlowReplyMs))
                add("upstream " + upstream.name + " of forward '" + group.name +
                    "' is slow: each of its replies takes more than " +
                    std::to_string(kSlowReplyMs) +
                    " ms; check the line to it, or use a nearer one");
        }
    }
}

void Daemon::add_list_problems(const std::function<void(std::string)>& add) const {
    if (fetcher_) {
        for (std::string& text : fetcher_->problems())
            add(std::move(text));
    }
    for (const config::ReadList& list : lists_) {
        if (list.bad_lines != 0)
            add(list.owner + ": " +
                count_of(list.bad_lines, "line is invalid", "lines are invalid") + " in " +
                list.source + "; the log names the first ones");
    }
    const Now now = clock_.now();
    for (const AdList& list : publisher_->current()->ad_lists) {
        const std::uint32_t until_s = list.paused_until_s->load(std::memory_order_relaxed);
        if (until_s > now.s())
            add("adlist '" + list.tag + "' is paused for " + std::to_string(until_s - now.s()) +
                " s: it blocks nothing; `steerctl adlist resume` ends the pause");
    }
}

// The best smoothed round trip that any worker has measured.
std::optional<double> Daemon::best_rtt_ms(std::uint16_t upstream) const {
    constexpr double kParts = 16;
    std::uint32_t best = 0;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        const auto rtt = runtime_->worker(w).upstream_health(upstream).rtt_16ths_ms.load(
            std::memory_order_relaxed);
        if (rtt != 0 && (best == 0 || rtt < best)) best = rtt;
    }
    if (best == 0) return std::nullopt;
    return best / kParts;
}

}  // namespace steer
