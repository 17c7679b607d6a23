#include "tools/rossim/report.h"

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "api_client.h"

namespace rossim::test {
namespace {

struct ReportFixture : Bench {
    explicit ReportFixture(bool listen_costs = false) : Bench(make_options(listen_costs)) {
        s = connect();
    }
    static Options make_options(bool listen_costs) {
        Options options = fast();
        options.name = "edge1";
        options.listen_costs = listen_costs;
        return options;
    }
    std::int64_t cpu_us(CpuClass cpu_class) const { return router.report().cpu_us_of(cpu_class); }
    SessionId s = 0;
};

struct Paying : ReportFixture {
    Paying() : ReportFixture(true) {}
};

BOOST_FIXTURE_TEST_SUITE(report, ReportFixture)

BOOST_AUTO_TEST_CASE(cpu_time_is_counted_by_class_of_sentence) {
    router.prefill(Family::ipv4, "p", 1000, now_us);
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});  // refused at its end: paid
    ask(s, {kMenu + "/set", "=.id=*3E9", "=comment=c"});
    ask(s, {kMenu + "/disable", "=.id=*3E9"});
    ask(s, {kMenu + "/remove", "=.id=*1,*2,*3E9"});
    ask(s, {kMenu + "/print", "?list=x"});
    ask(s, {"/system/identity/print"});
    ask(s, {kMenu + "/nonsense"});
    BOOST_TEST(cpu_us(CpuClass::add) == 2 * 1300);
    BOOST_TEST(cpu_us(CpuClass::set) == 2 * 1300);
    BOOST_TEST(cpu_us(CpuClass::remove) == 300 + 3 * 2500);
    BOOST_TEST(cpu_us(CpuClass::read) == 300 + 998 * 14 + 300 + 105);
    BOOST_TEST(cpu_us(CpuClass::other) == 300 + 300);  // login and what was refused when read
    BOOST_TEST(cpu_us(CpuClass::listen) == 0);
    BOOST_TEST(cpu_us(CpuClass::script) == 0);
    const CpuTimes& times = router.report().cpu_us_by_class;
    BOOST_TEST(std::accumulate(times.begin(), times.end(), std::int64_t{0}) ==
               router.report().cpu_us);
}

