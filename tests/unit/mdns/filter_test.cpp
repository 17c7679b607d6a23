#include <boost/test/unit_test.hpp>

#include "control/mdns/message_writer.h"
#include "control/mdns/packet_filter.h"
#include "packet.h"

using namespace steer;
using namespace steer::mdns;

namespace {

struct Filter {
    explicit Filter(std::initializer_list<const char*> services) : filter(listed(services)) {}

    static Services listed(std::initializer_list<const char*> services) {
        std::set<Service, std::less<>> all;
        for (const char* const service : services)
            all.insert(parse_service(service).value());
        return Services(std::move(all));
    }

    // What is left; "nothing".
    std::string operator()(const Packet& packet) {
        auto message = read_message(packet.bytes());
        BOOST_REQUIRE(message);
        const Kept kept = filter.prune(*message, now_ms);
        if (kept == Kept::nothing) return "nothing";
        MessageWriter writer(0, message->flags);
        for (const auto& q : message->questions)
            writer.question(q.name, q.type, q.klass);
        for (const auto& r : message->records)
            writer.record(r);
        const std::string left = text_of(writer.take());
        BOOST_TEST((kept == Kept::all) == (left == text_of(packet.bytes())));
        return left;
    }

    PacketFilter filter;
    std::uint64_t now_ms = 1'000'000;
};

Packet printer() {
    return Packet::response()
        .answer("_ipp._tcp.local", dns::kPtr, wire("Laser._ipp._tcp.local"), kIn, 4500)
        .additional("Laser._ipp._tcp.local", dns::kSrv, srv("Laser.local"))
        .additional("Laser._ipp._tcp.local", dns::kTxt, text("x"))
        .additional("laser.local", dns::kA, address("192.0.2.7"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_names)

BOOST_AUTO_TEST_CASE(service_names_are_parsed) {
    BOOST_TEST(parse_service("_ipp._tcp").value() == "\4_ipp\4_tcp");
    BOOST_TEST(parse_service("_AirPlay._TCP").value() == "\x8_airplay\4_tcp");
    BOOST_TEST(parse_service("_osc._udp.local.").value() == "\4_osc\4_udp");
    BOOST_TEST(parse_service("_sleep-proxy._udp").has_value());
    for (const char* const bad :
         {"", "ipp", "_ipp", "ipp._tcp", "_ipp.tcp", "_ipp._sctp", "_._tcp", "_ipp._tcp.example",
          "x._ipp._tcp", "_ipp.._tcp", "._tcp", "_sub._printer._ipp._tcp"})
        BOOST_TEST(!parse_service(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(names_are_classified_as_service_host_or_other) {
    const auto meaning = [](const char* name) {
        dns::Name n;
        const Bytes bytes = wire(name);
        std::copy(bytes.begin(), bytes.end(), n.wire.begin());
        n.length = static_cast<std::uint8_t>(bytes.size());
        const std::string key = key_of(n);
        const NameMeaning m = meaning_of(key);
        const std::string kinds[] = {"service ", "enumeration", "reverse", "host"};
        return kinds[static_cast<std::size_t>(m.kind)] + std::string(m.service);
    };
    BOOST_TEST(meaning("_ipp._tcp.local") == "service \4_ipp\4_tcp");
    BOOST_TEST(meaning("_IPP._TCP.Local") == "service \4_ipp\4_tcp");
    BOOST_TEST(meaning("Laser._ipp._tcp.local") == "service \4_ipp\4_tcp");
    BOOST_TEST(meaning("_duplex._sub._ipp._tcp.local") == "service \4_ipp\4_tcp");
    BOOST_TEST(meaning("a\\._http\\._tcp._ipp._tcp.local") == "service \4_ipp\4_tcp");
    BOOST_TEST(meaning("_services._dns-sd._udp.local") == "enumeration");
    BOOST_TEST(meaning("lb._dns-sd._udp.local") == "service \7_dns-sd\4_udp");
    BOOST_TEST(meaning("7.2.0.192.in-addr.arpa") == "reverse");
    BOOST_TEST(meaning("1.0.0.2.ip6.arpa") == "reverse");
    BOOST_TEST(meaning("laser.local") == "host");
    BOOST_TEST(meaning("_tcp.local") == "host");
    BOOST_TEST(meaning("x._tcp.local") == "host");
    BOOST_TEST(meaning("_ipp._tcp.example") == "host");
    BOOST_TEST(meaning(".") == "host");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(packet_filter)

BOOST_AUTO_TEST_CASE(without_services_all_but_link_local_records_pass) {
    Filter all({});
    BOOST_TEST(all(printer()) == text_of(printer().bytes()));
    BOOST_TEST(all(Packet::query().question("x.local", dns::kAny)) == "? x.local ANY\n");
    BOOST_TEST(all(Packet::response()
                       .answer("x.local", dns::kA, address("169.254.3.4"))
                       .answer("x.local", dns::kA, address("169.253.3.4"))
                       .answer("x.local", dns::kAaaa, address("fe80::1"))
                       .answer("x.local", dns::kAaaa, address("febf::1"))
                       .answer("x.local", dns::kAaaa, address("fec0::1"))) ==
               "! x.local A flush 120\n! x.local AAAA flush 120\n");
    BOOST_TEST(all(Packet::response()
                       .answer("x.local", dns::kAaaa, address("fe80::1"))
                       .additional("x.local", dns::kA, address("192.0.2.1"))) == "nothing");
}

BOOST_AUTO_TEST_CASE(listed_services_pass_with_their_hosts) {
    Filter ipp({"_ipp._tcp"});
    BOOST_TEST(ipp(printer()) == text_of(printer().bytes()));
    Packet both = printer();
    both.additional("TV._airplay._tcp.local", dns::kSrv, srv("tv.local"))
        .additional("tv.local", dns::kA, address("192.0.2.8"));
    BOOST_TEST(ipp(both) == text_of(printer().bytes()));
    BOOST_TEST(ipp(Packet::response()
                       .answer("_airplay._tcp.local", dns::kPtr, wire("TV._airplay._tcp.local"))
                       .additional("laser.local", dns::kA, address("192.0.2.7"))) == "nothing");
}

BOOST_AUTO_TEST_CASE(questions_for_other_services_are_removed) {
    Filter ipp({"_ipp._tcp"});
    BOOST_TEST(ipp(Packet::query()
                       .question("_airplay._tcp.local", dns::kPtr, kQuIn)
                       .question("_ipp._tcp.local", dns::kPtr, kQuIn)
                       .question("_services._dns-sd._udp.local", dns::kPtr)
                       .question("7.2.0.192.in-addr.arpa", dns::kPtr)
                       .question("laser.local", dns::kA)) ==
               "? _ipp._tcp.local PTR QU\n? _services._dns-sd._udp.local PTR\n"
               "? 7.2.0.192.in-addr.arpa PTR\n");
    BOOST_TEST(ipp(Packet::query().question("_airplay._tcp.local", dns::kPtr)) == "nothing");
    // With its known answers: these alone would be none of anybody's.
    BOOST_TEST(ipp(Packet::query()
                       .question("_airplay._tcp.local", dns::kPtr)
                       .answer("_ipp._tcp.local", dns::kPtr, wire("Laser._ipp._tcp.local"))) ==
               "nothing");
}

BOOST_AUTO_TEST_CASE(known_answers_are_filtered_like_answers) {
    Filter ipp({"_ipp._tcp"});
    BOOST_TEST(ipp(Packet::query()
                       .question("_ipp._tcp.local", dns::kPtr)
                       .answer("_ipp._tcp.local", dns::kPtr, wire("Laser._ipp._tcp.local"), kIn)
                       .answer("_raop._tcp.local", dns::kPtr, wire("TV._raop._tcp.local"), kIn)) ==
               "? _ipp._tcp.local PTR\n! _ipp._tcp.local PTR 120 -> Laser._ipp._tcp.local\n");
    // More of them, behind a query with TC (RFC 6762 7.2): no question is in there.
    BOOST_TEST(ipp(Packet::query().answer("_ipp._tcp.local", dns::kPtr,
                                          wire("Laser._ipp._tcp.local"), kIn)) ==
               "! _ipp._tcp.local PTR 120 -> Laser._ipp._tcp.local\n");
}

BOOST_AUTO_TEST_CASE(the_service_type_list_has_only_listed_services) {
    Filter ipp({"_ipp._tcp"});
    const char* const types = "_services._dns-sd._udp.local";
    BOOST_TEST(ipp(Packet::response()
                       .answer(types, dns::kPtr, wire("_ipp._tcp.local"), kIn)
                       .answer(types, dns::kPtr, wire("_ssh._tcp.local"), kIn)
                       .answer(types, dns::kTxt, text("x"), kIn)) ==
               "! _services._dns-sd._udp.local PTR 120 -> _ipp._tcp.local\n");
}

BOOST_AUTO_TEST_CASE(hosts_are_known_from_srv_records_for_some_time) {
    Filter ipp({"_ipp._tcp"});
    const auto ask = Packet::query().question("LASER.local", dns::kAaaa);
    const auto reverse =
        Packet::response().answer("7.2.0.192.in-addr.arpa", dns::kPtr, wire("laser.local"));
    BOOST_TEST(ipp(ask) == "nothing");
    BOOST_TEST(ipp(reverse) == "nothing");
    // Of another service, or a goodbye: not learnt from.
    (void)ipp(Packet::response().answer("X._ssh._tcp.local", dns::kSrv, srv("laser.local")));
    (void)ipp(
        Packet::response().answer("X._ipp._tcp.local", dns::kSrv, srv("laser.local"), kFlushIn, 0));
    BOOST_TEST(ipp(ask) == "nothing");
    (void)ipp(printer());
    BOOST_TEST(ipp(ask) == "? LASER.local AAAA\n");
    BOOST_TEST(ipp(reverse) == text_of(reverse.bytes()));
    const auto goodbye =
        Packet::response().answer("laser.local", dns::kA, address("192.0.2.7"), kFlushIn, 0);
    BOOST_TEST(ipp(goodbye) == text_of(goodbye.bytes()));
    ipp.now_ms += 119'999;
    BOOST_TEST(ipp(ask) == "? LASER.local AAAA\n");
    ipp.now_ms += 1;
    BOOST_TEST(ipp(ask) == "nothing");
}

BOOST_AUTO_TEST_CASE(a_probe_passes_with_what_it_proposes) {
    Filter ipp({"_ipp._tcp"});
    const auto propose = [](Packet packet, const char* owner, std::uint16_t type,
                            const Bytes& rdata) {
        return packet.record(Section::authority, owner, type, kIn, 120, rdata);
    };
    auto probe = Packet::query()
                     .question("Laser._ipp._tcp.local", dns::kAny, kQuIn)
                     .question("laser.local", dns::kAny, kQuIn)
                     .question("9.2.0.192.in-addr.arpa", dns::kAny, kQuIn);
    probe = propose(probe, "Laser._ipp._tcp.local", dns::kSrv, srv("laser.local"));
    probe = propose(probe, "laser.local", dns::kA, address("192.0.2.7"));
    probe = propose(probe, "9.2.0.192.in-addr.arpa", dns::kPtr, wire("other.local"));
    BOOST_TEST(ipp(probe) ==
               "? Laser._ipp._tcp.local ANY QU\n? laser.local ANY QU\n"
               "~ Laser._ipp._tcp.local SRV 120 -> laser.local\n~ laser.local A 120\n");
    Filter ssh({"_ssh._tcp"});
    BOOST_TEST(ssh(probe) == "nothing");
}

BOOST_AUTO_TEST_CASE(an_opt_record_passes_with_the_message) {
    Filter ipp({"_ipp._tcp"});
    Packet packet = printer();
    packet.record(Section::additional, ".", dns::kOpt, 1440, 0, {});
    BOOST_TEST(ipp(packet) == text_of(packet.bytes()));
    BOOST_TEST(ipp(Packet::response().record(Section::additional, ".", dns::kOpt, 1440, 0, {})) ==
               "nothing");
}

BOOST_AUTO_TEST_CASE(the_number_of_known_hosts_is_limited) {
    ServiceHosts hosts;
    for (std::size_t i = 0; i < ServiceHosts::kMax; ++i)
        BOOST_REQUIRE(hosts.learn("h" + std::to_string(i), 200, 0));
    BOOST_TEST(!hosts.learn("one more", 200, 0));
    BOOST_TEST(hosts.learn("h7", 300, 0));
    BOOST_TEST(hosts.learn("one more", 200, 200'000));
    BOOST_TEST(hosts.size() == 2U);
    BOOST_TEST(hosts.knows("h7", 200'000));
}

BOOST_AUTO_TEST_SUITE_END()
