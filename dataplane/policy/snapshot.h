// A snapshot: everything that a worker reads of the configuration. Built once by control,
// immutable, published by pointer, freed when every worker has been quiescent and no parked query
// holds its generation.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/answer/ad_list.h"
#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/black_hole.h"
#include "dataplane/answer/live_answers.h"
#include "dataplane/answer/reverse_table.h"
#include "dataplane/answer/static_records.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/list_state.h"
#include "dataplane/policy/collector.h"
#include "dataplane/policy/dns64.h"
#include "dataplane/policy/doors.h"
#include "dataplane/policy/inherited_names.h"
#include "dataplane/policy/plan.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/rate_limiter.h"
#include "dataplane/policy/tag_sets.h"
#include "dataplane/policy/task_flag.h"
#include "matchers/name_matcher.h"
#include "matchers/name_values.h"
#include "matchers/pattern/text_test.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer {

inline constexpr unsigned kMaxWorkers = 32;
inline constexpr std::size_t kMaxGenerations = 4;  // alive at one time; then a reload waits

// An upstream that `streams` knows how to ask, by its id: by name, through a proxy, over TLS...
enum class Channel : std::uint8_t {
    none,       // asked at its address over UDP, by a port or by kernel socket
    datagrams,  // over UDP, and over TCP what was truncated
    stream,
};

struct Upstream {
    std::uint16_t id;  // stable over generations: index of NextHopTable::by_upstream and of health
    IpAddress address;
    std::uint16_t port = 53;  // host order
    std::uint32_t timeout_ms = 2000;
    std::string name;                 // as configured, for people
    Channel channel = Channel::none;  // not none: `address` may be IpAddress{}
};

// Whom of a group a query asks first (forward/upstream_choice.h); the others follow if it fails.
enum class UpstreamPolicy : std::uint8_t { latency, sticky, round_robin, random };

// Of one generation: what an earlier one still asks does not count.
struct InFlightLimit {
    std::uint32_t most;
    std::atomic<std::uint32_t> now{0};  // of all workers

    explicit InFlightLimit(std::uint32_t most_in_flight) : most(most_in_flight) {}
    // False: there are as many as there may be. True: one more, until leave().
    bool enter() noexcept {
        if (now.fetch_add(1, std::memory_order_relaxed) < most) return true;
        leave();
        return false;
    }
    void leave() noexcept { now.fetch_sub(1, std::memory_order_relaxed); }
    // Of one that is in flight already.
    void take_over() noexcept { now.fetch_add(1, std::memory_order_relaxed); }
};

struct UpstreamGroup {
    // Of its forward: the tag, or "line 12" of one that is written in place; for people.
    std::string name{};
    std::vector<std::uint16_t> members;  // indices of Snapshot::upstreams
    UpstreamPolicy policy = UpstreamPolicy::latency;
    std::uint32_t total_timeout_ms = 5000;
    std::uint8_t concurrent = 1;  // upstreams asked at the same time
    // Questions that may be in flight, of all workers; nullptr: no limit but theirs.
    std::shared_ptr<InFlightLimit> limit{};
};

enum class OnTimeout : std::uint8_t { answer, servfail, drop };
enum class MissingFamily : std::uint8_t { answer, nodata };
// What becomes of addresses that names outside of the list's are told as well.
enum class Sharing : std::uint8_t { keep, skip, report };

// Clients that only some of a list's routers serve: first to last, both inside.
struct ServedClients {
    IpAddress first, last;
    ListId id;  // of the list on those routers
};

struct PolicyList {                       // one ros_address_list, ipset or nftset plugin
    ListId id;                            // on all of its routers
    std::vector<ServedClients> served{};  // disjoint, sorted; other clients are behind all routers
    std::string tag;
    bool has_v4 = false, has_v6 = false;
    bool synchronous = false;  // async: false
    std::uint32_t min_ttl_s = 60, max_ttl_s = 3600, extra_time_s = 30;
    bool fixed = false;             // fixed_ttl given
    std::uint32_t fixed_ttl_s = 0;  // 0: no timeout
    bool cap_answer_ttl = true;
    std::uint32_t sync_timeout_ms = 100;
    OnTimeout on_timeout = OnTimeout::answer;
    MissingFamily missing_family = MissingFamily::answer;
    Sharing shared = Sharing::keep;
    std::uint8_t shared_above = 3;  // names outside, from which on it is shared
    matchers::PrefixSet never_claim;
    std::vector<TranslatedPrefix> translated{};  // whose addresses are held as these say

