#include "control/program/build/program_advice.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/policy/guard.h"

namespace steer::build {
namespace {

constexpr std::size_t kMaxSteps = 8'000'000;
constexpr std::size_t kMaxFacts = 16;

// The outcome of a test, before `negate`, that every query at an instruction has had.
struct Fact {
    Op op;
    std::uint32_t operand;
    bool holds;
    bool operator==(const Fact&) const = default;
};
using Facts = std::vector<Fact>;

class Advisor {
  public:
    Advisor(const config::Settings& settings, const Snapshot& snapshot,
            const std::vector<config::PluginIndex>& makers)
        : settings_(settings),
          snapshot_(snapshot),
          program_(snapshot.program),
          makers_(makers),
          facts_(program_.size()) {}

    std::vector<Error> all() {
        find_facts();
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            const Instruction& i = program_[pc];
            if (made_by<config::Cache>(pc) && i.op == Op::enter_cache) {
                if (!i.short_circuit) answered_by_cache(pc);
                kept_by_cache(pc);
            }
            if (i.op == Op::black_hole && made_by<config::BlackHole>(pc) && !i.short_circuit)
                answered_by_black_hole(pc);
            if (asks_upstream(pc) && !i.short_circuit) answered_by_forward(pc);
        }
        return std::move(warnings_);
    }

  private:
    [[nodiscard]] const config::Plugin* maker(std::size_t pc) const {
        return pc < makers_.size() && makers_[pc] != kNoMaker ? &settings_.plugin(makers_[pc])
                                                              : nullptr;
    }
    template <class Args>
    [[nodiscard]] bool made_by(std::size_t pc) const {
        const config::Plugin* const plugin = maker(pc);
        return plugin != nullptr && std::holds_alternative<Args>(plugin->args);
    }
    [[nodiscard]] bool asks_upstream(std::size_t pc) const {
        return (program_[pc].op == Op::forward && made_by<config::Forward>(pc)) ||
               (program_[pc].op == Op::fallback && made_by<config::Fallback>(pc));
    }
    // "cache 'main'".
    [[nodiscard]] std::string name_at(std::size_t pc) const {
        const config::Plugin& plugin = *maker(pc);
        return std::string(plugin.type) + " '" + plugin.tag + "'";
    }
    [[nodiscard]] std::string sequence_at(std::size_t pc) const {
        const ProgramSource& source = snapshot_.source;
        return "'" + source.sequences[source.places[pc].sequence] + "'";
    }
    void warn(std::size_t pc, std::string text) {
        const ProgramSource& source = snapshot_.source;
        const ProgramSource::Place& place = source.places[pc];
        Error warning{std::move(text), source.files[place.file], static_cast<int>(place.line)};
        // A sequence that is used twice is compiled twice.
        const bool is_known = std::ranges::any_of(warnings_, [&](const Error& w) {
            return w.line == warning.line && w.file == warning.file && w.text == warning.text;
        });
        if (!is_known) warnings_.push_back(std::move(warning));
    }

    // ---- what every query at an instruction has in common

