// Single values: what is accepted and what is not.
#include "control/config/values.h"

#include <boost/test/unit_test.hpp>

#include "control/config/report.h"

namespace steer::config {
namespace {

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(durations_are_parsed) {
    BOOST_TEST((parse_duration("90") == Milliseconds(90'000)));
    BOOST_TEST((parse_duration("250ms") == Milliseconds(250)));
    BOOST_TEST((parse_duration("1h30m") == Milliseconds(5'400'000)));
    BOOST_TEST((parse_duration("1w") == Milliseconds(604'800'000)));
    for (const char* bad :
         {"", "s", "-1", "1.5", "5 s", "1y", "99999999999999999999", "99999999999w", "1s5"}) {
        BOOST_TEST(!parse_duration(bad).has_value(), bad);
    }
    BOOST_TEST(duration_text(Milliseconds(250)) == "250ms");
    BOOST_TEST(duration_text(Milliseconds(90'000)) == "90s");
    BOOST_TEST(duration_text(Milliseconds(3'600'000)) == "1h");
    BOOST_TEST(duration_text(Milliseconds(0)) == "0s");
}

BOOST_AUTO_TEST_CASE(sizes_are_parsed) {
    BOOST_TEST(parse_size("64MiB").value() == 64U << 20);
    BOOST_TEST(parse_size("2 GiB").value() == 2UL << 30);
    BOOST_TEST(parse_size("10MB").value() == 10'000'000U);
    for (const char* bad : {"", "64", "64M", "MiB", "64mib", "99999999999999999GiB"}) {
        BOOST_TEST(!parse_size(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(integers_and_booleans_are_parsed) {
    BOOST_TEST(parse_integer("0").value() == 0U);
    BOOST_TEST(parse_integer("0x10").value() == 16U);
    for (const char* bad : {"", "-1", "+1", "1.0", "0x", "1 ", "99999999999999999999"}) {
        BOOST_TEST(!parse_integer(bad).has_value(), bad);
    }
    BOOST_TEST(parse_percent("30%").value() == 30U);
    BOOST_TEST(parse_percent("30 %").value() == 30U);
    for (const char* bad : {"", "%", "30", "30  %", "-1%", "30%%", " 30%"}) {
        BOOST_TEST(!parse_percent(bad).has_value(), bad);
    }
    BOOST_TEST(parse_boolean("TRUE").value());
    BOOST_TEST(!parse_boolean("false").value());
    BOOST_TEST(!parse_boolean("yes").has_value());
}

BOOST_AUTO_TEST_CASE(endpoints_are_parsed) {
    BOOST_TEST(parse_endpoint(":53").value().any());
    BOOST_TEST(parse_endpoint("[::]:53").value().any());
    BOOST_TEST(parse_endpoint("0.0.0.0:53").value().any_v4());
    BOOST_TEST(parse_endpoint("[2001:db8::1]:5353").value().to_string() == "[2001:db8::1]:5353");
    for (const char* bad : {"", ":", ":0", ":65536", "53", "192.0.2.1", "2001:db8::1:53", "name:53",
                            "[192.0.2.1]:53"}) {
        BOOST_TEST(!parse_endpoint(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(hosts_with_ports_are_parsed) {
    BOOST_TEST(parse_host_port("router.example:8728").value().host == "router.example");
    BOOST_TEST(parse_host_port("2001:db8::1").value().address.value().to_string() == "2001:db8::1");
    BOOST_TEST(!parse_host_port("2001:db8::1").value().port.has_value());
    for (const char* bad :
         {"", "a b", "192.0.2.300", "a..b", "-a", "a:b:c", "192.0.2.1:", "1.2.3"}) {
        BOOST_TEST(!parse_host_port(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(a_link_local_address_may_have_a_zone) {
    for (const char* text : {"fe80::1%eth0", "[fe80::1%eth0]"}) {
        const auto parts = parse_host_port(text, Zones::allowed).value();
        BOOST_TEST(parts.host == "fe80::1");
        BOOST_TEST(parts.address.value().to_string() == "fe80::1");
        BOOST_TEST(parts.zone == "eth0");
        BOOST_TEST(!parts.port.has_value());
        BOOST_TEST(!parse_host_port(text).has_value());  // where no zone is taken
    }
    BOOST_TEST(parse_host_port("[fe80::1%3]:5353", Zones::allowed).value().zone == "3");
    BOOST_TEST(int{parse_host_port("[fe80::1%3]:5353", Zones::allowed).value().port.value()} ==
               5353);
    BOOST_TEST(parse_host_port("2001:db8::1", Zones::allowed).value().zone.empty());
    for (const char* bad : {"fe80::1%", "fe80::1%a/b", "fe80::1%eth0%1", "2001:db8::1%eth0",
                            "192.0.2.1%eth0", "dns.example%eth0", "[fe80::1]%eth0",
                            "fe80::1%sixteen-letters-", "fe80::1%eth0:53", "[fe80::1%eth0:1]"}) {
        BOOST_TEST(!parse_host_port(bad, Zones::allowed).has_value(), bad);
    }
    // In brackets as in a URI (RFC 6874); digits after it are the number of an interface.
    BOOST_TEST(parse_host_port("[fe80::1%25eth0]:53", Zones::allowed).value().zone == "eth0");
    BOOST_TEST(parse_host_port("[fe80::1%25]", Zones::allowed).value().zone == "25");
    BOOST_TEST(parse_host_port("[fe80::1%251]", Zones::allowed).value().zone == "251");
    BOOST_TEST(parse_host_port("fe80::1%25eth0", Zones::allowed).value().zone == "25eth0");
    const auto endpoint = parse_endpoint("[fe80::1%eth0]:53").value();
    BOOST_TEST(endpoint.zone == "eth0");
    BOOST_TEST(endpoint.to_string() == "[fe80::1%eth0]:53");
    BOOST_TEST(!parse_endpoint("fe80::1%eth0").has_value());  // no port
}

BOOST_AUTO_TEST_CASE(response_codes_are_parsed) {
    BOOST_TEST(int{parse_rcode("NXDOMAIN").value()} == 3);
    BOOST_TEST(int{parse_rcode("15").value()} == 15);
    BOOST_TEST(parse_rcode("16").value() == 16);
    BOOST_TEST(parse_rcode("badcookie").value() == 23);
    BOOST_TEST(parse_rcode("4095").value() == 4095);
    BOOST_TEST(!parse_rcode("4096").has_value());
    BOOST_TEST(!parse_rcode("what").has_value());
}

BOOST_AUTO_TEST_CASE(words_are_split_at_blanks_and_commas_but_not_inside_a_regexp) {
    const std::vector<std::string_view> expected{"a.example", "b.example", "regexp:^a{1,3}$",
                                                 "c.example"};
    BOOST_TEST(split_words(" a.example,b.example  regexp:^a{1,3}$ c.example,") == expected,
               boost::test_tools::per_element());
    BOOST_TEST(split_words(" , ").empty());
}

BOOST_AUTO_TEST_CASE(a_suggestion_is_a_similar_word_or_none) {
    const std::vector<std::string_view> known{"forward", "cache", "sequence"};
    BOOST_TEST(did_you_mean("foward", known) == ": did you mean 'forward'?");
    BOOST_TEST(did_you_mean("sequnece", known) == ": did you mean 'sequence'?");
    BOOST_TEST(did_you_mean("hosts", known).empty());
    BOOST_TEST(did_you_mean("", known).empty());
    BOOST_TEST(did_you_mean(std::string(100'000, 'a'), known).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::config
