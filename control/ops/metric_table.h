// Every metric that is no row of a counter table, once: its name, type, labels and help text.
//
// Counter tables (worker, stream, router, set and mDNS counters) make metrics of their own rows. Together they are
// docs/reference/metrics.md (`steerdnsd --reference metrics`). A name that is not here does not compile.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace steer::ops {

struct MetricRow {
    std::string_view name;    // without "_total"
    std::string_view type;    // OpenMetrics: counter, gauge, histogram
    std::string_view labels;  // separated by commas; empty: none
    std::string_view help;
    std::string_view group;  // its heading in the documentation
};

inline constexpr std::array kMetrics{
    MetricRow{"steerdns_live", "gauge", "condition", "1 if a condition of /livez is met", "Health"},
    MetricRow{"steerdns_ready", "gauge", "condition", "1 if a condition of /readyz is met",
              "Health"},
    MetricRow{"steerdns_generation", "gauge", "", "number of the active configuration", "Health"},
    MetricRow{"steerdns_reloads", "counter", "result", "reloads by result (`in_force`, `refused`)",
              "Health"},
    MetricRow{"steerdns_certificate_ends_seconds", "gauge", "file or upstream",
              "time at which a certificate expires, in seconds since 1970: of a local server "
              "(`file`) or last seen from an upstream (`upstream`)",
              "Health"},

    MetricRow{"process_resident_memory_bytes", "gauge", "", "resident memory without hugepages",
              "Process"},
    MetricRow{"process_cpu_seconds", "counter", "", "CPU time of all threads, user and system",
              "Process"},
    MetricRow{"process_threads", "gauge", "", "number of threads", "Process"},
    MetricRow{"process_open_fds", "gauge", "", "open file descriptors", "Process"},
    MetricRow{"process_max_fds", "gauge", "", "maximum open file descriptors", "Process"},

    MetricRow{"steerdns_verdicts", "counter", "worker, verdict", "received packets by verdict",
              "Packets and ports"},
    MetricRow{"steerdns_moved", "counter", "worker, end",
              "queries received from other workers, by verdict", "Packets and ports"},
    MetricRow{"steerdns_injected", "counter", "worker, end",
              "queries received from streams threads, by verdict", "Packets and ports"},
    MetricRow{"steerdns_pending_outcomes", "counter", "worker, end",
              "pending queries that ended, by verdict", "Packets and ports"},
    MetricRow{"steerdns_port_lost", "counter", "device, why",
              "packets lost in a device or in the kernel, before a worker saw them",
              "Packets and ports"},
    MetricRow{"steerdns_exception_frames", "counter", "interface, kind, end",
              "frames sent to the kernel, by kind and result", "Packets and ports"},
    MetricRow{"steerdns_exception_kernel_frames", "counter", "interface, end",
              "frames received from the kernel, by result", "Packets and ports"},
    MetricRow{"steerdns_announcements", "counter", "by", "announcements of new addresses on ports",
              "Packets and ports"},
    MetricRow{"steerdns_connections", "gauge", "", "open connections of clients over TCP",
              "Packets and ports"},

    MetricRow{"steerdns_cache_entries", "gauge", "cache", "answers in the cache", "Caches"},
    MetricRow{"steerdns_cache_bytes", "gauge", "cache",
              "memory used by the answers in the cache, in bytes", "Caches"},
    MetricRow{"steerdns_cache_limit_entries", "gauge", "cache", "maximum answers in the cache",
              "Caches"},
    MetricRow{"steerdns_cache_instance_inserts", "counter", "cache", "answers added to the cache",
              "Caches"},
    MetricRow{"steerdns_cache_instance_evictions", "counter", "cache",
              "answers evicted to make room", "Caches"},
    MetricRow{"steerdns_cache_instance_flushed", "counter", "cache",
              "answers removed by an operator", "Caches"},
    MetricRow{"steerdns_cache_dump_answers", "gauge", "cache", "answers in the last dump",
              "Caches"},
    MetricRow{"steerdns_cache_dump_failures", "counter", "cache", "dumps that could not be written",
              "Caches"},

    MetricRow{"steerdns_list_rules", "gauge", "plugin, list", "active rules of a list", "Lists"},
    MetricRow{"steerdns_list_bad_lines", "gauge", "plugin, list", "invalid lines of a list",
              "Lists"},
    MetricRow{"steerdns_list_left_out", "gauge", "plugin, list",
              "rules of a list that are not supported and were skipped", "Lists"},
    MetricRow{"steerdns_list_loaded", "gauge", "plugin, list",
              "0 while a list from a URL was never fetched", "Lists"},
    MetricRow{"steerdns_list_fetches", "counter", "outcome", "fetches of lists by outcome",
              "Lists"},
    MetricRow{"steerdns_list_age_seconds", "gauge", "url",
              "time since a list was last fetched or found unchanged", "Lists"},
    MetricRow{"steerdns_lists_missing", "gauge", "", "lists that were never fetched", "Lists"},
    MetricRow{"steerdns_list_kept", "gauge", "url",
              "1 while an older copy of a list is used because the new one was rejected", "Lists"},
    MetricRow{"steerdns_adlist_names", "gauge", "plugin, list", "names in a list of an adlist",
              "Lists"},
    MetricRow{"steerdns_adlist_matches", "counter", "plugin, list",
              "queries blocked by a list of an adlist", "Lists"},
    MetricRow{"steerdns_adlist_paused", "gauge", "plugin", "1 while the adlist is paused", "Lists"},
    MetricRow{"steerdns_rpz_triggers", "gauge", "plugin, zone",
              "triggers in a response policy zone", "Lists"},
    MetricRow{"steerdns_rpz_matches", "counter", "plugin, zone",
              "queries that matched a trigger of a response policy zone", "Lists"},
    MetricRow{"steerdns_router_list_addresses", "gauge", "plugin",
              "addresses and prefixes of a ros_list", "Lists"},
    MetricRow{"steerdns_router_list_servers", "gauge", "router",
              "DNS servers of the router's own (dynamic-servers), if a forward uses them", "Lists"},
    MetricRow{"steerdns_router_list_age_seconds", "gauge", "router",
              "time since the router's lists and DNS servers were last known to be current; 0: now",
              "Lists"},
    MetricRow{"steerdns_static_records", "gauge", "plugin, origin",
              "records of a static, disabled ones too: in the configuration, or added by steerctl "
              "(`runtime`)",
              "Lists"},
    MetricRow{"steerdns_static_changes", "counter", "result",
              "records that were added and removed by steerctl, and refused requests", "Lists"},
    MetricRow{"steerdns_rule_changes", "counter", "set, result",
              "requested rule changes of a dynamic_domain_set, by result", "Lists"},
    MetricRow{"steerdns_rules_waiting", "gauge", "set", "rule changes that wait to be written",
              "Lists"},
    MetricRow{"steerdns_learned_names", "counter", "plugin, result",
              "names from learn_domain by result; `dropped` without a plugin: the plugin was "
              "removed by a reload",
              "Lists"},
    MetricRow{"steerdns_leases_named", "gauge", "plugin",
              "addresses of DHCP leases that have a name", "Lists"},
    MetricRow{"steerdns_leases_nameless", "gauge", "plugin",
              "DHCP leases whose host name was rejected", "Lists"},
    MetricRow{"steerdns_leases_followed", "gauge", "router",
              "1 while the DHCP leases of the router are followed", "Lists"},

    MetricRow{"steerdns_outcomes", "counter", "outcome",
              "answers that waited for a router, by outcome", "Routers and sets"},
    MetricRow{"steerdns_row_board_full", "counter", "",
              "rows not shared with the workers: the row board is full", "Routers and sets"},
    MetricRow{"steerdns_bypass", "gauge", "",
              "1 while all router writes are stopped (`steerctl bypass on`)", "Routers and sets"},
    MetricRow{"steerdns_router_in_sync", "gauge", "router", "1 if the rows of the router are known",
              "Routers and sets"},
    MetricRow{"steerdns_router_away", "gauge", "router",
              "1 if answers do not wait for the router: unreachable, being read, stalled or paused",
              "Routers and sets"},
    MetricRow{"steerdns_router_paused", "gauge", "router",
              "1 if writes are paused by hand or by the bypass", "Routers and sets"},
    MetricRow{"steerdns_router_owed_rows", "gauge", "router", "rows that wait to be written",
              "Routers and sets"},
    MetricRow{"steerdns_router_rows", "gauge", "router", "rows of steerdnsd on the router",
              "Routers and sets"},
    MetricRow{"steerdns_router_claimed_addresses", "gauge", "router",
              "addresses that must be on the router", "Routers and sets"},
    MetricRow{"steerdns_router_routes_inactive", "gauge", "router",
              "routes of steerdnsd whose gateway the router cannot reach", "Routers and sets"},
    MetricRow{"steerdns_router_routes_kept", "gauge", "router",
              "routes without a lease that tracked connections still use", "Routers and sets"},
    MetricRow{"steerdns_router_shared_addresses", "gauge", "router",
              "addresses that names outside their list also use (`shared`)", "Routers and sets"},
    MetricRow{"steerdns_router_flash_sectors", "counter", "router",
              "sectors written to the router's flash in its lifetime", "Routers and sets"},
    MetricRow{"steerdns_sink_away", "gauge", "sink",
              "1 if answers do not wait for this router or for the kernel sets",
              "Routers and sets"},
    MetricRow{"steerdns_sink_rows", "gauge", "sink", "rows that must be present",
              "Routers and sets"},
    MetricRow{"steerdns_sink_owed_rows", "gauge", "sink", "rows that wait to be written",
              "Routers and sets"},
    MetricRow{"steerdns_sink_capacity_rows", "gauge", "sink", "maximum rows of its lists",
              "Routers and sets"},
    MetricRow{"steerdns_sink_write_seconds", "gauge", "sink",
              "smoothed duration of a write; 0: unknown", "Routers and sets"},
    MetricRow{"steerdns_sets_process_running", "gauge", "",
              "1 while the process steerdns-sets runs", "Routers and sets"},
    MetricRow{"steerdns_sets_process_restarts", "counter", "", "restarts of steerdns-sets",
              "Routers and sets"},
    MetricRow{"steerdns_set_claims_overflowed", "counter", "",
              "claims dropped because too many waited for steerdns-sets", "Routers and sets"},
    MetricRow{"steerdns_set_ready", "gauge", "set", "1 if the kernel set can be filled",
              "Routers and sets"},
    MetricRow{"steerdns_set_claimed_elements", "gauge", "set",
              "elements that must be in the kernel set", "Routers and sets"},

    MetricRow{"steerdns_doctor_age_seconds", "gauge", "router",
              "time since the last report of `steerctl doctor --watch`", "Doctor"},
    MetricRow{"steerdns_doctor_stale", "gauge", "router",
              "1 if three further reports should have come since", "Doctor"},
    MetricRow{"steerdns_doctor_router_read", "gauge", "router",
              "1 if the doctor could read the router", "Doctor"},
    MetricRow{"steerdns_doctor_findings", "gauge", "router, severity",
              "findings of the last report (`problem`, `advice`, `note`)", "Doctor"},
    MetricRow{"steerdns_doctor_probe_ok", "gauge", "router, step",
              "1 if a step of the last probe succeeded, 0 if it failed; absent if it is unknown",
              "Doctor"},
    MetricRow{"steerdns_doctor_nat64_dead", "gauge", "router",
              "1 if the NAT64 was dead in several probes in a row", "Doctor"},
    MetricRow{"steerdns_doctor_option_108_withdrawn", "gauge", "router",
              "1 while DHCP option 108 is withdrawn", "Doctor"},

    MetricRow{"steerdns_recorder_records", "counter", "", "query records read from the workers",
              "Recorder"},
    MetricRow{"steerdns_recorder_lost", "counter", "",
              "query records lost because a worker's ring was full", "Recorder"},
    MetricRow{"steerdns_recorder_queries", "counter", "plugin, result",
              "queries by result: `recorded`, or `excepted` (`except_clients`)", "Recorder"},
    MetricRow{"steerdns_recorder_written", "counter", "plugin, sink",
              "queries written to a `database` or `json` file; messages sent by `dnstap`",
              "Recorder"},
    MetricRow{"steerdns_recorder_dropped", "counter", "plugin, sink",
              "queries or messages dropped: the queue of the sink was full, or dnstap has no "
              "receiver",
              "Recorder"},
    MetricRow{"steerdns_recorder_failed", "counter", "plugin, sink",
              "queries that could not be written", "Recorder"},
    MetricRow{"steerdns_recorder_well", "gauge", "plugin, sink",
              "1 while the sink can be written to; for `dnstap`, while a receiver is connected",
              "Recorder"},
    MetricRow{"steerdns_recorder_bytes", "gauge", "plugin, sink",
              "size of the file, without renamed ones", "Recorder"},

    MetricRow{"steerdns_task_runs", "counter", "task, result",
              "runs of cron jobs and of tasks started by queries, by result", "Plugins"},
    MetricRow{"steerdns_task_good", "gauge", "task", "1 if the last run succeeded", "Plugins"},
    MetricRow{"steerdns_collector_queries", "counter", "name",
              "queries that passed a metrics_collector", "Plugins"},
    MetricRow{"steerdns_collector_errors", "counter", "name",
              "queries that ended with SERVFAIL or without a response", "Plugins"},
    MetricRow{"steerdns_collector_inflight", "gauge", "name", "queries in progress", "Plugins"},
    MetricRow{"steerdns_collector_latency_seconds", "histogram", "name", "duration of the queries",
              "Plugins"},
    MetricRow{"steerdns_mdns_repeating", "gauge", "interface, family",
              "1 if mDNS of this family is repeated on the interface", "Plugins"},
};

// A row of the table, by its name; checked when it is compiled.
class KnownMetric {
  public:
    consteval KnownMetric(const char* name) : row_(&row_of(name)) {}
    [[nodiscard]] const MetricRow& row() const { return *row_; }

  private:
    static consteval const MetricRow& row_of(std::string_view name) {
        const auto* const at = std::find_if(kMetrics.begin(), kMetrics.end(),
                                            [name](const MetricRow& r) { return r.name == name; });
        if (at == kMetrics.end()) throw "a metric without a row in metric_table.h";
        return *at;
    }
    const MetricRow* row_;
};

}  // namespace steer::ops
