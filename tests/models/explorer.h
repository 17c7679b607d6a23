// Visits every state that a model can reach, and checks each of them.
//
// A model is a set of initial states and a function from a state to its steps. One step is one
// atomic action of one actor. So the search covers every interleaving of the actors. Two errors
// exist: a state that the model calls broken, and a state from which no settling steps lead to a
// settled state. The search is breadth-first, so a trace to an error has the fewest steps.
//
// Cost: the size of a state plus 12 bytes per state, and 8 bytes per settling step.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace steer::models {

struct Exploration {
    std::size_t states = 0, steps = 0, depth = 0;
    bool is_complete = false;  // false: an error, or more states than allowed
    std::string error;         // empty: none
    std::string trace;         // the steps to the error, one per line
};

// Model has the types State (unique bytes, no padding) and Step, and these functions:
//   void initial(f): calls f(State) for each initial state
//   void steps(State, f): calls f(Step, State) for each possible step and its result
//   const char* broken(State): the violated invariant; nullptr: none
//   bool is_settled(State), bool settles(Step): the goal, and the steps that may lead to it
//   std::string text(Step)
template <class Model>
class Explorer {
  public:
    using State = typename Model::State;
    using Step = typename Model::Step;
    static_assert(std::has_unique_object_representations_v<State>);

    Explorer(const Model& model, std::size_t most_states)
        : model_(model), most_states_(most_states) {}

    Exploration run() {
        grow(1U << 16);
        model_.initial([&](const State& state) { add(state, kNone, Step{}); });
        for (std::uint32_t at = 0; at < states_.size(); ++at) {
            if (const char* const what = model_.broken(states_[at])) return fail(at, what);
            if (states_.size() > most_states_) return report();
            const State from = states_[at];
            model_.steps(from, [&](const Step& step, const State& to) {
                ++steps_;
                const std::uint32_t next = add(to, at, step);
                if (model_.settles(step)) settling_.emplace_back(at, next);
            });
        }
        if (const std::uint32_t stuck = first_stuck(); stuck != kNone)
            return fail(stuck, "no settling steps lead from here to a settled state");
        Exploration all = report();
        all.is_complete = true;
        return all;
    }

    // After run(). The shortest path to each state, for replays.
    [[nodiscard]] std::size_t size() const { return states_.size(); }
    [[nodiscard]] const State& state(std::size_t at) const { return states_[at]; }
    [[nodiscard]] std::vector<Step> path(std::size_t at) const {
        std::vector<Step> steps;
        for (auto i = static_cast<std::uint32_t>(at); parents_[i] != kNone; i = parents_[i])
            steps.insert(steps.begin(), by_[i]);
        return steps;
    }

  private:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    static std::uint64_t hash(const State& state) {
        std::uint64_t h = 0xcbf29ce484222325;
        const auto* at = reinterpret_cast<const std::uint8_t*>(&state);
        std::size_t left = sizeof state;
        for (; left >= 8; left -= 8, at += 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            h = (h ^ word) * 0x9e3779b97f4a7c15;
            h ^= h >> 29;
        }
        for (; left > 0; --left, ++at)
            h = (h ^ *at) * 0x100000001b3;
        return h ^ h >> 32;
    }
    void grow(std::size_t slots) {
        table_.assign(slots, kNone);
        for (std::uint32_t i = 0; i < states_.size(); ++i)
            table_[slot_of(states_[i])] = i;
    }
    // Of this state, or the free one where it belongs.
    [[nodiscard]] std::size_t slot_of(const State& state) const {
        const std::size_t mask = table_.size() - 1;
        std::size_t slot = hash(state) & mask;
        while (table_[slot] != kNone &&
               std::memcmp(&states_[table_[slot]], &state, sizeof state) != 0)
            slot = (slot + 1) & mask;
        return slot;
    }
    std::uint32_t add(const State& state, std::uint32_t parent, const Step& by) {
        std::size_t slot = slot_of(state);
        if (table_[slot] != kNone) return table_[slot];
        const auto number = static_cast<std::uint32_t>(states_.size());
        states_.push_back(state);
        parents_.push_back(parent);
        by_.push_back(by);
        table_[slot] = number;
        if (states_.size() * 2 > table_.size()) grow(table_.size() * 2);
        return number;
    }

    // The first state from which nothing settled can be reached.
    std::uint32_t first_stuck() {
        std::vector<std::uint32_t> begin(states_.size() + 1), sources(settling_.size());
        for (const auto& [from, to] : settling_)
            ++begin[to + 1];
        for (std::size_t i = 1; i < begin.size(); ++i)
            begin[i] += begin[i - 1];
        std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
        for (const auto& [from, to] : settling_)
            sources[next[to]++] = from;
        std::vector<bool> good(states_.size());
        std::vector<std::uint32_t> open;
        for (std::uint32_t i = 0; i < states_.size(); ++i) {
            if (!model_.is_settled(states_[i])) continue;
            good[i] = true;
            open.push_back(i);
        }
        while (!open.empty()) {
            const std::uint32_t at = open.back();
            open.pop_back();
            for (std::uint32_t i = begin[at]; i < begin[at + 1]; ++i) {
                if (good[sources[i]]) continue;
                good[sources[i]] = true;
                open.push_back(sources[i]);
            }
        }
        for (std::uint32_t i = 0; i < states_.size(); ++i) {
            if (!good[i]) return i;
        }
        return kNone;
    }

    [[nodiscard]] Exploration report() const {
        Exploration all;
        all.states = states_.size();
        all.steps = steps_;
        if (!states_.empty()) all.depth = path(states_.size() - 1).size();
        return all;
    }
    [[nodiscard]] Exploration fail(std::uint32_t at, const char* what) const {
        Exploration all = report();
        all.error = what;
        for (const Step& step : path(at))
            all.trace += model_.text(step) + "\n";
        return all;
    }

    const Model& model_;
    std::size_t most_states_, steps_ = 0;
    std::vector<State> states_;
    std::vector<std::uint32_t> parents_;
    std::vector<Step> by_;
    std::vector<std::uint32_t> table_;  // open addressing: indices of states_
    std::vector<std::pair<std::uint32_t, std::uint32_t>> settling_;
};

}  // namespace steer::models
