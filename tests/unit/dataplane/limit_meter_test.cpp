// Buckets of `limits:`: what they let pass, in how much memory, and how threads share a rate.
#include "dataplane/limits/limit_meter.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "dataplane/base/counters.h"
#include "dataplane/base/verdict.h"
#include "dataplane/limits/limit_shares.h"
#include "dataplane/limits/limit_table.h"

namespace steer::test {
namespace {

// A keyed hash spreads its keys evenly.
std::uint64_t key_of_source(std::uint64_t source) {
    std::uint64_t z = source + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

struct OneThread {
    explicit OneThread(std::size_t bytes = std::size_t{1} << 16, unsigned peers = 1)
        : meter(bytes, peers) {}

    LimitMeter::Taken ask(std::uint64_t source, const LimitRate& rate, std::uint64_t us,
                          std::uint64_t units = 1) {
        const Now now{us / 1000, static_cast<std::uint32_t>(us % 1000)};
        const std::uint64_t key = key_of_source(source);
        const auto taken = meter.take(key, rate, units, LimitTicks::of(now), board);
        if (taken.is_shared) board.note(key, 0, {{}, {}}, units, taken.is_over, now.ms);
        return taken;
    }
    unsigned passed(std::uint64_t source, const LimitRate& rate, std::uint64_t us, unsigned of) {
        unsigned n = 0;
        for (unsigned i = 0; i < of; ++i)
            n += ask(source, rate, us).is_over ? 0U : 1U;
        return n;
    }

    LimitMeter meter;
    OffenderBoard board;
};

constexpr std::uint64_t kSecond = 1'000'000;

}  // namespace

BOOST_AUTO_TEST_SUITE(limit_meter)

BOOST_AUTO_TEST_CASE(a_bucket_holds_a_burst_and_fills_by_the_second) {
    OneThread t;
    const LimitRate rate = LimitRate::of(20, 40);
    std::uint64_t us = 5 * kSecond;
    BOOST_TEST(t.passed(1, rate, us, 100) == 40U);
    us += 49'000;
    BOOST_TEST(t.passed(1, rate, us, 5) == 0U);
    us += 1'000;
    BOOST_TEST(t.passed(1, rate, us, 5) == 1U);
    us += kSecond;
    BOOST_TEST(t.passed(1, rate, us, 100) == 20U);
    // Also when the ticks wrap around, and long after.
    for (unsigned day = 0; day < 12; ++day) {
        us += std::uint64_t{86'400} * kSecond;
        BOOST_TEST(t.passed(1, rate, us, 100) == 40U);
    }
}

BOOST_AUTO_TEST_CASE(a_source_at_its_rate_is_never_refused) {
    OneThread t;
    for (const double per_s : {0.5, 1.0, 7.0, 1'000.0, 100'000.0}) {
        const LimitRate rate = LimitRate::of(per_s, std::max(2.0, per_s / 10));
        unsigned refused = 0;
        for (unsigned i = 0; i < 1'000; ++i) {
            const auto us = static_cast<std::uint64_t>(std::ceil(i * 1e6 / per_s));
            refused += t.ask(static_cast<std::uint64_t>(per_s * 10), rate, kSecond + us).is_over;
        }
        BOOST_TEST(refused == 0U);
    }
}

BOOST_AUTO_TEST_CASE(bytes_take_as_many_tokens_as_they_are) {
    OneThread t;
    const LimitRate rate = LimitRate::of(10'000, 10'000);
    unsigned passed = 0;
    for (unsigned i = 0; i < 1'000; ++i)
        passed += t.ask(7, rate, kSecond, 100).is_over ? 0U : 1U;
    BOOST_TEST(passed == 100U);
    // A message above the whole burst is not refused for ever.
    BOOST_TEST(!t.ask(8, LimitRate::of(1'000, 100), kSecond, 5'000).is_over);
    BOOST_TEST(t.ask(8, LimitRate::of(1'000, 100), kSecond, 1).is_over);
}

BOOST_AUTO_TEST_CASE(refusals_of_a_bucket_are_numbered_in_a_period) {
    OneThread t;
    LimitRate rate = LimitRate::of(1, 1);
    rate.period = 3;
    BOOST_TEST(!t.ask(1, rate, kSecond).is_over);
    for (unsigned i = 0; i < 9; ++i)
        BOOST_TEST(unsigned{t.ask(1, rate, kSecond).nth} == i % 3);
}

// The reference counts exactly: a map of one bucket per source.
BOOST_AUTO_TEST_CASE(a_million_sources_are_counted_within_five_percent_in_constant_memory) {
    constexpr unsigned kSources = 1'000'000;
    constexpr double kPerS = 2;
    OneThread t(std::size_t{16} << 20);
    const std::size_t buckets = t.meter.buckets();
    const LimitRate rate = LimitRate::of(kPerS, 2);
    std::vector<std::uint64_t> full_at(kSources, 0);  // ticks
    const std::uint64_t cost = rate.cost_q16 >> 16;
    std::mt19937_64 random(1);
    std::uint64_t exact = 0, passed = 0, wrongly_refused = 0;
    // Four times its rate for each source, over three seconds.
    constexpr std::uint64_t kAsked = 3 * 4 * 2 * std::uint64_t{kSources};
    for (std::uint64_t i = 0; i < kAsked; ++i) {
        const std::uint64_t us = kSecond + i * 3 * kSecond / kAsked;
        const std::uint64_t tick = us * LimitTicks::kPerUs;
        const auto source = static_cast<std::uint32_t>(random() % kSources);
        const std::uint64_t missing = full_at[source] > tick ? full_at[source] - tick : 0;
        const bool may_pass = missing + cost <= rate.depth;
        if (may_pass) full_at[source] = tick + missing + cost;
        const auto taken = t.meter.take(key_of_source(source), rate, 1, tick, t.board);
        exact += may_pass;
        passed += !taken.is_over;
        wrongly_refused += taken.is_over && may_pass;
    }
    BOOST_TEST_MESSAGE("exact " << exact << ", passed " << passed << ", wrongly refused "
                                << wrongly_refused);
    BOOST_TEST(passed >= static_cast<double>(exact) * 0.95);
    BOOST_TEST(passed <= static_cast<double>(exact) * 1.05);
    BOOST_TEST(wrongly_refused <= static_cast<double>(exact) * 0.01);
    BOOST_TEST(t.meter.buckets() == buckets);
}

// Sources below their rate need no bucket for long. A thousand of them displace no offender.
BOOST_AUTO_TEST_CASE(an_offender_keeps_its_bucket_among_many_quiet_sources) {
    OneThread t(std::size_t{1} << 12);
    const LimitRate rate = LimitRate::of(10, 10);
    unsigned passed = 0;
    std::uint64_t quiet = 100;
    for (unsigned ms = 0; ms < 10'000; ++ms) {
        const std::uint64_t us = kSecond + std::uint64_t{ms} * 1'000;
        passed += t.ask(1, rate, us).is_over ? 0U : 1U;
        (void)t.ask(quiet++, rate, us);
    }
    BOOST_TEST(passed >= 110U * 0.95);
    BOOST_TEST(passed <= 110U * 1.05);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(limit_shares)

namespace {

struct FourThreads {
    FourThreads() {
        for (unsigned i = 0; i < 4; ++i) {
            threads.push_back(std::make_unique<OneThread>(std::size_t{1} << 16, 4));
            boards.push_back(&threads.back()->board);
        }
    }
    struct Sent {
        unsigned asked, passed;
    };
    // Queries of one source for a second, `per_s` at each thread.
    Sent second(std::uint64_t source, const LimitRate& rate, const std::vector<unsigned>& per_s) {
        Sent sent{0, 0};
        std::vector<double> due(threads.size(), 0);
        for (unsigned ms = 0; ms < 1'000; ++ms, us += 1'000) {
            for (std::size_t t = 0; t < threads.size(); ++t) {
                for (due[t] += per_s[t] / 1000.0; due[t] >= 1; due[t] -= 1) {
                    ++sent.asked;
                    sent.passed += threads[t]->ask(source, rate, us).is_over ? 0U : 1U;
                }
            }
            if (us / 1'000 % 100 == 0) shares.divide(boards, us / 1'000);
        }
        return sent;
    }
    std::vector<std::unique_ptr<OneThread>> threads;
    std::vector<OffenderBoard*> boards;
    LimitShares shares;
    std::uint64_t us = 10 * kSecond;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_source_at_four_threads_gets_its_rate_once) {
    for (const std::vector<unsigned>& per_s : {std::vector<unsigned>{1'000, 1'000, 1'000, 1'000},
                                               {4'000, 200, 200, 200},
                                               {700, 700, 700, 0},
                                               {20'000, 20'000, 1'000, 1'000},
                                               {5'000, 0, 0, 0}}) {
        FourThreads w;
        const LimitRate rate = LimitRate::of(1'000, 500);
        (void)w.second(5, rate, per_s);  // shares follow the demand within a second
        for (unsigned i = 0; i < 4; ++i) {
            const unsigned passed = w.second(5, rate, per_s).passed;
            BOOST_TEST(passed >= 950U, per_s[0] << ", second " << i << ": " << passed);
            BOOST_TEST(passed <= 1'050U, per_s[0] << ", second " << i << ": " << passed);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_source_follows_its_demand_from_thread_to_thread) {
    FourThreads w;
    const LimitRate rate = LimitRate::of(1'000, 1'000);
    for (const std::vector<unsigned>& per_s : {std::vector<unsigned>{4'000, 100, 100, 100},
                                               {100, 4'000, 100, 100},
                                               {0, 0, 3'000, 3'000}}) {
        (void)w.second(5, rate, per_s);
        for (unsigned i = 0; i < 2; ++i) {
            const unsigned passed = w.second(5, rate, per_s).passed;
            BOOST_TEST(passed >= 950U, per_s[0] << ", second " << i << ": " << passed);
            BOOST_TEST(passed <= 1'050U, per_s[0] << ", second " << i << ": " << passed);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_source_at_one_thread_has_its_whole_rate_there) {
    FourThreads w;
    const LimitRate rate = LimitRate::of(1'000, 1'000);
    for (unsigned i = 0; i < 5; ++i) {
        const auto sent = w.second(5, rate, {0, 950, 0, 0});
        BOOST_TEST(sent.passed == sent.asked);
    }
    // It moves to another thread, as after a change of its source port.
    for (unsigned i = 0; i < 3; ++i) {
        const auto sent = w.second(5, rate, {950, 0, 0, 0});
        BOOST_TEST(sent.passed == sent.asked);
    }
}

// Also with the smallest bursts, which a few tokens exceed.
BOOST_AUTO_TEST_CASE(a_slow_source_at_one_of_four_threads_is_not_refused) {
    for (const double burst : {1.0, 2.0, 5.0}) {
        FourThreads w;
        const LimitRate rate = LimitRate::of(1, burst);
        unsigned refused = 0;
        for (unsigned i = 0; i < 20; ++i) {
            w.us += 1'001'000;
            refused += w.threads[2]->ask(9, rate, w.us).is_over ? 1U : 0U;
            w.shares.divide(w.boards, w.us / 1'000);
        }
        BOOST_TEST(refused == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_source_below_its_rate_in_total_is_never_refused) {
    FourThreads w;
    const LimitRate rate = LimitRate::of(1'000, 1'000);
    for (unsigned i = 0; i < 5; ++i) {
        const auto sent = w.second(5, rate, {400, 300, 200, 50});
        BOOST_TEST(sent.passed == sent.asked);
    }
}

BOOST_AUTO_TEST_CASE(a_share_is_set_when_its_board_has_room_again) {
    FourThreads w;
    const LimitRate rate = LimitRate::of(100, 100);
    const std::uint64_t key = key_of_source(5);
    const auto other = [key](std::uint64_t i) { return key ^ (i + 1) << 32; };  // of the same set
    OffenderBoard& board = w.threads[0]->board;
    for (std::uint64_t i = 0; i < OffenderBoard::kInSet; ++i)
        BOOST_TEST(board.set_share(other(i), 1));
    (void)w.second(5, rate, {500, 500, 0, 0});
    BOOST_TEST(board.share(key) == 0U);
    BOOST_TEST(w.threads[1]->board.share(key) == 32'768U);
    BOOST_TEST(board.set_share(other(0), 0));
    (void)w.second(5, rate, {500, 500, 0, 0});
    BOOST_TEST(board.share(key) == 32'768U);
}

BOOST_AUTO_TEST_CASE(offenders_are_listed_while_they_ask) {
    FourThreads w;
    const LimitRate rate = LimitRate::of(100, 100);
    (void)w.second(5, rate, {500, 500, 0, 0});
    (void)w.second(5, rate, {500, 500, 0, 0});
    const auto sources = w.shares.sources();
    BOOST_REQUIRE(sources.size() == 1U);
    BOOST_TEST(sources[0].threads == 2U);
    BOOST_TEST(sources[0].is_over);
    BOOST_TEST(sources[0].demand_per_s > 900);
    BOOST_TEST(sources[0].demand_per_s < 1'100);
    BOOST_TEST(sources[0].offender.refused > 1'000U);
    for (unsigned i = 0; i < 3; ++i)
        (void)w.second(5, rate, {0, 0, 0, 0});
    BOOST_TEST(w.shares.sources().empty());
    BOOST_TEST(w.threads[0]->board.share(key_of_source(5)) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(limit_table)

BOOST_AUTO_TEST_CASE(counters_of_quotas_that_workers_decide_exist) {
    for (const LimitFact& fact : kLimitFacts) {
        std::string_view left = fact.counters;
        while (!left.empty()) {
            const std::string_view label = left.substr(0, left.find(' '));
            left.remove_prefix(std::min(left.size(), label.size() + 1));
            const bool is_end =
                std::ranges::any_of(kEnds, [&](const End& end) { return end.label == label; });
            const bool is_event =
                std::ranges::any_of(kStats, [&](const auto& stat) { return stat.label == label; });
            BOOST_TEST((is_end || is_event || label.starts_with("tcp_")), label);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