    // Two matchers with the same sets test the same.
    [[nodiscard]] std::uint32_t same_operand(const Instruction& i) const {
        if (traits_of(i.op).operand != OperandKind::tag_mask) return i.operand;
        const auto& masks = snapshot_.tag_masks;
        return static_cast<std::uint32_t>(std::ranges::find(masks, masks[i.operand]) -
                                          masks.begin());
    }
    // A test whose outcome is the same each time, for one query.
    [[nodiscard]] static bool is_steady(const Instruction& i) {
        using namespace op_traits;
        return is_test(i.op) &&
               has_trait(i.op, kReadsName | kReadsQuestion | kReadsClient | kReadsTime) &&
               !has_trait(i.op, kReadsChance | kReadsResponse | kReadsMarks);
    }
    [[nodiscard]] Facts with(Facts facts, const Instruction& i, bool condition) const {
        if (!is_steady(i)) return facts;
        const Fact fact{i.op, same_operand(i), condition != i.negate};
        if (std::ranges::find(facts, fact) != facts.end()) return facts;
        if (facts.size() == kMaxFacts) facts.erase(facts.begin());
        facts.push_back(fact);
        return facts;
    }
    static void meet(std::optional<Facts>& known, const Facts& facts) {
        if (!known) {
            known = facts;
            return;
        }
        std::erase_if(*known,
                      [&](const Fact& f) { return std::ranges::find(facts, f) == facts.end(); });
    }
    void meet(std::size_t pc, const Facts& facts) {
        if (pc < facts_.size()) meet(facts_[pc], facts);
    }
    // Jumps only go forward, so one pass is enough.
    void find_facts() {
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            const Instruction& i = program_[pc];
            if (!facts_[pc]) facts_[pc].emplace();
            Facts facts = *facts_[pc];
            if (is_test(i.op)) {
                meet(pc + 1, with(facts, i, true));
                meet(i.target, with(facts, i, false));
                continue;
            }
            if (is_rewrite(i.op)) facts.clear();
            for (const std::size_t next : successors_of(snapshot_, pc))
                meet(next, facts);
        }
    }

    // ---- where a query with a response goes

    // Whether the test continues with the next instruction; no value: that depends on the query.
    [[nodiscard]] std::optional<bool> condition(const Instruction& i, const Facts& facts) const {
        if (i.op == Op::if_has_resp || i.op == Op::if_true) return !i.negate;
        if (!is_steady(i)) return std::nullopt;
        const std::uint32_t operand = same_operand(i);
        for (const Fact& fact : facts) {
            if (fact.op == i.op && fact.operand == operand) return fact.holds != i.negate;
        }
        return std::nullopt;
    }
    [[nodiscard]] static bool ends(const Instruction& i) {
        const bool answers = has_trait(i.op, op_traits::kWritesResponse) && i.short_circuit;
        return has_trait(i.op, op_traits::kStops) || i.op == Op::drop_response ||
               (answers && i.op == Op::black_hole);
    }

    // The first instruction that a query with a response can come to and for which `wanted` holds.
    template <class Predicate>
    [[nodiscard]] std::optional<std::size_t> can_reach(std::size_t from, Predicate wanted) {
        const Facts& facts = *facts_[from];
        std::vector<bool> reached(program_.size() + 1);
        reached[from + 1] = true;
        for (std::size_t pc = from + 1; pc < program_.size() && ++steps_ < kMaxSteps; ++pc) {
            if (!reached[pc]) continue;
            const Instruction& i = program_[pc];
            if (wanted(pc)) return pc;
            if (ends(i) || (i.op == Op::enter_cache && !i.short_circuit)) continue;
            if (i.op == Op::go_to) {
                reached[i.target] = true;
                continue;
            }
            bool goes_on = true, branches = has_trait(i.op, op_traits::kBranches);
            if (is_test(i.op)) {
                const auto holds = condition(i, facts);
                goes_on = holds != false;
                branches = branches || holds != true;
            }
            if (goes_on) reached[pc + 1] = true;
            if (branches) reached[i.target] = true;
        }
        return std::nullopt;
    }
    // The same for a query to which no further matcher applies. A test of the response ends the search: the rule
    // decides by the answer, and that is wanted.
    template <class Predicate, class Stops>
    [[nodiscard]] std::optional<std::size_t> reaches(std::size_t from, Predicate wanted,
                                                     Stops stops) {
        const Facts& facts = *facts_[from];
        std::size_t pc = from + 1;
        while (pc < program_.size() && ++steps_ < kMaxSteps) {
            const Instruction& i = program_[pc];
            if (wanted(pc)) return pc;
            if (ends(i) || stops(pc)) return std::nullopt;
            if (i.op == Op::go_to) {
                pc = i.target;
                continue;
            }
            if (!is_test(i.op)) {
                ++pc;
                continue;
            }
            const auto holds = condition(i, facts);
            const bool reads_response =
                has_trait(i.op, op_traits::kReadsResponse | op_traits::kReadsMarks) ||
                (has_trait(i.op, op_traits::kReadsByOperand) && !depends_on_query(snapshot_, i));
            if (!holds && reads_response) return std::nullopt;
            pc = holds.value_or(i.negate) ? pc + 1 : i.target;
        }
        return std::nullopt;
    }

