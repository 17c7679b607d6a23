#include "control/mdns/repeater.h"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <numeric>

#include "packet.h"

using namespace steer;
using namespace steer::mdns;

namespace {

constexpr int kOffice = 3, kGuests = 4, kThings = 5;

IpAddress ip(const char* text) {
    return IpAddress::parse(text).value();
}

struct Sent {
    int if_index;
    bool v6;
    Bytes bytes;
    LegacyQuerier to = {};  // of a unicast answer
};

struct Out : Outlet {
    bool send(int if_index, bool v6, std::span<const std::uint8_t> bytes) override {
        sent.push_back({if_index, v6, {bytes.begin(), bytes.end()}});
        return !broken;
    }
    bool send_to(const LegacyQuerier& asker, std::span<const std::uint8_t> bytes) override {
        sent.push_back(
            {asker.if_index, !asker.address.is_v4(), {bytes.begin(), bytes.end()}, asker});
        return !broken;
    }
    std::vector<Sent> sent;
    bool broken = false;
};

Link link(int if_index, const char* name, const char* network4, const char* network6) {
    return {.if_index = if_index,
            .name = name,
            .v4 = true,
            .v6 = true,
            .networks = {matchers::Prefix::parse(network4).value(),
                         matchers::Prefix::parse(network6).value()}};
}

std::vector<Link> three_links() {
    return {link(kOffice, "office", "192.0.2.0/25", "2001:db8:1::/64"),
            link(kGuests, "guests", "192.0.2.128/25", "2001:db8:2::/64"),
            link(kThings, "things", "198.51.100.0/24", "2001:db8:3::/64")};
}

struct Three {
    Three() {
        repeater.set_links(three_links(),
                           {ip("192.0.2.1"), ip("fe80::1"), ip("192.0.2.129"), ip("198.51.100.1")},
                           now_ms);
    }
    // Where it was sent, and what; what was sent before is forgotten.
    std::vector<Sent> give(Arrival arrival, const Bytes& bytes) {
        out.sent.clear();
        arrival.bytes = bytes;
        repeater.receive(arrival, now_ms);
        return out.sent;
    }
    std::vector<Sent> give(const char* source, const Packet& packet) {
        return give(from(source), packet.bytes());
    }
    static Arrival from(const char* source, int if_index = kOffice) {
        return {.if_index = if_index, .source = ip(source), .port = kPort, .hop_limit = 255};
    }
    std::uint64_t count(const char* name, MdnsCount what) {
        return repeater.counters().at(name).get(what);
    }

