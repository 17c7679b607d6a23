#include "control/sinks/fleet/redis_connection.h"

#include <boost/test/unit_test.hpp>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

struct RedisPlace {
    test::SilentLink link;
    int ready = 0;
    std::vector<std::string> lost, messages;
    RedisConnection make(bool is_subscriber, RedisLogin login = {}) {
        return {link,
                std::move(login),
                is_subscriber,
                1'000,
                {.ready = [this](std::uint64_t) { ++ready; },
                 .message =
                     [this](std::string_view channel, std::string_view payload, std::uint64_t) {
                         messages.push_back(std::string(channel) + "=" + std::string(payload));
                     },
                 .lost = [this](const std::string& why, std::uint64_t) { lost.push_back(why); }}};
    }
    void connect(RedisConnection& redis) {
        redis.start(10);
        redis.tick(10);
        redis.connected(11);
    }
};

BOOST_FIXTURE_TEST_SUITE(redis_connection, RedisPlace)

BOOST_AUTO_TEST_CASE(replies_belong_to_their_commands_in_order) {
    auto redis = make(false);
    connect(redis);
    BOOST_TEST(ready == 1);
    std::string seen;
    const auto note = [&seen](const RedisReply& reply, std::uint64_t) {
        seen += reply.text + std::to_string(reply.number) + ";";
    };
    BOOST_TEST(redis.command({"GET", "a"}, 20, note));
    BOOST_TEST(redis.command({"INCR", "b"}, 20, note));
    BOOST_TEST(link.sent.empty());
    redis.send_now();
    BOOST_TEST(link.sent == "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n");
    redis.received("$2\r\nx", 21);
    BOOST_TEST(seen.empty());
    redis.received("y\r\n:7\r\n", 22);
    BOOST_TEST(seen == "xy0;7;");
    BOOST_TEST(redis.unanswered() == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_reported_and_tried_again) {
    auto redis = make(false, {"steerdns", "wrong"});
    connect(redis);
    BOOST_TEST(ready == 0);
    BOOST_TEST(link.sent == "*3\r\n$4\r\nAUTH\r\n$8\r\nsteerdns\r\n$5\r\nwrong\r\n");
    redis.received("-WRONGPASS no such user\r\n", 12);
    BOOST_REQUIRE(lost.size() == 1U);
    BOOST_TEST(lost.front() == "it refused the login: WRONGPASS no such user");
    BOOST_TEST(redis.next_deadline() == 12 + RedisConnection::kRetryMs);
    redis.tick(12 + RedisConnection::kRetryMs);
    BOOST_TEST(link.connects == 2);
}

BOOST_AUTO_TEST_CASE(a_server_that_obeys_everyone_is_refused) {
    auto redis = make(false, {.username = {}, .password = "x", .must_be_asked = true});
    connect(redis);
    BOOST_TEST(link.sent == "*1\r\n$4\r\nPING\r\n");
    redis.received("+PONG\r\n", 12);
    BOOST_REQUIRE(lost.size() == 1U);
    BOOST_TEST(lost.front().starts_with("it obeys without a password"));
    link.sent.clear();
    redis.tick(12 + RedisConnection::kRetryMs);
    redis.connected(300);
    redis.received("-NOAUTH Authentication required.\r\n", 301);
    BOOST_TEST(link.sent.ends_with("AUTH\r\n$1\r\nx\r\n"));
    redis.received("+OK\r\n", 302);
    BOOST_TEST(ready == 1);
}

BOOST_AUTO_TEST_CASE(a_replica_is_refused) {
    auto redis = make(false, {.username = {}, .password = {}, .must_be_master = true});
    connect(redis);
    BOOST_TEST(link.sent == "*1\r\n$4\r\nROLE\r\n");
    redis.received("*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n",
                   12);
    BOOST_TEST((lost == std::vector<std::string>{"it is a replica, which cannot be written"}));
    redis.tick(12 + RedisConnection::kRetryMs);
    redis.connected(300);
    redis.received("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", 301);
    BOOST_TEST(ready == 1);
}

BOOST_AUTO_TEST_CASE(silence_and_foreign_bytes_end_it) {
    auto redis = make(false);
    connect(redis);
    redis.command({"PING"}, 20);
    BOOST_TEST(redis.next_deadline() == 1'020U);
    redis.tick(1'020);
    BOOST_TEST((lost == std::vector<std::string>{"it does not answer"}));
    redis.tick(1'020 + RedisConnection::kRetryMs);
    redis.connected(1'300);
    redis.received("HTTP/1.1 400 Bad Request\r\n", 1'301);
    BOOST_REQUIRE(lost.size() == 2U);
    BOOST_TEST(lost.back().starts_with("it does not speak Redis's protocol"));
    redis.tick(1'301 + RedisConnection::kRetryMs);
    redis.connected(1'600);
    redis.received("+OK\r\n", 1'601);
    BOOST_TEST(lost.back() == "it sent a reply that nothing asked for");
}

BOOST_AUTO_TEST_CASE(a_subscriber_gets_messages_and_notices_silence) {
    auto redis = make(true);
    connect(redis);
    int subscribed = 0;
    redis.subscribe({"a", "b"}, 20, [&subscribed](std::uint64_t) { ++subscribed; });
    redis.received("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", 21);
    BOOST_TEST(subscribed == 0);
    redis.received("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n", 22);
    BOOST_TEST(subscribed == 1);
    redis.received("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n", 23);
    BOOST_TEST((messages == std::vector<std::string>{"a=hi"}));
    link.sent.clear();
    redis.tick(1'023);
    BOOST_TEST(link.sent == "*1\r\n$4\r\nPING\r\n");
    redis.tick(2'022);
    BOOST_TEST(lost.empty());
    redis.tick(2'023);
    BOOST_TEST((lost == std::vector<std::string>{"it does not answer"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
