// Which name a DNS record gives an address.
#include "control/config/text/record_names.h"

#include <boost/test/unit_test.hpp>

#include "control/config/text/dns_names.h"
#include "dataplane/dns/wire.h"

using namespace steer;
using config::name_in_record;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes wire(std::string_view name) {
    return config::asked_name(name).value();
}

// "ADDRESS NAME", " PTR" behind it; empty: it names no client.
std::string named(const Bytes& owner, std::uint16_t type, const Bytes& rdata) {
    const auto found = name_in_record(owner, type, rdata);
    if (!found) return {};
    return found->address.to_string() + " " + found->name + (found->is_ptr ? " PTR" : "");
}

BOOST_AUTO_TEST_SUITE(record_names)

BOOST_AUTO_TEST_CASE(addresses_have_the_name_of_the_owner) {
    BOOST_TEST(named(wire("nas.lan"), dns::kA, {192, 0, 2, 5}) == "192.0.2.5 nas.lan");
    const IpAddress six = *IpAddress::parse("2001:db8::5");
    BOOST_TEST(named(wire("nas.lan"), dns::kAaaa, {six.bytes.begin(), six.bytes.end()}) ==
               "2001:db8::5 nas.lan");
}

BOOST_AUTO_TEST_CASE(a_pointer_names_the_address_of_its_owner) {
    BOOST_TEST(named(wire("5.2.0.192.IN-ADDR.arpa"), dns::kPtr, wire("tv.lan")) ==
               "192.0.2.5 tv.lan PTR");
    const IpAddress six = *IpAddress::parse("2001:db8::a:5");
    BOOST_TEST(named(wire(config::pointer_name_v6(six.bytes)), dns::kPtr, wire("tv.lan")) ==
               "2001:db8::a:5 tv.lan PTR");
}

BOOST_AUTO_TEST_CASE(what_names_no_client_is_left_out) {
    for (const char* const owner :
         {"2.0.192.in-addr.arpa", "256.2.0.192.in-addr.arpa", "a.2.0.192.in-addr.arpa",
          "1.5.2.0.192.in-addr.arpa", "5.2.0.192.in-addr.example", "5.0.ip6.arpa", "tv.lan", "."})
        BOOST_TEST(named(wire(owner), dns::kPtr, wire("tv.lan")).empty(), owner);
    BOOST_TEST(named(wire("5.2.0.192.in-addr.arpa"), dns::kPtr, {3, 't', 'v'}).empty());
    BOOST_TEST(named(wire("5.2.0.192.in-addr.arpa"), dns::kPtr, {0}).empty());
    for (const Bytes& four : {Bytes{127, 0, 0, 1}, Bytes{0, 0, 0, 0}, Bytes{224, 0, 0, 1},
                              Bytes{255, 255, 255, 255}, Bytes{192, 0, 2}})
        BOOST_TEST(named(wire("nas.lan"), dns::kA, four).empty());
    BOOST_TEST(named(wire("*.lan"), dns::kA, {192, 0, 2, 5}).empty());
    BOOST_TEST(named(wire("nas.lan"), dns::kTxt, {192, 0, 2, 5}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
