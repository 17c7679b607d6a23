#include "control/sources/transfer/zone_digest.h"

#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

// RFC 8976 A.1.
const std::string kSimple =
    "@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n"
    "@ 86400 NS ns1\n"
    "@ 86400 NS ns2\n"
    "@ 86400 TYPE63 \\# 54 7848b91c0101"
    "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e73004"
    "4c"
    "\n"
    "ns1 3600 A 203.0.113.63\n"
    "ns2 3600 AAAA 2001:db8::63\n";

DigestResult check(const std::string& text) {
    return check_digest(zone_of(text, "example")).result;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zone_digest)

BOOST_AUTO_TEST_CASE(the_example_of_the_rfc_is_right) {
    const auto checked = check_digest(zone_of(kSimple, "example"));
    BOOST_TEST((checked.result == DigestResult::right), checked.why);
}

BOOST_AUTO_TEST_CASE(a_changed_zone_is_wrong) {
    BOOST_TEST((check(replaced(kSimple, "203.0.113.63", "203.0.113.64")) == DigestResult::wrong));
    BOOST_TEST((check(replaced(kSimple, "ns1 3600", "ns1 3601")) == DigestResult::wrong));
    BOOST_TEST((check(kSimple + "www 60 A 192.0.2.1\n") == DigestResult::wrong));
    BOOST_TEST((check(replaced(kSimple, "2018031900 ", "2018031901 ")) == DigestResult::wrong));
}

BOOST_AUTO_TEST_CASE(a_zone_without_a_known_digest_is_not_checked) {
    BOOST_TEST((check(soa(1)) == DigestResult::none));
    BOOST_TEST((check(replaced(kSimple, "b91c0101", "b91c0201")) == DigestResult::not_checked));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
