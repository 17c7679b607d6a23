// The table of special-use names: its rows are names, and what an operator may write for them.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "control/config/special_names.h"
#include "matchers/name_text.h"

namespace steer::config {

BOOST_AUTO_TEST_SUITE(special_names_table)

BOOST_AUTO_TEST_CASE(every_name_is_one_and_is_there_once) {
    std::set<std::string> seen;
    for (const SpecialName& special : special_names()) {
        const auto name = matchers::parse_name(special.name, {.alone = true});
        BOOST_TEST((name && *name == special.name), special.name);
        BOOST_TEST(seen.insert(special.name).second, special.name);
        const bool is_reverse =
            special.name.ends_with("in-addr.arpa") || special.name.ends_with("ip6.arpa");
        BOOST_TEST(special.addresses.has_value() == is_reverse, special.name);
    }
    BOOST_TEST(seen.size() == 107U);
    for (const char* const name : {"local", "16.172.in-addr.arpa", "31.172.in-addr.arpa",
                                   "64.100.in-addr.arpa", "127.100.in-addr.arpa", "alt"})
        BOOST_TEST(seen.contains(name), name);
    for (const char* const name : {"15.172.in-addr.arpa", "32.172.in-addr.arpa",
                                   "63.100.in-addr.arpa", "128.100.in-addr.arpa", "example"})
        BOOST_TEST(!seen.contains(name), name);
}

BOOST_AUTO_TEST_CASE(a_prefix_stands_for_the_zones_within_it) {
    const auto names = [](const char* text) { return special_names_of(text); };
    using Names = std::vector<std::string>;
    BOOST_TEST((names("Home.ARPA.") == Names{"home.arpa"}));
    BOOST_TEST((names("10.0.0.0/8") == Names{"10.in-addr.arpa"}));
    BOOST_TEST((names("192.168.0.0/16") == Names{"168.192.in-addr.arpa"}));
    BOOST_TEST(names("172.16.0.0/12").size() == 16U);
    BOOST_TEST((names("172.17.0.0/16") == Names{"17.172.in-addr.arpa"}));
    BOOST_TEST(names("100.64.0.0/10").size() == 64U);
    BOOST_TEST((names("fd00::/8") == Names{"d.f.ip6.arpa"}));
    BOOST_TEST(names("fe80::/10").size() == 4U);
    BOOST_TEST((names("2001:db8::/32") == Names{"8.b.d.0.1.0.0.2.ip6.arpa"}));
    BOOST_TEST(names("127.0.0.0/8").size() == 2U);
    BOOST_TEST(names("all").size() == special_names().size());
    for (const char* const none : {"", "10.1.0.0/16", "example", "192.168.0.0", "/8", "8.8.8.0/24"})
        BOOST_TEST(names(none).empty(), none);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::config
