// When refused queries make the appliance unready, and when it is ready again.
#include "control/observe/health/overload_gate.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>

using namespace steer;

namespace {

constexpr std::uint64_t kSecond = 1'000;

// A server that is asked for a second at a time.
struct Served {
    explicit Served(std::uint32_t limit = 50) : gate(limit) { gate.check(sums, now_ms); }
    void seconds(unsigned count, std::uint64_t answered, std::uint64_t refused) {
        for (; count > 0; --count) {
            sums.answered += answered;
            sums.refused += refused;
            now_ms += kSecond;
            gate.check(sums, now_ms);
        }
    }
    bool is_ready() const { return gate.error(now_ms).empty(); }
    // Until it is ready again, without queries.
    unsigned seconds_until_ready() {
        unsigned count = 0;
        for (; !is_ready() && count < 1'000; ++count)
            seconds(1, 0, 0);
        return count;
    }
    OverloadSums sums;
    std::uint64_t now_ms = 5'000'000;
    OverloadGate gate;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(overload_gate)

BOOST_AUTO_TEST_CASE(half_of_the_queries_refused_for_a_window_is_an_overload) {
    Served served;
    served.seconds(9, 500, 500);
    BOOST_TEST(served.is_ready());
    served.seconds(1, 500, 500);
    BOOST_TEST(
        served.gate.error(served.now_ms) ==
        "50 % of the queries were refused: tables, buffers or queues were full (`ready_overload`); "
        "ready in 30 s at the earliest");
}

BOOST_AUTO_TEST_CASE(less_than_the_limit_is_no_overload) {
    Served served;
    served.seconds(60, 510, 490);
    BOOST_TEST(served.is_ready());
    Served strict(10);
    strict.seconds(10, 900, 100);
    BOOST_TEST(!strict.is_ready());
}

BOOST_AUTO_TEST_CASE(few_refused_queries_are_no_overload) {
    Served served;
    served.seconds(60, 0, 9);
    BOOST_TEST(served.is_ready());
}

BOOST_AUTO_TEST_CASE(a_limit_of_0_is_never_reached) {
    Served served(0);
    served.seconds(60, 0, 1'000);
    BOOST_TEST(served.is_ready());
    BOOST_TEST(!served.gate.is_due(served.now_ms + kSecond));
}

BOOST_AUTO_TEST_CASE(it_is_ready_again_after_the_pause) {
    Served served;
    served.seconds(10, 0, 1'000);
    BOOST_TEST(served.seconds_until_ready() == 30U);
    served.seconds(60, 1'000, 0);
    BOOST_TEST(served.is_ready());
}

BOOST_AUTO_TEST_CASE(it_stays_unready_while_a_quarter_is_refused) {
    Served served;
    served.seconds(10, 0, 1'000);
    served.seconds(120, 750, 250);
    BOOST_TEST(served.gate.error(served.now_ms) ==
               "100 % of the queries were refused: tables, buffers or queues were full "
               "(`ready_overload`); "
               "ready when it is less than half of the limit");
    served.seconds(10, 760, 240);
    BOOST_TEST(served.is_ready());
}

BOOST_AUTO_TEST_CASE(a_relapse_doubles_the_pause) {
    Served served;
    served.seconds(9, 0, 1'000);
    for (const unsigned pause_s : {30U, 60U, 120U, 240U, 240U}) {
        served.seconds(1, 0, 1'000);
        BOOST_TEST(served.seconds_until_ready() == pause_s);
    }
    served.seconds(600, 1'000, 0);
    served.seconds(1, 0, 100'000);
    BOOST_TEST(served.seconds_until_ready() == 30U);
}

BOOST_AUTO_TEST_CASE(losses_that_vanish_with_a_port_are_no_refusals) {
    Served served;
    served.seconds(10, 0, 5);
    served.sums.refused = 0;
    served.seconds(20, 1'000, 0);
    BOOST_TEST(served.is_ready());
}

BOOST_AUTO_TEST_CASE(sums_count_each_query_of_each_kind_once) {
    const auto counters = std::make_unique<Counters>();
    counters->add(Verdict::answered, 1);
    counters->add(Moved::answered_truncated, 2);
    counters->add(Injected::answered_error, 4);
    counters->add(PendingOutcome::answered, 8);
    counters->add(Verdict::drop_parked_full, 16);
    counters->add(Moved::drop_ring_full, 32);
    counters->add(Injected::drop_no_buffer, 64);
    counters->add(PendingOutcome::drop_no_buffer, 128);
    counters->add(Stat::upstream_table_full, 256);
    counters->add(Stat::upstream_displaced, 512);
    // Of a client or a domain alone, or no refusal.
    counters->add(Verdict::drop_client_quota, 1'024);
    counters->add(Verdict::drop_suffix_quota, 1'024);
    counters->add(Verdict::forwarded, 1'024);
    counters->add(PendingOutcome::servfail, 1'024);
    const std::array<const Counters*, 2> workers{counters.get(), counters.get()};
    const OverloadSums sums = overload_sums(workers, 4'096);
    BOOST_TEST(sums.answered == 2U * 15U);
    BOOST_TEST(sums.refused == 4'096U + 2U * 1'008U);
}

BOOST_AUTO_TEST_SUITE_END()
