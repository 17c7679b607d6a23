// Connections that were opened before their row was there: what the router is asked, and what it
// has left.
#include <boost/test/unit_test.hpp>

#include "lab.h"
#include "routeros/connections.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

RouterConfig repairing(ListConfig list = list_config()) {
    auto config = router_config({std::move(list)});
    config.repair_connections = true;
    return config;
}

std::uint64_t connect(Lab& lab, rossim::Family family, std::string to, std::string mark = "",
                      std::string protocol = "tcp") {
    rossim::TrackedConnection connection;
    connection.protocol = std::move(protocol);
    connection.src_address =
        family == rossim::Family::ipv4 ? "192.168.88.20:50123" : "[2001:db8:1::20]:50123";
    connection.dst_address = std::move(to);
    connection.reply_src_address = connection.dst_address;
    connection.connection_mark = std::move(mark);
    return lab.sim.add_connection(family, connection, lab.now_us);
}

std::vector<std::string> destinations(const Lab& lab,
                                      rossim::Family family = rossim::Family::ipv4) {
    std::vector<std::string> out;
    for (const auto& connection : lab.sim.connections(family))
        out.push_back(connection.dst_address);
    return out;
}

using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(connections)

BOOST_AUTO_TEST_CASE(the_address_of_a_connection_is_parsed) {
    const auto shown = [](Menu menu, std::string_view text) {
        const auto address = connection_address(menu, text);
        return address ? address->to_string() : std::string{};
    };
    BOOST_TEST(shown(Menu::ip, "203.0.113.7:443") == "203.0.113.7");
    BOOST_TEST(shown(Menu::ip, "203.0.113.7") == "203.0.113.7");
    BOOST_TEST(shown(Menu::ipv6, "[2001:db8::7]:443") == "2001:db8::7/128");
    BOOST_TEST(shown(Menu::ipv6, "2001:db8::7") == "2001:db8::7/128");
    BOOST_TEST(shown(Menu::ipv6, "2001:db8::7/128") == "2001:db8::7/128");
    BOOST_TEST(shown(Menu::ipv6, "[2001:db8::7") == "");
    BOOST_TEST(shown(Menu::ip, "") == "");
    BOOST_TEST(shown(Menu::ip, "media.example:443") == "");
}

