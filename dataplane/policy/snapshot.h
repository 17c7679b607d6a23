// A snapshot: everything that a worker reads of the configuration. Built once by control,
// immutable, published by pointer, freed when every worker has been quiescent and no parked query
// holds its generation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/answer/ad_list.h"
#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/black_hole.h"
#include "dataplane/answer/live_answers.h"
#include "dataplane/answer/live_prefixes.h"
#include "dataplane/answer/policy_zone.h"
#include "dataplane/answer/reverse_table.h"
#include "dataplane/answer/rpz.h"
#include "dataplane/answer/static_records.h"
#include "dataplane/base/list_state.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/policy/branches.h"
#include "dataplane/policy/cache_instance.h"
#include "dataplane/policy/collector.h"
#include "dataplane/policy/dns64.h"
#include "dataplane/policy/frontends.h"
#include "dataplane/policy/inherited_names.h"
#include "dataplane/policy/learn_domain.h"
#include "dataplane/policy/plan.h"
#include "dataplane/policy/policy_list.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/rate_limiter.h"
#include "dataplane/policy/rewrites.h"
#include "dataplane/policy/tag_sets.h"
#include "dataplane/policy/task_flag.h"
#include "dataplane/policy/time_window.h"
#include "dataplane/policy/upstream.h"
#include "matchers/name_matcher.h"
#include "matchers/name_values.h"
#include "matchers/pattern/text_test.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer {

inline constexpr unsigned kMaxWorkers = 32;
inline constexpr std::size_t kMaxGenerations = 4;  // alive at one time; a further reload waits

inline constexpr std::size_t kMaxNsid = 64;  // bytes of the name in Snapshot::nsid

// What a `fallback` runs (branches.h): pcs of its units.
struct Fallback {
    std::uint16_t primary = 0, secondary = 0;
    std::uint32_t threshold_ms = 500;
    FallbackTerms terms;
    std::vector<std::uint8_t> lists{};  // that its units may claim; set by equip()
};

struct Prefer {
    std::uint16_t wanted = 1, other = 28;  // types
    std::uint32_t remember_s =
        3600;                 // how long names with the wanted type are remembered; 0: never
    std::uint16_t probe = 0;  // pc of the unit that asks for the wanted type; 0: the rest does
};

// A string_exp on facts that only the query has.
struct TextMatch {
    enum class Of : std::uint8_t { client, response, marks, server_name, url_path };
    Of of;
    matchers::TextTest test;  // the worker's number is the thread number
};
struct TimeTest {                        // one list of periods of `time` matchers
    std::string periods;                 // as text, for explanations
    std::shared_ptr<TimeWindow> window;  // the same in all generations
};
struct MarkNumber {
    std::uint32_t number;
    std::uint8_t bit;  // of ProgramState::marks
};

// A domain_set that names pass on to the names that they point to (`inherit: true`).
struct Inheriting {
    std::uint16_t number;    // in InheritedNames
    matchers::SetId own;     // set of the inheriting names and of its own rules
    matchers::TagBits sets;  // a name in any of them passes it on
};

struct Redirect {                // one redirect plugin
    matchers::NameValues names;  // to an index of Snapshot::redirect_targets; the first rule wins
};

// The name that a rewrite asks for.
struct RedirectTarget {
    std::span<const std::uint8_t> name;  // lower-cased wire form
    bool is_below;                       // the question's name is put before it
    std::uint32_t ttl_s;                 // of the CNAME to it
};
static_assert(Rewrites::kFirstLive + LiveTargets::kMost == Rewrites::kFirstEcs);

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
    std::shared_ptr<ReverseTable> table;  // shared by all generations
};

