// Compiles sequences to the flat program (dataplane/policy/program.h explains its instructions).
//
// A sequence that another one executes or jumps to is compiled in place, once per use, as a
// separate instance. Objects that an executor refers to (upstream group, cache, list, text, mark)
// are added to the snapshot's tables at first use.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/config/special_names.h"
#include "control/program/build/known_answers.h"
#include "control/program/build/program_advice.h"
#include "control/program/build/registry.h"
#include "control/program/build/tag_masks.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/result.h"

namespace steer::build {

// A rule for a name and all names below.
inline config::RuleAt domain(std::string name) {
    return {{matchers::RuleKind::domain, std::move(name)}, 0, 0, 0};
}

// The compiled form of a plugin's settings (control/config/settings/plugin_tables.h).
enum class Made : std::uint8_t { set, test, tests, executor, raised, server };
template <class Settings>
inline constexpr Made kMadeOf = Made::set;
#define STEER_MADE_OF(settings, kind) \
    template <>                       \
    inline constexpr Made kMadeOf<config::settings> = Made::kind;
STEER_PLUGIN_SETTINGS(STEER_MADE_OF)
#undef STEER_MADE_OF
template <class Settings>
concept SimpleTest = kMadeOf<Settings>
== Made::test;
template <class Settings>
concept Raised = kMadeOf<Settings>
== Made::raised;
template <class Settings>
concept Executor = kMadeOf<Settings>
== Made::executor;

class Compiler {
  public:
    // Fills program, entries, groups, upstreams, caches, mark_masks and texts of `snapshot`.
    // `list_places`: the index in Snapshot::lists of every ros_address_list.
    Compiler(const config::Settings& settings, Registry& registry, TagMasks& masks,
             const std::map<config::PluginIndex, std::uint32_t>& list_places, Snapshot& snapshot,
             std::vector<Error>& errors);

    // `designated`: the records of `_dns.resolver.arpa`. `host_name`: of the machine.
    void run(const std::vector<config::KnownRecord>& designated, const std::string& host_name);
    // Upstreams that `streams` queries; after run().
    [[nodiscard]] const Channels& channels() const { return channels_; }
    // The groups of Snapshot::groups by their forward; after run().
    [[nodiscard]] const std::map<config::PluginIndex, std::uint32_t>& groups() const {
        return groups_;
    }
    // The windows of its `time` matchers; after run().
    [[nodiscard]] const std::vector<TimedWindow>& windows() const { return windows_; }
    // The plugin of each instruction, by pc; kNoMaker if there is none. After run().
    [[nodiscard]] const std::vector<config::PluginIndex>& makers() const { return makers_; }

