#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "api_client.h"

namespace rossim::test {
namespace {

double milliseconds(std::int64_t us) {
    return static_cast<double>(us) / 1000;
}

// How long one sentence takes, answer included.
std::int64_t time_of(Bench& bench, SessionId s, const Words& sentence) {
    const std::int64_t begin_us = bench.now_us;
    bench.ask(s, sentence);
    return bench.now_us - begin_us;
}

BOOST_AUTO_TEST_SUITE(cpu)

BOOST_AUTO_TEST_CASE(the_presets_have_the_documented_costs) {
    BOOST_TEST(built_in_presets().get("fast").add == 1000);
    BOOST_TEST(built_in_presets().get("slow").emit_row == 550);
    BOOST_TEST(built_in_presets().throttle.then_us == 20'000);
    BOOST_TEST(std::lround(built_in_presets().get("fast").writes_per_second()) == 769);
    BOOST_CHECK_THROW(built_in_presets().get("quick"), std::runtime_error);
    BOOST_CHECK_THROW(parse_presets("{\"a\":{}}"), std::runtime_error);
    BOOST_CHECK_THROW(parse_presets("[]"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(the_preset_fast_reproduces_the_published_times) {
    Bench bench(fast());
    bench.router.prefill(Family::ipv4, "x", 28'700, 0);
    const SessionId s = bench.connect();
    BOOST_TEST(milliseconds(time_of(bench, s, {kMenu + "/print", "?list=x"})) == 3415.6,
               boost::test_tools::tolerance(0.001));
    BOOST_TEST(milliseconds(time_of(bench, s, {kMenu + "/print", "?address=10.9.9.9"})) == 402.1,
               boost::test_tools::tolerance(0.001));
    BOOST_TEST(time_of(bench, s, {kMenu + "/add", "=list=y", "=address=10.0.0.1"}) == 1300);
    BOOST_TEST(time_of(bench, s, {kMenu + "/remove", "=.id=*1"}) == 2800);
    BOOST_TEST(time_of(bench, s, {kMenu + "/remove", "=.id=*2,*3,*4"}) == 7800);
    BOOST_TEST(time_of(bench, s, {"/system/resource/print"}) == 405);
}

BOOST_AUTO_TEST_CASE(pipelined_adds_go_at_the_write_rate) {
    Bench bench(fast());
    const SessionId s = bench.connect();
    const std::int64_t begin_us = bench.now_us;
    for (int i = 0; i < 100; ++i) {
        bench.write(s, {kMenu + "/add", ".tag=" + std::to_string(i), "=list=x",
                        "=address=10.0.0." + std::to_string(i)});
    }
    bench.run_until(begin_us + 100 * 1300);
    const auto got = bench.take(s);
    BOOST_REQUIRE(got.size() == 100);
    for (std::size_t i = 0; i < got.size(); ++i) {
        BOOST_TEST(got[i].at_us == begin_us + static_cast<std::int64_t>(i + 1) * 1300);
    }
}

BOOST_AUTO_TEST_CASE(tagged_sentences_may_be_shuffled) {
    Options options = fast();
    options.shuffle_seed = 7;
    Bench bench(options);
    const SessionId s = bench.connect();
    const std::int64_t begin_us = bench.now_us;
    Words sent;
    for (int i = 0; i < 20; ++i) {
        sent.push_back(".tag=" + std::to_string(i));
        bench.write(s, {kMenu + "/add", sent.back(), "=list=x", "=address=a" + std::to_string(i)});
    }
    bench.run_until(begin_us + 20 * 1300);
    Words answered;
    for (const auto& reply : bench.take(s))
        answered.push_back(reply.words.at(1));
    BOOST_TEST((answered != sent));
    BOOST_TEST(std::is_permutation(sent.begin(), sent.end(), answered.begin(), answered.end()));
}

BOOST_AUTO_TEST_CASE(an_add_does_not_wait_for_a_print) {
    Bench bench(fast());
    bench.router.prefill(Family::ipv4, "x", 10'000, 0);
    const SessionId s = bench.connect();
    bench.write(s, {kMenu + "/print", ".tag=P"});
    bench.run_until(bench.now_us + 100'000);
    const std::int64_t begin_us = bench.now_us;
    bench.take(s);
    bench.write(s, {kMenu + "/add", ".tag=A", "=list=y", "=address=10.0.0.1"});
    bench.run_until(begin_us + 6'300);
    bool done = false;
    for (const auto& reply : bench.take(s))
        done |= has(reply.words, ".tag=A");
    BOOST_TEST(done);
    bench.run_until(bench.now_us + 2'000'000);
    // A print is no snapshot: the row that arrived behind its place is in it.
    BOOST_TEST(value_of(bench.take(s).rbegin()[1].words, "address") == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_write_takes_effect_when_it_completes) {
    std::int64_t committed_us = -1;
    Bench bench(fast(), [&](const Commit& commit) { committed_us = commit.t_ns / 1000; });
    const SessionId s = bench.connect();
    const std::int64_t begin_us = bench.now_us;
    bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    bench.run_until(begin_us + 1299);
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 0U);
    bench.run_until(begin_us + 1300);
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 1U);
    BOOST_TEST(committed_us == begin_us + 1300);
    BOOST_TEST(bench.take(s).at(0).at_us == begin_us + 1300);
}

BOOST_AUTO_TEST_CASE(latency_is_added_to_the_round_trip) {
    Options options = fast();
    options.latency_us = 2000;
    Bench bench(options);
    const SessionId s = bench.connect();
    BOOST_TEST(time_of(bench, s, {kMenu + "/add", "=list=y", "=address=10.0.0.1"}) == 3300);
}

BOOST_AUTO_TEST_CASE(load_is_the_busy_share_of_the_last_second) {
    Bench bench(fast());
    const SessionId s = bench.connect();
    bench.run_until(5'000'000);
    const auto load = [&] {
        return std::stoi(value_of(bench.ask(s, {"/system/resource/print"})[0].words, "cpu-load"));
    };
    BOOST_TEST(load() <= 1);
    for (int i = 0; i < 384; ++i) {
        bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.1." + std::to_string(i)});
    }
    bench.run_until(bench.now_us + 600'000);
    bench.take(s);
    BOOST_TEST(load() >= 48);
    BOOST_TEST(load() <= 52);
}

BOOST_AUTO_TEST_CASE(sentences_are_throttled_after_the_bucket_is_empty) {
    Options options = fast();
    options.throttle = Throttle{3, 20'000};
    Bench bench(options);
    const SessionId s = bench.connect();  // one request
    BOOST_TEST(time_of(bench, s, {"/system/resource/print"}) == 405);
    BOOST_TEST(time_of(bench, s, {"/system/resource/print"}) == 405);
    BOOST_TEST(time_of(bench, s, {"/system/resource/print"}) == 20'000);
    bench.run_until(bench.now_us + 2'000'000);
    BOOST_TEST(time_of(bench, s, {"/system/resource/print"}) == 405);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
