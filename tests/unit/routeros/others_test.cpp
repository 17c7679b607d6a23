// What others do to our rows: second writers, humans; and how full a list is.
#include <boost/test/unit_test.hpp>

#include "lab.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

constexpr auto kIp = rossim::Family::ipv4;
constexpr const char* kList = "policy_v4";
constexpr const char* kComment = "forgedns;pg=ros_policy;kind=D;dm=www.stream.example";

rossim::RowEdit timeout(std::int64_t seconds) {
    rossim::RowEdit edit;
    edit.timeout_s = seconds;
    return edit;
}

ListConfig respecting() {
    auto list = list_config();
    list.respect_manual_changes = true;
    return list;
}

// With `count` rows of 1800 s, and settled.
void fill(Lab& lab, unsigned count) {
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= count; ++i)
        lab.claim(1, {nth(i)}, 1770, 1800);
    lab.run_for(60 * kSecond);
    BOOST_REQUIRE(lab.rows(kList).size() == count);
}

std::string what_differs(Lab& lab, std::string_view address) {
    for (const auto& row : lab.router->differences(100, lab.now_ms())) {
        if (row.address == address) return row.what;
    }
    return {};
}

BOOST_AUTO_TEST_SUITE(second_writer)

BOOST_AUTO_TEST_CASE(a_second_writer_that_extends_or_adds_our_rows_is_reported_once) {
    for (const bool adds : {false, true}) {
        Lab lab{fast()};
        fill(lab, 3);
        for (unsigned i = 0; i < 5; ++i) {
            if (adds)
                lab.sim.add_row(kIp, kList, nth(100 + i), 600, kComment, lab.now_us);
            else
                lab.sim.edit_row(kIp, kList, nth(1), timeout(3600 + 100 * i), lab.now_us);
            lab.run_for(30 * kSecond);
        }
        BOOST_TEST(lab.logged("list policy_v4 has a second writer") == 1U);
        BOOST_TEST(lab.router->status().second_writers == (std::vector<std::string>{kList}),
                   boost::test_tools::per_element());
        BOOST_TEST(lab.router->counters().writes_of_others == 5U);
        // A reload does not report it again.
        lab.router->configure(lab.config, lab.now_ms());
        lab.run_for(60 * kSecond);
        BOOST_TEST(lab.router->status().second_writers.size() == 1U);
        lab.run_for(601 * kSecond);
        BOOST_TEST(lab.router->status().second_writers.empty());
        BOOST_TEST(lab.logged("no other writer of list policy_v4") == 1U);
        lab.sim.edit_row(kIp, kList, nth(2), timeout(7200), lab.now_us);
        lab.run_for(kSecond);
        BOOST_TEST(lab.logged("list policy_v4 has a second writer") == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_configured_second_writer_is_not_reported) {
    auto list = list_config();
    list.multi_writer = true;
    Lab lab{fast(), router_config({list})};
    fill(lab, 3);
    lab.sim.edit_row(kIp, kList, nth(1), timeout(3600), lab.now_us);
    lab.sim.add_row(kIp, kList, nth(100), 600, kComment, lab.now_us);
    lab.run_for(30 * kSecond);
    BOOST_TEST(lab.router->status().second_writers.empty());
    BOOST_TEST(lab.router->counters().writes_of_others == 0U);
}

BOOST_AUTO_TEST_CASE(foreign_and_persistent_rows_and_shorter_timeouts_show_no_second_writer) {
    Lab lab{fast()};
    fill(lab, 3);
    lab.sim.add_row(kIp, kList, nth(100), 600, "mine", lab.now_us);
    lab.sim.add_row(kIp, kList, nth(101), std::nullopt, kComment, lab.now_us);
    lab.sim.edit_row(kIp, kList, nth(1), timeout(60), lab.now_us);
    lab.sim.remove_row(kIp, kList, nth(2), lab.now_us);
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.router->counters().writes_of_others == 0U);
}

// Adoption after kill -9, reloads, reboots, reprints, a router that hangs, sets done in part,
// listeners that hear late.
BOOST_AUTO_TEST_CASE(our_own_changes_show_no_second_writer) {
    for (unsigned variant = 0; variant < 8; ++variant) {
        auto options = fast();
        options.listen_costs = (variant & 1) != 0;
        options.multi_id_atomic = (variant & 2) != 0;
        options.listen_tells_expiry = (variant & 4) != 0;
        if (options.listen_costs) options.costs.emit_row = 50'000;
        Lab lab{options};
        fill(lab, 20);
        const auto renew = [&] {
            for (unsigned i = 1; i <= 20; ++i)
                lab.claim(1, {nth(i)}, 1770, 1800, 0);
        };
        for (unsigned round = 0; round < 6; ++round) {
            lab.run_for(600 * kSecond);
            renew();
            BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond,
                                        [&] { return lab.router->status().queued > 0; }));
            lab.sim.remove_row(kIp, kList, nth(1 + round), lab.now_us);
            if (round == 0) lab.run_for(2'100'000);
            if (round == 1) lab.router->request_reprint(lab.now_ms());
            if (round == 2) lab.router->configure(lab.config, lab.now_ms());
            if (round == 3) lab.sim.hang(lab.now_us, 2 * kSecond);
            if (round == 4) lab.sim.reboot(20 * kSecond, lab.now_us);
            if (round == 5) {
                lab.restart();
                lab.start();
            }
            lab.run_for(120 * kSecond);
            renew();
            lab.run_for(120 * kSecond);
        }
        BOOST_TEST(lab.rows(kList).size() == 20U);
        BOOST_TEST(lab.router->counters().writes_of_others == 0U);
        BOOST_TEST(lab.logged("has a second writer") == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(manual_changes)

BOOST_AUTO_TEST_CASE(a_row_that_a_person_removed_stays_removed_until_its_claim_ends) {
    auto list = respecting();
    list.max_ttl_s = 300;
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {nth(1)}, 270, 300);
    lab.claim(1, {nth(2)}, 270, 300);
    lab.run_for(60 * kSecond);
    lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
    lab.run_for(5 * kSecond);
    BOOST_TEST(!lab.row(kList, nth(1)).has_value());
    BOOST_TEST(lab.installed_until(1, nth(1)) == 0U);
    BOOST_TEST(lab.router->status().left_alone == 1U);
    BOOST_TEST(lab.router->counters().manual_changes == 1U);
    BOOST_TEST(what_differs(lab, nth(1)) == "left_alone");
    const auto before = lab.sim.report().sentences;
    for (unsigned i = 1; i <= 50; ++i) {
        lab.claim(1, {nth(1)}, 60, 90, i);
        BOOST_REQUIRE(lab.outcomes.contains(i));
        BOOST_TEST((lab.outcomes[i] == Outcome::failed));
        lab.run_for(20'000);
    }
    BOOST_TEST(lab.sim.report().sentences - before <= 2U);  // heartbeats
    BOOST_TEST(lab.logged(nth(1) + " in list policy_v4 was removed by hand: left so") == 1U);
    lab.router->request_reprint(lab.now_ms());
    lab.run_for(10 * kSecond);
    lab.router->configure(lab.config, lab.now_ms());
    lab.run_for(10 * kSecond);
    BOOST_TEST(!lab.row(kList, nth(1)).has_value());
    lab.run_for(400 * kSecond);
    BOOST_TEST(lab.router->status().claims == 0U);
    BOOST_TEST(lab.router->status().left_alone == 0U);
    lab.claim(1, {nth(1)}, 60, 90, 100);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[100] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(other_manual_changes_are_respected_too) {
    Lab lab{fast(), router_config({respecting()})};
    fill(lab, 4);
    rossim::RowEdit comment;
    comment.comment = "kept by anna";
    lab.sim.edit_row(kIp, kList, nth(1), comment, lab.now_us);
    lab.sim.edit_row(kIp, kList, nth(2), timeout(100), lab.now_us);
    lab.run_for(80 * kSecond);
    BOOST_TEST(lab.router->status().left_alone == 2U);
    BOOST_TEST(lab.row(kList, nth(1))->comment == "kept by anna");
    BOOST_TEST(*lab.row(kList, nth(2))->left_us <= 20 * kSecond);
    // What it covers, it covers.
    lab.claim(1, {nth(1)}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.run_for(60 * kSecond);
    BOOST_TEST(!lab.row(kList, nth(2)).has_value());
    BOOST_TEST(lab.router->counters().manual_changes == 2U);
    BOOST_TEST(lab.logged("by hand") == 2U);  // a minute apart
}

BOOST_AUTO_TEST_CASE(a_disabled_row_without_timeout_stays_disabled) {
    auto list = respecting();
    list.max_ttl_s = 0;
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {nth(1)}, 600, 0);
    lab.run_for(60 * kSecond);
    rossim::RowEdit disable;
    disable.disabled = true;
    lab.sim.edit_row(kIp, kList, nth(1), disable, lab.now_us);
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.row(kList, nth(1))->disabled);
    BOOST_TEST(lab.router->status().left_alone == 1U);
    BOOST_TEST(lab.router->status().rows_blocked == 0U);
}

// --- rows that are there and have no effect ------------------------------------------------------

rossim::RowEdit disabled(bool on) {
    rossim::RowEdit edit;
    edit.disabled = on;
    return edit;
}

BOOST_AUTO_TEST_CASE(our_disabled_row_is_enabled_again) {
    auto list = list_config();
    list.max_ttl_s = 0;
    list.persistent = {*Address::parse("192.0.2.1")};
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {nth(1)}, 600, 0);
    lab.run_for(10 * kSecond);
    for (const std::string& address : {nth(1), std::string{"192.0.2.1"}})
        lab.sim.edit_row(kIp, kList, address, disabled(true), lab.now_us);
    lab.run_for(5 * kSecond);
    for (const std::string& address : {nth(1), std::string{"192.0.2.1"}}) {
        BOOST_TEST(!lab.row(kList, address)->disabled);
        BOOST_TEST(what_differs(lab, address).empty());
    }
    BOOST_TEST(lab.installed_until(1, nth(1)) > 0U);
    BOOST_TEST(lab.router->status().rows_blocked == 0U);
    // One that was disabled while no session was there: an answer waits until it is enabled.
    lab.sim.edit_row(kIp, kList, nth(1), disabled(true), lab.now_us);
    lab.restart();
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {nth(1)}, 600, 0, 7);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[7] == Outcome::installed));
    BOOST_TEST(!lab.row(kList, nth(1))->disabled);
    BOOST_TEST(lab.adds == 2U);
    BOOST_TEST(lab.removes == 0U);
}