  private:
    // The tests at the start of every entry. Each is a set of names and the answer for its names.
    // They are tried in order until there is an answer.
    struct Known {
        std::uint32_t mask = 0;
        std::optional<std::uint32_t> table;  // index of Snapshot::answer_tables
        std::optional<std::uint32_t> hole;   // index of Snapshot::black_holes
    };
    // Compiles the program of an executor that queries enter, after the tests of every entry.
    void entry_of(config::PluginIndex plugin, const std::vector<Known>& known);
    // Compiles the program of an executor, to its `end`.
    void name_rules();
    [[nodiscard]] bool blocks_names(const config::ExecRule& rule) const;
    void program_of(config::PluginIndex plugin, int line);
    // Returns the pc of the sequence's end.
    std::uint16_t sequence(const config::Sequence& sequence, unsigned depth);
    void jump(const config::ExecRule& rule, unsigned depth);
    void go_to(const config::ExecRule& rule, std::uint16_t instance, unsigned depth);
    void rule(const config::ExecRule& rule, std::uint16_t instance, unsigned& depth);
    // The program continues after it if the matcher matches. Adds the tests with an open target to
    // `fails`.
    void test(const config::MatchUse& match, std::uint16_t instance,
              std::vector<std::uint16_t>& fails);
    void test_any(const config::AnyMatch& any, bool negate, std::uint16_t instance,
                  std::vector<std::uint16_t>& fails);
    void test_question(const config::MatchUse& match, std::uint16_t instance,
                       std::vector<std::uint16_t>& fails);
    std::uint16_t simple_test(config::PluginIndex plugin, bool& negate, std::uint16_t instance,
                              int line);
    // The place of a plugin in a sequence.
    struct Use {
        config::PluginIndex index;
        int line;
        std::uint16_t instance;
        unsigned& depth;
    };
    struct TestUse {
        config::PluginIndex index;
        int line;
        std::uint16_t instance;
        bool& negate;
    };
// compile_arms.cpp: one function for each type of settings. For a test it returns the pc. A type
// without a function does not link.
#define STEER_ARM_set(settings)
#define STEER_ARM_test(settings) \
    std::uint16_t test_by(const config::settings& args, const TestUse& use);
#define STEER_ARM_tests(settings)
#define STEER_ARM_executor(settings) void execute(const config::settings& args, const Use& use);
#define STEER_ARM_raised(settings)
#define STEER_ARM_server(settings)
#define STEER_ARM(settings, kind) STEER_ARM_##kind(settings)
    STEER_PLUGIN_SETTINGS(STEER_ARM)
#undef STEER_ARM
#undef STEER_ARM_server
#undef STEER_ARM_raised
#undef STEER_ARM_executor
#undef STEER_ARM_tests
#undef STEER_ARM_test
#undef STEER_ARM_set
    // The readers of sequences never pass these types here.
    template <class T>
    requires(!SimpleTest<T>) std::uint16_t test_by(const T&, const TestUse&) {
        refuse("no matcher of one test");
    }
    template <Raised T>
    void execute(const T&, const Use& use) {
        raise(use);
    }
    template <class T>
    requires(!Executor<T> && !Raised<T>) void execute(const T&, const Use&) {
        refuse("no executor");
    }
    // The index in this table of the snapshot; true: add it now.
    template <class Table>
    std::pair<std::uint32_t, bool> place_of(config::PluginIndex plugin, const Table& table) {
        const auto [at, fresh] =
            places_.emplace(std::pair{plugin, static_cast<const void*>(&table)},
                            static_cast<std::uint32_t>(table.size()));
        return {at->second, fresh};
    }
    void raise(const Use& use);
    [[noreturn]] static void refuse(const char* what);
    void land(const std::vector<std::uint16_t>& tests);
    void executor(config::PluginIndex plugin, int line, std::uint16_t instance, unsigned& depth);
    // Appends an instruction; returns its pc. After kMaxProgram it appends nothing, and adds one
    // error.
    std::uint16_t emit(Op op, std::uint16_t instance, int line, std::uint32_t operand = 0);
    void enter(Op op, std::uint16_t instance, int line, std::uint32_t operand, unsigned& depth);
    // Instructions belong to this sequence until the result is destroyed.
    class InSequence;
    class MadeBy;
    [[nodiscard]] std::uint16_t next_pc() const;
    void error(int line, std::string text);

