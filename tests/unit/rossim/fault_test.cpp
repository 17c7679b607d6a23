#include <boost/test/unit_test.hpp>

#include "api_client.h"

namespace rossim::test {
namespace {

struct Note {
    std::string op;
    std::string address;
    std::int64_t at_us;
};

struct FaultFixture {
    std::vector<Note> notes;
    Bench bench{fast(), [this](const Commit& c) {
                    notes.push_back({std::string(change_name(c.change)), std::string(c.address),
                                     c.t_ns / 1000});
                }};
    std::string ops() const {
        std::string text;
        for (const Note& note : notes)
            text += (text.empty() ? "" : " ") + note.op;
        return text;
    }
};

BOOST_FIXTURE_TEST_SUITE(fault, FaultFixture)

BOOST_AUTO_TEST_CASE(a_reboot_drops_sessions_and_timed_rows) {
    const SessionId s = bench.connect();
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1", "=timeout=1h"});
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.2"});
    bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.0.3"});
    bench.run_until(10 * kSecond - 1'000'000 + 500);
    bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.0.4"});
    bench.router.reboot(5 * kSecond, bench.now_us);
    bench.run_until(bench.now_us);
    BOOST_TEST(bench.is_closed(s));
    BOOST_TEST(bench.router.is_down());
    BOOST_TEST(!bench.router.open(bench.now_us).has_value());
    const auto rows = bench.router.rows(Family::ipv4);
    BOOST_REQUIRE(rows.size() == 2);
    BOOST_TEST(rows[0].address == "10.0.0.2");
    BOOST_TEST(rows[0].id == 1U);
    bench.run_until(bench.now_us + 5 * kSecond);
    BOOST_TEST(!bench.router.is_down());
    const SessionId again = bench.connect();
    BOOST_TEST(value_of(bench.ask(again, {"/system/resource/print"})[0].words, "uptime") == "0s");
    BOOST_TEST(ops() == "add add add reboot up");
}

BOOST_AUTO_TEST_CASE(an_expiry_is_in_the_journal_with_its_time) {
    const SessionId s = bench.connect();
    const auto before_us = bench.now_us;
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1", "=timeout=30s"});
    bench.run_until(60 * kSecond);
    BOOST_TEST(ops() == "add expire");
    BOOST_TEST(notes[0].at_us == before_us + 1300);
    BOOST_TEST(notes[1].at_us == before_us + 1300 + 30 * kSecond);
}

BOOST_AUTO_TEST_CASE(a_change_of_address_is_a_remove_and_an_add) {
    const SessionId s = bench.connect();
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    bench.ask(s, {kMenu + "/set", "=.id=*1", "=address=10.0.0.2"});
    bench.ask(s, {kMenu + "/set", "=.id=*1", "=comment=c"});
    bench.ask(s, {kMenu + "/remove", "=.id=*1"});
    BOOST_TEST(ops() == "add remove add set remove");
}

BOOST_AUTO_TEST_CASE(a_hanging_router_accepts_and_answers_after_resume) {
    const SessionId s = bench.connect();
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.9", "=timeout=20s"});
    bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    const std::int64_t begin_us = bench.now_us;
    bench.run_until(begin_us + 300);
    bench.router.hang(bench.now_us);
    const SessionId t = bench.connect_raw();
    bench.write(t, {"/login", "=name=admin", "=password="});
    bench.write(s, {"/system/identity/print"});
    bench.run_until(30 * kSecond);
    BOOST_TEST(bench.take(s).empty());
    BOOST_TEST(bench.take(t).empty());
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 0U);  // timeouts go on
    bench.router.resume(bench.now_us);
    bench.run_until(30 * kSecond + 1000);
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 1U);
    bench.run_until(31 * kSecond);
    BOOST_TEST(bench.take(s).size() == 3U);
    BOOST_TEST(bench.take(t).size() == 1U);
}

BOOST_AUTO_TEST_CASE(sentences_of_a_client_that_left_are_dropped) {
    const SessionId s = bench.connect();
    for (int i = 1; i <= 5; ++i) {
        bench.write(s, {kMenu + "/add", "=list=x", "=address=10.0.0." + std::to_string(i)});
    }
    bench.run_until(bench.now_us + 1500);  // one is done, one has begun
    bench.router.close(s, bench.now_us);
    bench.run_until(kSecond);
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 2U);
}

BOOST_AUTO_TEST_CASE(duplicates_from_an_import_are_kept) {
    bench.router.add_row(Family::ipv4, "x", "10.0.0.1", std::nullopt, "a", 0);
    BOOST_CHECK_THROW(bench.router.add_row(Family::ipv4, "x", "10.0.0.1", 5, "b", 0),
                      std::runtime_error);
    bench.router.add_row(Family::ipv4, "x", "10.0.0.1", 5, "b", 0, true);
    const SessionId s = bench.connect();
    BOOST_TEST(bench.ask(s, {kMenu + "/print", "?address=10.0.0.1"}).size() == 3U);
    BOOST_TEST(bench.router.remove_row(Family::ipv4, "x", "10.0.0.1", bench.now_us));
    BOOST_TEST(bench.router.row_count(Family::ipv4) == 1U);
    BOOST_TEST(!bench.router.remove_row(Family::ipv4, "y", "10.0.0.1", bench.now_us));
}

BOOST_AUTO_TEST_CASE(the_report_counts_sentences) {
    const SessionId s = bench.connect();
    bench.router.prefill(Family::ipv6, "p", 10'000, bench.now_us);
    bench.ask(s, {"/ipv6/firewall/address-list/print", "=count-only="});
    bench.ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    const Report& report = bench.router.report();
    BOOST_TEST(report.adds == 1U);
    BOOST_TEST(report.prints == 1U);
    BOOST_TEST(report.rows_scanned == 10'000U);
    BOOST_TEST(report.rows_emitted == 0U);
    BOOST_TEST(report.sessions_peak == 1U);
    BOOST_TEST(report.cpu_us == 300 + 300 + 10'000 * 14 + 1300);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