    Out out;
    Repeater repeater{out};
    std::uint64_t now_ms = 5'000'000;
};

Packet ask(const char* name, std::uint16_t type = dns::kPtr, std::uint16_t klass = kIn) {
    return Packet::query().question(name, type, klass);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(repeater, Three)

BOOST_AUTO_TEST_CASE(a_message_goes_to_all_other_interfaces_in_its_family) {
    const auto query = ask("_ipp._tcp.local").bytes();
    for (const bool v6 : {false, true}) {
        const auto sent = give(from(v6 ? "fe80::7" : "192.0.2.7"), query);
        BOOST_REQUIRE(sent.size() == 2U);
        BOOST_TEST(sent[0].if_index == kGuests);
        BOOST_TEST(sent[1].if_index == kThings);
        for (const auto& s : sent) {
            BOOST_TEST(s.v6 == v6);
            BOOST_TEST(s.bytes == query, boost::test_tools::per_element());
        }
    }
    const auto back = give(
        from("198.51.100.9", kThings),
        Packet::response().answer("_ipp._tcp.local", dns::kPtr, wire("L._ipp._tcp.local")).bytes());
    BOOST_REQUIRE(back.size() == 2U);
    BOOST_TEST(back[0].if_index == kOffice);
    BOOST_TEST(count("office", MdnsCount::repeated) == 2U);
    BOOST_TEST(count("office", MdnsCount::sent) == 1U);
    BOOST_TEST(count("things", MdnsCount::sent) == 2U);
}

BOOST_AUTO_TEST_CASE(a_message_goes_only_to_interfaces_with_its_family) {
    auto links = three_links();
    links[1].v4 = false;
    repeater.set_links(links, {}, now_ms);
    BOOST_TEST(give("192.0.2.7", ask("a.local")).size() == 1U);
    BOOST_TEST(give("2001:db8:1::7", ask("a.local")).size() == 2U);
}

// A unicast answer would be sent to us, and not to the host that asked (RFC 6762 5.4).
BOOST_AUTO_TEST_CASE(the_unicast_bit_is_cleared) {
    const auto sent =
        give("192.0.2.7", ask("a.local", dns::kA, kQuIn).question("b.local", dns::kA, kQuIn).id(9));
    BOOST_REQUIRE(sent.size() == 2U);
    BOOST_TEST(sent[0].bytes == ask("a.local", dns::kA).question("b.local", dns::kA).bytes(),
               boost::test_tools::per_element());
    // In a response the same bit means another thing: it stays.
    const auto response = Packet::response().answer("a.local", dns::kA, address("192.0.2.7"));
    BOOST_TEST(text_of(give("192.0.2.7", response)[0].bytes) == "! a.local A flush 120\n");
    // Pruned, and so written again.
    const auto pruned =
        ask("a.local", dns::kA, kQuIn)
            .record(Section::authority, "a.local", dns::kAaaa, kIn, 9, address("fe80::1"));
    BOOST_TEST(give("192.0.2.8", pruned).empty());  // no record that it proposes is left
}

BOOST_AUTO_TEST_CASE(hosts_of_a_link_have_names_whatever_is_repeated) {
    const auto names = [this] {
        std::string all;
        repeater.hosts().each(now_ms, [&all](const NamedHost& one) {
            all += one.address.to_string() + " " + one.name + " " + one.link + ";";
        });
        return all;
    };
    repeater.set_services(Services({parse_service("_ipp._tcp").value()}));
    const auto says = Packet::response().answer("tv.local", dns::kA, address("192.0.2.7"));
    BOOST_TEST(give("192.0.2.7", says).empty());  // it offers no listed service
    BOOST_TEST(names() == "192.0.2.7 tv office;");
    // A packet from outside the link, or through a router, names no host.
    for (const Arrival& wrong :
         {from("198.51.100.9"),
          Arrival{
              .if_index = kThings, .source = ip("198.51.100.9"), .port = kPort, .hop_limit = 254}})
        give(wrong, Packet::response().answer("x.local", dns::kA, address("198.51.100.9")).bytes());
    BOOST_TEST(names() == "192.0.2.7 tv office;");
    auto links = three_links();
    links.erase(links.begin());
    repeater.set_links(links, {}, now_ms);
    BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_CASE(invalid_and_off_link_packets_are_dropped) {
    const auto query = ask("a.local").bytes();
    const auto dropped = [&](Arrival arrival, MdnsCount why, const Bytes& bytes) {
        const auto before = count("office", why);
        BOOST_TEST(give(std::move(arrival), bytes).empty());
        BOOST_TEST(count("office", why) == before + 1, kMdnsCounts[why].label);
    };
    BOOST_REQUIRE(give(from("192.0.2.7"), query).size() == 2U);
    dropped(from("192.0.2.1"), MdnsCount::own, query);
    dropped(from("192.0.2.129"), MdnsCount::own, query);  // from our address on another link
    dropped(from("192.0.2.130"), MdnsCount::off_link, query);
    dropped(from("2001:db8:2::7"), MdnsCount::off_link, query);
    for (const int hops : {-1, 1, 64, 254}) {
        Arrival far = from("192.0.2.7");
        far.hop_limit = hops;
        dropped(far, MdnsCount::hop_limit, query);
    }
    Arrival cut = from("192.0.2.7");
    cut.cut = true;
    dropped(cut, MdnsCount::too_large, query);
    dropped(from("192.0.2.7"), MdnsCount::too_large, Bytes(kMaxMessageBytes + 1));
    dropped(from("192.0.2.7"), MdnsCount::malformed, Bytes(11));
    dropped(from("192.0.2.7"), MdnsCount::filtered,
            Packet::response().answer("a.local", dns::kAaaa, address("fe80::1")).bytes());
    Arrival nowhere = from("192.0.2.7", 77);
    BOOST_TEST(give(nowhere, query).empty());

    const auto& counts = repeater.counters().at("office").counts;
    const auto ends = std::accumulate(
        counts.begin() + 1, counts.begin() + static_cast<int>(MdnsCount::legacy_refused) + 1,
        std::uint64_t{0});
    BOOST_TEST(ends == counts[0]);
}

BOOST_AUTO_TEST_CASE(link_local_sources_are_accepted_on_every_link) {
    BOOST_TEST(give("169.254.7.7", ask("a.local")).size() == 2U);
    BOOST_TEST(give("fe80::7", ask("a.local")).size() == 2U);
}

BOOST_AUTO_TEST_CASE(floods_are_rate_limited) {
    std::size_t passed = 0;
    for (int i = 0; i < 1000; ++i)
        passed +=
            give("192.0.2.7", ask(("h" + std::to_string(i) + ".local").c_str())).empty() ? 0U : 1U;
    BOOST_TEST(passed == PacketBudget::kSourceAtOnce);
    BOOST_TEST(give("192.0.2.8", ask("a.local")).size() == 2U);  // others go on
    now_ms += 1000;
    passed = 0;
    for (int i = 0; i < 1000; ++i)
        passed +=
            give("192.0.2.7", ask(("k" + std::to_string(i) + ".local").c_str())).empty() ? 0U : 1U;
    BOOST_TEST(passed == PacketBudget::kSourcePerSecond);
    // Many senders: the link's own budget.
    now_ms += 10'000;
    passed = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string source = "192.0.2." + std::to_string(2 + i % 120);
        passed += give(source.c_str(), ask(("m" + std::to_string(i) + ".local").c_str())).empty()
                      ? 0U
                      : 1U;
    }
    BOOST_TEST(passed == PacketBudget::kLinkAtOnce);
    BOOST_TEST(count("office", MdnsCount::over_budget) == 800U + 900U + 1200U);
}

BOOST_AUTO_TEST_CASE(forged_senders_use_bounded_memory) {
    PacketBudget budget(0);
    unsigned passed = 0;
    for (unsigned i = 0; i < 5000; ++i) {
        const std::uint8_t bytes[] = {10, 0, static_cast<std::uint8_t>(i >> 8),
                                      static_cast<std::uint8_t>(i)};
        if (budget.take(IpAddress::from_v4(bytes), i)) ++passed;
    }
    BOOST_TEST(passed < 3000U);
    BOOST_TEST(passed > 2000U);  // 800, and 400 a second for five
}

BOOST_AUTO_TEST_CASE(a_host_may_send_a_message_again) {
    const auto probe = ask("a.local", dns::kAny);
    for (int i = 0; i < 3; ++i) {  // RFC 6762 8.1
        BOOST_TEST(give("192.0.2.7", probe).size() == 2U);
        now_ms += 250;
    }
    BOOST_TEST(give("fe80::7", probe).size() == 2U);  // in the other family
    BOOST_TEST(count("office", MdnsCount::duplicates) == 0U);
    // The same from another host or link, within a second of the last.
    BOOST_TEST(give("192.0.2.8", probe).empty());
    BOOST_TEST(give(from("198.51.100.8", kThings), probe.bytes()).empty());
    now_ms += 1000;
    BOOST_TEST(give("192.0.2.8", probe).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_filter_removes_records_and_counts) {
    repeater.set_services(Services({parse_service("_ipp._tcp").value()}));
    const auto sent =
        give("192.0.2.7",
             ask("_ipp._tcp.local", dns::kPtr, kQuIn).question("_ssh._tcp.local", dns::kPtr));
    BOOST_REQUIRE(sent.size() == 2U);
    BOOST_TEST(text_of(sent[0].bytes) == "? _ipp._tcp.local PTR\n");
    BOOST_TEST(count("office", MdnsCount::pruned) == 1U);
    BOOST_TEST(give("192.0.2.7", ask("_ssh._tcp.local")).empty());
    BOOST_TEST(count("office", MdnsCount::filtered) == 1U);
}

BOOST_AUTO_TEST_CASE(interfaces_keep_their_counters_when_they_come_back) {
    (void)give("192.0.2.7", ask("a.local"));
    auto links = three_links();
    links.erase(links.begin() + 1);
    repeater.set_links(links, {}, now_ms);
    BOOST_TEST(give("192.0.2.7", ask("b.local")).size() == 1U);
    BOOST_TEST(give(from("192.0.2.200", kGuests), ask("c.local").bytes()).empty());
    repeater.set_links(three_links(), {}, now_ms);
    out.broken = true;
    (void)give("192.0.2.7", ask("d.local"));
    BOOST_TEST(count("guests", MdnsCount::sent) == 1U);
    BOOST_TEST(count("guests", MdnsCount::not_sent) == 1U);
}

// ---- who asks from a port of its own (RFC 6762 6.7)

BOOST_AUTO_TEST_CASE(one_shot_queries_are_answered_by_unicast) {
    Arrival arrival = from("192.0.2.7");
    arrival.port = 40'000;
    arrival.hop_limit = 1;  // the kernel's default
    const auto query = ask("Laser.local", dns::kA, kQuIn)
                           .id(77)
                           .flags(dns::kRd)
                           .record(Section::additional, ".", dns::kOpt, 1232, 0, {});
    auto sent = give(arrival, query.bytes());
    BOOST_REQUIRE(sent.size() == 2U);
    BOOST_TEST(sent[0].bytes == ask("Laser.local", dns::kA).bytes(),
               boost::test_tools::per_element());
    BOOST_TEST(count("office", MdnsCount::legacy_repeated) == 1U);

    const auto response = Packet::response()
                              .answer("laser.local", dns::kA, address("198.51.100.7"))
                              .answer("other.local", dns::kA, address("198.51.100.8"))
                              .additional("laser.local", dns::kAaaa, address("2001:db8:3::7"));
    // On the asker's own link it has its answer from who gave it.
    BOOST_TEST(give("192.0.2.9", response).size() == 2U);
    now_ms += 1500;
    sent = give(from("198.51.100.7", kThings), response.bytes());
    BOOST_REQUIRE(sent.size() == 3U);
    BOOST_TEST(sent[2].to.address.to_string() == "192.0.2.7");
    BOOST_TEST(sent[2].to.port == 40'000);
    BOOST_TEST(sent[2].if_index == kOffice);
    BOOST_TEST(dns::load_be16(sent[2].bytes.data()) == 77);
    BOOST_TEST(dns::load_be16(&sent[2].bytes[2]) == (dns::kQr | dns::kAa));
    BOOST_TEST(text_of(sent[2].bytes) ==
               "? Laser.local A\n! laser.local A 10\n+ other.local A 10\n+ laser.local AAAA 10\n");
    BOOST_TEST(count("office", MdnsCount::unicast_sent) == 1U);
    now_ms += 1500;
    BOOST_TEST(give(from("198.51.100.7", kThings), response.bytes()).size() == 2U);  // too late
}

BOOST_AUTO_TEST_CASE(simultaneous_equal_queries_are_both_answered) {
    for (const unsigned port : {40000U, 40001U}) {
        Arrival arrival = from("192.0.2.7");
        arrival.port = static_cast<std::uint16_t>(port);
        (void)give(arrival, ask("laser.local", dns::kA).bytes());
    }
    BOOST_TEST(count("office", MdnsCount::duplicates) == 1U);
    const auto response =
        Packet::response().answer("laser.local", dns::kA, address("198.51.100.7"));
    BOOST_TEST(give(from("198.51.100.7", kThings), response.bytes()).size() == 4U);
}

BOOST_AUTO_TEST_CASE(the_number_of_one_shot_queries_is_limited) {
    unsigned passed = 0;
    for (unsigned i = 0; i < 200; ++i) {
        const std::string source = "192.0.2." + std::to_string(10 + i % 20);
        Arrival arrival = from(source.c_str());
        arrival.port = static_cast<std::uint16_t>(20'000 + i);
        if (!give(arrival, ask(("h" + std::to_string(i) + ".local").c_str()).bytes()).empty())
            ++passed;
    }
    BOOST_TEST(passed == LegacyQueries::kMax);
    BOOST_TEST(count("office", MdnsCount::legacy_refused) == 200 - LegacyQueries::kMax);
    now_ms += LegacyQueries::kPatienceMs;
    Arrival greedy = from("192.0.2.7");
    for (unsigned i = 0; i < 20; ++i) {
        greedy.port = static_cast<std::uint16_t>(30'000 + i);
        (void)give(greedy, ask(("k" + std::to_string(i) + ".local").c_str()).bytes());
    }
    BOOST_TEST(count("office", MdnsCount::legacy_repeated) ==
               LegacyQueries::kMax + LegacyQueries::kMaxOfAsker);
}

BOOST_AUTO_TEST_CASE(answers_to_one_host_are_limited_in_number_and_bytes) {
    Arrival arrival = from("192.0.2.7");
    arrival.port = 40'000;
    (void)give(arrival, ask("_ipp._tcp.local").bytes());
    unsigned replies = 0;
    for (unsigned n = 0; n < 20; ++n) {
        Packet response = Packet::response();
        for (unsigned i = 0; i < 60; ++i) {
            const std::string instance = "n" + std::to_string(1000 * n + i) + "._ipp._tcp.local";
            response.answer("_ipp._tcp.local", dns::kPtr, wire(instance), kIn);
            response.additional(instance, dns::kTxt, text("something to say"));
        }
        for (const Sent& sent : give(from("198.51.100.7", kThings), response.bytes())) {
            if (sent.to.port == 0) continue;
            ++replies;
            BOOST_TEST(sent.bytes.size() <= LegacyQueries::kReplyBytes);
            BOOST_TEST(text_of(sent.bytes).find('+') == std::string::npos);
        }
    }
    BOOST_TEST(replies == LegacyQueries::kMaxReplies);
}

BOOST_AUTO_TEST_CASE(other_messages_from_other_ports_are_dropped) {
    Arrival arrival = from("192.0.2.7");
    arrival.port = 40'000;
    BOOST_TEST(
        give(arrival, Packet::response().answer("a.local", dns::kA, address("192.0.2.7")).bytes())
            .empty());
    BOOST_TEST(give(arrival, ask("a.local").question("b.local", dns::kA).bytes()).empty());
    BOOST_TEST(count("office", MdnsCount::malformed) == 2U);
    arrival.port = 0;
    BOOST_TEST(give(arrival, ask("a.local").bytes()).empty());
    BOOST_TEST(count("office", MdnsCount::malformed) == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

// ---- two repeaters on the same two links

namespace {

constexpr int kLeft = 1, kRight = 2;

// What is sent on a link is received by everybody else on it, a little later.
struct TwoRepeaters {
    struct Flying {
        int link;
        IpAddress source;
        Bytes bytes;
    };
    struct Node : Outlet {
        Node(TwoRepeaters& in, unsigned number) : world(in), last(number) {}
        [[nodiscard]] IpAddress address(int link) const {
            const std::uint8_t bytes[] = {10, 0, static_cast<std::uint8_t>(link),
                                          static_cast<std::uint8_t>(last)};
            return IpAddress::from_v4(bytes);
        }
        bool send(int if_index, bool, std::span<const std::uint8_t> bytes) override {
            world.air.push_back({if_index, address(if_index), {bytes.begin(), bytes.end()}});
            ++world.sent;
            return true;
        }
        bool send_to(const LegacyQuerier&, std::span<const std::uint8_t>) override { return true; }
        TwoRepeaters& world;
        unsigned last;
        Repeater repeater{*this};
    };

    TwoRepeaters() {
        for (Node& node : nodes) {
            node.repeater.set_links(
                {{.if_index = kLeft,
                  .name = "left",
                  .v4 = true,
                  .networks = {matchers::Prefix::parse("10.0.1.0/24").value()}},
                 {.if_index = kRight,
                  .name = "right",
                  .v4 = true,
                  .networks = {matchers::Prefix::parse("10.0.2.0/24").value()}}},
                {node.address(kLeft), node.address(kRight)}, now_ms);
        }
    }
    // Delivers all packets in progress; returns how many were sent. `backwards`: the later repeater receives first.
    unsigned settle(bool backwards, std::uint64_t delay_ms = 1) {
        const unsigned before = sent;
        for (unsigned turns = 0; !air.empty() && turns < 1000; ++turns) {
            const Flying packet = air.front();
            air.pop_front();
            now_ms += delay_ms;
            for (const unsigned i : backwards ? std::array{1U, 0U} : std::array{0U, 1U}) {
                nodes[i].repeater.receive({.if_index = packet.link,
                                           .source = packet.source,
                                           .port = kPort,
                                           .hop_limit = 255,
                                           .bytes = packet.bytes},
                                          now_ms);
            }
        }
        return sent - before;
    }

    std::deque<Flying> air;
    unsigned sent = 0;
    std::uint64_t now_ms = 1'000'000;
    std::array<Node, 2> nodes{Node(*this, 1), Node(*this, 2)};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(two_repeaters, TwoRepeaters)

BOOST_AUTO_TEST_CASE(each_repeater_sends_a_message_once) {
    for (const bool backwards : {false, true}) {
        for (unsigned again = 0; again < 5; ++again) {
            now_ms += 250;
            air.push_back({kLeft, ip("10.0.1.99"), ask("a.local", dns::kAny, kQuIn).bytes()});
            const unsigned copies = settle(backwards);
            BOOST_TEST(copies >= 1U);
            BOOST_TEST(copies <= 2U);
        }
        now_ms += 5000;
    }
}

// One of the two hears the other's copy before the host's own packet.
BOOST_AUTO_TEST_CASE(a_message_does_not_loop_in_any_order_of_arrival) {
    const Bytes bytes = ask("a.local").bytes();
    nodes[0].repeater.receive({.if_index = kLeft,
                               .source = ip("10.0.1.99"),
                               .port = kPort,
                               .hop_limit = 255,
                               .bytes = bytes},
                              now_ms);
    const unsigned copies = settle(false);
    nodes[1].repeater.receive({.if_index = kLeft,
                               .source = ip("10.0.1.99"),
                               .port = kPort,
                               .hop_limit = 255,
                               .bytes = bytes},
                              now_ms);
    BOOST_TEST(copies + settle(false) <= 2U);
}

BOOST_AUTO_TEST_CASE(other_filters_do_not_make_a_loop) {
    nodes[0].repeater.set_services(Services({parse_service("_ipp._tcp").value()}));
    nodes[1].repeater.set_services(
        Services({parse_service("_ipp._tcp").value(), parse_service("_ssh._tcp").value()}));
    air.push_back({kLeft, ip("10.0.1.99"),
                   ask("_ipp._tcp.local")
                       .question("_ssh._tcp.local", dns::kPtr)
                       .question("_http._tcp.local", dns::kPtr)
                       .bytes()});
    BOOST_TEST(settle(false) <= 4U);
}

// As if the other repeater had sent it first: only its own address tells it that it did not.
BOOST_AUTO_TEST_CASE(a_forged_packet_does_not_loop) {
    air.push_back({kLeft, nodes[1].address(kLeft), ask("a.local").bytes()});
    BOOST_TEST(settle(false) <= 3U);
}

BOOST_AUTO_TEST_SUITE_END()
