// Routers that are slow, or slow for a moment: the share of their time, and answers whose row they cannot write in time.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "lab.h"
#include "matchers/suffix/public_suffixes.h"
#include "tools/rossim/report.h"

namespace steer::routeros::test {
namespace {

BOOST_AUTO_TEST_SUITE(slow_routers)

// An add takes `row_us` of its CPU, and so does a set; a removal 2.5 times as much, as on an RB5009.
rossim::Options with_row(std::int64_t row_us) {
    auto options = fast();
    options.costs.base = row_us / 7;
    options.costs.add = options.costs.set = row_us - options.costs.base;
    options.costs.remove = options.costs.add * 5 / 2;
    return options;
}

// CPU time for writes of any class since its start.
double write_us(const Lab& lab) {
    using rossim::CpuClass;
    std::int64_t us = 0;
    for (const auto cpu_class : {CpuClass::add, CpuClass::set, CpuClass::remove, CpuClass::script})
        us += lab.sim.report().cpu_us_of(cpu_class);
    return static_cast<double>(us);
}

// Which share of its time writes take.
double share_of(Lab& lab, std::int64_t seconds) {
    const double before_us = write_us(lab);
    lab.run_for(seconds * kSecond);
    return (write_us(lab) - before_us) / static_cast<double>(seconds * kSecond);
}

RouterConfig with_share(double share, bool scripts = true) {
    auto config = router_config();
    config.routine_share = share;
    config.scripts = scripts;
    return config;
}

void claim_many(Lab& lab, unsigned rows) {
    for (unsigned i = 1; i <= rows; ++i)
        lab.claim(1, {nth(i)}, 3570, 3600);
}

// From the first row on, whose write time is not known yet.
BOOST_AUTO_TEST_CASE(the_share_of_a_slow_router_is_kept) {
    struct {
        double share;
        std::int64_t row_us;
    } const cases[] = {{0.05, 7'000}, {0.10, 41'000}, {0.30, 7'000}};
    for (const auto& c : cases) {
        for (const bool scripts : {true, false}) {
            Lab lab{with_row(c.row_us), with_share(c.share, scripts)};
            BOOST_REQUIRE(lab.sync());
            claim_many(lab, 3'000);
            BOOST_TEST_CONTEXT(c.share << " at " << c.row_us << " us a row") {
                const double early = share_of(lab, 20), later = share_of(lab, 30);
                BOOST_TEST(early > c.share * 0.8);
                BOOST_TEST(early < c.share * 1.3);
                BOOST_TEST(later > c.share * 0.85);
                BOOST_TEST(later < c.share * 1.1);
            }
            const auto status = lab.router->status();
            const double expected_ms =
                static_cast<double>(status.queued) * static_cast<double>(c.row_us) / 1000 / c.share;
            BOOST_TEST(static_cast<double>(status.backlog_ms) > expected_ms * 0.8);
            BOOST_TEST(static_cast<double>(status.backlog_ms) < expected_ms * 1.2);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_backlog_of_more_than_30_s_is_a_problem_with_its_figure) {
    Lab lab{with_row(7'000), with_share(0.05, false)};
    BOOST_REQUIRE(lab.sync());
    claim_many(lab, 500);
    lab.run_for(10 * kSecond);
    const auto status = lab.router->status();
    const std::string expected =
        std::to_string(status.queued) + " rows wait that cannot be written in time: they take " +
        std::to_string(status.backlog_ms / 1000) + " s with `cpu_share` at 5%; ";
    BOOST_TEST(status.late_backlog.starts_with(expected), status.late_backlog);
    lab.run_for(50 * kSecond);
    BOOST_TEST(lab.router->status().backlog_ms > 0U);
    BOOST_TEST(lab.router->status().late_backlog == "");
}

// A hundredth of its time would be a row in twenty seconds.
BOOST_AUTO_TEST_CASE(a_row_every_two_seconds_is_written_whatever_the_share) {
    Lab lab{with_row(200'000), with_share(0.01)};
    BOOST_REQUIRE(lab.sync());
    claim_many(lab, 200);
    lab.run_for(20 * kSecond);
    BOOST_TEST(lab.adds >= 9U);
    BOOST_TEST(lab.adds <= 14U);
    const std::size_t before = lab.adds;
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.adds - before >= 29U);
    BOOST_TEST(lab.adds - before <= 31U);
}

BOOST_AUTO_TEST_CASE(a_fast_router_gets_its_rows_as_fast_as_its_share_allows) {
    for (const bool scripts : {true, false}) {
        Lab lab{with_row(100), with_share(0.3, scripts)};
        BOOST_REQUIRE(lab.sync());
        claim_many(lab, 6'000);  // 600 ms of its time
        BOOST_TEST(share_of(lab, 1) > 0.25);
        lab.run_for(kSecond * 5 / 4);
        BOOST_TEST(lab.adds == 6'000U);
    }
}

BOOST_AUTO_TEST_CASE(one_slow_moment_does_not_last) {
    for (const std::int64_t row_us : {1'000, 7'000}) {
        for (const bool scripts : {true, false}) {
            Lab lab{with_row(row_us), with_share(0.3, scripts)};
            BOOST_REQUIRE(lab.sync());
            claim_many(lab, 6'000);
            lab.run_for(5 * kSecond);
            lab.sim.hang(lab.now_us, 2 * kSecond);
            lab.run_for(4 * kSecond);  // two of them to recover
            const double used = share_of(lab, 3);
            BOOST_TEST_CONTEXT(row_us << " us a row, scripts " << scripts << ": " << used) {
                BOOST_TEST(used > 0.3 * 0.8);
                BOOST_TEST(used < 0.3 * 1.1);
            }
        }
    }
}

// Routes have no timeout on the router: each one that ends is a write.
BOOST_AUTO_TEST_CASE(removals_of_ended_rows_are_part_of_the_share) {
    auto list = list_config();
    list.type = RowType::route;
    list.list4 = list.list6 = "vpn";
    list.values4 = {"wg1", "1"};
    auto config = router_config({list});
    config.routine_share = 0.05;
    Lab lab{with_row(7'000), config};
    lab.sim.put_record("/routing/table", {{"name", "vpn"}}, lab.now_us);
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 300; ++i)
        lab.claim(1, {nth(i)}, 90, 120);
    lab.run_for(100 * kSecond);
    BOOST_TEST(lab.sim.routes(rossim::Family::ipv4, "vpn").size() == 300U);
    const auto removing = [&] { return lab.sim.report().cpu_us_of(rossim::CpuClass::remove) > 0; };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 200 * kSecond, removing));
    const double used = share_of(lab, 20);
    BOOST_TEST(used > 0.05 * 0.8);
    BOOST_TEST(used < 0.05 * 1.15);
    BOOST_TEST(!lab.sim.routes(rossim::Family::ipv4, "vpn").empty());
    lab.run_for(120 * kSecond);
    BOOST_TEST(lab.sim.routes(rossim::Family::ipv4, "vpn").empty());
}

// --- answers that wait for a row -----------------------------------------------------------------

ListConfig waits_for_a_second() {
    auto list = list_config();
    list.sync_timeout_ms = 1000;
    return list;
}

// 41 ms a row, which is known after these 40 rows.
struct SlowLab : Lab {
    SlowLab() : Lab(with_row(41'000), router_config({waits_for_a_second()})) {
        BOOST_REQUIRE(sync());
        for (unsigned i = 1; i <= 40; ++i) {
            claim(1, {nth(1000 + i)}, 600, 630, 1000 + i);
            run_for(kSecond / 10);
        }
        BOOST_TEST(router->counters().holds_unmet == 0U);
    }
};

BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_for_a_row_that_cannot_be_there_in_time) {
    SlowLab lab;
    const std::int64_t asked_us = lab.now_us;
    for (unsigned i = 1; i <= 100; ++i)
        lab.claim(1, {nth(i)}, 600, 630, i);
    std::size_t away = 0, installed = 0;
    for (unsigned i = 1; i <= 100; ++i) {
        if (!lab.outcomes.contains(i)) continue;
        BOOST_TEST((lab.outcomes[i] == Outcome::late));
        BOOST_TEST(lab.settled_at_us[i] == asked_us);
        ++away;
    }
    lab.run_for(1'100'000);
    for (unsigned i = 1; i <= 100; ++i) {
        BOOST_REQUIRE(lab.outcomes.contains(i));
        installed += lab.outcomes[i] == Outcome::installed ? 1U : 0U;
    }
    BOOST_TEST(away + installed == 100U);
    BOOST_TEST(installed >= 15U);
    BOOST_TEST(installed <= 26U);
    BOOST_TEST(lab.router->counters().holds_unmet == away);
    lab.run_for(60 * kSecond);  // their rows come, by the share
    BOOST_TEST(lab.rows("policy_v4").size() == 140U);
}

// The first answer finds the longest sentences, at any of their moments.
BOOST_AUTO_TEST_CASE(answers_get_their_rows_while_a_router_is_filled) {
    for (const std::uint32_t sync_timeout_ms : {40U, 100U}) {
        for (unsigned phase = 0; phase < 12; ++phase) {
            auto list = list_config();
            list.sync_timeout_ms = sync_timeout_ms;
            Lab lab{fast(), router_config({list})};
            lab.reachable = false;
            lab.start();
            constexpr unsigned kRows = 6'000, kAnswers = 3;
            for (unsigned i = 1; i <= kRows; ++i)
                lab.claim(1, {nth(i)}, 1770, 1800);
            lab.run_for(kSecond);
            lab.reachable = true;
            const auto filling = [&] { return lab.rows("policy_v4").size() > kRows / 3; };
            BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond, filling));
            lab.run_for(phase * 7'000);
            for (unsigned i = 1; i <= kAnswers; ++i) {
                lab.claim(1, {nth(kRows + i)}, 1770, 1800, i);
                lab.run_for(kSecond / 10);
            }
            BOOST_TEST(lab.rows("policy_v4").size() < kRows);
            for (unsigned i = 1; i <= kAnswers; ++i)
                BOOST_TEST((lab.outcomes.at(i) == Outcome::installed));
        }
    }
}

// The held backlog of one domain is not the others' reason to go without their row.
BOOST_AUTO_TEST_CASE(the_held_backlog_of_one_domain_refuses_no_other_its_hold) {
    SlowLab lab;
    for (unsigned i = 1; i <= 100; ++i)
        lab.claim(1, {nth(i)}, 600, 630, i, "a.crowd.example");
    lab.claim(1, {nth(500)}, 600, 630, 500, "www.quiet.test");
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[500] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_domain_is_a_registrable_one_in_the_estimate_of_a_hold) {
    matchers::PublicSuffixBuilder builder;
    builder.add("co.example", matchers::PublicSuffixBuilder::Kind::plain, false);
    matchers::PublicSuffixes::publish(builder.build());
    {
        SlowLab lab;
        for (unsigned i = 1; i <= 100; ++i)
            lab.claim(1, {nth(i)}, 600, 630, i, "a.crowd.co.example");
        lab.claim(1, {nth(500)}, 600, 630, 500, "www.quiet.co.example");
        lab.claim(1, {nth(501)}, 600, 630, 501, "b.crowd.co.example");
        lab.run_for(kSecond);
        BOOST_TEST((lab.outcomes[500] == Outcome::installed));
        BOOST_TEST((lab.outcomes[501] == Outcome::late));
    }
    matchers::PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