    [[nodiscard]] const TranslatedPrefix* translated_at(const std::uint8_t* v6) const noexcept {
        for (const TranslatedPrefix& t : translated) {
            if (t.prefix.holds(v6)) return &t;
        }
        return nullptr;
    }
    // Whether it can hold anything of an answer to AAAA.
    [[nodiscard]] bool takes_v6() const noexcept {
        return has_v6 || (has_v4 && std::any_of(translated.begin(), translated.end(),
                                                [](const auto& t) { return t.as_v4; }));
    }

    // Of the list on the routers that serve this client.
    [[nodiscard]] ListId id_for(const IpAddress& client) const noexcept {
        return served.empty() ? id : served_id(client);
    }

  private:
    [[nodiscard]] ListId served_id(const IpAddress& client) const noexcept;
};

// Answers past their TTL (RFC 8767).
struct StaleTerms {
    std::uint32_t most_s = 0;      // served so long past their TTL; 0: never
    std::uint32_t wait_ms = 1800;  // for a fresh answer; 0: it is asked for in the background
    std::uint32_t recheck_s = 30;  // after a failure nobody is asked for so long
    std::uint32_t ttl_s = 30;      // with which they leave
    bool positive_only = false;    // not NXDOMAIN and NODATA
};

struct CacheInstance {
    std::uint16_t id;  // stable over generations: part of the key
    std::string tag;
    std::uint32_t size = 1024;  // entries
    bool cache_negative = true;
    std::uint32_t max_negative_ttl_s = 300;
    std::uint32_t negative_ttl_without_soa_s = 60;
    std::uint32_t min_positive_ttl_s = 0;
    std::uint32_t max_positive_ttl_s = UINT32_MAX;
    std::uint32_t failure_ttl_s = 0;  // RFC 9520; 0: failures are not kept
    StaleTerms stale;
    std::uint8_t prefetch_percent = 0;  // of the TTL; 0: no prefetch
    std::uint8_t prefetch_hits = 3;
    bool ecs_in_key = false;
    bool family_in_key = false;  // its answers depend on whether a client asks over IPv4 (dns64)
};

// What a `fallback` runs (branches.h): pcs of its units.
struct Fallback {
    std::uint16_t primary = 0, secondary = 0;
    std::uint32_t threshold_ms = 500;
    bool always_standby = false;
    std::vector<std::uint8_t> lists{};  // that its units may claim; set by equip()
};

struct Prefer {
    std::uint16_t wanted = 1, other = 28;  // types
    std::uint32_t remember_s = 3600;       // names that have the wanted one; 0: not
};

// A string_exp of what is known only with the query.
struct TextMatch {
    enum class Of : std::uint8_t { client, response, marks, server_name, url_path };
    Of of;
    matchers::TextTest test;  // asked as the worker of that number
};
struct MarkNumber {
    std::uint32_t number;
    std::uint8_t bit;  // of ProgramState::marks
};

// A domain_set that names pass on to those that they point to (`inherit: true`).
struct Inheriting {
    std::uint16_t number;    // in InheritedNames
    matchers::SetId own;     // of whom is pointed to, and of its own rules
    matchers::TagBits sets;  // a name in any of them passes it on
};

struct Redirect {                // one redirect plugin
    matchers::NameValues names;  // to an index of Snapshot::redirect_targets; the first rule wins
};

struct EcsHandler {  // one ecs_handler plugin
    bool forward = false;
    bool send = false;
    std::uint8_t mask4 = 24, mask6 = 48;
    std::uint8_t preset_len = 0;  // 0: none
    std::array<std::uint8_t, dns::kMaxEcs> preset{};
};

struct ReverseLookup {  // one reverse_lookup plugin
    std::string tag;
    std::uint32_t ttl_s;
    std::shared_ptr<ReverseTable> table;  // the same in all generations
};

