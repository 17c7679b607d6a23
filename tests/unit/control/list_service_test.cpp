// What the routers of a list say, as workers hear it.
#define BOOST_TEST_MODULE lists
#include "control/sinks/list_service.h"

#include <boost/test/unit_test.hpp>

#include "dataplane/event/row_board.h"
#include "support/eal_fixture.h"

using steer::test::EalFixture;
BOOST_TEST_GLOBAL_FIXTURE(EalFixture);

namespace steer {
namespace {

constexpr ListId kList = 5;
const IpAddress kA = *IpAddress::parse("203.0.113.1");
const IpAddress kB = *IpAddress::parse("2001:db8::1");

struct NoLink final : routeros::RouterLink {
    void connect() override {}
    void close() override {}
    void send(std::string_view) override {}
};

// Two routers that have not connected, and the list that both keep.
struct Place {
    static build::RouterPlan a_plan() {
        build::RouterPlan plan;
        plan.config.lists.resize(1);
        plan.config.lists[0].id = kList;
        plan.config.lists[0].list4 = "policy";
        return plan;
    }
    void configure(config::Quorum quorum = config::Quorum::healthy) {
        plan1.quorums = plan2.quorums = {{kList, quorum}};
        service.configure({{&first, &plan1}, {&second, &plan2}});
    }
    void here(RouterService& router) { router.away(kList, false); }
    std::uint32_t known(const IpAddress& address) {
        return runtime.shared().board->installed_until(kList, address, epoch());
    }
    std::uint32_t epoch() { return (*runtime.shared().lists)[kList].epoch; }
    bool away() { return (*runtime.shared().lists)[kList].away; }

    RuntimeOptions options{.board_rows = 64, .small_buffers = 64, .large_buffers = 1};
    DataplaneRuntime runtime{options};
    Acknowledger acknowledger{runtime};
    ListService service{runtime, acknowledger};
    build::RouterPlan plan1 = a_plan(), plan2 = a_plan();
    NoLink link;
    RouterService first{plan1.config, link, service, [](auto...) {}};
    RouterService second{plan2.config, link, service, [](auto...) {}};
};

BOOST_FIXTURE_TEST_SUITE(list_service, Place)

BOOST_AUTO_TEST_CASE(what_one_router_says_is_what_is_known) {
    service.configure({{&first, &plan1}});
    BOOST_TEST(away());
    here(first);
    BOOST_TEST(!away());
    first.installed(kList, kA.bytes, 100);
    second.installed(kList, kB.bytes, 100);  // it does not keep the list
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(known(kB) == 0U);
    const auto before = epoch();
    first.epoch(kList);
    BOOST_TEST(epoch() == before + 1);
    BOOST_TEST(known(kA) == 0U);
}

BOOST_AUTO_TEST_CASE(of_two_the_earlier_end_is_known) {
    configure();
    here(first);
    here(second);
    first.installed(kList, kA.bytes, 100);
    BOOST_TEST(known(kA) == 0U);
    second.installed(kList, kA.bytes, 90);
    BOOST_TEST(known(kA) == 90U);
    second.installed(kList, kA.bytes, 120);
    BOOST_TEST(known(kA) == 100U);
    first.forgotten(kList, kA.bytes);
    BOOST_TEST(known(kA) == 0U);
    second.forgotten(kList, kA.bytes);
    BOOST_TEST(runtime.shared().board->size() == 0U);
}

BOOST_AUTO_TEST_CASE(one_that_is_away_is_not_counted_until_it_is_back) {
    configure();
    here(first);
    first.installed(kList, kA.bytes, 100);
    BOOST_TEST(known(kA) == 100U);  // the second has not been here yet
    BOOST_TEST(!away());
    second.installed(kList, kB.bytes, 100);  // and has more than one row before it is
    const auto before = epoch();
    here(second);
    BOOST_TEST(epoch() == before + 1);
    BOOST_TEST(known(kA) == 0U);
    second.installed(kList, kA.bytes, 80);
    BOOST_TEST(known(kA) == 80U);
    // Its connection ends: what it had is void, the first's is not.
    second.away(kList, true);
    second.epoch(kList);
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(!away());
    first.away(kList, true);
    BOOST_TEST(away());
    first.epoch(kList);
    BOOST_TEST(known(kA) == 0U);
}

BOOST_AUTO_TEST_CASE(where_all_are_asked_for_all_are_counted) {
    configure(config::Quorum::all);
    here(first);
    first.installed(kList, kA.bytes, 100);
    BOOST_TEST(known(kA) == 0U);
    BOOST_TEST(away());
    here(second);
    BOOST_TEST(!away());
    second.installed(kList, kA.bytes, 100);
    BOOST_TEST(known(kA) == 100U);
    second.away(kList, true);  // it hangs: what it has is there
    BOOST_TEST(away());
    BOOST_TEST(known(kA) == 100U);
    // A reload asks for less.
    second.epoch(kList);
    BOOST_TEST(known(kA) == 0U);
    configure();
    BOOST_TEST(known(kA) == 100U);
    BOOST_TEST(!away());
}

BOOST_AUTO_TEST_CASE(a_list_that_was_taken_away_is_not_known_when_it_comes_again) {
    configure();
    here(first);
    first.installed(kList, kA.bytes, 100);
    service.configure({});
    BOOST_TEST(away());
    BOOST_TEST(known(kA) == 0U);
    Event event{};
    event.list = kList;
    BOOST_TEST(!service.take(event, 1000));
    configure();
    BOOST_TEST(service.take(event, 1000));
    BOOST_TEST(known(kA) == 0U);
}

BOOST_AUTO_TEST_CASE(who_waits_for_several_is_told_once) {
    configure();
    Event event{};
    event.list = kList;
    event.count = 1;
    event.addresses[0] = kA;
    event.hold_token = make_hold_token(0, 1, 1);
    BOOST_TEST(service.take(event, 1000));  // both are away
    Message message;
    BOOST_TEST_REQUIRE(runtime.acknowledgements(0).pop(&message, 1) == 1U);
    BOOST_TEST(message.token == event.hold_token);
    BOOST_TEST(message.b == static_cast<std::uint32_t>(Outcome::router_away));
    BOOST_TEST(runtime.acknowledgements(0).pop(&message, 1) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
