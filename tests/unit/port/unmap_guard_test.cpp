// Memory that DPDK's interrupt thread gives back stays until no worker can be inside a burst.

#include "dataplane/port/unmap_guard.h"

#include <rte_alarm.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <sys/mman.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <latch>

#include "support/hand_over.h"

using namespace steer;

namespace {

constexpr unsigned kReader = 0, kReaders = 1;
constexpr std::size_t kPage = 4096;

struct Unmapping {
    void* page = nullptr;
    test::HandOver asked;  // through EAL's alarms
    std::latch begun{1};
    std::atomic<bool> done = false;
};

void unmap(void* argument) {
    auto& u = *static_cast<Unmapping*>(argument);
    u.asked.take();
    u.begun.count_down();
    munmap(u.page, kPage);
    u.done = true;
}

bool is_mapped(void* page) {
    unsigned char there;
    return ::mincore(page, kPage, &there) == 0 || errno != ENOMEM;
}

struct Guarded {
    Guarded()
        : qsbr(static_cast<rte_rcu_qsbr*>(
              rte_zmalloc(nullptr, rte_rcu_qsbr_get_memsize(kReaders), 64))) {
        BOOST_REQUIRE(qsbr != nullptr && rte_rcu_qsbr_init(qsbr, kReaders) == 0);
        rte_rcu_qsbr_thread_register(qsbr, kReader);
        u.page = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        BOOST_REQUIRE(u.page != MAP_FAILED);
        guard_unmapping(qsbr);
    }
    ~Guarded() {
        guard_unmapping(nullptr);
        rte_free(qsbr);
    }
    void unmap_elsewhere() {
        u.asked.give();
        BOOST_REQUIRE_EQUAL(rte_eal_alarm_set(1, unmap, &u), 0);
    }
    void wait_until_done() const {
        while (!u.done)
            rte_pause();
    }

    rte_rcu_qsbr* qsbr;
    Unmapping u;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(unmap_guard, Guarded)

BOOST_AUTO_TEST_CASE(a_worker_in_its_burst_is_waited_for) {
    rte_rcu_qsbr_thread_online(qsbr, kReader);
    unmap_elsewhere();
    u.begun.wait();
    for (unsigned turn = 0; turn < 20'000; ++turn)
        BOOST_REQUIRE(is_mapped(u.page));
    BOOST_CHECK(!u.done);
    rte_rcu_qsbr_quiescent(qsbr, kReader);
    wait_until_done();
    BOOST_CHECK(!is_mapped(u.page));
}

BOOST_AUTO_TEST_CASE(a_sleeping_reader_is_not_waited_for) {
    rte_rcu_qsbr_thread_online(qsbr, kReader);
    rte_rcu_qsbr_thread_offline(qsbr, kReader);
    unmap_elsewhere();
    wait_until_done();
    BOOST_CHECK(!is_mapped(u.page));
}

// A worker that gives memory back itself would wait for itself.
BOOST_AUTO_TEST_CASE(other_threads_do_not_wait) {
    rte_rcu_qsbr_thread_online(qsbr, kReader);
    BOOST_CHECK_EQUAL(munmap(u.page, kPage), 0);
    BOOST_CHECK(!is_mapped(u.page));
}

BOOST_AUTO_TEST_SUITE_END()
