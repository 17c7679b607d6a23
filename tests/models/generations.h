// A model of snapshots: publication, quiescent states, parked queries, and the release of a
// generation.
//
// Two workers and control. Each step is one atomic action of the code that it is named after:
// Publisher (control/program/build/publish.cpp), Worker::Impl (dataplane/worker.cpp) and ParkedPool
// (dataplane/stages/parked_pool.cpp). A generation is its slot: reloads never end, and slots are
// used again. Sequentially consistent: reordering by a CPU or compiler is not modelled.
//
// Invariants: a generation is freed only if no worker holds or reads it and no parked query has it;
// a snapshot is put only into a free slot; a worker's counts are those of its records. Settling:
// without new queries, reloads and acknowledgements, all old generations are freed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace steer::models {

//  name, what is done wrong
#define STEER_GENERATION_MISTAKES(X)                                                         \
    X(none, "nothing")                                                                       \
    X(frees_with_parked, "frees after the first grace period, without reading the counts")   \
    X(no_last_grace, "frees as soon as no query is parked, without another grace period")    \
    X(token_before_store, "starts the grace period before the new snapshot is published")    \
    X(loads_before_online, "loads the snapshot, then goes online for QSBR")                  \
    X(gives_before_takes, "gives a parked query's record back before it takes the branch's") \
    X(retires_without_giving, "ends a retired query, but its record stays counted")          \
    X(retires_in_grace, "retires a generation only before its first grace period has ended")

struct GenerationsModel {
    enum class Mistake : std::uint8_t {
#define STEER_MISTAKE_ENUM(name, text) name,
        STEER_GENERATION_MISTAKES(STEER_MISTAKE_ENUM)
#undef STEER_MISTAKE_ENUM
    };
    static constexpr unsigned kWorkers = 2, kSlots = 4;

    enum class Place : std::uint8_t {
        asleep,   // offline
        early,    // loads_before_online: offline, has loaded
        awake,    // online, holds nothing
        turn,     // holds the snapshot that it loaded
        between,  // in its turn, between the two halves of a branch's start
    };
    enum class Ask : std::uint8_t {
        none,
        asked,    // in the ring to the other worker
        owned,    // the other worker has it
        replied,  // in the ring back
        held,     // waits for the router
    };
    enum class Phase : std::uint8_t { free, in_force, grace, parked, last_grace };
    enum class Doing : std::uint8_t { nothing, publishing, checking, reading, freeing };

    struct Worker {
        Place place = Place::asleep;
        std::uint8_t held = 0;   // slot + 1; 0: none
        std::uint8_t reads = 0;  // slot + 1 of a parked record that it read in this turn
        Ask query = Ask::none;
        std::uint8_t of = 0;  // slot + 1 of the query
        std::array<std::uint8_t, kSlots> counts{};
    };
    struct Slot {
        Phase phase = Phase::free;
        std::uint8_t waits = 0;  // bit w: worker w was not quiescent since the token
        std::uint8_t due = 0;    // replaced kRetireAfterMs ago
        std::uint8_t age = 0;    // number of newer generations
    };
    struct State {
        std::array<Worker, kWorkers> workers{};
        std::array<Slot, kSlots> slots{};
        std::uint8_t pointer = 0;  // Shared::snapshot: slot + 1
        std::uint8_t retire = 0;   // Shared::retire_generation: slot + 1
        Doing doing = Doing::nothing;
        std::uint8_t at = 0, worker = 0, sum = 0;  // of a poll in progress
        std::uint8_t published = 0;                // with a bound only
        std::uint8_t error = 0;
    };

    enum class What : std::uint8_t {
        publish,
        publish_rest,
        poll,
        poll_rest,
        clock,
        go_online,
        load_early,
        begin_turn,
        go_offline,
        park,
        read_ask,
        send_reply,
        answer,
        hold,
        branch,
        branch_rest,
        acknowledged,
        retired,
        end_turn,
    };
    struct Step {
        What what = What::clock;
        std::uint8_t worker = 0;
    };

    struct Options {
        Mistake mistake = Mistake::none;
        unsigned slots = 2;      // of kSlots
        unsigned reloads = 0;    // 0: any number
        bool one_piece = false;  // publish() and poll() are one step each, for replays
        bool branches = true;
    };
    explicit GenerationsModel(const Options& with) : options(with) {}

    template <class F>
    void initial(F&& f) const {
        f(State{});
    }
    template <class F>
    void steps(const State& from, F&& f) const {
        const auto offer = [&](What what, unsigned worker = 0) {
            State to = from;
            const Step step{what, static_cast<std::uint8_t>(worker)};
            if (take(to, step)) f(step, to);
        };
        for (const What what :
             {What::publish, What::publish_rest, What::poll, What::poll_rest, What::clock})
            offer(what);
        for (unsigned w = 0; w < kWorkers; ++w) {
            for (auto what = static_cast<std::uint8_t>(What::go_online);
                 what <= static_cast<std::uint8_t>(What::end_turn); ++what)
                offer(static_cast<What>(what), w);
        }
    }
    // Takes the step, if it is possible in this state.
    bool take(State& s, const Step& step) const;
    [[nodiscard]] const char* broken(const State& s) const;
    [[nodiscard]] bool is_settled(const State& s) const;
    [[nodiscard]] bool settles(const Step& step) const;
    [[nodiscard]] std::string text(const Step& step) const;

    Options options;

  private:
    bool control_step(State& s, What what) const;
    bool worker_step(State& s, What what, unsigned w) const;
    bool parked_step(State& s, What what, unsigned w) const;
    bool parked_action(State& s, What what, unsigned w) const;
    bool begin_publish(State& s) const;
    void start_tokens(State& s) const;
    void poll_on(State& s) const;
    void end_poll(State& s) const;
    void free_slot(State& s, unsigned slot) const;
    [[nodiscard]] bool has(Mistake mistake) const {
        return options.mistake == mistake;
    }
};

std::string_view label(GenerationsModel::Mistake mistake);

}  // namespace steer::models
