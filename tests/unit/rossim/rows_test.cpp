#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "api_client.h"

namespace rossim::test {
namespace {

const std::string kMenu6 = "/ipv6/firewall/address-list";

struct RowsFixture : Bench {
    RowsFixture() : Bench(make_options()) { s = connect(); }
    static Options make_options() {
        Options options;
        options.wall_at_zero_ns = 1'737'736'306'000'000'000;  // 2025-01-24 16:31:46
        return options;
    }
    std::string add(const std::string& list, const std::string& address, const Words& more = {}) {
        Words words{kMenu + "/add", "=list=" + list, "=address=" + address};
        words.insert(words.end(), more.begin(), more.end());
        return value_of(ask(s, words).back().words, "ret");
    }
    std::string trap(const Words& words) {
        const auto got = ask(s, words);
        BOOST_REQUIRE(got.size() == 2);
        BOOST_TEST(got[0].words[0] == "!trap");
        BOOST_TEST(got[1].words[0] == "!done");
        return value_of(got[0].words, "message");
    }
    SessionId s = 0;
};

BOOST_FIXTURE_TEST_SUITE(rows, RowsFixture)

BOOST_AUTO_TEST_CASE(a_row_is_printed_as_a_router_does) {
    BOOST_TEST(add("vlan123", "192.168.123.7/24", {"=comment=mkvlan 123"}) == "*1");
    const auto got = ask(s, {kMenu + "/print", ".tag=9"});
    BOOST_REQUIRE(got.size() == 2);
    BOOST_TEST(
        got[0].words == (Words{"!re", ".tag=9", "=.id=*1", "=list=vlan123",
                               "=address=192.168.123.0/24", "=creation-time=2025-01-24 16:31:46",
                               "=dynamic=false", "=disabled=false", "=comment=mkvlan 123"}),
        boost::test_tools::per_element());
    BOOST_TEST(got[1].words == (Words{"!done", ".tag=9"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_timeout_counts_down_and_ends_the_row) {
    add("x", "10.0.0.1", {"=timeout=1h"});
    run_until(2 * kSecond + 1);
    const auto got = ask(s, {kMenu + "/print"});
    BOOST_TEST(value_of(got[0].words, "timeout") == "59m57s");
    BOOST_TEST(value_of(got[0].words, "dynamic") == "true");
    run_until(3600 * kSecond - 1);
    BOOST_TEST(router.row_count(Family::ipv4) == 1U);
    run_until(3600 * kSecond);
    BOOST_TEST(router.row_count(Family::ipv4) == 0U);
}

BOOST_AUTO_TEST_CASE(setting_a_timeout_restarts_it_and_makes_the_row_dynamic) {
    const std::string a = add("x", "10.0.0.1", {"=timeout=10s"});
    const std::string b = add("x", "10.0.0.2");
    run_until(5 * kSecond);
    ask(s, {kMenu + "/set", "=.id=" + a + "," + b, "=timeout=10s"});
    run_until(14 * kSecond);
    BOOST_TEST(router.row_count(Family::ipv4) == 2U);
    BOOST_TEST(router.rows(Family::ipv4)[1].dynamic);
    run_until(15 * kSecond);
    BOOST_TEST(router.row_count(Family::ipv4) == 0U);
}

BOOST_AUTO_TEST_CASE(a_row_without_timeout_may_stay_static) {
    for (const auto how : {StaticTimeout::ignored, StaticTimeout::refused}) {
        Options options;
        options.static_timeout = how;
        Bench bench{options};
        const SessionId session = bench.connect();
        bench.ask(session, {kMenu + "/add", "=list=x", "=address=10.0.0.1"});
        const auto got = bench.ask(session, {kMenu + "/set", "=.id=*1", "=timeout=10s"});
        BOOST_TEST(has(got.front().words, "!trap") == (how == StaticTimeout::refused));
        BOOST_TEST(!bench.router.rows(Family::ipv4).at(0).dynamic);
    }
}

BOOST_AUTO_TEST_CASE(invalid_rows_are_refused) {
    add("x", "10.0.0.1", {"=timeout=1h"});
    BOOST_TEST(trap({kMenu + "/add", "=list=x", "=address=10.0.0.1/32"}) ==
               "failure: already have such entry");
    BOOST_TEST(trap({kMenu + "/add", "=list=x", "=address=2001:41d0:203:22be::"}) ==
               "failure: 2001:41d0:203:22be:: is not a valid dns name");
    BOOST_TEST(trap({kMenu + "/add", "=address=10.0.0.9"}) ==
               "missing value(s) of argument(s) list");
    BOOST_TEST(trap({kMenu + "/add", "=list=x", "=address=10.0.0.9", "=foo=1"}) ==
               "unknown parameter foo");
    BOOST_TEST(trap({kMenu + "/add", "=list=x", "=address=10.0.0.9", "=timeout=36w"}) ==
               "value of timeout is out of range (00:00:00 .. 35w3d13:13:56)");
    BOOST_TEST(trap({kMenu + "/add", "=list=x", "=address=10.0.0.9", "=disabled=maybe"}) ==
               "input does not match any value of disabled");
    BOOST_TEST(trap({kMenu + "/set", "=.id=*77", "=comment=a"}) == "no such item");
    BOOST_TEST(trap({kMenu + "/remove", "=numbers=0"}) == "no such item");
    BOOST_TEST(trap({kMenu + "/disable", "=.id=*1"}) == "failure: can not disable dynamic entry");
    BOOST_TEST(trap({kMenu + "/move", "=.id=*1"}) == "no such command");
    BOOST_TEST(trap({"/ip/firewall/nonsense/print"}) == "no such command prefix");
    BOOST_TEST(trap({"#"}) == "no such command");
    BOOST_TEST(router.row_count(Family::ipv4) == 1U);
    BOOST_TEST(router.report().traps == 12U);
}

BOOST_AUTO_TEST_CASE(the_same_address_may_be_in_two_lists) {
    add("x", "10.0.0.1");
    BOOST_TEST(add("y", "10.0.0.1") == "*2");
    const auto got = ask(s, {kMenu6 + "/add", "=list=x", "=address=2001:DB8::1", "=timeout=35w"});
    BOOST_TEST(value_of(got[0].words, "ret") == "*1");
    BOOST_TEST(router.rows(Family::ipv6).at(0).address == "2001:db8::1/128");
    BOOST_TEST(ask(s, {kMenu6 + "/print", "?address=2001:db8::1/128"}).size() == 2U);
}

BOOST_AUTO_TEST_CASE(timeouts_that_are_too_long_wrap_in_the_ipv6_menu) {
    const auto left = [&](const std::string& timeout) {
        const auto got = ask(s, {kMenu6 + "/add", "=list=" + timeout, "=address=2001:db8::1",
                                 "=timeout=" + timeout});
        BOOST_REQUIRE(has(got[0].words, "!done"));
        const auto rows = router.rows(Family::ipv6);
        const auto row = std::find_if(rows.begin(), rows.end(),
                                      [&](const RowView& r) { return r.list == timeout; });
        return row == rows.end() ? 0 : row->left_us.value() / kSecond;
    };
    BOOST_TEST(left("35w3d13h13m56s") == 21'474'836);
    BOOST_TEST(left("52w1d") == 0);  // a year: below zero in 32 bits of 1/100 s
    BOOST_TEST(left("72w") == 72LL * 7 * 86'400 - 42'949'672 - 1);
}

BOOST_AUTO_TEST_CASE(a_row_may_be_made_dynamic_without_a_timeout) {
    add("x", "10.0.0.1", {"=dynamic=yes"});
    add("x", "10.0.0.2");
    BOOST_TEST(router.rows(Family::ipv4).at(0).dynamic);
    BOOST_TEST(!router.rows(Family::ipv4).at(0).left_us);
    BOOST_TEST(router.flash_sectors() == 1U);
    BOOST_TEST(trap({kMenu + "/disable", "=.id=*1"}) == "failure: can not disable dynamic entry");
    router.reboot(kSecond, now_us);
    run_until(now_us + 2 * kSecond);
    BOOST_TEST(router.row_count(Family::ipv4) == 1U);
}

BOOST_AUTO_TEST_CASE(queries_proplist_and_count_work) {
    add("x", "10.0.0.1", {"=comment=c"});
    add("x", "10.0.0.2");
    add("y", "10.0.0.3");
    const auto some = ask(s, {kMenu + "/print", "=.proplist=address,comment", "?list=x"});
    BOOST_REQUIRE(some.size() == 3);
    BOOST_TEST(some[0].words == (Words{"!re", "=address=10.0.0.1", "=comment=c"}),
               boost::test_tools::per_element());
    BOOST_TEST(some[1].words == (Words{"!re", "=address=10.0.0.2"}),
               boost::test_tools::per_element());
    const auto bare = ask(s, {kMenu + "/print", "=.proplist=comment", "?list=y"});
    BOOST_TEST(bare.at(0).words == (Words{"!re"}), boost::test_tools::per_element());
    const auto count = ask(s, {kMenu + "/print", "=count-only=", "?=list=x"});
    BOOST_REQUIRE(count.size() == 1);
    BOOST_TEST(value_of(count[0].words, "ret") == "2");
    const auto none = ask(s, {kMenu + "/print", "?list=none"});
    BOOST_REQUIRE(none.size() == 2);
    BOOST_TEST(none[0].words[0] == "!empty");
}

BOOST_AUTO_TEST_CASE(versions_before_7_18_send_no_empty) {
    Options options;
    options.version = {7, 17};
    Bench old(options);
    BOOST_TEST(old.ask(old.connect(), {kMenu + "/print"}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(rows_are_named_by_id_or_numbers) {
    for (int i = 1; i <= 5; ++i)
        add("x", "10.0.0." + std::to_string(i));
    ask(s, {kMenu + "/remove", "=numbers=*1,*3"});
    ask(s, {kMenu + "/comment", "=.id=*2", "=comment=new"});
    ask(s, {kMenu + "/disable", "=.id=*4,*5"});
    ask(s, {kMenu + "/enable", "=.id=*5"});
    const auto left = router.rows(Family::ipv4);
    BOOST_REQUIRE(left.size() == 3);
    BOOST_TEST(left[0].comment == "new");
    BOOST_TEST(left[1].disabled);
    BOOST_TEST(!left[2].disabled);
    BOOST_TEST(trap({kMenu + "/remove", "=.id=*2,*99,*4"}) == "no such item");
    BOOST_TEST(router.row_count(Family::ipv4) == 2U);  // *2 is removed
    BOOST_TEST(add("x", "10.0.0.9") == "*6");          // ids are not used again
}

BOOST_AUTO_TEST_CASE(listen_reports_changes_until_it_is_cancelled) {
    write(s, {kMenu + "/listen", ".tag=L", "?list=x"});
    run_until(now_us);
    const std::string id = add("x", "10.0.0.1", {"=timeout=10s"});
    add("y", "10.0.0.2");
    ask(s, {kMenu + "/set", "=.id=" + id, "=comment=c"});
    take(s);
    ask(s, {kMenu + "/set", "=.id=" + id, "=comment=d", ".tag=W"});
    run_until(10 * kSecond);
    const auto dead = take(s);
    BOOST_REQUIRE(dead.size() == 1);
    BOOST_TEST(dead[0].words == (Words{"!re", ".tag=L", "=.id=*1", "=.dead=true"}),
               boost::test_tools::per_element());
    write(s, {"/cancel", "=tag=L", ".tag=C"});
    run_until(now_us);
    const auto end = take(s);
    BOOST_REQUIRE(end.size() == 3);
    BOOST_TEST(end[0].words == (Words{"!trap", ".tag=L", "=category=2", "=message=interrupted"}),
               boost::test_tools::per_element());
    BOOST_TEST(end[1].words == (Words{"!done", ".tag=L"}), boost::test_tools::per_element());
    BOOST_TEST(end[2].words == (Words{"!done", ".tag=C"}), boost::test_tools::per_element());
    add("x", "10.0.0.3");
    BOOST_TEST(take(s).empty());
}

BOOST_AUTO_TEST_CASE(listeners_get_changes_of_other_sessions) {
    const SessionId other = connect();
    write(other, {kMenu + "/print", "=follow=", ".tag=F"});
    run_until(now_us);
    add("x", "10.0.0.1");
    const auto got = take(other);
    BOOST_REQUIRE(got.size() == 1);
    BOOST_TEST(value_of(got[0].words, "address") == "10.0.0.1");
    ask(s, {kMenu + "/set", "=.id=*1", "=list=z"});
    BOOST_TEST(value_of(take(other).at(0).words, "list") == "z");
}

BOOST_AUTO_TEST_CASE(a_row_with_a_name_has_dynamic_rows_of_its_addresses) {
    add("x", "media.example");
    router.resolve(Family::ipv4, "media.example", {"10.0.0.1", "10.0.0.2"}, now_us);
    auto all = router.rows(Family::ipv4);
    BOOST_REQUIRE(all.size() == 3);
    BOOST_TEST(!all[0].dynamic);
    BOOST_TEST(all[1].dynamic);
    BOOST_TEST(all[1].comment == "media.example");
    router.resolve(Family::ipv4, "media.example", {"10.0.0.2"}, now_us);
    BOOST_TEST(router.row_count(Family::ipv4) == 2U);
    ask(s, {kMenu + "/remove", "=.id=*1"});
    BOOST_TEST(router.row_count(Family::ipv4) == 0U);
}

BOOST_AUTO_TEST_CASE(the_tag_may_come_last) {
    Options options;
    options.tag_last = true;
    Bench bench(options);
    const auto got = bench.ask(bench.connect(), {"/system/identity/print", ".tag=1"});
    BOOST_TEST(got[0].words == (Words{"!re", "=name=MikroTik", ".tag=1"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_menus_have_listeners) {
    const std::string leases = "/ip/dhcp-server/lease";
    write(s, {leases + "/listen", ".tag=L"});
    run_until(kSecond);
    BOOST_TEST(take(s).empty());
    const auto other = connect();
    const auto id =
        router.put_record(leases, {{"address", "10.0.0.2"}, {"status", "bound"}}, now_us);
    ask(other, {leases + "/set", "=.id=*1", "=comment=x"});
    ask(other, {"/ip/route/add", "=dst-address=10.1.0.0/24"});
    router.put_record(leases, {{".id", "*1"}, {".dead", "true"}}, now_us);
    run_until(2 * kSecond);
    const auto reported = take(s);
    BOOST_REQUIRE(reported.size() == 3);
    BOOST_TEST(id == 1U);
    BOOST_TEST(reported[0].words ==
                   (Words{"!re", ".tag=L", "=.id=*1", "=address=10.0.0.2", "=status=bound"}),
               boost::test_tools::per_element());
    BOOST_TEST(value_of(reported[1].words, "comment") == "x");
    BOOST_TEST(reported[2].words == (Words{"!re", ".tag=L", "=.id=*1", "=.dead=true"}),
               boost::test_tools::per_element());
    BOOST_CHECK_THROW(router.put_record(leases, {{".id", "*9"}, {"address", "10.0.0.3"}}, now_us),
                      std::runtime_error);
    BOOST_CHECK_THROW(router.put_record("/ip/nothing", {}, now_us), std::runtime_error);
    ask(s, {"/cancel", "=tag=L"});
    router.put_record(leases, {{"address", "10.0.0.4"}}, now_us);
    run_until(3 * kSecond);
    BOOST_TEST(take(s).empty());
}

BOOST_AUTO_TEST_CASE(other_menus_are_printed) {
    const auto table = ask(s, {"/routing/table/add", "=name=rt1", "=fib="});
    const std::string mangle = "/ip/firewall/mangle";
    BOOST_TEST(trap({mangle + "/add", "=chain=prerouting", "=new-routing-mark=nope"}) ==
               "input does not match any value of new-routing-mark");
    ask(s, {mangle + "/add", "=chain=prerouting", "=action=mark-routing", "=new-routing-mark=rt1"});
    const auto rows = ask(s, {mangle + "/print", "?new-routing-mark=rt1"});
    BOOST_REQUIRE(rows.size() == 2);
    BOOST_TEST(value_of(rows[0].words, "passthrough") == "true");
    BOOST_TEST(ask(s, {"/ip/service/print", "?name=api"}).size() == 3U);  // with our session
    ask(s, {"/system/identity/set", "=name=edge"});
    BOOST_TEST(has(ask(s, {"/system/identity/print"})[0].words, "=name=edge"));
    BOOST_TEST(value_of(ask(s, {"/user/active/print"})[0].words, "via") == "api");
    BOOST_TEST(value_of(ask(s, {"/system/clock/print"})[0].words, "date") == "2025-01-24");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