struct Snapshot {
    std::uint32_t generation = 0;  // 1.. ; set by publish
    std::uint8_t slot = 0;         // generation's place in kMaxGenerations tables; set by publish
    Program program;
    std::vector<std::uint16_t> entries{
        0};       // where queries begin: pcs, ascending, each with its own `end`; at least one
    Doors doors;  // which of them
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: no domain rule at all
    std::vector<matchers::TagBits> tag_masks;
    std::vector<std::uint64_t> mark_masks;
    // Of types, classes, response codes; each sorted.
    std::vector<std::vector<std::uint16_t>> number_sets;
    std::vector<matchers::PrefixSet> prefix_sets;  // of client_ip, resp_ip, ptr_ip
    std::vector<TextMatch> text_matches;
    std::vector<MarkNumber> marks;  // all that there are, lowest number first
    std::vector<Upstream> upstreams;
    std::vector<UpstreamGroup> groups;
    std::vector<PolicyList> lists;
    std::vector<CacheInstance> caches;
    std::vector<Fallback> fallbacks;
    std::vector<Prefer> prefers;
    std::vector<Dns64> dns64s;
    bool family_in_key = false;  // of any of `caches`
    std::vector<RateLimiter> rate_limiters;
    AnswerStore known;  // what the next two refer to
    std::vector<BlackHole> black_holes;
    std::vector<AnswerTable> answer_tables;                  // of hosts and arbitrary
    std::vector<std::shared_ptr<LiveAnswers>> live_answers;  // the same in all generations
    std::vector<StaticRecords> statics;
    std::vector<AdList> ad_lists;
    AnswerRef no_local = kNoAnswer;  // what names under .local get that nobody here knows
    std::vector<ReverseLookup> reverse;
    std::vector<Inheriting> inheriting;
    std::shared_ptr<InheritedNames>
        inherited;  // the same in all generations; nullptr: no set is inherited
    std::vector<Redirect> redirects;
    std::vector<EcsHandler> ecs_handlers;
    std::vector<std::vector<std::uint16_t>> option_codes;  // of each forward_edns0opt, sorted
    std::vector<std::uint16_t> all_option_codes;           // of any of them, sorted
    matchers::PrefixSet untold;  // clients whose addresses no upstream is told
    std::vector<std::vector<std::uint8_t>> redirect_targets;  // lower-cased wire form
    std::vector<std::uint32_t> redirect_ttls;      // of the CNAMEs to these; beyond its end: 1
    std::vector<std::shared_ptr<TaskFlag>> tasks;  // the same in all generations
    std::vector<std::string> task_tags;            // of these
    std::vector<std::shared_ptr<Collector>> collectors;  // the same in all generations
    std::vector<dns::TtlLimits> ttl_limits;              // of ttl
    std::vector<std::string> texts;                      // of debug_print and query_summary
    matchers::PrefixSet allow;                           // who may ask
    matchers::PrefixSet trusted_forwarders;              // exempt from per-client quotas

    [[nodiscard]] bool has_several_entries() const noexcept { return entries.size() > 1; }

    [[nodiscard]] bool has_number(std::uint32_t set, std::uint16_t number) const noexcept {
        const auto& numbers = number_sets[set];
        return std::binary_search(numbers.begin(), numbers.end(), number);
    }

    // Whether forward_edns0opt of the sets in `bits` pass an option on.
    [[nodiscard]] bool passes_option(std::uint8_t bits, std::uint16_t code) const noexcept {
        for (std::size_t i = 0; i < option_codes.size(); ++i) {
            const auto& codes = option_codes[i];
            if ((bits >> i & 1) != 0 && std::binary_search(codes.begin(), codes.end(), code))
                return true;
        }
        return false;
    }
    [[nodiscard]] bool passes_option(std::uint16_t code) const noexcept {
        return std::binary_search(all_option_codes.begin(), all_option_codes.end(), code);
    }

    // What equip() adds; workers write to these, each in its own way.
    mutable std::vector<matchers::NameMatcher::Scratch> scratches;  // worker i's alone
    std::unique_ptr<TagSets> tag_sets;                              // lock-free, all workers
    std::array<std::uint8_t, kMaxLists> list_by_id{};  // index in `lists`; kNoList: not here
    // By entry: where every query stands after the pure prefix; its beginning if that is asked of names without reaching
    // a cache.
    std::array<Plan, kMostEntries> plans;
    matchers::TagBits all_inheriting;  // of `inheriting`
    // The prefix asks for the name's sets and reaches a cache: then each name has the plan of its sets.
    bool plans_by_name = false;
    // The only cache that any of these plans reaches, which is asked first, because its entry knows the sets of its
    // name; -1: there are several, or plans are not by name.
    std::int16_t likely_cache = -1;
    bool hit_reads_tags = false;              // what follows a hit depends on the name's sets
    bool hit_may_be_plain = false;            // see Plan
    bool reads_texts = false;                 // of injected queries (injected_texts.h)
    std::vector<std::uint8_t> watched_lists;  // of `lists`: `shared` is not keep
};
inline constexpr std::uint8_t kNoList = 255;

// The last step of building: what workers need so that they need not allocate. Before publishing;
// once.
Result<void> equip(Snapshot& snapshot, unsigned workers = kMaxWorkers);

}  // namespace steer
