// The publisher: which generation is in force, when an old one is freed, and that it never is too
// early. Workers are QSBR readers that the test turns by hand.
#include "control/program/build/publish.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <boost/test/unit_test.hpp>
#include <memory>

namespace steer::build {
namespace {

constexpr unsigned kWorkers = 2;

struct World {
    World() {
        const std::size_t bytes = rte_rcu_qsbr_get_memsize(kMaxWorkers);
        shared.qsbr = static_cast<rte_rcu_qsbr*>(rte_zmalloc("qsbr", bytes, RTE_CACHE_LINE_SIZE));
        BOOST_TEST_REQUIRE((shared.qsbr != nullptr));
        rte_rcu_qsbr_init(shared.qsbr, kMaxWorkers);
        for (unsigned w = 0; w < kWorkers; ++w) {
            rte_rcu_qsbr_thread_register(shared.qsbr, w);
            rte_rcu_qsbr_thread_online(shared.qsbr, w);
        }
        publisher = std::make_unique<Publisher>(shared);
    }
    ~World() {
        publisher.reset();
        rte_free(shared.qsbr);
    }

    bool publish() {
        auto snapshot = std::make_unique<Snapshot>();
        return publisher->publish(snapshot, now).has_value();
    }
    void quiescent() {
        for (unsigned w = 0; w < kWorkers; ++w)
            rte_rcu_qsbr_quiescent(shared.qsbr, w);
    }
    void settle() {  // two grace periods, one before and one after the last parked query
        for (int i = 0; i < 3; ++i) {
            quiescent();
            publisher->poll(now);
        }
    }
    void park(unsigned worker, const Snapshot& snapshot, int by) {
        auto& count = shared.parked[worker].by_slot[snapshot.slot];
        count.store(count.load() + static_cast<std::uint32_t>(by));
    }

    Shared shared;
    std::unique_ptr<Publisher> publisher;
    Now now{1'000'000};
};

BOOST_FIXTURE_TEST_SUITE(publishing, World)

BOOST_AUTO_TEST_CASE(generations_count_up_and_the_last_is_in_force) {
    BOOST_TEST((publisher->current() == nullptr));
    BOOST_TEST(publish());
    BOOST_TEST(publish());
    BOOST_TEST(publisher->current()->generation == 2U);
    BOOST_TEST((shared.snapshot.load() == publisher->current()));
    BOOST_TEST(publisher->alive() == 2U);
    BOOST_TEST(publisher->find(1)->generation == 1U);
    BOOST_TEST(publisher->find(1)->slot != publisher->find(2)->slot);
}

BOOST_AUTO_TEST_CASE(an_old_generation_is_freed_when_every_worker_was_quiescent) {
    publish();
    publish();
    publisher->poll(now);
    rte_rcu_qsbr_quiescent(shared.qsbr, 0);
    publisher->poll(now);
    BOOST_TEST(publisher->alive() == 2U);  // worker 1 may still read it
    settle();
    BOOST_TEST(publisher->alive() == 1U);
    BOOST_TEST((publisher->find(1) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_sleeping_worker_is_not_waited_for) {
    publish();
    publish();
    rte_rcu_qsbr_thread_offline(shared.qsbr, 1);
    for (int i = 0; i < 3; ++i) {
        rte_rcu_qsbr_quiescent(shared.qsbr, 0);
        publisher->poll(now);
    }
    BOOST_TEST(publisher->alive() == 1U);
}

BOOST_AUTO_TEST_CASE(a_parked_query_keeps_its_generation) {
    publish();
    const Snapshot& old = *publisher->current();
    park(1, old, 1);
    publish();
    settle();
    settle();
    BOOST_TEST(publisher->alive() == 2U);
    park(1, old, -1);
    publisher->poll(now);
    BOOST_TEST(publisher->alive() == 2U);  // the worker may still read it this turn
    settle();
    BOOST_TEST(publisher->alive() == 1U);
}

BOOST_AUTO_TEST_CASE(with_four_alive_a_reload_waits_and_keeps_its_snapshot) {
    for (std::size_t i = 0; i < kMaxGenerations; ++i) {
        BOOST_TEST(publish());
        park(0, *publisher->current(), 1);
    }
    auto fifth = std::make_unique<Snapshot>();
    const auto refused = publisher->publish(fifth, now);
    BOOST_TEST(!refused.has_value());
    BOOST_TEST((fifth != nullptr));
    BOOST_TEST(publisher->current()->generation == 4U);

    park(0, *publisher->find(2), -1);
    settle();
    BOOST_TEST((publisher->find(2) == nullptr));
    BOOST_TEST(publisher->publish(fifth, now).value() == 5U);
    BOOST_TEST(publisher->alive() == kMaxGenerations);
}

BOOST_AUTO_TEST_CASE(workers_end_parked_queries_of_an_old_snapshot_after_ten_seconds) {
    publish();
    park(0, *publisher->current(), 1);
    publish();
    park(0, *publisher->current(), 1);
    now.ms += 5000;
    publish();
    settle();
    now.ms += kRetireAfterMs - 5001;
    publisher->poll(now);
    BOOST_TEST(shared.retire_generation.load() == 0U);
    now.ms += 1;
    publisher->poll(now);
    BOOST_TEST(shared.retire_generation.load() == 1U);
    now.ms += 5000;
    publisher->poll(now);
    BOOST_TEST(shared.retire_generation.load() == 2U);
    park(0, *publisher->find(1), -1);
    park(0, *publisher->find(2), -1);
    settle();
    BOOST_TEST(shared.retire_generation.load() == 0U);
    BOOST_TEST(publisher->alive() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::build