    std::uint32_t group_of(config::PluginIndex plugin, const config::Forward& forward);
    std::uint32_t cache_of(config::PluginIndex plugin, const config::Cache& cache);
    // Changes the question. A name without a rule skips it, as with answer_table().
    void redirect(config::PluginIndex index, const config::Redirect& redirect, int line,
                  std::uint16_t instance, unsigned& depth);
    std::uint32_t options_of(const std::vector<std::uint16_t>& codes, int line);
    std::uint32_t ecs_of(config::PluginIndex index, const config::EcsHandler& ecs);
    std::uint32_t redirect_of(config::PluginIndex index, const config::Redirect& redirect);
    void reverse_lookup(config::PluginIndex index, const config::ReverseLookup& reverse, int line,
                        std::uint16_t instance, unsigned& depth);
    // compile_special.cpp
    // Fills Snapshot::special (control/config/special_names.h).
    void special_names();
    SpecialNames::Name special_answers(const config::SpecialName& special,
                                       const std::vector<std::uint8_t>& wire);
    // Fills Snapshot::rare.
    void rare_queries();
    // Sets the addresses that `policy.rebind` denies, and the answer that replaces such answers.
    void private_answers();
    // Emits that check, behind a forward.
    void deny_private(int line, std::uint16_t instance);
    // Whether a rule tests names, and one of them is special or below a special name.
    [[nodiscard]] bool names_special(const config::ExecRule& rule) const;
    // The rules of these names and of their sets, without exceptions.
    [[nodiscard]] std::vector<std::span<const config::RuleAt>> rules_of_names(
        const config::NameRules& names) const;
    // The domains among these names that are not below another one: zone cuts, whose DS records
    // their parents have.
    [[nodiscard]] std::vector<config::RuleAt> cuts_of(const config::NameRules& names) const;
    void leave_parent_ds(config::PluginIndex index, const std::vector<config::RuleAt>& names,
                         int line, std::uint16_t instance, std::vector<std::uint16_t>& others);
    [[nodiscard]] bool has_private_upstream(const config::Forward& forward) const;
    // Whether the last forward before `end`, or a forward of a last fallback, has a private
    // upstream.
    [[nodiscard]] bool ends_at_private(std::uint16_t first, std::uint16_t end) const;
    // All forwards of an entry whose last one has a private upstream ask for private special names.
    void mark_private_forwards();
    // Names that tell clients whether to bypass this resolver (policy.canaries).
    Known refused_canaries();
    // `_dns.resolver.arpa` has these records; all other names below resolver.arpa have none (RFC
    // 9462).
    Known designation(const std::vector<config::KnownRecord>& records);
    // `version.bind`, `id.server` and their other names, in class CHAOS (RFC 4892); no value: all
    // are off.
    std::optional<Known> identity(const std::string& host_name);
    void answer_known(const Known& known);
    // A name without a rule skips the table; plans handle that test.
    void answer_table(config::PluginIndex index, const std::vector<config::RuleAt>& rules,
                      bool short_circuit, int line, std::uint16_t instance);
    std::uint32_t table_of(config::PluginIndex index, const std::vector<config::RuleAt>& rules);
    AnswerTable::Range answers_of(AnswerTable& table, const config::Plugin& plugin,
                                  std::uint32_t value);
    std::uint32_t text_of(const std::string& text);
    std::uint32_t limiter_of(config::PluginIndex plugin, const config::RateMatch& rate);
    std::uint32_t time_test_of(const config::TimeMatch& time);
    std::uint32_t text_match_of(const config::TextMatch& match, int line);
    std::uint32_t numbers_of(const std::vector<std::uint16_t>& numbers);
    std::uint32_t prefixes_of(config::PluginIndex plugin, const config::IpMatch& match);
    std::uint32_t marks_of(const std::vector<std::uint32_t>& marks, int line);
    // Marks that query_recorders select by keep their bits across reloads.
    void reserve_recorded_marks();
    std::uint32_t prefer_of(const config::Prefer& prefer, int line);
    // The unit of a prefer's probe; 0 if there is none.
    [[nodiscard]] std::uint16_t probe_of(const Instruction& i) const;
    // compile_local.cpp
    void zone(config::PluginIndex index, const config::Zone& args, int line, std::uint16_t instance,
              unsigned& depth);
    void static_records(config::PluginIndex index, const config::StaticRecords& args, int line,
                        std::uint16_t instance, unsigned& depth);
    // The effect of an owner's first entry with data for the type.
    steer::StaticRecords::Does static_deed(const std::vector<config::StaticEntry>& group,
                                           const config::StaticEntry& first, std::uint16_t qtype);
    std::uint16_t static_end(const config::StaticEntry& entry,
                             std::optional<config::PluginIndex> cache, std::uint16_t instance,
                             int line, unsigned depth, std::vector<std::uint16_t>& rests);
    static ProgramSource::Record source_of(const config::StaticEntry& entry, std::uint16_t qtype);
    // The following part is answered through the cache, if there is one, and ends with it.
    void own_cache(std::optional<config::PluginIndex> cache, std::uint16_t instance, int line,
                   unsigned depth);
    // Adds tests of a question, with rules that may count only for some types.
    void test_names(const TagMasks::ByType& masks, bool negate, std::uint16_t instance, int line,
                    std::vector<std::uint16_t>& fails);
    void ad_list(config::PluginIndex index, const config::AdList& args, int line,
                 std::uint16_t instance);
    struct AdMasks {
        TagMasks::ByType all;
        std::optional<TagMasks::ByType> allow, exceptions, legal;
    };
    AdMasks ad_masks_of(const config::AdList& args);
    steer::AdList ad_list_of(config::PluginIndex index, const config::AdList& args,
                             const AdMasks& masks, int line);
    std::uint64_t watch_bit(int line);
    bool use_mark_bit(unsigned bit, int line);
    // compile_rpz.cpp
    void rpz(config::PluginIndex index, const config::Rpz& args, int line, std::uint16_t instance,
             unsigned& depth);
    std::uint32_t rpz_of(config::PluginIndex index, const config::Rpz& args);
    void name_zone(const std::string& tag, const config::RpzZone& zone, steer::Rpz::Zone& out);
    steer::Rpz::Zone rpz_zone(const config::RpzZone& zone, std::uint32_t first_action);
    static steer::Rpz::Zone live_zone(std::shared_ptr<const LivePolicy> live,
                                      const std::string& name);
    // The place in Snapshot::rpzs of a zone that has a secondary.
    std::uint32_t local_zone(config::PluginIndex index, const config::Zone& args);
    steer::Rpz::Action rpz_action(steer::Rpz& rpz, const config::RpzAction& action, int line);
    void dhcp_leases(config::PluginIndex index, const config::DhcpLeases& args, int line,
                     std::uint16_t instance);
    // compile_dns64.cpp
    void dns64(config::PluginIndex index, const config::Dns64& args, int line,
               std::uint16_t instance, unsigned& depth);
    struct CompiledDns64 {
        std::uint32_t place;              // index of Snapshot::dns64s; the next one is for `keep`
        std::uint32_t pointers, special;  // masks of names
        std::optional<std::uint32_t> except, keep;
        std::uint32_t answers, v4_answers;  // tables for special names, also for clients over IPv4
        std::uint32_t nothing;              // a black hole
    };
    const CompiledDns64& dns64_of(config::PluginIndex index, const config::Dns64& args);
    std::uint16_t test_over_v6(int line, std::uint16_t instance);
    void answer_ipv4only(const config::Dns64& args, const CompiledDns64& known, int line,
                         std::uint16_t instance);
    std::uint32_t ipv4only_table(const steer::Dns64* dns64);
    // In the program from `entry` on, which runs inside these caches.
    void mark_family_keys(std::uint16_t entry, const std::vector<std::uint32_t>& around);
    std::uint32_t fallback_of(config::PluginIndex plugin, const config::Fallback& fallback);
    void units();
    std::uint16_t unit_of(config::PluginIndex plugin, int line);
    [[nodiscard]] unsigned nesting(std::uint16_t entry) const;
    void check_nesting();
    // The largest number of nested wrappers that change the question, in the program from `entry`
    // on.
    [[nodiscard]] unsigned most_rewrites(std::uint16_t entry) const;
    void check_rewrites();
    // The largest number of lists that can claim an answer, in the program from `entry` on.
    int most_claims(std::uint16_t entry);