struct Snapshot {
    std::uint32_t generation = 0;  // 1.. ; set by publish
    std::uint8_t slot = 0;         // generation's place in kMaxGenerations tables; set by publish
    Program program;
    ProgramSource source;
    std::vector<std::uint16_t> entries{
        0};  // entries of queries: pcs, ascending, each with its own `end`; at least one
    Frontends frontends;                                 // the entry of each frontend
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: no domain rules
    std::vector<matchers::TagBits> tag_masks;
    std::vector<std::uint64_t> mark_masks;
    // Of types, classes, response codes; each sorted.
    std::vector<std::vector<std::uint16_t>> number_sets;
    std::vector<AddressSet> prefix_sets;  // of client_ip, resp_ip, ptr_ip
    std::vector<DeviceSet> device_sets;   // of client_mac, client_host
    // Of all dhcp_leases, if there is a device set; shared by all generations.
    std::vector<std::shared_ptr<LiveAnswers>> lease_tables;
    std::vector<TextMatch> text_matches;
    std::vector<TimeTest> time_tests;
    std::vector<MarkNumber> marks;  // all marks, lowest number first
    std::vector<Upstream> upstreams;
    std::vector<UpstreamGroup> groups;
    std::vector<PolicyList> lists;
    std::vector<CacheInstance> caches;
    std::vector<Fallback> fallbacks;
    std::vector<Prefer> prefers;
    std::vector<Dns64> dns64s;
    bool family_in_key = false;  // of any of `caches`
    std::vector<RateLimiter> rate_limiters;
    AnswerStore known;  // the answers that the next two refer to
    std::vector<BlackHole> black_holes;
    std::vector<AnswerTable> answer_tables;                  // of hosts and arbitrary
    std::vector<std::shared_ptr<LiveAnswers>> live_answers;  // the same in all generations
    std::vector<StaticRecords> statics;
    std::vector<AdList> ad_lists;
    std::uint64_t watch_bits = 0;  // AdList::watch of all
    std::vector<Rpz> rpzs;
    AnswerRef no_local = kNoAnswer;        // the answer for unknown names under .local
    AnswerRef no_designation = kNoAnswer;  // ... and for names at and below resolver.arpa
    // The NSID option of replies to clients that ask for it: code, length and name; empty: none.
    std::vector<std::uint8_t> nsid;
    std::vector<ReverseLookup> reverse;
    std::vector<Inheriting> inheriting;
    std::shared_ptr<InheritedNames>
        inherited;  // shared by all generations; nullptr: no set is inherited
    std::vector<Redirect> redirects;
    std::vector<EcsHandler> ecs_handlers;
    std::vector<std::vector<std::uint16_t>> option_codes;  // of each forward_edns0opt, sorted
    std::vector<std::uint16_t> all_option_codes;           // of any of them, sorted
    matchers::PrefixSet untold;  // clients whose addresses are not sent upstream
    std::vector<std::vector<std::uint8_t>> redirect_targets;  // lower-cased wire form
    std::vector<bool>
        redirect_below;  // true: the name is put before the target; beyond its end: false
    std::vector<std::uint32_t> redirect_ttls;         // of the CNAMEs to these; beyond its end: 1
    std::shared_ptr<const LiveTargets> live_targets;  // shared by all generations; may be nullptr
    matchers::PrefixSet notify_from;  // senders of NOTIFY that control handles; mostly empty
    std::vector<std::shared_ptr<TaskFlag>> tasks;        // the same in all generations
    std::vector<std::string> task_tags;                  // of these
    std::vector<std::shared_ptr<Collector>> collectors;  // the same in all generations
    std::vector<LearnDomain> learners;
    std::vector<dns::TtlLimits> ttl_limits;  // of ttl
    std::vector<std::string> texts;          // of debug_print and query_summary
    matchers::PrefixSet allow;               // clients that may ask
    matchers::PrefixSet trusted_forwarders;  // exempt from per-client quotas

    // Of a word that is_redirect().
    [[nodiscard]] RedirectTarget redirect_target(std::uint16_t word) const noexcept {
        if (word >= Rewrites::kFirstLive) {
            const LiveTargets::Target& live = live_targets->at(word - Rewrites::kFirstLive);
            return {live.bytes(), live.is_below, live.ttl_s};
        }
        return {redirect_targets[word], word < redirect_below.size() && redirect_below[word],
                word < redirect_ttls.size() ? redirect_ttls[word] : 1};
    }

    [[nodiscard]] bool has_several_entries() const noexcept { return entries.size() > 1; }

    [[nodiscard]] bool has_number(std::uint32_t set, std::uint16_t number) const noexcept {
        const auto& numbers = number_sets[set];
        return std::binary_search(numbers.begin(), numbers.end(), number);
    }

    // Whether a forward_edns0opt of the sets in `bits` passes an option on.
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

    // Added by equip(); workers write to these, see each.
    mutable std::vector<matchers::NameMatcher::Scratch> scratches;  // one per worker
    std::unique_ptr<TagSets> tag_sets;                              // lock-free, all workers
    std::array<std::uint8_t, kMaxLists>
        list_by_id{};  // index in `lists`; kNoList: not in this snapshot
    // By entry: where every query stands after the pure prefix; the prefix's beginning if it tests names and reaches
    // no cache.
    std::array<Plan, kMaxEntries> plans;
    matchers::TagBits all_inheriting;  // of `inheriting`
    // The prefix tests the name's sets and reaches a cache: then each tag set has a plan.
    bool plans_by_name = false;
    // The only cache that any of these plans reaches. It is looked up first, because its entry knows the sets of its
    // name. -1: there are several, or plans are not by name.
    std::int16_t likely_cache = -1;
    bool hit_reads_tags = false;    // the instructions after a hit depend on the name's sets
    bool hit_may_be_plain = false;  // see Plan
    bool reads_texts = false;       // of injected queries (injected_texts.h)
    bool reads_link = false;        // MAC or VLAN of a query's frame (ClientFacts); set by equip()
    // By pc, of an enter_cache: AdList::watch of those that it wraps. Empty if there are no watch_bits.
    std::vector<std::uint64_t> watched_inside;
    std::vector<std::uint8_t> watched_lists;  // of `lists`: `shared` is not keep
};
inline constexpr std::uint8_t kNoList = 255;

// The last step of building: prepares all that workers need so that they do not allocate. Call it once,
// before publishing.
Result<void> equip(Snapshot& snapshot, unsigned workers = kMaxWorkers);

}  // namespace steer
