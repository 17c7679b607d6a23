// Arguments of all executors except `forward` and the sinks, and the rules of a `sequence`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/settings/matcher_settings.h"
#include "dataplane/dns/pref64.h"
#include "matchers/list/list_version.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

inline constexpr Milliseconds kNoLimit = Milliseconds::max();

struct Cache {
    std::uint64_t size = 1024;  // entries, or bytes
    bool size_in_bytes = false;
    bool short_circuit = false;
    bool cache_negative = true;
    Milliseconds max_negative_ttl{300'000}, negative_ttl_without_soa{60'000};
    Milliseconds min_positive_ttl{0}, max_positive_ttl = kNoLimit;
    Milliseconds cache_max_ttl = kNoLimit, cache_min_ttl{0};
    Milliseconds failure_ttl{5'000};
    Milliseconds lazy_cache_ttl{0}, serve_stale{0};  // at most one of them; 0: off
    std::uint32_t lazy_refresh_concurrency = 0;      // 0: no limit
    Milliseconds lazy_refresh_failure_cooldown{5'000};
    Milliseconds stale_client_timeout{1'800}, stale_recheck{30'000}, stale_answer_ttl{30'000};
    std::uint32_t prefetch_percent = 0;  // remaining part of an answer's TTL; 0: off
    std::uint32_t prefetch_hits = 3;
    bool ecs_in_key = false;
    std::string dump_file;  // the path to open; empty: none
    Milliseconds dump_interval{600'000};
};

struct Sleep {
    Milliseconds duration{0};
};
struct Prefer {  // `prefer_ipv4`, `prefer_ipv6`
    bool v6 = false;
    bool cache = true;
    Milliseconds cache_ttl{3'600'000};
    std::optional<PluginIndex> probe;  // the executor that queries the preferred family
};
struct Dns64Prefix {
    dns::Pref64 prefix;
    std::vector<matchers::Prefix> ipv4;  // the IPv4 addresses that use it; empty: all
    int line = 0;
};
// The addresses that lists get for an address below a prefix.
enum class Dns64Claim : std::uint8_t { ipv6, ipv4, both };
struct Dns64 {
    std::vector<Dns64Prefix> prefixes;  // at least one
    bool translate_all = false, allow_ipv4 = false;
    std::optional<std::vector<matchers::Prefix>>
        exclude;  // adds to ::ffff:0:0/96; []: excludes nothing
    std::optional<std::vector<matchers::Prefix>>
        exclude_ipv4;  // adds to the prefix's default; []: none
    NameRules except, keep;
    Dns64Claim claim = Dns64Claim::ipv4;
};
struct Fallback {
    PluginIndex primary = 0, secondary = 0;  // executors
    Milliseconds threshold{500};
    bool always_standby = false;
    bool on_timeout = true, on_error = true, on_no_response = true;  // reasons for the secondary
    bool short_circuit = false;
};

struct DebugPrint {
    std::string msg;
};
struct QuerySummary {
    std::string msg = "query summary";
};

struct DropResp {};
struct Ttl {
    std::uint32_t least_s = 0, most_s = UINT32_MAX;
};

struct ReverseLookup {
    std::uint32_t size = 65535, ttl_s = 7200;
    bool handle_ptr = false;
};

struct MetricsCollector {
    std::string name;
};

struct LearnDomain {
    PluginIndex set = 0;  // a dynamic_domain_set
    matchers::RuleKind rule_kind = matchers::RuleKind::full;
    std::uint32_t max_names = 10'000;
    bool before = false, success_only = true, answer_required = true;
    std::vector<std::uint16_t> qtypes{1, 28};  // sorted, each once
};

enum class BlackHoleMode : std::uint8_t { nxdomain, nodata, null, custom, refused, servfail };
struct BlackHole {
    BlackHoleMode mode = BlackHoleMode::nxdomain;
    std::vector<IpAddress> ips;  // for `custom`: at least one
    bool short_circuit = false;
};

// A record of the queried name.
struct KnownRecord {
    std::uint16_t type, klass;
    std::uint32_t ttl_s;
    std::vector<std::uint8_t> rdata;  // names uncompressed, as in a message
    bool operator==(const KnownRecord&) const = default;
};

struct Hosts {
    std::vector<RuleAt> rules;  // values: index of `addresses`
    std::vector<std::vector<IpAddress>> addresses;
    bool strict = false, short_circuit = false;
};
// One entry of RouterOS's /ip/dns/static, or a PTR derived from one.
struct StaticEntry {
    enum class Does : std::uint8_t { record, alias, forward, nxdomain };
    RuleAt owner;  // full; domain, with match_subdomain; regexp
    Does does = Does::record;
    KnownRecord record{};              // for record and alias
    std::vector<std::uint8_t> target;  // alias: lower-cased wire form
    std::optional<PluginIndex>
        forwarder;                    // forward: a `forward`; no value: the rest of the sequence
    std::optional<PluginIndex> list;  // the list that gets the addresses
    int line = 0;
};
// Keys and values of a record, in their original form.
using RecordFields = std::vector<std::pair<std::string, std::string>>;
struct WrittenRecord {
    RecordFields fields;
    int line = 0;
    bool is_runtime = false;  // from the file that `steerctl static` changes
};
struct StaticRecords {
    std::vector<StaticEntry> entries;    // in the order of checks: regexps first
    std::optional<PluginIndex> cache;    // for answers of forwarders
    std::vector<WrittenRecord> written;  // including disabled ones; those of the file first
    bool ptr = true;
};
// What a list or zone that blocks is for.
struct BlockTerms {
    bool legal = false;       // no exception of others, rule or pause ends it
    bool requested = false;   // those who own the clients asked for it
    bool hit_log = false;     // a query_recorder keeps what it decides
    std::string public_name;  // clients get it with each block; empty: none
    bool operator==(const BlockTerms&) const = default;
};
struct AdListPart {
    std::string name;            // original text: a path or URL
    PluginIndex provider;        // its own domain_set
    std::size_t exceptions = 0;  // rules of this list that count for all lists of the adlist
    BlockTerms terms{};
    matchers::ListVersion version{};  // its hash: only if it is logged
};
struct AdList {
    std::vector<AdListPart> lists;            // at least one
    NameRules allow;                          // names that it does not block
    std::optional<PluginIndex> exceptions{};  // a domain_set with the exceptions of all lists
    std::optional<bool> cname{};  // whether to check names that an answer points to; no value: true
    BlackHole answer;
};
// Names of hosts, from routers' DHCP leases.
struct DhcpLeases {
    std::vector<RouterIndex> routers;  // at least one
    std::string domain;                // in lower case, without a last dot
    std::vector<std::string> servers;  // names of DHCP servers; empty: all
    std::uint32_t ttl_s = 60;
    bool ptr = true;
};
// The action of a response policy zone for a matching trigger.
struct RpzAction {
    enum class Does : std::uint8_t {
        nxdomain,
        nodata,
        passthru,
        drop,
        tcp_only,
        alias,        // resolves `target`
        alias_below,  // the question's name below `target`
        records,      // answers with these; types without a record get an empty answer
    };
    Does does = Does::nxdomain;
    std::uint32_t ttl_s = 0;
    std::vector<std::uint8_t> target;  // lower-cased wire form
    std::vector<KnownRecord> records;
    bool operator==(const RpzAction&) const = default;
};
struct RpzPrefix {
    matchers::Prefix prefix;
    bool is_v4;
    std::uint32_t action;  // index of the zone's `actions`
};
struct RpzZone {
    std::string source;  // original text: a path, URL or $TAG
    BlockTerms terms{};
    matchers::ListVersion version{};  // its hash: only if it is logged
    // By zone transfer: all that follows is empty, because the zone changes while serving.
    std::optional<PluginIndex> secondary{};
    std::vector<RuleAt> names;         // full: the name; domain: all below it. Values: of `actions`
    std::optional<std::uint32_t> all;  // for every name: `*` at the apex
    std::vector<RpzPrefix> clients, addresses;
    std::vector<RpzAction> actions;

    [[nodiscard]] std::size_t rules() const {
        return names.size() + (all ? 1 : 0) + clients.size() + addresses.size();
    }
};
struct Rpz {
    std::vector<RpzZone> zones;  // at least one; the first match decides
    bool logs = false;           // each match is a line of the log
};
// Names with their own handling.
struct Zone {
    NameRules names;
    PluginIndex forward = 0;               // without `secondary`
    std::optional<PluginIndex> secondary;  // it has the zone's records; there are no `names`
    std::optional<PluginIndex> cache;
};
struct Redirect {
    std::vector<RuleAt> rules;                       // in their order; values: index of `targets`
    std::vector<std::vector<std::uint8_t>> targets;  // lower-cased wire form
    bool strict = false;
};
struct ForwardOptions {                // forward_edns0opt
    std::vector<std::uint16_t> codes;  // sorted, each once, at least one
};
struct EcsHandler {
    bool forward = false, send = false;
    std::optional<IpAddress> preset;
    std::optional<std::uint32_t> preset_mask;  // no value: that of its family
    std::uint32_t mask4 = 24, mask6 = 48;
};
struct Arbitrary {
    std::vector<RuleAt> rules;  // one `full` per name; values: index of `records`
    std::vector<std::vector<KnownRecord>> records;
    bool short_circuit = false;
};

struct ExecRule {
    enum class Kind : std::uint8_t { plugin, accept, return_, reject, drop, mark, jump, goto_ };
    std::vector<MatchUse> matches;  // all must match
    Kind kind = Kind::plugin;
    PluginIndex plugin = 0;            // Kind::plugin; jump, goto_: a sequence
    std::uint8_t rcode = 5;            // Kind::reject
    std::vector<std::uint32_t> marks;  // Kind::mark
    int line = 0;

    [[nodiscard]] bool runs_plugin() const {
        return kind == Kind::plugin || kind == Kind::jump || kind == Kind::goto_;
    }
};
struct Sequence {
    std::vector<ExecRule> rules;  // at least one
};

}  // namespace steer::config
