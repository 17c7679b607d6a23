// Faults that strike sentences as they come, and the router's limits.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "api_client.h"

namespace rossim::test {
namespace {

struct InjectFixture : Bench {
    explicit InjectFixture(Options options = fast()) : Bench(std::move(options)) { s = connect(); }

    void write_add(int last_byte) {
        const std::string text = std::to_string(last_byte);
        write(s, {kMenu + "/add", ".tag=" + text, "=list=x", "=address=10.0.0." + text});
    }
    // The answer to an add, or "" if there is none within a minute.
    std::string add(int last_byte) {
        write_add(last_byte);
        run_until(now_us + 60 * kSecond);
        const auto got = take(s);
        if (got.empty()) return "";
        const std::string message = value_of(got[0].words, "message");
        return message.empty() ? got[0].words[0] : message;
    }
    std::size_t rows() const { return router.row_count(Family::ipv4); }
    SessionId s = 0;
};

Fault make_fault(FaultKind kind, std::string command = "/add$") {
    Fault fault;
    fault.kind = kind;
    fault.command = std::move(command);
    return fault;
}

BOOST_FIXTURE_TEST_SUITE(inject, InjectFixture)

BOOST_AUTO_TEST_CASE(a_trap_strikes_the_commands_that_it_names) {
    Fault busy = make_fault(FaultKind::trap, "/(add|set)$");
    busy.skip = 1;
    busy.times = 2;
    busy.message = "failure: busy";
    busy.category = 4;
    const FaultId id = router.inject(busy);
    BOOST_TEST(add(1) == "!done");
    write(s, {kMenu + "/add", ".tag=T", "=list=x", "=address=10.0.0.2"});
    const std::int64_t begin_us = now_us;
    run_until(now_us + kSecond);
    const auto got = take(s);
    BOOST_REQUIRE(got.size() == 2);
    BOOST_TEST(got[0].words == (Words{"!trap", ".tag=T", "=category=4", "=message=failure: busy"}),
               boost::test_tools::per_element());
    BOOST_TEST(got[0].at_us == begin_us + 300);  // refused when it is read
    BOOST_TEST(ask(s, {kMenu + "/print"}).size() == 2U);
    BOOST_TEST(value_of(ask(s, {kMenu + "/set", "=.id=*1", "=comment=c"})[0].words, "message") ==
               "failure: busy");
    BOOST_TEST(add(3) == "!done");
    const FaultView view = router.faults().at(0);
    BOOST_TEST(view.id == id);
    BOOST_TEST(view.matched == 3U);
    BOOST_TEST(view.struck == 2U);
    BOOST_TEST(router.report().faults == 2U);
    BOOST_TEST(router.report().traps == 2U);
    BOOST_TEST(rows() == 2U);
}

BOOST_AUTO_TEST_CASE(a_fault_may_have_a_time_window) {
    Fault late = make_fault(FaultKind::trap);
    late.times = 0;
    late.from_us = 100 * kSecond;
    late.until_us = 200 * kSecond;
    router.inject(late);
    BOOST_TEST(add(1) == "!done");
    run_until(100 * kSecond - 1);
    BOOST_TEST(add(2) == "!done");
    BOOST_TEST(add(3) == "failure: injected");
    run_until(200 * kSecond);
    BOOST_TEST(add(4) == "!done");
}

BOOST_AUTO_TEST_CASE(a_probability_is_the_same_in_each_run_of_a_seed) {
    const auto struck = [](std::uint64_t seed) {
        Options options;
        options.fault_seed = seed;
        InjectFixture bench(options);
        Fault rare = make_fault(FaultKind::trap);
        rare.times = 0;
        rare.probability = 0.25;
        bench.router.inject(rare);
        std::string text;
        for (int i = 0; i < 200; ++i)
            text += bench.add(i) == "!done" ? '.' : 'x';
        return text;
    };
    const std::string once = struck(7);
    BOOST_TEST(once == struck(7));
    BOOST_TEST(once != struck(8));
    const auto hits = std::count(once.begin(), once.end(), 'x');
    BOOST_TEST(hits > 30);
    BOOST_TEST(hits < 70);
}

BOOST_AUTO_TEST_CASE(a_bad_expression_is_refused_and_a_fault_can_be_withdrawn) {
    BOOST_CHECK_THROW(router.inject(make_fault(FaultKind::trap, "(")), std::runtime_error);
    const FaultId id = router.inject(make_fault(FaultKind::trap));
    router.inject(make_fault(FaultKind::trap, "/remove$"));
    router.withdraw(id);
    BOOST_TEST(add(1) == "!done");
    router.withdraw_faults();
    BOOST_TEST(router.faults().empty());
    BOOST_TEST(ask(s, {kMenu + "/remove", "=.id=*1"})[0].words[0] == "!done");
}

BOOST_AUTO_TEST_CASE(a_login_may_be_refused) {
    router.inject(make_fault(FaultKind::trap, "^/login$"));
    const SessionId t = connect_raw();
    BOOST_TEST(ask(t, {"/login", "=name=admin", "=password="})[0].words[0] == "!trap");
    BOOST_TEST(ask(t, {"/login", "=name=admin", "=password="})[0].words[0] == "!done");
}

// The batch is 1, 2, 3; the fault strikes 2.
void reset_in_a_batch(InjectFixture& f, bool applied) {
    Fault reset = make_fault(FaultKind::reset);
    reset.skip = 1;
    reset.applied = applied;
    f.router.inject(reset);
    for (int i = 1; i <= 3; ++i)
        f.write_add(i);
    f.run_until(f.now_us + 2599);
    BOOST_TEST(f.take(f.s).size() == 1U);
    BOOST_TEST(!f.is_closed(f.s));
    f.router.advance(f.now_us + 1);
    const auto outputs = f.router.take_output();
    BOOST_REQUIRE(outputs.size() == 1);
    BOOST_TEST(outputs[0].bytes.empty());
    BOOST_TEST(outputs[0].close);
    BOOST_TEST(outputs[0].reset);
    f.router.advance(f.now_us + kSecond);
    BOOST_TEST(f.rows() == (applied ? 2U : 1U));
    BOOST_TEST(f.router.report().sessions_now == 0U);
}

BOOST_AUTO_TEST_CASE(a_reset_in_a_batch_may_lose_the_last_write) {
    reset_in_a_batch(*this, false);
}

BOOST_AUTO_TEST_CASE(a_reset_in_a_batch_may_apply_the_last_write) {
    reset_in_a_batch(*this, true);
}

BOOST_AUTO_TEST_CASE(a_reset_may_come_at_the_end_of_a_print) {
    router.prefill(Family::ipv4, "p", 1000, now_us);
    Fault reset = make_fault(FaultKind::reset, "/print$");
    reset.applied = true;
    router.inject(reset);
    write(s, {kMenu + "/print"});
    run_until(now_us + kSecond);
    const auto got = take(s);
    BOOST_REQUIRE(got.size() > 500U);  // what had left before
    BOOST_TEST(got.back().words[0] == "!re");
    BOOST_TEST(is_closed(s));
}

BOOST_AUTO_TEST_CASE(a_router_may_hang_before_it_runs_a_sentence) {
    Fault hang = make_fault(FaultKind::hang);
    hang.for_us = 5 * kSecond;
    router.inject(hang);
    const std::int64_t begin_us = now_us;
    write_add(1);
    run_until(begin_us + 5 * kSecond);
    BOOST_TEST(rows() == 0U);
    BOOST_TEST(take(s).empty());
    run_until(begin_us + 5 * kSecond + 1300);
    BOOST_TEST(rows() == 1U);
    BOOST_TEST(take(s).size() == 1U);
    BOOST_TEST(!router.is_hung());
}

BOOST_AUTO_TEST_CASE(a_router_may_hang_between_a_write_and_its_answer) {
    Fault hang = make_fault(FaultKind::hang);
    hang.applied = true;
    router.inject(hang);
    write(s, {kMenu + "/listen", ".tag=L"});
    run_until(now_us + 300);
    router.add_row(Family::ipv4, "y", "10.0.0.9", 2, "", now_us);
    write_add(1);
    write_add(2);
    run_until(now_us + 10 * kSecond);
    BOOST_TEST(router.is_hung());
    BOOST_TEST(rows() == 1U);          // *2; the other one ended in time
    BOOST_TEST(take(s).size() == 1U);  // *1 was notified before
    router.resume(now_us);
    run_until(now_us);
    const auto got = take(s);
    BOOST_REQUIRE(got.size() == 3);
    BOOST_TEST(value_of(got[0].words, ".id") == "*2");
    BOOST_TEST(got[1].words[0] == "!done");
    BOOST_TEST(value_of(got[2].words, ".dead") == "true");
    run_until(now_us + kSecond);
    BOOST_TEST(rows() == 2U);
}

BOOST_AUTO_TEST_CASE(a_router_may_hang_in_the_middle_of_a_sentence) {
    router.inject(make_fault(FaultKind::hang_in_reply, "/print$"));
    write(s, {kMenu + "/listen", ".tag=L"});
    write(s, {"/system/resource/print"});
    std::string bytes;
    const auto collect = [&] {
        for (const Output& output : router.take_output())
            bytes += output.bytes;
    };
    router.advance(now_us += kSecond);
    collect();
    const std::size_t half = bytes.size();
    BOOST_TEST(half > 50U);
    WordReader reader(1U << 20);
    reader.feed(bytes);
    BOOST_TEST(!reader.next().has_value());  // no sentence is whole
    // Nothing gets between the halves.
    router.add_row(Family::ipv4, "y", "10.0.0.9", std::nullopt, "", now_us);
    router.advance(now_us += kSecond);
    collect();
    BOOST_TEST(bytes.size() == half);
    router.resume(now_us);
    collect();
    reader.feed(bytes.substr(half));
    BOOST_TEST(value_of(reader.next().value(), "board-name") == "rossim");
    BOOST_TEST(reader.next().value()[0] == "!done");
    BOOST_TEST(value_of(reader.next().value(), "address") == "10.0.0.9");
}

BOOST_AUTO_TEST_CASE(a_router_may_reboot_after_a_number_of_sentences) {
    for (const bool applied : {false, true}) {
        InjectFixture f;
        Fault reboot = make_fault(FaultKind::reboot);
        reboot.skip = 1;
        reboot.applied = applied;
        reboot.for_us = 3 * kSecond;
        f.router.inject(reboot);
        for (int i = 1; i <= 3; ++i)
            f.write_add(i);
        f.run_until(f.now_us + kSecond);
        BOOST_TEST(f.router.is_down());
        BOOST_TEST(f.is_closed(f.s));
        BOOST_TEST(f.take(f.s).size() == 1U);
        BOOST_TEST(f.rows() == (applied ? 2U : 1U));
        f.run_until(f.now_us + 3 * kSecond);
        BOOST_TEST(!f.router.is_down());
    }
}

BOOST_AUTO_TEST_CASE(replies_may_come_byte_by_byte) {
    Fault drip = make_fault(FaultKind::drip);
    drip.byte_us = 10'000;
    drip.for_us = kSecond;
    router.inject(drip);
    const std::int64_t begin_us = now_us;
    write(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});  // answer: 6 + 8 + 1 bytes
    run_until(begin_us + 1300 + 14 * 10'000);
    BOOST_TEST(rows() == 1U);
    BOOST_TEST(take(s).empty());
    run_until(begin_us + 1300 + 15 * 10'000);
    BOOST_TEST(take(s).size() == 1U);
    write(s, {"/system/resource/print"});
    run_until(begin_us + kSecond - 1);
    BOOST_TEST(take(s).empty());
    run_until(begin_us + kSecond);
    BOOST_TEST(take(s).size() == 2U);  // the rest comes when it is over
    const SessionId t = connect();
    BOOST_TEST(ask(t, {"/system/identity/print"}).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_full_router_refuses_rows) {
    router.prefill(Family::ipv6, "p", 3, now_us);
    router.set_max_rows(4);
    BOOST_TEST(add(1) == "!done");
    BOOST_TEST(add(2) == "failure: out of memory");
    BOOST_TEST(add(1) == "failure: already have such entry");
    BOOST_CHECK_THROW(router.prefill(Family::ipv6, "q", 1, now_us), std::runtime_error);
    ask(s, {kMenu + "/remove", "=.id=*1"});
    BOOST_TEST(add(3) == "!done");
    router.set_max_rows(std::nullopt);
    BOOST_TEST(add(4) == "!done");
}

BOOST_AUTO_TEST_CASE(edits_by_a_person_do_not_count_as_sets_or_removes) {
    add(1);
    add(2);
    RowEdit edit;
    edit.comment = "by hand";
    edit.timeout_s = 100;
    BOOST_TEST(router.edit_row(Family::ipv4, "x", "10.0.0.1", edit, now_us));
    RowEdit to_duplicate;
    to_duplicate.address = "10.0.0.2";
    BOOST_CHECK_THROW(router.edit_row(Family::ipv4, "x", "10.0.0.1", to_duplicate, now_us),
                      std::runtime_error);
    BOOST_TEST(!router.edit_row(Family::ipv4, "x", "10.0.0.7", edit, now_us));
    const RowView row = router.rows(Family::ipv4).at(0);
    BOOST_TEST(row.comment == "by hand");
    BOOST_TEST(row.left_us.value() == 100 * kSecond);
    BOOST_TEST(router.remove_row(Family::ipv4, row.id, now_us));
    BOOST_TEST(!router.remove_row(Family::ipv4, row.id, now_us));
    BOOST_TEST(router.report().sets == 0U);
    BOOST_TEST(router.report().removes == 0U);
    BOOST_TEST(router.report().adds == 2U);
    add(3);
    router.add_row(Family::ipv4, "x", "name.example", std::nullopt, "", now_us);
    router.resolve(Family::ipv4, "name.example", {"10.0.1.1"}, now_us);
    BOOST_CHECK_THROW(router.remove_row(Family::ipv4, "x", "10.0.1.1", now_us), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(the_clock_may_jump) {
    const auto date = [&] { return value_of(ask(s, {"/system/clock/print"})[0].words, "date"); };
    router.set_wall_clock(1'737'736'306'000'000'000);  // 2025-01-24 16:31:46
    router.add_row(Family::ipv4, "x", "10.0.0.9", 100, "", now_us);
    const auto uptime_s = router.uptime_s(now_us);
    router.jump_clock(-365 * 86'400 * kSecond * 1000);
    BOOST_TEST(date() == "2024-01-25");
    BOOST_TEST(router.uptime_s(now_us) == uptime_s);
    BOOST_TEST(router.rows(Family::ipv4).at(0).left_us.value() > 99 * kSecond);
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
    const auto rows = ask(s, {kMenu + "/print", "?address=10.0.0.1"});
    BOOST_TEST(value_of(rows[0].words, "creation-time") == "2024-01-25 16:31:46");
    router.jump_clock(365 * 86'400 * kSecond * 1000);
    BOOST_TEST(date() == "2025-01-24");
}

BOOST_AUTO_TEST_CASE(a_session_over_the_limit_is_refused) {
    for (const OverMaxSessions variant :
         {OverMaxSessions::close, OverMaxSessions::close_at_login, OverMaxSessions::refuse}) {
        Options options;
        options.max_sessions = 1;
        options.over_max_sessions = variant;
        InjectFixture f(options);
        const auto one_more = f.router.open(f.now_us);
        BOOST_TEST(one_more.has_value() == (variant != OverMaxSessions::refuse));
        if (!one_more) continue;
        const auto outputs = f.router.take_output();
        BOOST_TEST(outputs.size() == (variant == OverMaxSessions::close ? 1U : 0U));
        if (!outputs.empty()) continue;
        f.write(*one_more, {"/login", "=name=admin", "=password="});
        BOOST_TEST(f.is_closed(*one_more));
        BOOST_TEST(f.take(*one_more).empty());
        BOOST_TEST(f.ask(f.s, {"/system/identity/print"}).size() == 2U);
        f.router.close(f.s, f.now_us);
        BOOST_TEST(f.ask(f.connect(), {"/system/identity/print"}).size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(the_service_may_accept_only_some_addresses) {
    Options options;
    options.available_from = {"192.0.2.0/24", "2001:db8::/32", "127.0.0.1"};
    InjectFixture f(options);
    const auto is_welcome = [&](std::string_view client) {
        f.router.open(f.now_us, client);
        return f.router.take_output().empty();
    };
    BOOST_TEST(is_welcome("192.0.2.200"));
    BOOST_TEST(is_welcome("2001:db8:1::1"));
    BOOST_TEST(!is_welcome("192.0.3.1"));
    BOOST_TEST(!is_welcome("2001:db9::1"));
    BOOST_TEST(!is_welcome("127.0.0.2"));
    const auto services = f.ask(f.s, {"/ip/service/print"});
    BOOST_TEST(value_of(services[0].words, "address") == "192.0.2.0/24,2001:db8::/32,127.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