    void answered_by_cache(std::size_t cache) {
        const auto asks = can_reach(cache, [&](std::size_t pc) { return asks_upstream(pc); });
        if (!asks) return;
        warn(*asks, sequence_at(*asks) + " queries upstreams even if " + name_at(cache) +
                        " has the answer: add 'short_circuit: true' to the cache, or a rule "
                        "'matches: has_resp' with 'exec: accept' after it");
    }

    void answered_by_black_hole(std::size_t hole) {
        const auto asks = reaches(
            hole, [&](std::size_t pc) { return asks_upstream(pc); },
            [&](std::size_t pc) { return program_[pc].op == Op::black_hole; });
        if (!asks) return;
        warn(hole, "a forward in " + sequence_at(*asks) + " replaces the answer of " +
                       name_at(hole) +
                       ": add 'short_circuit: true' to the black_hole, or a rule 'matches: "
                       "has_resp' with 'exec: accept' after it");
    }

    // Whether queries without a response come to `pc` that were not sent to `forward`, which is in the same sequence.
    [[nodiscard]] bool comes_without(std::size_t pc, std::size_t forward) {
        std::size_t start = forward;
        for (std::size_t at = 0; at < forward; ++at) {
            if (program_[at].instance == program_[forward].instance) start = std::min(start, at);
        }
        std::vector<std::optional<Facts>> facts(program_.size() + 1);
        facts[start] = *facts_[start];
        for (std::size_t at = start; at < pc && ++steps_ < kMaxSteps; ++at) {
            if (!facts[at] || at == forward) continue;
            const Instruction& i = program_[at];
            if (!is_test(i.op)) {
                const Facts kept = is_rewrite(i.op) ? Facts{} : *facts[at];
                for (const std::size_t next : successors_of(snapshot_, at))
                    meet(facts[next], kept);
                continue;
            }
            const std::optional<bool> holds =
                i.op == Op::if_has_resp ? i.negate : condition(i, *facts[at]);
            if (holds.value_or(true)) meet(facts[at + 1], with(*facts[at], i, true));
            if (!holds.value_or(false)) meet(facts[i.target], with(*facts[at], i, false));
        }
        return facts[pc].has_value();
    }

    void answered_by_forward(std::size_t forward) {
        // An adlist begins with the test of its names.
        const auto is_late = [&](std::size_t pc) {
            const bool is_cache = program_[pc].op == Op::enter_cache && made_by<config::Cache>(pc);
            return program_[pc].instance == program_[forward].instance &&
                   (is_cache || made_by<config::AdList>(pc));
        };
        const auto at =
            reaches(forward, is_late, [&](std::size_t pc) { return asks_upstream(pc); });
        if (!at || comes_without(*at, forward)) return;
        const bool is_cache = program_[*at].op == Op::enter_cache;
        warn(*at, name_at(*at) + " of " + sequence_at(*at) + " comes after " + name_at(forward) +
                      ", which is asked " +
                      (is_cache ? "for every query: move the cache before it"
                                : "for blocked names too: move the adlist before it"));
    }

    // ---- what a cache keeps for all clients

    // The part that the cache wraps, up to the end of its sequence.
    [[nodiscard]] std::vector<bool> reached_in(std::size_t cache) {
        std::vector<bool> wrapped(program_.size() + 1);
        wrapped[cache + 1] = true;
        for (std::size_t pc = cache + 1; pc < program_.size() && ++steps_ < kMaxSteps; ++pc) {
            if (!wrapped[pc]) continue;
            const Instruction& i = program_[pc];
            if (i.op == Op::sequence_end && i.instance <= program_[cache].instance) {
                wrapped[pc] = false;
                continue;
            }
            for (const std::size_t next : successors_of(snapshot_, pc))
                wrapped[next] = true;
        }
        return wrapped;
    }