    const config::Settings& settings_;
    Registry& registry_;
    TagMasks& masks_;
    const std::map<config::PluginIndex, std::uint32_t>& list_places_;
    Snapshot& snapshot_;
    std::vector<Error>& errors_;
    KnownAnswers known_;
    std::optional<std::uint32_t> pointer_names_;  // the mask of names of addresses
    unsigned instances_ = 0;
    // The jumps of `return` in the sequence that was jumped to; nullptr: no jump.
    std::vector<std::uint16_t>* returns_ = nullptr;
    // Instructions that jump to the end of the sequence being compiled.
    std::vector<std::uint16_t>* ends_ = nullptr;
    bool too_long_ = false;
    bool in_special_rule_ = false;  // the present rule, or one around it, names_special()
    std::optional<std::uint32_t> denied_addresses_;  // of Snapshot::prefix_sets; nothing: none are
    std::optional<std::uint32_t> rebind_names_;      // the mask of names that may have them
    std::uint16_t sequence_ = 0;                     // of ProgramSource::sequences
    std::vector<config::PluginIndex> makers_;        // by pc
    config::PluginIndex maker_ = kNoMaker;           // of the instructions emitted at present
    std::map<config::PluginIndex, std::uint16_t> sequence_numbers_;
    std::map<config::PluginIndex, std::uint32_t> limiters_, groups_, caches_, prefix_sets_, tables_;
    std::map<std::pair<config::PluginIndex, const void*>, std::uint32_t> places_;
    std::map<config::PluginIndex, CompiledDns64> dns64s_;
    std::map<config::PluginIndex, std::uint32_t> name_masks_;
    std::map<config::PluginIndex, std::optional<std::uint32_t>> zone_cuts_;  // masks; nothing: none
    std::map<config::PluginIndex, std::uint32_t> local_zones_;
    std::vector<AdMasks> ad_masks_;            // of Snapshot::ad_lists
    std::optional<std::uint32_t> v4_clients_;  // the prefixes of all IPv4 clients
    static constexpr unsigned kMaxMarks = 64;  // ProgramState::marks
    std::map<std::uint32_t, unsigned> mark_bits_;
    std::uint64_t used_mark_bits_ = 0;  // of marks, and of ad lists that check answers
    bool has_watches_ = false, has_too_many_marks_ = false;
    std::map<config::PluginIndex, std::uint32_t> fallbacks_;
    std::map<config::PluginIndex, std::uint16_t> units_;  // by executor: their pcs
    std::vector<config::PluginIndex> waiting_;            // fallbacks without units yet
    struct WaitingProbe {
        std::uint32_t prefer;  // of Snapshot::prefers
        config::PluginIndex executor;
        int line;
    };
    std::vector<WaitingProbe> waiting_probes_;  // without units yet
    std::map<std::uint16_t, int> claims_;       // by entry
    bool too_many_claims_ = false;
    Channels channels_;
    std::vector<TimedWindow> windows_;
};

}  // namespace steer::build