BOOST_AUTO_TEST_CASE(a_disabled_row_that_was_there_before_is_respected_and_not_installed) {
    auto list = respecting();
    list.max_ttl_s = 0;
    Lab lab{fast(), router_config({list})};
    lab.sim.add_row(kIp, kList, nth(1), std::nullopt, kComment, lab.now_us);
    lab.sim.edit_row(kIp, kList, nth(1), disabled(true), lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {nth(1)}, 600, 0, 1);
    lab.run_for(10 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::failed));
    BOOST_TEST(lab.installed_until(1, nth(1)) == 0U);
    BOOST_TEST(lab.row(kList, nth(1))->disabled);
    BOOST_TEST(lab.router->status().left_alone == 1U);
    BOOST_TEST(lab.router->status().rows_blocked == 0U);
    BOOST_TEST(lab.logged(nth(1) + " in list policy_v4 was disabled by hand: left so") == 1U);
    lab.sim.edit_row(kIp, kList, nth(1), disabled(false), lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.installed_until(1, nth(1)) > 0U);
}

BOOST_AUTO_TEST_CASE(a_disabled_row_of_others_covers_nothing_and_is_named_once) {
    Lab lab{fast()};
    for (const unsigned i : {1U, 2U}) {
        lab.sim.add_row(kIp, kList, nth(i), std::nullopt, "anna's", lab.now_us);
        lab.sim.edit_row(kIp, kList, nth(i), disabled(true), lab.now_us);
    }
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 20; ++i) {
        lab.claim(1, {nth(1)}, 300, 330, i);
        BOOST_TEST((lab.outcomes[i] == Outcome::failed));
        lab.run_for(10 * kSecond);
    }
    lab.claim(1, {nth(2)}, 300, 330);
    lab.router->request_reprint(lab.now_ms());
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.installed_until(1, nth(1)) == 0U);
    BOOST_TEST(lab.row(kList, nth(1))->disabled);
    BOOST_TEST(lab.router->status().rows_blocked == 2U);
    BOOST_TEST(lab.logged("the disabled row") == 2U);  // each once, at most one a minute
    BOOST_TEST(lab.logged(nth(1) + " in list policy_v4 is not covered: the disabled row *1 of "
                                   "others has the address; enable or remove it") == 1U);
    BOOST_TEST(lab.router->status().rows_disabled == 2U);
    lab.sim.edit_row(kIp, kList, nth(1), disabled(false), lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.installed_until(1, nth(1)) > 0U);
    BOOST_TEST(lab.router->status().rows_blocked == 1U);
}

