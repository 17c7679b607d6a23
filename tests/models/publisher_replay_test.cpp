// The model of snapshots and the real code take the same steps, and agree after each of them.
//
// Real are Publisher, DPDK's QSBR and ParkedPool. The test plays the workers: it calls the
// functions that a worker's turn calls, in the order of the model. publish() and poll() run in one
// piece, because nothing can interrupt them here; generations_test.cpp splits them.
#include <rte_rcu_qsbr.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>

#include "control/program/build/publish.h"
#include "dataplane/stages/parked_pool.h"
#include "models/explorer.h"
#include "models/generations.h"
#include "support/random.h"

namespace steer::models {
namespace {

using Turn = GenerationsModel::What;
using SlotPhase = GenerationsModel::Phase;

constexpr std::array<std::uint8_t, 9> kReplayName{1, 'a', 5, 'm', 'o', 'd', 'e', 'l', 0};
constexpr std::array<std::uint8_t, 16> kReplaySecret{};

class RealCode {
  public:
    RealCode() {
        // The size is a multiple of the alignment, as DPDK rounds it.
        const std::size_t bytes = rte_rcu_qsbr_get_memsize(GenerationsModel::kWorkers);
        shared_.qsbr = static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, bytes));
        if (rte_rcu_qsbr_init(shared_.qsbr, GenerationsModel::kWorkers) != 0) std::abort();
        for (unsigned w = 0; w < GenerationsModel::kWorkers; ++w) {
            rte_rcu_qsbr_thread_register(shared_.qsbr, w);
            workers_[w].pool = std::make_unique<ParkedPool>(ParkedPool::Limits{16, 16, 16}, w,
                                                            hasher_, shared_.parked[w]);
        }
        publisher_ = std::make_unique<build::Publisher>(shared_);
    }
    ~RealCode() {
        publisher_.reset();
        std::free(shared_.qsbr);
    }
    RealCode(const RealCode&) = delete;
    RealCode& operator=(const RealCode&) = delete;

    void take(const GenerationsModel::Step& step) {
        if (step.what == Turn::publish) return publish();
        if (step.what == Turn::poll) return publisher_->poll(now_);
        if (step.what == Turn::clock) {
            now_.ms += build::kRetireAfterMs;
            return;
        }
        work(step.what, step.worker);
    }

    // Empty: both agree.
    [[nodiscard]] std::string difference(const GenerationsModel::State& model) const {
        for (unsigned slot = 0; slot < GenerationsModel::kSlots; ++slot) {
            const bool is_alive = publisher_->find(generations_[slot]) != nullptr;
            if (is_alive != (model.slots[slot].phase != SlotPhase::free))
                return "slot " + std::to_string(slot) + " is alive: " + std::to_string(is_alive);
            const bool is_current =
                publisher_->current() != nullptr && publisher_->current()->slot == slot;
            if (is_current != (model.slots[slot].phase == SlotPhase::in_force))
                return "slot " + std::to_string(slot) + " is in force";
            for (unsigned w = 0; w < GenerationsModel::kWorkers; ++w) {
                if (shared_.parked[w].by_slot[slot].load() != model.workers[w].counts[slot])
                    return "the counts of worker " + std::to_string(w);
            }
        }
        const std::uint32_t retire = model.retire == 0 ? 0 : generations_[model.retire - 1U];
        if (shared_.retire_generation.load() != retire)
            return "retired is " + std::to_string(shared_.retire_generation.load());
        return {};
    }

  private:
    struct Worker {
        std::unique_ptr<ParkedPool> pool;
        const Snapshot* held = nullptr;
        Parked* query = nullptr;
        Parked* parent = nullptr;  // of a branch that is being started
    };

