// Formats steerdnsd's answers as text for people. A key that is missing or has another type is "-";
// an unknown key gets its own column.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client_names.h"

namespace steerctl {

std::string status_text(const boost::json::value& status);
// Returns the aliases of OPNsense routers, from the status or from routers; empty if there are
// none.
std::string opnsense_text(const boost::json::value& status);

// `all`: includes rows that are 0.
std::string counters_text(const boost::json::value& counters, bool all);

// For cache.stats, cache.show, and cache.flush, cache.dump or cache.restore.
std::string cache_stats_text(const boost::json::value& stats);
std::string cache_show_text(const boost::json::value& answers);
std::string cache_done_text(const boost::json::value& done);

// For reverse.
std::string reverse_text(const boost::json::value& answer);

// For limits.
std::string limits_text(const boost::json::value& answer);
// For bans and bans.remove.
std::string bans_text(const boost::json::value& answer);
std::string ban_removed_text(const boost::json::value& answer);

// For fleet.
std::string fleet_text(const boost::json::value& answer);
// The result of the check whether the machine may be taken out of service.
struct UpgradeCheck {
    std::string obstacles;  // empty: none
    std::string sentence;   // if there are no obstacles
};
UpgradeCheck upgrade_check(const boost::json::value& answer);

// For why and hits.
std::string why_text(const boost::json::value& answer);
std::string hits_text(const boost::json::value& answer);
// Adds {"suffixes": [{"suffix", "queries", "names"}]}: the answer's names, grouped by their last
// `labels` labels; 0: by the registrable domain in the daemon's answer. Keeps the first `top` rows
// of each list.
boost::json::value group_hits(boost::json::value answer, unsigned labels, std::size_t top);

// For recorder.history, recorder.top, recorder.series and recorder.status.
std::string history_text(const boost::json::value& answer, const ClientNames& names = {});
// Of one upstream.
std::string course_text(const boost::json::value& answer);
std::string top_text(const boost::json::value& answer, const ClientNames& names = {});
std::string series_text(const boost::json::value& answer);
std::string recorder_text(const boost::json::value& answer);

// For support.
std::string support_text(const boost::json::value& answer);

// For events.
std::string events_text(const boost::json::value& answer);

// For blocking.list; blocking.set and pause; blocking.remove; blocking.export.
std::string blocking_text(const boost::json::value& answer);
// Of `people`, in an answer of why; empty: there are none.
std::string rules_of_people_text(const boost::json::value& answer);
std::string blocking_done_text(const boost::json::value& answer);
// blocking.preview.
std::string blocking_preview_text(const boost::json::value& answer);
std::string blocking_removed_text(const boost::json::value& answer);
std::string blocking_export_text(const boost::json::value& answer);
// For adlist, adlist.pause and adlist.resume.
std::string adlists_text(const boost::json::value& answer);

// For leases: names of DHCP leases, leases without a name with the reason, and the routers that are
// read.
std::string leases_text(const boost::json::value& answer);

// For clients.list; for clients.name and clients.forget.
std::string clients_text(const boost::json::value& answer);
std::string client_changed_text(const boost::json::value& answer);
// For clients.groups; for clients.group_add and clients.group_remove.
std::string groups_text(const boost::json::value& answer);
std::string group_changed_text(const boost::json::value& answer);

// For zones, zones.refresh and zones.retransfer.
std::string zones_text(const boost::json::value& answer);

// For page.link; for page, page.password and page.logout.
std::string page_text(const boost::json::value& answer);
std::string page_sessions_text(const boost::json::value& answer);
std::string page_password_text(const boost::json::value& answer);
std::string page_logout_text(const boost::json::value& answer);

// For recursion, and for recursion.flush and recursion.distrust.
std::string recursion_text(const boost::json::value& answer);
std::string recursion_done_text(const boost::json::value& answer);

// For lists and lists.fetch.
std::string lists_text(const boost::json::value& lists);

// For rules, rules.list and rules.change.
std::string rule_sets_text(const boost::json::value& sets);
std::string rules_text(const boost::json::value& rules);
std::string rules_changed_text(const boost::json::value& done);

// For static.print, static.add and static.remove.
std::string static_records_text(const boost::json::value& answer);
std::string static_changed_text(const boost::json::value& done);

// For configuration.check, configuration.apply and configuration.rollback; for
// configuration.history.
std::string configuration_problems_text(const boost::json::value& answer);
// Returns the bytes of the text in an answer to configuration.show or configuration.version.
std::string configuration_bytes(const boost::json::value& answer);
// Returns why a text cannot be sent; empty if it can. `file`: its name, "-" is standard input.
std::string configuration_text_problem(const std::string& file, std::string_view text);
std::string managed_diff_text(const boost::json::value& answer);
std::string configuration_history_text(const boost::json::value& answer);

// For routers, routers.diff, routers.reconcile, routers.pause, routers.resume and bypass.
std::string routers_text(const boost::json::value& routers);
std::string router_differences_text(const boost::json::value& routers);
std::string router_reconciled_text(const boost::json::value& routers);
std::string router_adopted_text(const boost::json::value& routers);
std::string router_forgotten_text(const boost::json::value& routers);
std::string router_paused_text(const boost::json::value& routers);
std::string bypass_text(const boost::json::value& answer);
// For routers.trace and routers.errors.
std::string router_trace_text(const boost::json::value& routers);
// For routers.lists.
std::string router_lists_text(const boost::json::value& answer);
// For routers.shared.
std::string router_shared_text(const boost::json::value& routers);
std::string router_errors_text(const boost::json::value& routers);
// For routers.probe: the findings and the progress.
std::string router_probe_text(const boost::json::value& routers);
struct ProbeProgress {
    std::string state, router_state, transcript;
    [[nodiscard]] bool has_ended() const { return state == "complete" || state == "incomplete"; }
};
ProbeProgress probe_progress(const boost::json::value& routers);
std::uint64_t last_serial(const boost::json::value& routers, std::uint64_t before);

// For configuration.replay; with `capture`, also the facts of a capture file.
std::string replay_text(const boost::json::value& answer);
// For these facts if the file has no query: the sentence of the error.
std::string no_queries_text(const boost::json::object& capture);

// For methods: for a terminal, and as the page docs/reference/control-socket.md.
std::string methods_text(const boost::json::value& answer);
std::string methods_page(const boost::json::value& answer);

// For explain; for trace: one line each, the serial number for the next request, and the count.
std::string explain_text(const boost::json::value& answer);
std::string trace_text(const boost::json::value& answer);
std::uint64_t next_trace(const boost::json::value& answer);
unsigned count_traces(const boost::json::value& answer);
// Returns whether `trace` asks for another second. The daemon measures a second with a clock of
// whole milliseconds and may answer slightly before steerctl's second ends, so a rest below half a
// second counts as none.
bool asks_for_more(std::chrono::nanoseconds time_left, unsigned traces_left);

// For drain.
std::string drain_text(const boost::json::value& answer);

// Returns the requested changes that an answer reports as not done, as a sentence; empty if all are
// done.
std::string not_done(std::string_view method, const boost::json::value& answer);

// For reload.
std::string reload_text(const boost::json::value& outcome);
bool is_refused(const boost::json::value& outcome);

}  // namespace steerctl