    void kept_by_cache(std::size_t cache) {
        const bool has_dns64 = !snapshot_.dns64s.empty(), has_units = !snapshot_.fallbacks.empty();
        if (!has_dns64 && !has_units) return;
        const std::vector<bool> wrapped = reached_in(cache);
        bool reported = false;
        for (std::size_t pc = cache + 1; pc < program_.size(); ++pc) {
            if (!wrapped[pc]) continue;
            if (program_[pc].op == Op::fallback && !reported)
                reported = lists_of_fallback(cache, pc);
            if (program_[pc].op == Op::enter_dns64 && made_by<config::Dns64>(pc))
                dns64_by_client(cache, pc, wrapped);
        }
    }

    // A cache hit evaluates its lists again (dataplane/policy/guard.h). It no longer knows which branch of a fallback
    // answered.
    bool lists_of_fallback(std::size_t cache, std::size_t fallback) {
        const std::vector<bool> run =
            run_by_fallback(snapshot_, snapshot_.fallbacks[program_[fallback].operand]);
        std::optional<std::size_t> test, list;
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            if (!run[pc]) continue;
            if (!test && depends_on_query(snapshot_, program_[pc]) && maker(pc) != nullptr)
                test = pc;
            if (!list && has_trait(program_[pc].op, op_traits::kClaims) && maker(pc) != nullptr)
                list = pc;
        }
        if (!test || !list || maker(fallback) == nullptr) return false;
        warn(cache, name_at(fallback) + " behind " + name_at(cache) + " of " + sequence_at(cache) +
                        " tests " + std::string(maker(*test)->type) +
                        ": a cached answer is written to " + name_at(*list) +
                        " by the result for the first query; move the rule out of the fallback");
        return true;
    }

    // An outer cache stores the answers of dns64 for all clients; its key only has whether the client uses IPv6.
    void dns64_by_client(std::size_t cache, std::size_t dns64, const std::vector<bool>& wrapped) {
        std::vector<bool> leads(program_.size() + 1);
        leads[dns64] = true;
        for (std::size_t pc = dns64; pc-- > cache + 1;) {
            for (const std::size_t next : successors_of(snapshot_, pc))
                leads[pc] = leads[pc] || leads[next];
        }
        for (std::size_t pc = cache + 1; pc < dns64; ++pc) {
            const Instruction& i = program_[pc];
            if (!wrapped[pc] || !depends_on_query(snapshot_, i)) continue;
            // The test of the client's family belongs to dns64.
            if (maker(pc) == nullptr || makers_[pc] == makers_[dns64]) continue;
            if (leads[pc + 1] == leads[i.target]) continue;
            const bool by_time = has_trait(i.op, op_traits::kReadsTime);
            warn(dns64,
                 name_at(dns64) + " behind " + name_at(cache) + " of " + sequence_at(cache) +
                     " applies " + (by_time ? "at some times" : "to some clients") + " only, by " +
                     std::string(maker(pc)->type) +
                     (by_time ? ": cached answers stay when a period begins or ends; use a "
                                "sequence with a cache of its own for these times"
                              : ": all clients get the answer of the first one; use a sequence "
                                "with a cache of its own for these clients"));
            return;
        }
    }

    const config::Settings& settings_;
    const Snapshot& snapshot_;
    const Program& program_;
    const std::vector<config::PluginIndex>& makers_;
    std::vector<std::optional<Facts>> facts_;  // by pc
    std::size_t steps_ = 0;
    std::vector<Error> warnings_;
};

}  // namespace

std::vector<Error> program_advice(const config::Settings& settings, const Snapshot& snapshot,
                                  const std::vector<config::PluginIndex>& makers) {
    return Advisor(settings, snapshot, makers).all();
}

}  // namespace steer::build
