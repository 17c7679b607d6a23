// Names that hosts say of their own address.
#include "control/mdns/named_hosts.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "packet.h"

using namespace steer;
using namespace steer::mdns;

namespace {

struct Hosts {
    void say(const char* source, const Packet& packet, const char* link = "lan") {
        const auto message = read_message(packet.bytes());
        BOOST_REQUIRE(message);
        hosts.learn(link, *IpAddress::parse(source), *message, now_ms);
    }
    // "ADDRESS NAME LINK;" of each.
    std::string known() const {
        std::string out;
        hosts.each(now_ms, [&out](const NamedHost& one) {
            out += one.address.to_string() + " " + one.name + " " + one.link + ";";
        });
        return out;
    }
    static Packet says(const char* name, const char* of) {
        const auto ip = *IpAddress::parse(of);
        return Packet::response().answer(name, ip.is_v4() ? dns::kA : dns::kAaaa, address(of));
    }

    NamedHosts hosts;
    std::uint64_t now_ms = 1'000'000;
};

BOOST_FIXTURE_TEST_SUITE(named_hosts, Hosts)

BOOST_AUTO_TEST_CASE(a_host_names_its_own_address) {
    say("192.0.2.7", says("Leos-iPad.local", "192.0.2.7"));
    say("2001:db8::7", says("Leos-iPad.local", "2001:db8::7"));
    // In an additional record, too, as beside a service.
    say("192.0.2.8", Packet::response()
                         .answer("_ipp._tcp.local", dns::kPtr, wire("L._ipp._tcp.local"))
                         .additional("printer.local", dns::kA, address("192.0.2.8")));
    BOOST_TEST(known() ==
               "192.0.2.7 Leos-iPad lan;192.0.2.8 printer lan;2001:db8::7 Leos-iPad lan;");
}

BOOST_AUTO_TEST_CASE(a_host_cannot_name_the_address_of_another) {
    say("192.0.2.66", says("Leos-iPad.local", "192.0.2.7"));
    say("192.0.2.66", says("deep.er.local", "192.0.2.66"));
    say("192.0.2.66", says("www.example", "192.0.2.66"));
    say("fe80::7", says("Leos-iPad.local", "2001:db8::7"));
    say("192.0.2.66", Packet::query().record(Section::authority, "probe.local", dns::kA, kIn, 120,
                                             address("192.0.2.66")));
    say("192.0.2.66", Packet::response().record(Section::authority, "probe.local", dns::kA, kIn,
                                                120, address("192.0.2.66")));
    BOOST_TEST(known().empty());
}

BOOST_AUTO_TEST_CASE(names_end_with_a_goodbye_and_with_their_time) {
    const auto goodbye = [](const char* name) {
        return Packet::response().answer(name, dns::kA, address("192.0.2.7"), kFlushIn, 0);
    };
    say("192.0.2.7", says("a.local", "192.0.2.7"));
    say("192.0.2.7", goodbye("other.local"));
    BOOST_TEST(known() == "192.0.2.7 a lan;");
    say("192.0.2.7", goodbye("a.local"));
    BOOST_TEST(known().empty());
    // At least two minutes, at most 75.
    say("192.0.2.7",
        Packet::response().answer("b.local", dns::kA, address("192.0.2.7"), kFlushIn, 1));
    say("192.0.2.8", Packet::response().answer("c.local", dns::kA, address("192.0.2.8"), kFlushIn,
                                               1'000'000'000));
    now_ms += 119'000;
    BOOST_TEST(known() == "192.0.2.7 b lan;192.0.2.8 c lan;");
    now_ms += 2'000;
    BOOST_TEST(known() == "192.0.2.8 c lan;");
    now_ms += 4'500'000;
    BOOST_TEST(known().empty());
}

BOOST_AUTO_TEST_CASE(a_flood_on_a_link_takes_no_names_of_other_links) {
    say("192.0.2.200", says("early.local", "192.0.2.200"));
    for (unsigned i = 0; i < 2 * NamedHosts::kMost; ++i) {
        const std::string source =
            "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
        say(source.c_str(), says("x.local", source.c_str()));
    }
    const std::string before = known();
    BOOST_TEST(static_cast<std::size_t>(std::ranges::count(before, ';')) == NamedHosts::kMost);
    BOOST_TEST(before.find("192.0.2.200 early lan;") != std::string::npos);
    // One that is known may change its name; others have room.
    say("192.0.2.200", says("late.local", "192.0.2.200"));
    say("2001:db8::7", says("six.local", "2001:db8::7"));
    say("198.51.100.7", says("tv.local", "198.51.100.7"), "things");
    BOOST_TEST(known().find("192.0.2.200 late lan;") != std::string::npos);
    BOOST_TEST(known().find("2001:db8::7 six lan;") != std::string::npos);
    BOOST_TEST(known().find("198.51.100.7 tv things;") != std::string::npos);
    // When the flood has expired, there is room again.
    now_ms += 121'000;
    say("192.0.2.201", says("new.local", "192.0.2.201"));
    BOOST_TEST(known() == "192.0.2.201 new lan;");
    hosts.keep_links([](const std::string& link) { return link == "things"; });
    BOOST_TEST(known().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
