// DHCP option 108 is withdrawn and put back as the set-up gave it; the router remembers what was withdrawn.
#include "control/operator/doctor/option108.h"

#include <boost/test/unit_test.hpp>

using namespace steer::doctor;

namespace {

using Values = steer::routeros::Properties;

RouterFacts facts(std::vector<Values> networks, std::vector<Values> options,
                  std::vector<Values> sets = {}) {
    RouterFacts router;
    const auto fill = [&](const char* menu, std::vector<Values>& rows) {
        Table& table = router.tables[menu];
        for (Values& values : rows)
            table.rows.emplace_back(std::move(values));
    };
    fill("/ip/dhcp-server/network", networks);
    fill("/ip/dhcp-server/option", options);
    fill("/ip/dhcp-server/option/sets", sets);
    return router;
}

const std::vector<Values> kOptions{{{"name", "v6only"}, {"code", "108"}},
                                   {{"name", "ntp"}, {"code", "42"}}};

std::string text_of(const OptionChange& change) {
    std::string all;
    for (const Change& one : change.changes)
        all += one.text() + "\n";
    for (const std::string& undo : change.undo)
        all += "undo " + undo + "\n";
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(option108)

BOOST_AUTO_TEST_CASE(it_is_taken_from_each_network_and_remembered) {
    const auto router =
        facts({{{".id", "*1"},
                {"address", "10.0.0.0/24"},
                {"dhcp-option", "ntp,v6only"},
                {"comment", "clients steerdns-was=9.9.9.9"}},
               {{".id", "*2"}, {"address", "10.0.1.0/24"}, {"dhcp-option", "ntp"}},
               {{".id", "*3"}, {"address", "10.0.2.0/24"}, {"dhcp-option", "v6only"}}},
              kOptions);
    BOOST_TEST(read_option108(router).is_given);
    BOOST_TEST(read_option108(router).withdrawn.empty());
    BOOST_TEST(
        text_of(withdraw_option108(router)) ==
        "/ip dhcp-server network set *1 dhcp-option=ntp comment=\"steerdns-withdrew=v6only;clients "
        "steerdns-was=9.9.9.9\"\n"
        "/ip dhcp-server network set *3 dhcp-option=\"\" comment=\"steerdns-withdrew=v6only;\"\n"
        "undo /ip dhcp-server network set *1 dhcp-option=ntp,v6only comment=\"clients "
        "steerdns-was=9.9.9.9\"\n"
        "undo /ip dhcp-server network set *3 dhcp-option=v6only comment=\"\"\n");
    BOOST_TEST(put_back_option108(router).changes.empty());
}

BOOST_AUTO_TEST_CASE(it_is_put_back_from_the_routers_memory) {
    const auto router = facts({{{".id", "*1"},
                                {"address", "10.0.0.0/24"},
                                {"dhcp-option", "ntp"},
                                {"comment", "steerdns-withdrew=v6only;clients"}}},
                              kOptions);
    const Option108 state = read_option108(router);
    BOOST_TEST(!state.is_given);
    BOOST_TEST(state.withdrawn.size() == 1);
    BOOST_TEST(withdraw_option108(router).changes.empty());
    BOOST_TEST(put_back_option108(router).changes.at(0).text() ==
               "/ip dhcp-server network set *1 dhcp-option=ntp,v6only comment=clients");
}

BOOST_AUTO_TEST_CASE(an_option_that_was_removed_is_not_given_again) {
    const auto router = facts({{{".id", "*1"}, {"comment", "steerdns-withdrew=v6only;"}}}, {});
    BOOST_TEST(put_back_option108(router).changes.at(0).text() ==
               "/ip dhcp-server network set *1 dhcp-option=\"\" comment=\"\"");
}

BOOST_AUTO_TEST_CASE(one_that_was_given_again_by_hand_is_not_given_twice) {
    const auto router = facts(
        {{{".id", "*1"}, {"dhcp-option", "v6only"}, {"comment", "steerdns-withdrew=v6only;x"}}},
        kOptions);
    BOOST_TEST(put_back_option108(router).changes.at(0).text() ==
               "/ip dhcp-server network set *1 dhcp-option=v6only comment=x");
}

BOOST_AUTO_TEST_CASE(option_sets_are_seen_and_not_changed) {
    const auto router = facts({{{".id", "*1"}, {"dhcp-option-set", "all"}}}, kOptions,
                              {{{"name", "all"}, {"options", "ntp,v6only"}}});
    BOOST_TEST(read_option108(router).is_given_by_set);
    BOOST_TEST(!read_option108(router).is_given);
    BOOST_TEST(withdraw_option108(router).changes.empty());
}

BOOST_AUTO_TEST_CASE(probes_count_in_a_row_and_unproved_ones_not_at_all) {
    using Seen = Nat64Watch::Seen;
    Nat64Watch watch;
    const auto see = [&](Seen seen, unsigned times) {
        for (unsigned i = 0; i < times; ++i)
            watch.see(seen);
    };
    see(Seen::dead, 2), see(Seen::alive, 1), see(Seen::dead, 2), see(Seen::unknown, 9);
    BOOST_TEST(!watch.is_dead());
    see(Seen::dead, 1);
    BOOST_TEST(watch.is_dead());
    see(Seen::alive, 4);
    BOOST_TEST(watch.is_dead());
    BOOST_TEST(!watch.is_alive());
    see(Seen::dead, 1), see(Seen::alive, 4);
    BOOST_TEST(!watch.is_alive());
    see(Seen::alive, 1);
    BOOST_TEST(watch.is_alive());
    BOOST_TEST(!watch.is_dead());
    see(Seen::dead, 2);
    BOOST_TEST(watch.is_alive());
    see(Seen::dead, 1);
    BOOST_TEST(!watch.is_alive());
}

BOOST_AUTO_TEST_SUITE_END()
