// What steerdnsd answered, as text for people. Prints what is there: a key that is missing or of
// another type is "-", a key that is not known here gets a column of its own.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace steerctl {

std::string status_text(const boost::json::value& status);
// Its aliases of OPNsense routers, also of routers; empty: there are none.
std::string opnsense_text(const boost::json::value& status);

// `all`: rows that are 0 too.
std::string counters_text(const boost::json::value& counters, bool all);

// Of cache.stats, cache.show, and cache.flush, cache.dump or cache.restore.
std::string cache_stats_text(const boost::json::value& stats);
std::string cache_show_text(const boost::json::value& answers);
std::string cache_done_text(const boost::json::value& done);

// Of reverse.
std::string reverse_text(const boost::json::value& answer);

// Of fleet.
std::string fleet_text(const boost::json::value& answer);
// Whether the box may be taken out of service.
struct UpgradeCheck {
    std::string obstacles;  // empty: none
    std::string sentence;   // if there is none
};
UpgradeCheck upgrade_check(const boost::json::value& answer);

// Of why and hits.
std::string why_text(const boost::json::value& answer);
std::string hits_text(const boost::json::value& answer);
// Adds {"suffixes": [{"suffix", "queries", "names"}]}: the answer's names by their last `labels` labels; 0: by the
// registrable domain that the daemon names. Keeps the first `top` rows of each list.
boost::json::value group_hits(boost::json::value answer, unsigned labels, std::size_t top);

// Of recorder.history, recorder.top, recorder.series and recorder.status.
std::string history_text(const boost::json::value& answer);
std::string top_text(const boost::json::value& answer);
std::string series_text(const boost::json::value& answer);
std::string recorder_text(const boost::json::value& answer);

// Of events.
std::string events_text(const boost::json::value& answer);

// Of adlist, adlist.pause and adlist.resume.
std::string adlists_text(const boost::json::value& answer);

// Names of DHCP leases, those that have none and why, and the routers that are read.
std::string leases_text(const boost::json::value& answer);

// Of zones, zones.refresh and zones.retransfer.
std::string zones_text(const boost::json::value& answer);

// Of lists and lists.fetch.
std::string lists_text(const boost::json::value& lists);

// Of rules, rules.list, rules.change.
std::string rule_sets_text(const boost::json::value& sets);
std::string rules_text(const boost::json::value& rules);
std::string rules_changed_text(const boost::json::value& done);

// Of static.print, static.add, static.remove.
std::string static_records_text(const boost::json::value& answer);
std::string static_changed_text(const boost::json::value& done);

// Of configuration.check, configuration.apply and configuration.rollback; of configuration.history.
std::string configuration_problems_text(const boost::json::value& answer);
// The bytes of the text that configuration.show and configuration.version answer with.
std::string configuration_bytes(const boost::json::value& answer);
// Why a text cannot be sent; empty: it can. `file`: its name, "-" is standard input.
std::string configuration_text_problem(const std::string& file, std::string_view text);
std::string configuration_history_text(const boost::json::value& answer);

// Of routers, routers.diff, routers.reconcile, routers.pause and routers.resume, bypass.
std::string routers_text(const boost::json::value& routers);
std::string router_differences_text(const boost::json::value& routers);
std::string router_reconciled_text(const boost::json::value& routers);
std::string router_adopted_text(const boost::json::value& routers);
std::string router_forgotten_text(const boost::json::value& routers);
std::string router_paused_text(const boost::json::value& routers);
std::string bypass_text(const boost::json::value& answer);
// Of routers.trace and routers.errors.
std::string router_trace_text(const boost::json::value& routers);
// Of routers.lists.
std::string router_lists_text(const boost::json::value& answer);
// Of routers.shared.
std::string router_shared_text(const boost::json::value& routers);
std::string router_errors_text(const boost::json::value& routers);
// Of routers.probe: the findings, and how far it is.
std::string router_probe_text(const boost::json::value& routers);
struct ProbeProgress {
    std::string state, router_state, transcript;
    [[nodiscard]] bool has_ended() const { return state == "complete" || state == "incomplete"; }
};
ProbeProgress probe_progress(const boost::json::value& routers);
std::uint64_t last_serial(const boost::json::value& routers, std::uint64_t before);

// Of configuration.replay; with `capture`, the facts of a capture file.
std::string replay_text(const boost::json::value& answer);
// Of such facts, if the file has no query: the sentence of the error.
std::string no_queries_text(const boost::json::object& capture);

// Of methods: for a terminal, and as the page docs/reference/control-socket.md.
std::string methods_text(const boost::json::value& answer);
std::string methods_page(const boost::json::value& answer);

// Of explain; of trace: a line each, the serial number to continue with, their number.
std::string explain_text(const boost::json::value& answer);
std::string trace_text(const boost::json::value& answer);
std::uint64_t next_trace(const boost::json::value& answer);
unsigned count_traces(const boost::json::value& answer);
// Whether `trace` asks for another second. The daemon measures a second with a clock of whole
// milliseconds and may answer a little before ours has passed: a rest below half a second is none.
bool asks_for_more(std::chrono::nanoseconds time_left, unsigned traces_left);

// Of drain.
std::string drain_text(const boost::json::value& answer);

// What an answer says that was asked for and is not done, as a sentence; empty: all is done.
std::string not_done(std::string_view method, const boost::json::value& answer);

// Of reload.
std::string reload_text(const boost::json::value& outcome);
bool is_refused(const boost::json::value& outcome);

}  // namespace steerctl