BOOST_AUTO_TEST_CASE(without_respect_removed_rows_come_back) {
    Lab lab{fast()};
    fill(lab, 2);
    lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
    lab.sim.edit_row(kIp, kList, nth(2), timeout(100), lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows(kList).size() == 2U);
    BOOST_TEST(*lab.row(kList, nth(2))->left_us > 600 * kSecond);
    BOOST_TEST(lab.router->counters().manual_changes == 0U);
}

BOOST_AUTO_TEST_CASE(repair_wins_if_one_of_two_lists_has_it) {
    auto other = list_config(2);
    other.tag = "ros_other";
    Lab lab{fast(), router_config({respecting(), other})};
    fill(lab, 1);
    lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows(kList).empty());
    lab.claim(2, {nth(1)}, 300, 330, 1);
    lab.run_for(10 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_reload_with_repair_writes_removed_rows_again) {
    Lab lab{fast(), router_config({respecting()})};
    fill(lab, 1);
    lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows(kList).empty());
    lab.router->configure(router_config(), lab.now_ms());
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows(kList).size() == 1U);
    BOOST_TEST(lab.router->status().left_alone == 0U);
}

BOOST_AUTO_TEST_CASE(expiry_reboots_and_flushes_are_not_manual_changes) {
    for (const bool tells : {true, false}) {
        auto options = fast();
        options.listen_tells_expiry = tells;
        Lab lab{options, router_config({respecting()})};
        fill(lab, 100);
        // All at once, and one by one in a loop.
        for (const std::int64_t apart_us : {0, 5'000}) {
            for (unsigned i = 1; i <= 60; ++i) {
                lab.sim.remove_row(kIp, kList, nth(i), lab.now_us);
                lab.run_for(apart_us);
            }
            lab.run_for(30 * kSecond);
            BOOST_TEST(lab.rows(kList).size() == 100U);
        }
        lab.sim.reboot(20 * kSecond, lab.now_us);
        lab.run_for(60 * kSecond);
        BOOST_TEST(lab.rows(kList).size() == 100U);
        // Some were removed right before the session ended: whose work that was is not known.
        lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
        lab.run_for(100'000);
        lab.sim.reboot(20 * kSecond, lab.now_us);
        lab.run_for(60 * kSecond);
        BOOST_TEST(lab.rows(kList).size() == 100U);
        for (unsigned i = 1; i <= 4; ++i)
            lab.claim(1, {nth(100 + i)}, 30, 60);
        lab.run_for(1'900 * kSecond);  // these end, and all the others
        BOOST_TEST(lab.rows(kList).empty());
        BOOST_TEST(lab.router->counters().manual_changes == 0U);
        BOOST_TEST(lab.router->status().left_alone == 0U);
    }
}

BOOST_AUTO_TEST_CASE(with_a_configured_second_writer_a_removal_is_not_a_manual_change) {
    auto list = respecting();
    list.multi_writer = true;
    for (const bool known : {true, false}) {
        Lab lab{fast(), router_config({known ? list : respecting()})};
        fill(lab, 3);
        if (!known) lab.sim.edit_row(kIp, kList, nth(3), timeout(7200), lab.now_us);
        lab.run_for(10 * kSecond);
        lab.sim.remove_row(kIp, kList, nth(1), lab.now_us);
        lab.sim.edit_row(kIp, kList, nth(2), timeout(10), lab.now_us);
        lab.run_for(20 * kSecond);
        BOOST_TEST(lab.rows(kList).size() == 3U);
        BOOST_TEST(lab.router->counters().manual_changes == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(max_rows)

BOOST_AUTO_TEST_CASE(a_list_that_is_full_is_reported_once) {
    auto list = list_config();
    list.max_rows = 100;
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    const auto claim = [&](unsigned from, unsigned to, std::uint32_t ttl_s) {
        for (unsigned i = from; i <= to; ++i)
            lab.claim(1, {nth(i)}, ttl_s, ttl_s + 30);
    };
    claim(1, 70, 600);
    claim(71, 89, 60);
    BOOST_TEST(lab.logged("claims") == 0U);
    claim(90, 92, 60);
    BOOST_TEST(lab.logged("list ros_policy has 90 of its 100 claims: when it is full") == 1U);
    const auto fill = lab.router->status().lists;
    BOOST_REQUIRE(fill.size() == 1U);
    BOOST_TEST(fill[0].tag == "ros_policy");
    BOOST_TEST((fill[0].claims == 92U && fill[0].max_rows == 100U));
    claim(93, 101, 60);
    BOOST_TEST(lab.logged("has its 100 claims: more are refused") == 1U);
    BOOST_TEST(lab.sentences.size() == 3U);
    lab.run_for(300 * kSecond);
    BOOST_TEST(lab.logged("list ros_policy has 79 of its 100 claims again") == 1U);
    claim(71, 89, 60);
    BOOST_TEST(lab.sentences.size() == 4U);
    claim(90, 90, 60);
    BOOST_TEST(lab.sentences.size() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
