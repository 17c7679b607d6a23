// Which addresses a redirect may lead to.
#include "control/streams/fetch/reach.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace steer;
using namespace steer::fetch;

BOOST_AUTO_TEST_SUITE(reach)

BOOST_AUTO_TEST_CASE(special_addresses_are_recognised_in_every_spelling) {
    const struct {
        const char* address;
        Reach reach;
    } cases[] = {
        {"1.1.1.1", Reach::internet},
        {"172.32.0.1", Reach::internet},
        {"100.128.0.1", Reach::internet},
        {"2606:4700::1111", Reach::internet},
        {"::ffff:1.1.1.1", Reach::internet},
        {"64:ff9b::101:101", Reach::internet},
        {"10.0.0.1", Reach::network},
        {"172.16.0.1", Reach::network},
        {"172.31.255.255", Reach::network},
        {"192.168.88.1", Reach::network},
        {"100.64.0.1", Reach::network},
        {"100.127.255.254", Reach::network},
        {"198.18.0.1", Reach::network},
        {"fd00::1", Reach::network},
        {"fec0::1", Reach::network},
        {"64:ff9b::a00:1", Reach::network},
        {"64:ff9b:1::1", Reach::network},
        {"2002:c0a8:101::1", Reach::network},
        {"2001:0:808:808:0:0:f5ff:fffe", Reach::network},
        {"169.254.169.254", Reach::link},
        {"::ffff:169.254.169.254", Reach::link},
        {"fe80::1", Reach::link},
        {"ff02::1", Reach::link},
        {"224.0.0.251", Reach::link},
        {"255.255.255.255", Reach::link},
        {"127.0.0.1", Reach::host},
        {"127.255.0.9", Reach::host},
        {"0.0.0.0", Reach::host},
        {"::", Reach::host},
        {"::1", Reach::host},
        {"::ffff:127.0.0.1", Reach::host},
        {"::127.0.0.1", Reach::host},
        {"64:ff9b::7f00:1", Reach::host},
        {"2002:7f00:1::1", Reach::host},
    };
    for (const auto& c : cases) {
        const auto address = IpAddress::parse(c.address);
        BOOST_TEST_REQUIRE(address.has_value(), c.address);
        BOOST_TEST((reach_of(*address) == c.reach),
                   c.address << " is " << name_of(reach_of(*address)));
    }
}

BOOST_AUTO_TEST_CASE(a_redirect_never_leads_to_a_more_local_address) {
    using enum Reach;
    for (const Reach from : {internet, network, link, host}) {
        BOOST_TEST(may_redirect(from, internet));
        BOOST_TEST(may_redirect(from, from));
        BOOST_TEST(may_redirect(host, from));
    }
    BOOST_TEST(!may_redirect(internet, network));
    BOOST_TEST(!may_redirect(internet, link));
    BOOST_TEST(!may_redirect(internet, host));
    BOOST_TEST(!may_redirect(network, link));
    BOOST_TEST(!may_redirect(network, host));
    BOOST_TEST(!may_redirect(link, host));
}

BOOST_AUTO_TEST_SUITE_END()
