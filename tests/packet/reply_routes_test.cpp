// `dataplane.reply: route`: an answer goes to the gateway of its client's route, in place and from a parked record.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"

namespace steer::test {
namespace {

constexpr MacAddress kGateway{2, 0, 0, 0, 9, 1}, kOwn{2, 0, 0, 0, 9, 2};
constexpr int kInterface = 7;

NextHop gateway(int if_index = kInterface) {
    NextHop hop;
    hop.via = NextHop::Via::port;
    hop.if_index = if_index;
    hop.peer_mac = kGateway;
    hop.own_mac = kOwn;
    return hop;
}

matchers::PrefixValues::Rule rule(const std::string& prefix, std::uint32_t value) {
    const auto parsed = matchers::Prefix::parse(prefix);
    return {*parsed, prefix.find(':') == std::string::npos, value};
}

void set_routes(Appliance& a, std::vector<matchers::PrefixValues::Rule> rules,
                std::vector<NextHop> hops) {
    a.next_hops().reply_routes =
        std::make_shared<const ReplyRoutes>(std::move(rules), std::move(hops));
}

// The answers to two queries for one name: from a parked record, then in place.
std::vector<Seen> both_answers(Appliance& a, const Client& client, const std::string& name) {
    std::vector<Seen> all;
    a.ask(name, kTypeA, 1, client);
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    all.push_back(a.answer());
    a.ask(name, kTypeA, 2, client);
    a.turn();
    all.push_back(a.answer());
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reply_routes)

BOOST_AUTO_TEST_CASE(an_answer_goes_to_the_gateway_of_its_clients_longest_prefix) {
    Appliance a;
    a.publish(cache_forward());
    NextHop tagged = gateway();
    tagged.tagged = true;
    tagged.vlan_tci = 30;
    set_routes(a,
               {rule("0.0.0.0/0", 0), rule("192.0.2.0/24", ReplyRoutes::kBack),
                rule("192.0.2.64/26", 1), rule("2001:db8::/64", 0)},
               {gateway(), tagged});
    unsigned name = 0;
    const auto check = [&](const Client& client, std::vector<std::uint16_t> vlans, bool routed) {
        for (const Seen& s : both_answers(a, client, "n" + std::to_string(name++) + ".example")) {
            BOOST_TEST((s.frame.to_mac == kGateway) == routed);
            BOOST_TEST((s.frame.from_mac == kOwn) == routed);
            BOOST_TEST(s.frame.vlans == vlans, boost::test_tools::per_element());
            BOOST_TEST((s.frame.to == *IpAddress::parse(client.address)));
        }
    };
    check({.address = "198.18.0.1"}, {}, true);
    check({.address = "198.18.0.1", .vlans = {100}}, {}, true);
    check({.address = "198.18.0.1", .vlans = {100, 200}}, {}, true);
    check({.address = "192.0.2.70"}, {30}, true);
    check({.address = "192.0.2.70", .vlans = {100}}, {30}, true);
    check({.address = "192.0.2.10"}, {}, false);  // a neighbour
    check({.address = "192.0.2.10", .vlans = {100}}, {100}, false);
    check({.address = "2001:db8::10"}, {}, true);
    check({.address = "2001:db8:0:1::10"}, {}, false);  // without a route
    BOOST_TEST(a.count(Stat::replies_routed) == 12U);
    BOOST_TEST(a.count(Stat::replies_unrouted) == 0U);
}

BOOST_AUTO_TEST_CASE(an_answer_goes_back_while_the_gateway_is_unknown) {
    Appliance a;
    a.publish(cache_forward());
    set_routes(a, {rule("0.0.0.0/0", 0)}, {NextHop{}});
    for (const Seen& s : both_answers(a, {}, "www.example"))
        BOOST_TEST((s.frame.to_mac != kGateway));
    BOOST_TEST(a.count(Stat::replies_unrouted) == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_goes_back_if_its_worker_has_no_queue_of_the_routes_port) {
    Appliance a({.workers = 2, .own_interfaces = true});
    a.publish(cache_forward());
    set_routes(a, {rule("0.0.0.0/0", 0)}, {gateway(kInterface + 1)});
    for (const unsigned worker : {0U, 1U}) {
        a.ask("www.example", kTypeA, 1, {.worker = worker});
        a.turn();
        if (worker == 0) {
            a.reply(a.upstream_query(), 300, {"203.0.113.7"});
            a.turn();
        }
        const Seen s = a.answer();
        BOOST_TEST(s.worker == worker);
        BOOST_TEST((s.frame.to_mac == kGateway) == (worker == 1));
    }
    BOOST_TEST(a.count(Stat::replies_routed) == 1U);
    BOOST_TEST(a.count(Stat::replies_unrouted) == 1U);
}

BOOST_AUTO_TEST_CASE(
    queries_that_another_worker_answers_are_routed_on_the_port_that_received_them) {
    Appliance a({.workers = 2, .ports = 1, .spread = true, .own_interfaces = true});
    a.publish(cache_forward());
    set_routes(a, {rule("0.0.0.0/0", 0)}, {gateway()});
    constexpr unsigned kQueries = 32;
    for (std::uint16_t i = 0; i < kQueries; ++i) {
        a.ask("www.example", kTypeA, i, {.port = static_cast<std::uint16_t>(40'000 + i)});
        a.turn();
        for (const Seen& q : a.upstream_queries()) {
            a.reply(q, 300, {"203.0.113.7"});
            a.turn();
        }
        const Seen s = a.answer();
        BOOST_TEST(s.worker == 0U);
        BOOST_TEST((s.frame.to_mac == kGateway));
    }
    BOOST_TEST(a.count(Stat::moved_queries) > 0U);
    BOOST_TEST(a.count(Stat::replies_routed) == kQueries);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
