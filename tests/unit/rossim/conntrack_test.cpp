// /ip/firewall/connection, and the flash counters of /system/resource.
#include <boost/test/unit_test.hpp>

#include "api_client.h"

namespace rossim::test {
namespace {

const std::string kConnections = "/ip/firewall/connection";

struct ConntrackFixture : Bench {
    explicit ConntrackFixture(Options options = {}) : Bench(ports_joined(std::move(options))) {
        s = connect();
    }
    static Options ports_joined(Options options) {
        if (!options.connection_ports_apart) options.connection_ports_apart = false;
        return options;
    }

    std::uint64_t add(const std::string& to, const std::string& mark = "",
                      std::int64_t timeout_s = 100) {
        TrackedConnection connection;
        connection.src_address = "192.168.88.10:51234";
        connection.dst_address = to;
        connection.connection_mark = mark;
        connection.timeout_s = timeout_s;
        return router.add_connection(Family::ipv4, connection, now_us);
    }
    std::string trap(const Words& words) { return value_of(ask(s, words).at(0).words, "message"); }
    SessionId s = 0;
};

BOOST_FIXTURE_TEST_SUITE(conntrack, ConntrackFixture)

BOOST_AUTO_TEST_CASE(entries_are_printed_with_port_mark_and_countdown) {
    add("203.0.113.7:443", "policy", 3661);
    run_until(kSecond);
    const auto got = ask(s, {kConnections + "/print"});
    BOOST_REQUIRE(got.size() == 2);
    BOOST_TEST(
        got[0].words ==
            (Words{"!re", "=.id=*1", "=protocol=tcp", "=src-address=192.168.88.10:51234",
                   "=dst-address=203.0.113.7:443", "=timeout=1h1m", "=connection-mark=policy"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(newer_versions_print_ports_separately) {
    for (const Version version : {Version{7, 19}, Version{7, 20}}) {
        Options options;
        options.version = version;
        options.connection_ports_apart = version >= Version{7, 20};
        ConntrackFixture f(options);
        f.add("203.0.113.7:443");
        TrackedConnection six;
        six.dst_address = "[2001:db8::1]:443";
        f.router.add_connection(Family::ipv6, six, f.now_us);
        TrackedConnection ping;
        ping.protocol = "icmp";
        ping.dst_address = "203.0.113.8";
        f.router.add_connection(Family::ipv4, ping, f.now_us);
        const bool apart = version == Version{7, 20};
        const auto asked = f.ask(f.s, {kConnections + "/print", "?dst-address=203.0.113.7"});
        BOOST_TEST(has(asked[0].words, "!re") == apart);
        const auto all = f.ask(f.s, {kConnections + "/print"});
        BOOST_TEST(value_of(all[0].words, "dst-port") == (apart ? "443" : ""));
        BOOST_TEST(value_of(all[0].words, "src-port") == (apart ? "51234" : ""));
        BOOST_TEST(value_of(all[1].words, "dst-address") == "203.0.113.8");
        BOOST_TEST(value_of(all[1].words, "dst-port") == "");
        const auto of_six = f.ask(f.s, {"/ipv6/firewall/connection/print"});
        BOOST_TEST(value_of(of_six[0].words, "dst-address") ==
                   (apart ? "2001:db8::1" : "[2001:db8::1]:443"));
    }
}

BOOST_AUTO_TEST_CASE(an_entry_that_vanishes_ends_the_print) {
    ConntrackFixture f(fast());
    for (int i = 0; i < 100; ++i)
        f.add("203.0.113." + std::to_string(i) + ":443", "", i == 50 ? 1 : 100);
    f.run_until(kSecond - 500);
    const auto got = f.ask(f.s, {kConnections + "/print"});
    BOOST_REQUIRE(got.size() == 52);
    BOOST_TEST(value_of(got[49].words, ".id") == "*32");
    BOOST_TEST(value_of(got[50].words, "message") == "no such item (4)");
    BOOST_TEST(has(got[51].words, "!done"));
    BOOST_TEST(f.ask(f.s, {kConnections + "/print"}).size() == 100U);
}

BOOST_AUTO_TEST_CASE(queries_proplist_and_count_work_in_both_families) {
    add("203.0.113.7:443", "policy");
    add("203.0.113.7:443");
    add("203.0.113.8:80");
    TrackedConnection six;
    six.protocol = "udp";
    six.dst_address = "2001:db8::1:443";
    router.add_connection(Family::ipv6, six, now_us);
    const auto unmarked = ask(s, {kConnections + "/print", "=.proplist=.id,dst-address",
                                  "?dst-address=203.0.113.7:443", "?-connection-mark"});
    BOOST_REQUIRE(unmarked.size() == 2);
    BOOST_TEST(unmarked[0].words == (Words{"!re", "=.id=*2", "=dst-address=203.0.113.7:443"}),
               boost::test_tools::per_element());
    BOOST_TEST(value_of(ask(s, {kConnections + "/print", "=count-only="})[0].words, "ret") == "3");
    const auto of_six = ask(s, {"/ipv6/firewall/connection/print", "?protocol=udp"});
    BOOST_TEST(value_of(of_six[0].words, "dst-address") == "2001:db8::1:443");
}

BOOST_AUTO_TEST_CASE(entries_are_removed_by_id_and_expire) {
    for (int i = 1; i <= 5; ++i)
        add("203.0.113." + std::to_string(i) + ":443", "", i == 5 ? 10 : 100);
    ask(s, {kConnections + "/remove", "=.id=*1,*3"});
    BOOST_TEST(trap({kConnections + "/remove", "=numbers=*2,*3,*4"}) == "no such item");
    BOOST_TEST(router.connections(Family::ipv4).size() == 2U);  // *2 is removed
    run_until(10 * kSecond);
    const auto left = router.connections(Family::ipv4);
    BOOST_REQUIRE(left.size() == 1);
    BOOST_TEST(left[0].id == 4U);
    BOOST_TEST(left[0].timeout_s == 90);
    BOOST_TEST(trap({kConnections + "/remove", "=.id=*5"}) == "no such item");
    BOOST_TEST(trap({kConnections + "/remove"}) == "missing value(s) of argument(s) numbers");
    BOOST_TEST(trap({kConnections + "/add", "=dst-address=192.0.2.1"}) == "no such command");
    router.reboot(kSecond, now_us);
    BOOST_TEST(router.connections(Family::ipv4).empty());
}

BOOST_AUTO_TEST_CASE(one_unknown_id_may_fail_the_whole_removal) {
    Options options;
    options.multi_id_atomic = true;
    ConntrackFixture f(options);
    f.add("203.0.113.1:443");
    BOOST_TEST(f.trap({kConnections + "/remove", "=.id=*1,*9"}) == "no such item");
    BOOST_TEST(f.router.connections(Family::ipv4).size() == 1U);
}

BOOST_AUTO_TEST_CASE(each_entry_costs_like_a_row) {
    ConntrackFixture f(fast());
    for (int i = 0; i < 100; ++i)
        f.add("203.0.113." + std::to_string(i) + ":443");
    std::int64_t begin_us = f.now_us;
    f.ask(f.s, {kConnections + "/print", "?dst-address=203.0.113.7:443"});
    BOOST_TEST(f.now_us - begin_us == 300 + 100 * 14 + 105);
    begin_us = f.now_us;
    f.ask(f.s, {kConnections + "/print", "=count-only="});
    BOOST_TEST(f.now_us - begin_us == 300 + 100 * 14);
    begin_us = f.now_us;
    f.ask(f.s, {kConnections + "/remove", "=.id=*1,*2"});
    BOOST_TEST(f.now_us - begin_us == 300 + 2 * 2500);
    BOOST_TEST(f.router.report().rows_scanned == 200U);
    BOOST_TEST(f.router.report().rows_emitted == 1U);
}

BOOST_AUTO_TEST_CASE(flash_writes_are_counted_for_permanent_changes) {
    const auto written = [&](std::string_view name) {
        return value_of(ask(s, {"/system/resource/print"})[0].words, name);
    };
    BOOST_TEST(written("write-sect-since-reboot") == "0");
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.1", "=timeout=1h"});
    ask(s, {kMenu + "/set", "=.id=*1", "=timeout=2h"});
    ask(s, {kMenu + "/remove", "=.id=*1"});
    BOOST_TEST(router.flash_sectors() == 0U);
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.2"});
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.2"});  // refused
    ask(s, {kMenu + "/set", "=.id=*2", "=comment=c"});
    ask(s, {kMenu + "/set", "=.id=*2", "=timeout=1h"});  // leaves the configuration
    ask(s, {kMenu + "/set", "=.id=*2", "=comment=d"});
    BOOST_TEST(written("write-sect-since-reboot") == "3");
    ask(s, {kMenu + "/add", "=list=x", "=address=10.0.0.3"});
    ask(s, {kMenu + "/remove", "=.id=*3"});
    ask(s, {"/routing/table/add", "=name=rt1", "=fib="});
    BOOST_TEST(written("write-sect-total") == "6");
    router.reboot(kSecond, now_us);
    run_until(now_us + kSecond);
    s = connect();
    BOOST_TEST(written("write-sect-since-reboot") == "0");
    BOOST_TEST(written("write-sect-total") == "6");
}

BOOST_AUTO_TEST_CASE(changes_that_are_saved_together_cost_the_flash_once) {
    Options options;
    options.flash_save_us = kSecond;
    Bench f(options);
    const SessionId session = f.connect();
    const auto add = [&](int n) {
        f.ask(session, {kMenu + "/add", "=list=x", "=address=10.0.0." + std::to_string(n)});
    };
    for (int n = 1; n <= 5; ++n)
        add(n);
    BOOST_TEST(f.router.flash_sectors() == 1U);
    f.run_until(f.now_us + kSecond);
    add(6);
    add(7);
    BOOST_TEST(f.router.flash_sectors() == 2U);
}

BOOST_AUTO_TEST_CASE(dns_and_dhcp_have_their_menus) {
    ask(s, {"/ip/dhcp-server/option/add", "=code=108", "=name=v6only", "=value=0x00015180"});
    const auto option = ask(s, {"/ip/dhcp-server/option/print", "?code=108"});
    BOOST_TEST(value_of(option[0].words, "force") == "false");
    ask(s, {"/ip/dns/set", "=servers=192.0.2.53", "=allow-remote-requests=yes"});
    BOOST_TEST(ask(s, {"/ip/dns/print"})[0].words ==
                   (Words{"!re", "=dynamic-servers=", "=allow-remote-requests=true",
                          "=servers=192.0.2.53"}),
               boost::test_tools::per_element());
    ask(s, {"/ip/dns/static/add", "=name=www.example.com", "=address=10.0.0.1", "=type=A"});
    BOOST_TEST(ask(s, {"/ip/dns/static/print", "?type=A"}).size() == 2U);
    BOOST_TEST(trap({"/ip/dns/static/add", "=colour=red"}) == "unknown parameter colour");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