BOOST_AUTO_TEST_CASE(only_unmarked_connections_to_the_address_of_a_late_row_are_removed) {
    for (const bool on : {true, false}) {
        auto config = repairing();
        config.repair_connections = on;
        Lab lab{fast(), config};
        BOOST_REQUIRE(lab.sync());
        connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
        connect(lab, rossim::Family::ipv4, "203.0.113.7", "", "icmp");
        connect(lab, rossim::Family::ipv4, "203.0.113.7:444", "policy");
        connect(lab, rossim::Family::ipv4, "203.0.113.77:443");
        connect(lab, rossim::Family::ipv6, "[2001:db8::7]:443");
        connect(lab, rossim::Family::ipv6, "[2001:db8::8]:443");
        lab.claim(1, {"203.0.113.7", "2001:db8::7"}, 300, 330);
        lab.run_for(10 * kSecond);
        if (!on) {
            BOOST_TEST(destinations(lab).size() == 4U);
            BOOST_TEST(lab.router->counters().connection_prints == 0U);
            continue;
        }
        BOOST_TEST(destinations(lab) == (Texts{"203.0.113.7:444", "203.0.113.77:443"}),
                   boost::test_tools::per_element());
        BOOST_TEST(destinations(lab, rossim::Family::ipv6) == (Texts{"[2001:db8::8]:443"}),
                   boost::test_tools::per_element());
        BOOST_TEST(lab.router->counters().rows_late == 2U);
        BOOST_TEST(lab.router->counters().connection_prints == 2U);
        BOOST_TEST(lab.router->counters().connections_cut == 3U);
        BOOST_TEST(lab.router->status().late == 0U);
        // What comes from then on has a mark; nothing more is asked.
        lab.run_for(120 * kSecond);
        BOOST_TEST(lab.router->counters().connection_prints == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_row_with_a_held_answer_is_not_late) {
    auto list = list_config();
    list.sync_timeout_ms = 500;
    Lab lab{fast(), repairing(list)};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    lab.run_for(20 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    lab.claim(1, {"203.0.113.7"}, 300, 330);  // it is there
    lab.run_for(20 * kSecond);
    BOOST_TEST(lab.router->counters().connection_prints == 0U);
    // A person removes the row that clients rely on: now some may have connected without it.
    connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
    lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", "203.0.113.7", lab.now_us);
    lab.run_for(20 * kSecond);
    BOOST_TEST(lab.row("policy_v4", "203.0.113.7").has_value());
    BOOST_TEST(destinations(lab).empty());
    BOOST_TEST(lab.router->counters().connection_prints == 1U);
}

BOOST_AUTO_TEST_CASE(a_row_is_late_if_its_held_answer_timed_out) {
    auto list = list_config();
    list.sync_timeout_ms = 100;
    Lab lab{fast(), repairing(list)};
    BOOST_REQUIRE(lab.sync());
    // The answer leaves after 100 ms, the row comes after 250 ms: no deadline of the router yet.
    lab.sim.hang(lab.now_us, 250'000);
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
    lab.run_for(10 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(destinations(lab).empty());
    // The router is not there at all.
    lab.sim.hang(lab.now_us, 2 * kSecond);
    lab.claim(1, {"203.0.113.8"}, 300, 330, 2);
    connect(lab, rossim::Family::ipv4, "203.0.113.8:443");
    lab.run_for(10 * kSecond);
    BOOST_TEST((lab.outcomes[2] == Outcome::router_away));
    BOOST_TEST(destinations(lab).empty());
    BOOST_TEST(lab.router->counters().rows_late == 2U);
}

BOOST_AUTO_TEST_CASE(after_a_reboot_one_print_finds_the_connections_of_all_claims) {
    Lab lab{fast(), repairing()};
    BOOST_REQUIRE(lab.sync());
    Texts addresses;
    for (unsigned i = 0; i < 400; ++i)
        addresses.push_back("203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    for (const auto& address : addresses)
        lab.claim(1, {address}, 900, 930);
    lab.run_for(60 * kSecond);
    const auto before = lab.router->counters();
    lab.sim.reboot(20 * kSecond, lab.now_us);
    lab.run_for(20 * kSecond);
    for (const auto& address : addresses)
        connect(lab, rossim::Family::ipv4, address + ":443");
    connect(lab, rossim::Family::ipv4, "198.51.100.1:443");
    lab.run_for(60 * kSecond);
    BOOST_TEST(destinations(lab) == (Texts{"198.51.100.1:443"}), boost::test_tools::per_element());
    BOOST_TEST(lab.router->counters().rows_late - before.rows_late == 400U);
    BOOST_TEST(lab.router->counters().connection_prints - before.connection_prints == 1U);
    BOOST_TEST(lab.router->counters().connections_cut - before.connections_cut == 400U);
}

// New addresses all the time, and very many connections: prints take a twentieth of the router's
// time at most, and those who wait for a row do not notice.
BOOST_AUTO_TEST_CASE(many_connections_are_printed_rarely) {
    auto list = list_config();
    list.sync_timeout_ms = 500;
    Lab lab{fast(), repairing(list)};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 20'000; ++i)
        connect(lab, rossim::Family::ipv4, "198.51.100.1:" + std::to_string(1024 + i));
    const auto began_us = lab.now_us;
    std::int64_t longest_us = 0;
    for (unsigned i = 1; i <= 300; ++i) {
        const std::string tail = std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
        lab.claim(1, {"203.0." + tail}, 300, 330);
        const auto asked_us = lab.now_us;
        lab.claim(1, {"203.1." + tail}, 300, 330, i);
        lab.run_for(500'000);
        BOOST_REQUIRE(lab.outcomes.contains(i));
        BOOST_TEST((lab.outcomes[i] == Outcome::installed));
        longest_us = std::max(longest_us, lab.settled_at_us[i] - asked_us);
    }
    // A print of 20,000 takes 2.4 s of the router.
    const auto prints = lab.router->counters().connection_prints;
    BOOST_TEST(prints >= 2U);
    BOOST_TEST(static_cast<double>(prints) * 2.4 <
               0.05 * static_cast<double>(lab.now_us - began_us) / kSecond + 2.4);
    BOOST_TEST(longest_us < 50'000);
}

BOOST_AUTO_TEST_CASE(no_print_begins_while_an_answer_is_held) {
    auto options = fast();
    options.costs.add = 300'000;
    auto list = list_config();
    list.sync_timeout_ms = 10'000;
    Lab lab{options, repairing(list)};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 300, 330);
    lab.run_for(500'000);
    BOOST_TEST(lab.router->status().late == 1U);
    const auto asked_us = lab.now_us;
    for (unsigned i = 1; i <= 60; ++i)  // 18 s, more than a print has patience for
        lab.claim(1, {"203.0.113." + std::to_string(100 + i)}, 300, 330, i);
    const auto settled = [&] { return lab.router->status().held == 1; };  // but the last
    BOOST_REQUIRE(lab.run_until(lab.now_us + 40 * kSecond, settled));
    BOOST_TEST(lab.now_us > asked_us + 15 * kSecond);
    BOOST_TEST(lab.router->counters().connection_prints == 0U);
    lab.run_for(20 * kSecond);
    BOOST_TEST(lab.router->counters().connection_prints > 0U);
}

BOOST_AUTO_TEST_CASE(connections_that_ended_in_between_do_not_keep_the_others) {
    for (const bool atomic : {true, false}) {
        auto options = fast();
        options.multi_id_atomic = atomic;
        Lab lab{options, repairing()};
        BOOST_REQUIRE(lab.sync());
        for (unsigned i = 0; i < 50; ++i) {
            rossim::TrackedConnection connection;
            connection.dst_address = "203.0.113.7:" + std::to_string(1024 + i);
            connection.timeout_s = i % 3 == 0 ? 2 : 600;  // these end between print and removal
            lab.sim.add_connection(rossim::Family::ipv4, connection, lab.now_us);
        }
        lab.claim(1, {"203.0.113.7"}, 300, 330);
        lab.run_for(30 * kSecond);
        BOOST_TEST(destinations(lab).empty());
        BOOST_TEST(lab.router->counters().connection_prints == 1U);
    }
}

// On a router entries end all the time; a print that meets one ends with a trap.
BOOST_AUTO_TEST_CASE(a_print_that_an_entry_ended_is_repeated) {
    for (const std::uint32_t traps : {1U, 2U, 3U}) {
        Lab lab{fast(), repairing()};
        rossim::Fault fault;
        fault.command = "/ip/firewall/connection/print.*";
        fault.times = traps;
        fault.message = "no such item (4)";
        lab.sim.inject(fault);
        BOOST_REQUIRE(lab.sync());
        connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
        lab.claim(1, {"203.0.113.7"}, 300, 330);
        lab.run_for(60 * kSecond);
        BOOST_TEST(lab.router->counters().connection_prints_cut == traps);
        BOOST_TEST(!lab.router->status().repair_refused);
        BOOST_TEST(lab.logged("does not let SteerDNS") == 0U);
        BOOST_TEST(lab.logged("ended three prints of connections early") == (traps == 3 ? 1U : 0U));
        BOOST_TEST(destinations(lab).size() == (traps == 3 ? 1U : 0U));
        BOOST_TEST(lab.router->status().late == 0U);
        // The next address is repaired as before.
        connect(lab, rossim::Family::ipv4, "203.0.113.8:443");
        lab.claim(1, {"203.0.113.8"}, 300, 330);
        lab.run_for(60 * kSecond);
        BOOST_TEST(destinations(lab).size() == (traps == 3 ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_CASE(an_entry_that_ends_during_the_print_does_not_end_the_repair) {
    Lab lab{fast(), repairing()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 20'000; ++i) {
        rossim::TrackedConnection connection;
        connection.dst_address = "198.51.100.1:" + std::to_string(1024 + i);
        connection.timeout_s = i % 2 == 0 ? 2 : 600;  // these end while the first print runs
        lab.sim.add_connection(rossim::Family::ipv4, connection, lab.now_us);
    }
    connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
    lab.claim(1, {"203.0.113.7"}, 300, 330);
    lab.run_for(120 * kSecond);
    BOOST_TEST(lab.router->counters().connection_prints_cut == 1U);
    BOOST_TEST(lab.router->counters().connections_cut == 1U);
    BOOST_TEST(!lab.router->status().repair_refused);
}

BOOST_AUTO_TEST_CASE(with_separate_ports_few_addresses_are_queried) {
    for (const bool apart : {true, false}) {
        auto options = fast();
        options.connection_ports_apart = apart;
        Lab lab{options, repairing()};
        BOOST_REQUIRE(lab.sync());
        for (unsigned i = 0; i < 1'000; ++i)
            connect(lab, rossim::Family::ipv4, "198.51.100.1:" + std::to_string(1024 + i));
        for (const unsigned host : {7U, 8U}) {
            const auto before = lab.sim.report().rows_emitted;
            const std::string address = "203.0.113." + std::to_string(host);
            connect(lab, rossim::Family::ipv4, address + ":443");
            connect(lab, rossim::Family::ipv4, address, "", "icmp");
            lab.claim(1, {address, "2001:db8::" + std::to_string(host)}, 300, 330);
            connect(lab, rossim::Family::ipv6, "[2001:db8::" + std::to_string(host) + "]:443");
            lab.run_for(60 * kSecond);
            BOOST_TEST(destinations(lab).size() == 1'000U);
            BOOST_TEST(destinations(lab, rossim::Family::ipv6).empty());
            const auto emitted = lab.sim.report().rows_emitted - before;
            BOOST_TEST(emitted == (apart && host == 8 ? 3U : 1'003U));
        }
    }
}

BOOST_AUTO_TEST_CASE(missing_rights_are_reported_once_and_the_print_is_not_repeated) {
    for (const std::string_view verb : {"print", "remove"}) {
        Lab lab{fast(), repairing()};
        rossim::Fault fault;
        fault.command = "/ip/firewall/connection/" + std::string{verb} + ".*";
        fault.times = 0;
        fault.message = "not enough permissions (9)";
        lab.sim.inject(fault);
        BOOST_REQUIRE(lab.sync());
        connect(lab, rossim::Family::ipv4, "203.0.113.7:443");
        for (unsigned i = 7; i < 17; ++i) {
            lab.claim(1, {"203.0.113." + std::to_string(i)}, 300, 330);
            lab.run_for(10 * kSecond);
        }
        BOOST_TEST(lab.logged("/firewall/connection (not enough permissions (9))") == 1U);
        BOOST_TEST(lab.router->counters().connection_prints == 1U);
        BOOST_TEST(lab.router->status().repair_refused);
        lab.sim.withdraw_faults();
        lab.close();
        lab.router->closed("by the test", lab.now_ms());
        lab.run_for(10 * kSecond);
        BOOST_TEST(!lab.router->status().repair_refused);
        connect(lab, rossim::Family::ipv4, "203.0.113.99:443");
        lab.claim(1, {"203.0.113.99"}, 300, 330);
        lab.run_for(60 * kSecond);
        BOOST_TEST(lab.router->counters().connections_cut >= 1U);
    }
}

BOOST_AUTO_TEST_CASE(the_next_session_repeats_an_interrupted_repair) {
    Lab lab{fast(), repairing()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 900; ++i)
        connect(lab, rossim::Family::ipv4, "203.0.113.7:" + std::to_string(1024 + i));
    lab.claim(1, {"203.0.113.7"}, 1770, 1800);
    const auto some_cut = [&] { return lab.router->counters().connections_cut >= 100; };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond, some_cut));
    lab.close();
    lab.router->closed("by the test", lab.now_ms());
    lab.run_for(300 * kSecond);
    BOOST_TEST(destinations(lab).empty());
    BOOST_TEST(lab.router->counters().connection_prints == 2U);
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_rate_are_removed_after_the_next_print) {
    Lab lab{fast(), repairing()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 1'500; ++i)
        connect(lab, rossim::Family::ipv4, "203.0.113.7:" + std::to_string(1024 + i));
    lab.claim(1, {"203.0.113.7"}, 1770, 1800);
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.router->counters().connections_cut > 900U);
    BOOST_TEST(lab.router->counters().connections_cut < 1'200U);  // 20 a second
    lab.run_for(60 * kSecond);
    BOOST_TEST(destinations(lab).empty());
    BOOST_TEST(lab.router->counters().connection_prints == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
