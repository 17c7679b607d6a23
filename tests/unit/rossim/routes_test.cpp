// /ip/route and /ipv6/route: forms, flags, refusals, what listeners and the journal get.
#include <boost/test/unit_test.hpp>

#include "api_client.h"
#include "tools/rossim/journal.h"

namespace rossim::test {
namespace {

struct Routed {
    explicit Routed(Options options = fast())
        : bench(std::move(options),
                [this](const Commit& commit) { journal += to_json_line(commit); }),
          session(bench.connect()) {
        say({"/routing/table/add", "=name=vpn"});
    }
    Words say(const Words& sentence) { return bench.ask(session, sentence).back().words; }
    // The first word of its end, or the refusal.
    std::string result(const Words& sentence) {
        const auto replies = bench.ask(session, sentence);
        for (const auto& reply : replies) {
            if (reply.words[0] == "!trap") return value_of(reply.words, "message");
        }
        return value_of(replies.back().words, "ret");
    }
    Words first(const Words& sentence) { return bench.ask(session, sentence).front().words; }
    std::string journal;
    Bench bench;
    SessionId session;
};

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(destinations_are_printed_with_their_length) {
    Routed of;
    of.result({"/ip/route/add", "=dst-address=203.0.113.7", "=gateway=wg1", "=routing-table=vpn"});
    BOOST_TEST(value_of(of.first({"/ip/route/print", "?routing-table=vpn"}), "dst-address") ==
               "203.0.113.7/32");
    of.result({"/ip/route/set", "=.id=*1", "=dst-address=203.0.113.77/24"});
    BOOST_TEST(value_of(of.first({"/ip/route/print"}), "dst-address") == "203.0.113.0/24");
    of.result({"/ipv6/route/add", "=gateway=wg1"});
    BOOST_TEST(value_of(of.first({"/ipv6/route/print"}), "dst-address") == "::/0");
    BOOST_TEST(of.result({"/ip/route/add", "=dst-address=name.example", "=gateway=wg1"}) ==
               "invalid value for argument dst-address");
    BOOST_TEST(of.result({"/ip/route/add", "=gateway=wg1", "=routing-table=other"}) ==
               "input does not match any value of routing-table");
}

BOOST_AUTO_TEST_CASE(flags_follow_the_gateway_and_listeners_are_notified) {
    Routed of;
    const auto listener = of.bench.connect();
    of.bench.write(listener, {"/ip/route/listen"});
    of.result({"/ip/route/add", "=dst-address=203.0.113.7", "=gateway=wg1"});
    BOOST_TEST(value_of(of.first({"/ip/route/print"}), "active") == "true");
    of.bench.router.set_gateway("wg1", false, of.bench.now_us);
    const Words row = of.first({"/ip/route/print"});
    BOOST_TEST(value_of(row, "inactive") == "true");
    BOOST_TEST(value_of(row, "active") == "false");
    of.result({"/ip/route/disable", "=.id=*1"});
    BOOST_TEST(value_of(of.first({"/ip/route/print"}), "inactive") == "false");
    of.result({"/ip/route/remove", "=.id=*1"});
    const auto reported = of.bench.take(listener);
    BOOST_REQUIRE(reported.size() == 4U);
    BOOST_TEST(value_of(reported[1].words, "inactive") == "true");
    BOOST_TEST(value_of(reported[3].words, ".dead") == "true");
}

BOOST_AUTO_TEST_CASE(a_route_of_the_router_itself_is_not_changed) {
    Routed of;
    of.bench.router.put_record("/ip/route", {{"dst-address", "10.0.0.0/8"}, {"dynamic", "true"}},
                               of.bench.now_us);
    BOOST_TEST(of.result({"/ip/route/set", "=.id=*1", "=distance=2"}) ==
               "failure: can not change dynamic route");
    BOOST_TEST(of.result({"/ip/route/remove", "=.id=*1"}) ==
               "failure: can not remove dynamic route");
}

BOOST_AUTO_TEST_CASE(a_second_route_of_the_kind_is_a_switch_and_their_number_too) {
    for (const bool refused : {false, true}) {
        Options options = fast();
        options.refuse_same_route = refused;
        options.max_routes = 2;
        Routed of(options);
        const Words add{"/ip/route/add", "=dst-address=203.0.113.7", "=gateway=wg1"};
        BOOST_TEST(of.result(add) == "*1");
        BOOST_TEST(of.result(add) == (refused ? "failure: already have such entry" : "*2"));
        if (refused) continue;
        BOOST_TEST(of.result(add) == "failure: out of memory");
    }
}

BOOST_AUTO_TEST_CASE(a_reboot_keeps_them_and_gives_other_ids) {
    Routed of;
    of.result({"/ip/route/add", "=dst-address=203.0.113.7", "=gateway=wg1"});
    of.result({"/ip/route/add", "=dst-address=203.0.113.8", "=gateway=wg1"});
    of.result({"/ip/route/remove", "=.id=*1"});
    of.bench.router.reboot(kSecond, of.bench.now_us);
    BOOST_REQUIRE(of.bench.router.routes(Family::ipv4).size() == 1U);
    BOOST_TEST(of.bench.router.routes(Family::ipv4)[0].id == 1U);
    BOOST_TEST(of.bench.router.routes(Family::ipv4)[0].destination == "203.0.113.8/32");
}

BOOST_AUTO_TEST_CASE(the_journal_says_that_it_is_a_route) {
    Routed of;
    of.result({"/ip/route/add", "=dst-address=203.0.113.7", "=gateway=wg1", "=routing-table=vpn",
               "=comment=c"});
    BOOST_TEST(of.journal.find("\"op\":\"add\",\"family\":4,\"list\":\"vpn\",\"address\":"
                               "\"203.0.113.7\",\"timeout_s\":null,\"comment\":\"c\"") !=
               of.journal.npos);
    BOOST_TEST(of.journal.find("\"menu\":\"route\",\"gateway\":\"wg1\"") != of.journal.npos);
    of.result({"/ip/route/remove", "=.id=*1"});
    BOOST_TEST(of.journal.find("\"op\":\"remove\"") != of.journal.npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