BOOST_AUTO_TEST_CASE(a_sentence_in_progress_is_counted_slice_by_slice) {
    router.prefill(Family::ipv4, "p", 10'000, now_us);
    write(s, {kMenu + "/print", "=count-only="});
    run_until(now_us + 12'000);
    BOOST_TEST(cpu_us(CpuClass::read) == 10'000);
    router.close(s, now_us);
    BOOST_TEST(cpu_us(CpuClass::read) == 12'000);
    BOOST_TEST(router.report().sessions_now == 0U);
}

BOOST_AUTO_TEST_CASE(commands_are_counted_by_name) {
    ask(s, {"/system/resource/print"});
    ask(s, {"/system/resource/print"});
    ask(s, {"nonsense"});
    const auto& commands = router.report().commands;
    BOOST_TEST(commands.at("/login") == 1U);
    BOOST_TEST(commands.at("/system/resource/print") == 2U);
    for (int i = 0; i < 300; ++i)
        ask(s, {"/nonsense/" + std::to_string(i)});
    BOOST_TEST(commands.size() <= 201U);
    BOOST_TEST(commands.at("...") == 300U - (200U - 3U));
}

BOOST_AUTO_TEST_CASE(sessions_are_counted_and_counters_reset) {
    const SessionId t = connect();
    connect();
    router.close(t, now_us);
    BOOST_TEST(router.report().sessions == 3U);
    BOOST_TEST(router.report().sessions_now == 2U);
    BOOST_TEST(router.report().sessions_peak == 3U);
    run_until(5'000'000);
    router.reset_report(now_us);
    const Report& report = router.report();
    BOOST_TEST(report.since_us == 5'000'000);
    BOOST_TEST(report.cpu_us == 0);
    BOOST_TEST(report.commands.empty());
    BOOST_TEST(report.bytes_in == 0U);
    BOOST_TEST(report.sessions == 0U);
    BOOST_TEST(report.sessions_now == 2U);
    BOOST_TEST(report.sessions_peak == 2U);
    ask(s, {"/quit"});
    BOOST_TEST(router.report().sessions_now == 1U);
    BOOST_TEST(router.report().cpu_us == 300);
}

BOOST_AUTO_TEST_CASE(the_report_is_text_or_json) {
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    run_until(10'000'000);
    const std::string json = report_json(router, now_us);
    for (const char* part :
         {"{\"router\":\"edge1\",\"down\":0,\"uptime_s\":10,", "\"rows4\":1,", "\"adds\":1,",
          "\"commands\":{\"/ip/firewall/address-list/add\":1,\"/login\":1}",
          "\"cpu_us_by_class\":{\"read\":0,\"add\":1300,\"set\":0,"}) {
        BOOST_TEST((json.find(part) != std::string::npos), part << " in " << json);
    }
    const std::string text = report_text(router, now_us);
    for (const char* part : {"edge1, up 10s, 1 IPv4 and 0 IPv6 rows; counted for 10s",
                             "CPU add                                    1.300 ms    0.0 %"}) {
        BOOST_TEST((text.find(part) != std::string::npos), part << " in " << text);
    }
}

BOOST_AUTO_TEST_CASE(notifications_cost_nothing_by_default) {
    write(s, {kMenu + "/listen", ".tag=L"});
    run_until(now_us + 300);
    const std::int64_t begin_us = now_us;
    const SessionId t = connect();
    ask(t, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    BOOST_TEST(take(s).at(0).at_us == begin_us + 300 + 1300);
    BOOST_TEST(cpu_us(CpuClass::listen) == 300);
    BOOST_TEST(router.report().rows_notified == 1U);
}

BOOST_FIXTURE_TEST_CASE(notifications_are_paid_before_other_work, Paying) {
    write(s, {kMenu + "/listen", ".tag=L"});
    write(s, {kMenu + "/listen", ".tag=M"});
    run_until(now_us + 600);
    const std::int64_t begin_us = now_us;
    router.add_row(Family::ipv4, "x", "10.0.0.1", std::nullopt, "", now_us);
    router.add_row(Family::ipv4, "x", "10.0.0.2", std::nullopt, "", now_us);
    run_until(begin_us + 4 * 105);
    const auto got = take(s);
    BOOST_REQUIRE(got.size() == 4);
    BOOST_TEST(got[0].at_us == begin_us + 105);
    BOOST_TEST(got[3].at_us == begin_us + 4 * 105);
    BOOST_TEST(has(got[1].words, ".tag=M"));
    BOOST_TEST(cpu_us(CpuClass::listen) == 600 + 4 * 105);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_listener_gets_no_notification, Paying) {
    write(s, {kMenu + "/listen", ".tag=L"});
    run_until(now_us + 300);
    write(s, {"/cancel", "=tag=L", ".tag=C"});
    for (int i = 1; i <= 100; ++i) {
        router.add_row(Family::ipv4, "x", "10.0.0." + std::to_string(i), std::nullopt, "", now_us);
    }
    run_until(now_us + 1'000'000);
    const auto got = take(s);
    BOOST_REQUIRE(got.size() == 3);
    BOOST_TEST(got[0].words[0] == "!trap");
    BOOST_TEST(got[2].words[0] == "!done");
    const SessionId t = connect();
    write(t, {kMenu + "/listen", ".tag=L"});
    run_until(now_us + 300);
    router.add_row(Family::ipv4, "y", "10.0.0.1", std::nullopt, "", now_us);
    run_until(now_us + 105);
    BOOST_TEST(take(t).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
