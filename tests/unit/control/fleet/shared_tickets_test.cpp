#include "control/sinks/fleet/shared_tickets.h"

#include <boost/test/unit_test.hpp>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

struct OneServer final : stream::TicketServer {
    [[nodiscard]] std::string ticket_group() const override { return group; }
    [[nodiscard]] std::string new_ticket_key() const override { return "mine"; }
    bool use_ticket_key(std::string_view sealed, std::uint64_t from_ms,
                        std::uint64_t until_ms) override {
        if (sealed == "garbage") return false;
        used.emplace_back(sealed);
        from = from_ms;
        until = until_ms;
        return true;
    }
    std::string group = "abc";
    std::vector<std::string> used;
    std::uint64_t from = 0, until = 0;
};

constexpr std::uint64_t kDay = SharedTickets::kPeriodMs;
// Redis's clock is 100 days more than ours, so it is 1000 s after the start of its day 100.
constexpr std::int64_t kDifference = 100 * static_cast<std::int64_t>(kDay);
constexpr std::uint64_t kNow = 1'000'000;

struct TicketPlace {
    TicketPlace() {
        tickets.serve({server});
        redis.start(kNow);
        redis.tick(kNow);
        redis.connected(kNow);
    }
    void check(std::uint64_t now_ms, const std::string& replies) {
        link.sent.clear();
        tickets.tick(kDifference, now_ms);
        redis.send_now();
        if (!replies.empty()) redis.received(replies, now_ms);
    }
    test::SilentLink link;
    RedisConnection redis{link, {}, false, 1'500, {}};
    SharedTickets tickets{"steerdns:{pop1}:", redis};
    std::shared_ptr<OneServer> server = std::make_shared<OneServer>();
};

BOOST_FIXTURE_TEST_SUITE(shared_tickets, TicketPlace)

BOOST_AUTO_TEST_CASE(the_key_that_arrived_first_is_used_for_its_day) {
    check(kNow, "$-1\r\n$6\r\ntheirs\r\n");
    BOOST_TEST(link.sent.find("steerdns:{pop1}:tickets:abc:100") != std::string::npos);
    BOOST_TEST(link.sent.find("mine") != std::string::npos);
    BOOST_TEST((server->used == std::vector<std::string>{"theirs"}));
    BOOST_TEST(server->from == 0U);
    BOOST_TEST(server->until == kDay);
    // What is in use is offered from now on, for a Redis that lost it.
    check(kNow + SharedTickets::kEveryMs, "+OK\r\n$6\r\ntheirs\r\n");
    BOOST_TEST(link.sent.find("mine") == std::string::npos);
    BOOST_TEST(link.sent.find("theirs") != std::string::npos);
    check(kNow + SharedTickets::kEveryMs + 1, "");
    BOOST_TEST(link.sent.empty());
}

BOOST_AUTO_TEST_CASE(the_next_key_is_known_before_its_day) {
    check(kDay - 60'000, "+OK\r\n$4\r\nmine\r\n+OK\r\n$4\r\nmine\r\n");
    BOOST_TEST(link.sent.find("tickets:abc:101") != std::string::npos);
    BOOST_TEST(server->from == kDay);
    BOOST_TEST(server->until == 2 * kDay);
}

BOOST_AUTO_TEST_CASE(garbage_is_counted_and_a_server_without_a_certificate_shares_nothing) {
    check(kNow, "$-1\r\n$7\r\ngarbage\r\n");
    BOOST_TEST(server->used.empty());
    BOOST_TEST(tickets.unreadable() == 1U);
    server->group.clear();
    check(kNow + SharedTickets::kEveryMs, "");
    BOOST_TEST(link.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
