// Coverage without a row of the address: persistent prefixes, the router's own addresses, claims that were given up.
#include <boost/test/unit_test.hpp>

#include "lab.h"

namespace steer::routeros::test {
namespace {

constexpr auto kCoverMenu = rossim::Family::ipv4;
constexpr std::string_view kCoverList = "policy_v4";
constexpr std::string_view kOurs = "forgedns;pg=ros_policy;kind=D;dm=x";

ListConfig with_prefixes() {
    auto list = list_config();
    list.persistent = {*Address::parse("203.0.113.0/24"), *Address::parse("2001:db8:5::/48")};
    return list;
}

BOOST_AUTO_TEST_SUITE(persistent_prefixes)

BOOST_AUTO_TEST_CASE(an_address_within_a_prefix_gets_no_row_and_no_wait) {
    Lab lab{fast(), router_config({with_prefixes()})};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    BOOST_REQUIRE(lab.row(kCoverList, "203.0.113.0/24").has_value());
    const std::size_t adds = lab.adds;
    lab.claim(1, {"203.0.113.7", "2001:db8:5::7"}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") > lab.now_us / kSecond + 330);
    BOOST_TEST(lab.installed_until(1, "2001:db8:5::7") > lab.now_us / kSecond + 330);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.adds == adds);
    BOOST_TEST(lab.router->differences(10, lab.now_ms()).empty());
    lab.claim(1, {"203.0.112.7"}, 300, 330, 2);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[2] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(rows_are_written_for_claims_within_a_removed_prefix) {
    auto config = router_config({with_prefixes()});
    Lab lab{fast(), config};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    lab.claim(1, {"203.0.113.7", "203.0.113.8", "2001:db8:5::7"}, 1000, 1030);
    const auto from_us = lab.now_us;
    lab.run_for(kSecond);
    config.lists[0].persistent.clear();
    lab.router->configure(config, lab.now_ms());
    lab.run_for(30 * kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.0/24").has_value());
    BOOST_TEST(!lab.row("policy_v6", "2001:db8:5::/48").has_value());
    for (const char* const address : {"203.0.113.7", "203.0.113.8"}) {
        const auto row = lab.row(kCoverList, address);
        BOOST_REQUIRE(row.has_value());
        BOOST_TEST(row->left_us.has_value());
        // The prefix stays until the row is there.
        const auto prefix = lab.lives[{std::string(kCoverList), "203.0.113.0/24"}];
        const auto own = lab.lives[{std::string(kCoverList), address}];
        BOOST_TEST(own.front().from_us <= prefix.front().until_us);
    }
    BOOST_TEST(lab.row("policy_v6", "2001:db8:5::7/128").has_value());
    BOOST_TEST(from_us < lab.now_us);
}

BOOST_AUTO_TEST_CASE(a_new_prefix_covers_what_was_claimed_before) {
    auto config = router_config();
    Lab lab{fast(), config};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 30, 60);
    lab.run_for(kSecond);
    BOOST_REQUIRE(lab.row(kCoverList, "203.0.113.7").has_value());
    config.lists = {with_prefixes()};
    lab.router->configure(config, lab.now_ms());
    lab.run_for(5 * kSecond);
    const std::size_t adds = lab.adds;
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.run_for(100 * kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());  // it ended by itself
    BOOST_TEST(lab.adds == adds);
}

BOOST_AUTO_TEST_CASE(a_prefix_that_a_person_removed_is_written_again_for_a_held_answer) {
    Lab lab{fast(), router_config({with_prefixes()})};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    lab.sim.remove_row(kCoverMenu, kCoverList, "203.0.113.0/24", lab.now_us);
    lab.run_for(3'000);  // it is notified
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") == 0U);
    lab.claim(1, {"203.0.113.7"}, 300, 330, 2);
    lab.run_for(50'000);
    BOOST_TEST((lab.outcomes[2] == Outcome::installed));
    BOOST_TEST(lab.row(kCoverList, "203.0.113.0/24").has_value());
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
}

BOOST_AUTO_TEST_CASE(a_prefix_that_was_refused_covers_nothing) {
    Lab lab{fast(), router_config({with_prefixes()})};
    lab.sim.add_row(kCoverMenu, kCoverList, "203.0.113.0/24", {}, "somebody's", lab.now_us);
    rossim::RowEdit off;
    off.disabled = true;
    lab.sim.edit_row(kCoverMenu, kCoverList, "203.0.113.0/24", off, lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(lab.row(kCoverList, "203.0.113.7").has_value());
}

BOOST_AUTO_TEST_CASE(after_a_reboot_and_a_pause_prefixes_still_cover) {
    Lab lab{fast(), router_config({with_prefixes()})};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    lab.claim(1, {"203.0.113.7"}, 1700, 1730);
    lab.sim.reboot(20 * kSecond, lab.now_us);
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") > 0U);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
    lab.router->pause(lab.now_ms());
    lab.sim.remove_row(kCoverMenu, kCoverList, "203.0.113.0/24", lab.now_us);
    lab.run_for(5 * kSecond);
    lab.router->resume(lab.now_ms());
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.row(kCoverList, "203.0.113.0/24").has_value());
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") > 0U);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(own_addresses)

BOOST_AUTO_TEST_CASE(own_addresses_of_a_router_are_never_claimed_and_never_waited_for) {
    Lab lab{fast()};
    lab.sim.put_record("/ip/address", {{"address", "203.0.113.1/24"}, {"interface", "wan"}}, 0);
    lab.sim.put_record("/ipv6/address", {{"address", "2001:db8::1/64"}, {"interface", "wan"}}, 0);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1", "2001:db8::1", "203.0.113.2"}, 300, 330, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(lab.rows(kCoverList).size() == 1U);
    BOOST_TEST(lab.rows("policy_v6").empty());
    lab.claim(1, {"203.0.113.1"}, 300, 330, 2);
    BOOST_TEST((lab.outcomes[2] == Outcome::already_there));
}

BOOST_AUTO_TEST_CASE(a_changed_address_of_an_interface_changes_the_own_addresses) {
    Lab lab{fast()};
    const auto id = lab.sim.put_record("/ip/address", {{"address", "203.0.113.1/24"}}, 0);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1", "203.0.113.2"}, 1000, 1030);
    lab.run_for(kSecond);
    BOOST_TEST(lab.row(kCoverList, "203.0.113.2").has_value());
    lab.sim.put_record("/ip/address",
                       {{".id", "*" + std::to_string(id)}, {"address", "203.0.113.2/24"}},
                       lab.now_us);
    lab.run_for(70 * kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.2").has_value());
    BOOST_TEST(lab.row(kCoverList, "203.0.113.1").has_value());
}

BOOST_AUTO_TEST_CASE(a_router_that_refuses_its_addresses_is_reported_once) {
    rossim::Options options = fast();
    options.version = {6, 49};
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 300, 330, 1);
    lab.run_for(200 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(lab.logged("own addresses") == 0U);  // nothing is wrong
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(forget)

BOOST_AUTO_TEST_CASE(an_address_is_forgotten_with_its_row) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "203.0.113.8"}, 1000, 1030);
    lab.run_for(kSecond);
    const auto epoch = lab.epochs[1];
    const Forgotten done = lab.router->forget(bytes_of("203.0.113.7"), lab.now_ms());
    BOOST_TEST(done.claims == 1U);
    BOOST_TEST(done.rows == 1U);
    lab.run_for(kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
    BOOST_TEST(lab.row(kCoverList, "203.0.113.8").has_value());
    BOOST_TEST(lab.epochs[1] > epoch);  // cached answers ask again
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") == 0U);
    BOOST_TEST(lab.installed_until(1, "203.0.113.8") > 0U);
    BOOST_TEST(lab.router->status().claims == 1U);
    lab.run_for(60 * kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_row_that_is_being_written_is_forgotten_too) {
    Lab lab{fast(50'000)};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1000, 1030, 1);
    BOOST_TEST(lab.router->forget(bytes_of("203.0.113.7"), lab.now_ms()).claims == 1U);
    BOOST_TEST((lab.outcomes[1] == Outcome::failed));
    lab.run_for(kSecond);
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.7").has_value());
}

BOOST_AUTO_TEST_CASE(forget_keeps_foreign_and_persistent_rows) {
    auto list = list_config();
    list.persistent = {*Address::parse("203.0.113.1")};
    Lab lab{fast(), router_config({list})};
    lab.sim.add_row(kCoverMenu, kCoverList, "203.0.113.2", {}, "somebody's", lab.now_us);
    lab.sim.add_row(kCoverMenu, kCoverList, "203.0.113.3", 1000, kOurs, lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.router->forget(bytes_of("203.0.113.1"), lab.now_ms()).persistent == 1U);
    BOOST_TEST(lab.router->forget(bytes_of("203.0.113.2"), lab.now_ms()).rows == 0U);
    BOOST_TEST(lab.router->forget(bytes_of("203.0.113.3"), lab.now_ms()).rows == 1U);
    BOOST_TEST(lab.router->forget(bytes_of("203.0.113.4"), lab.now_ms()).rows == 0U);
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.row(kCoverList, "203.0.113.1").has_value());
    BOOST_TEST(lab.row(kCoverList, "203.0.113.2").has_value());
    BOOST_TEST(!lab.row(kCoverList, "203.0.113.3").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(repairs)

BOOST_AUTO_TEST_CASE(rows_that_a_person_removed_are_reported_once_a_minute) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 20; ++i)
        lab.claim(1, {nth(i)}, 1700, 1730);
    lab.run_for(kSecond);
    for (unsigned i = 1; i <= 12; ++i)
        lab.sim.remove_row(kCoverMenu, kCoverList, nth(i), lab.now_us);
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.logged("edge1 at 172.16.1.1:8728: 12 rows of list policy_v4 were removed on "
                          "the router and are written again (first " +
                          nth(1) + ")") == 1U);
    BOOST_TEST(lab.router->counters().rows_repaired == 12U);
    lab.sim.remove_row(kCoverMenu, kCoverList, nth(3), lab.now_us);
    lab.run_for(20 * kSecond);
    BOOST_TEST(lab.logged("removed on the router") == 1U);
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.logged("1 row of list policy_v4 was removed on the router") == 1U);
    lab.sim.reboot(20 * kSecond, lab.now_us);
    lab.run_for(120 * kSecond);
    BOOST_TEST(lab.logged("removed on the router") == 2U);
    BOOST_TEST(lab.rows(kCoverList).size() == 20U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_pause_is_complete_when_the_last_write_is_answered) {
    Lab lab{fast(50'000)};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1000, 1030, 1);
    BOOST_TEST(lab.router->status().writes_in_flight == 1U);
    lab.router->pause(lab.now_ms());
    BOOST_TEST(lab.router->status().writes_in_flight == 1U);
    lab.claim(1, {"203.0.113.8"}, 1000, 1030, 2);
    lab.run_for(kSecond);
    BOOST_TEST(lab.router->status().writes_in_flight == 0U);
    const std::size_t adds = lab.adds;
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.adds == adds);
}

}  // namespace
}  // namespace steer::routeros::test
