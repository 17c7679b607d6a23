// A snapshot: the whole configuration that a worker reads. Control builds it once; then it is
// immutable. It is published by pointer. It is freed when every worker has been quiescent and no
// parked query holds its generation.
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
#include "dataplane/answer/name_rules.h"
#include "dataplane/answer/policy_zone.h"
#include "dataplane/answer/reverse_table.h"
#include "dataplane/answer/rpz.h"
#include "dataplane/answer/special_names.h"
#include "dataplane/answer/static_records.h"
#include "dataplane/base/list_state.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/limits/limit_policy.h"
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
#include "dataplane/policy/rare_queries.h"
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

// The units that a `fallback` runs (branches.h), as program counters.
struct Fallback {
    std::uint16_t primary = 0, secondary = 0;
    std::uint32_t threshold_ms = 500;
    FallbackTerms terms;
    std::vector<std::uint8_t> lists{};  // lists that its units may claim; set by equip()
};

struct Prefer {
    std::uint16_t wanted = 1, other = 28;  // types
    std::uint32_t remember_s =
        3600;                 // how long names with the wanted type are remembered, s; 0: never
    std::uint16_t probe = 0;  // pc of the unit that queries the wanted type; 0: the rest does
};

// A string_exp on facts that are known only per query.
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

// A domain_set with `inherit: true`: its names pass it on to the names that they point to.
struct Inheriting {
    std::uint16_t number;    // index in InheritedNames
    matchers::SetId own;     // set of the inheriting names, also with its own rules
    matchers::TagBits sets;  // a name in any of these passes it on
};

struct Redirect {                // one redirect plugin
    matchers::NameValues names;  // values: index of Snapshot::redirect_targets; the first rule wins
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
    std::uint32_t generation = 0;  // from 1 on; set by publish
    std::uint8_t slot = 0;         // its place in kMaxGenerations tables; set by publish
    Program program;
    ProgramSource source;
    std::vector<std::uint16_t> entries{
        0};  // pcs where queries enter, ascending, each with its own `end`; at least one
    Frontends frontends;                                 // the entry of each frontend
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: no domain rules
    std::vector<matchers::TagBits> tag_masks;
    std::vector<std::uint64_t> mark_masks;
    // Sets of types, classes and response codes; each is sorted.
    std::vector<std::vector<std::uint16_t>> number_sets;
    std::vector<AddressSet> prefix_sets;  // of client_ip, resp_ip, ptr_ip
    std::vector<DeviceSet> device_sets;   // of client_mac, client_host
    // The tables of all dhcp_leases, if there is a device set. All generations share them.
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
    AnswerStore known;  // the answers that the next members refer to
    std::vector<BlackHole> black_holes;
    std::vector<AnswerTable> answer_tables;                  // of hosts and arbitrary
    std::vector<std::shared_ptr<LiveAnswers>> live_answers;  // the same in all generations
    std::vector<StaticRecords> statics;
    std::vector<AdList> ad_lists;
    std::uint64_t watch_bits = 0;  // union of AdList::watch
    std::shared_ptr<LiveRules>
        rules;  // the same in all generations; nullptr: `control.rules` is off
    std::shared_ptr<LiveGroups>
        device_groups;                   // the same in all generations; nullptr: no set needs it
    std::uint32_t rules_black_hole = 0;  // of a name that a rule blocks: index of `black_holes`
    std::vector<Rpz> rpzs;
    SpecialNames special;  // names that a forward answers
    RareQueries rare;
    AnswerRef no_private = kNoAnswer;  // replaces answers with private addresses (deny_private)
    // The NSID option for replies to clients that request it: code, length and name. Empty: none.
    std::vector<std::uint8_t> nsid;
    std::vector<ReverseLookup> reverse;
    std::vector<Inheriting> inheriting;
    std::shared_ptr<InheritedNames>
        inherited;  // all generations share it; nullptr: no set is inherited
    std::vector<Redirect> redirects;
    std::vector<EcsHandler> ecs_handlers;
    std::vector<std::vector<std::uint16_t>> option_codes;  // of each forward_edns0opt, sorted
    std::vector<std::uint16_t> all_option_codes;           // of any of them, sorted
    matchers::PrefixSet withheld;  // clients with addresses that are not sent upstream
    std::vector<std::vector<std::uint8_t>> redirect_targets;  // lower-cased wire form
    // True: the name is put before the target; missing elements: false.
    std::vector<bool> redirect_below;
    std::vector<std::uint32_t> redirect_ttls;         // of the CNAMEs to them; missing elements: 1
    std::shared_ptr<const LiveTargets> live_targets;  // shared by all generations; may be nullptr
    matchers::PrefixSet notify_from;  // senders of NOTIFY that control handles; mostly empty
    std::vector<std::shared_ptr<TaskFlag>> tasks;        // the same in all generations
    std::vector<std::string> task_tags;                  // tags of `tasks`
    std::vector<std::shared_ptr<Collector>> collectors;  // the same in all generations
    std::vector<LearnDomain> learners;
    std::vector<dns::TtlLimits> ttl_limits;     // settings of ttl
    std::vector<std::string> texts;             // texts of debug_print and query_summary
    matchers::PrefixSet allow;                  // clients that may send queries
    matchers::PrefixSet trusted_forwarders;     // exempt from per-client quotas
    std::shared_ptr<const LimitPolicy> limits;  // nullptr: `limits:` has no row

    // Whether `limits:` has rows for queries and bytes, or for answers.
    [[nodiscard]] bool limits_queries() const noexcept {
        return limits != nullptr && limits->limits_queries;
    }
    [[nodiscard]] bool limits_answers() const noexcept {
        return limits != nullptr && limits->limits_answers;
    }
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

    // Whether a forward_edns0opt in `bits` passes on an option with this code.
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

    // equip() adds the following members. Workers write to some of them, as noted.
    mutable std::vector<matchers::NameMatcher::Scratch> scratches;  // one per worker
    std::unique_ptr<TagSets> tag_sets;                              // lock-free, all workers
    std::array<std::uint8_t, kMaxLists>
        list_by_id{};  // index in `lists`; kNoList: not in this snapshot
    // By entry: the state of every query after the pure prefix. If the prefix tests names and
    // reaches no cache, it is the prefix's beginning.
    std::array<Plan, kMaxEntries> plans;
    matchers::TagBits all_inheriting;  // of `inheriting`
    // True if the prefix tests the name's sets and reaches a cache. Then each tag set has a plan.
    bool plans_by_name = false;
    // The only cache that these plans reach. It is looked up first, because its entry has the sets
    // of the name. -1: there are several, or plans are not by name.
    std::int16_t likely_cache = -1;
    bool hit_reads_tags = false;    // instructions after a hit depend on the name's sets
    bool hit_may_be_plain = false;  // see Plan
    bool reads_texts = false;       // the program reads texts (injected_texts.h)
    bool reads_link = false;        // it reads MAC or VLAN (ClientFacts); set by equip()
    // By pc of an enter_cache: AdList::watch of the ad lists inside. Empty if there are no
    // watch_bits.
    std::vector<std::uint64_t> watched_inside;
    std::vector<std::uint8_t> watched_lists;  // indices of `lists` with a `shared` that is not keep
};
inline constexpr std::uint8_t kNoList = 255;

// The last step of building: prepares all memory that workers need, so that they do not allocate.
// Call it once, before publishing.
Result<void> equip(Snapshot& snapshot, unsigned workers = kMaxWorkers);

}  // namespace steer