    void publish() {
        auto snapshot = std::make_unique<Snapshot>();
        const auto generation = publisher_->publish(snapshot, now_);
        BOOST_REQUIRE(generation.has_value());
        generations_[publisher_->current()->slot] = generation.value();
    }
    void work(Turn what, unsigned w) {
        Worker& me = workers_[w];
        const ParkedPool::Holder holder{client_, false};
        switch (what) {
            case Turn::go_online:
                return rte_rcu_qsbr_thread_online(shared_.qsbr, w);
            case Turn::go_offline:
                return rte_rcu_qsbr_thread_offline(shared_.qsbr, w);
            case Turn::begin_turn:
                me.held = shared_.snapshot.load(std::memory_order_acquire);
                return;
            case Turn::end_turn:
                me.held = nullptr;
                return rte_rcu_qsbr_quiescent(shared_.qsbr, w);
            case Turn::park:
                me.query = me.pool->take(*me.held, holder, kReplayName).record;
                BOOST_REQUIRE(me.query != nullptr);
                return;
            case Turn::retired:
                BOOST_REQUIRE(me.query->snapshot->generation <= shared_.retire_generation.load());
                [[fallthrough]];
            case Turn::answer:
            case Turn::acknowledged:
                me.pool->give(std::exchange(me.query, nullptr));
                return;
            case Turn::branch:
                me.parent = me.query;
                me.query =
                    me.pool->take_branch(*me.parent->snapshot, holder, kReplayName, 0).record;
                BOOST_REQUIRE(me.query != nullptr);
                return;
            case Turn::branch_rest:
                return me.pool->give(std::exchange(me.parent, nullptr));
            default:
                return;  // messages between workers change nothing here
        }
    }

    Shared shared_;
    cache::KeyHasher hasher_{kReplaySecret};
    IpAddress client_{};
    std::array<Worker, GenerationsModel::kWorkers> workers_;
    std::array<std::uint32_t, GenerationsModel::kSlots> generations_{};
    std::unique_ptr<build::Publisher> publisher_;
    Now now_{1'000'000};
};

BOOST_AUTO_TEST_SUITE(publisher_replay)

// Each step of the model from each state, by the shortest path to that state.
BOOST_AUTO_TEST_CASE(the_real_code_agrees_with_the_model_after_every_step) {
    const GenerationsModel model(
        {.slots = GenerationsModel::kSlots, .reloads = 2, .one_piece = true, .branches = false});
    Explorer explorer(model, 1'000'000);
    BOOST_REQUIRE(explorer.run().is_complete);
    std::size_t replayed = 0;
    for (std::size_t i = 0; i < explorer.size(); ++i) {
        const auto path = explorer.path(i);
        model.steps(explorer.state(i), [&](const auto& step, const auto& to) {
            RealCode code;
            for (const auto& earlier : path)
                code.take(earlier);
            code.take(step);
            ++replayed;
            const std::string difference = code.difference(to);
            BOOST_REQUIRE_MESSAGE(difference.empty(), difference << " after " << model.text(step));
        });
    }
    BOOST_TEST_MESSAGE(replayed << " steps replayed");
    BOOST_TEST(replayed > 10'000U);
}

// Slots are used again, and branches start: long paths at random, compared after each step.
BOOST_AUTO_TEST_CASE(the_real_code_agrees_with_the_model_on_long_paths) {
    const GenerationsModel model({.slots = GenerationsModel::kSlots, .one_piece = true});
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        test::Random random(seed);
        RealCode code;
        GenerationsModel::State state;
        for (unsigned length = 0; length < 300; ++length) {
            std::vector<std::pair<GenerationsModel::Step, GenerationsModel::State>> next;
            model.steps(state,
                        [&](const auto& step, const auto& to) { next.emplace_back(step, to); });
            const auto& [step, to] = next[random.below(static_cast<std::uint32_t>(next.size()))];
            code.take(step);
            const std::string difference = code.difference(to);
            BOOST_REQUIRE_MESSAGE(difference.empty(), "seed " << seed << ": " << difference
                                                              << " after " << model.text(step));
            state = to;
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::models
