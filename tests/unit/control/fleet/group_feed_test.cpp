// How a key of Redis with groups is followed: what is asked, and what each reply means.
#include "control/sinks/fleet/group_feed.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

struct FeedPlace {
    FeedPlace() {
        feed.start(10);
        feed.connection().tick(10);
        feed.connection().connected(11);
    }
    // What was asked since the last call: "EVAL" or "EVALSHA", and the hash.
    bool asked(const std::string& command, const std::string& hash) {
        const std::string sent = std::exchange(link.sent, {});
        return sent.find("\r\n" + command + "\r\n") != std::string::npos &&
               sent.ends_with("$11\r\nsubscribers\r\n$" + std::to_string(hash.size()) + "\r\n" +
                              hash + "\r\n$2\r\n99\r\n");
    }
    void reply(const std::string& bytes) { feed.connection().received(bytes, 20); }

    test::SilentLink link;
    std::vector<std::string> reported;  // "text: ..." or "problem: ..."
    GroupFeed feed{
        link, {}, "subscribers", 99, [this](GroupFeed::News news) {
            reported.push_back(news.text ? "text: " + *news.text : "problem: " + news.problem);
        }};
};

BOOST_FIXTURE_TEST_SUITE(group_feed, FeedPlace)

BOOST_AUTO_TEST_CASE(an_unchanged_text_is_not_reported_again) {
    BOOST_TEST(asked("EVAL", ""));
    reply("*3\r\n$4\r\ntext\r\n$2\r\nh1\r\n$7\r\nx 1.2.3\r\n");
    BOOST_TEST(reported == std::vector<std::string>{"text: x 1.2.3"},
               boost::test_tools::per_element());
    feed.poll(2'000);
    BOOST_TEST(asked("EVALSHA", "h1"));
    feed.poll(4'000);  // it has not answered yet
    BOOST_TEST(link.sent.empty());
    reply("*1\r\n$4\r\nsame\r\n");
    feed.poll(6'000);
    reply("*3\r\n$4\r\ntext\r\n$2\r\nh2\r\n$0\r\n\r\n");
    BOOST_TEST(reported.size() == 2U);
    BOOST_TEST(reported.back() == "text: ");
}

BOOST_AUTO_TEST_CASE(what_redis_cannot_give_is_a_problem_until_it_can) {
    const auto problem = [this](const std::string& bytes) {
        feed.poll(2'000);
        reply(bytes);
        return reported.back();
    };
    BOOST_TEST(problem("*1\r\n$4\r\nnone\r\n") ==
               "problem: Redis has no key \"subscribers\": let the feed write it");
    BOOST_TEST(problem("*2\r\n$4\r\nlong\r\n$3\r\n100\r\n") ==
               "problem: the key \"subscribers\" has 100 bytes: at most 99 are read; write "
               "prefixes in place of addresses");
    BOOST_TEST(problem("-WRONGTYPE a hash\r\n") ==
               "problem: Redis refuses to read the key \"subscribers\": WRONGTYPE a hash");
    BOOST_TEST(problem(":5\r\n") ==
               "problem: Redis sent another reply than expected for the key \"subscribers\"");
    const std::size_t before = reported.size();
    problem(":5\r\n");
    BOOST_TEST(reported.size() == before);
    // It is the same text as before all this: the problem has ended.
    BOOST_TEST(problem("*1\r\n$4\r\nsame\r\n") == "problem: ");
    BOOST_TEST(reported.size() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_is_a_problem_and_the_next_one_asks_again) {
    reply("*3\r\n$4\r\ntext\r\n$2\r\nh1\r\n$1\r\nx\r\n");
    feed.connection().closed("connection refused", 30);
    BOOST_TEST(reported.back() == "problem: Redis is unreachable: connection refused");
    link.sent.clear();
    feed.poll(40);
    BOOST_TEST(link.sent.empty());
    feed.connection().tick(1'000);
    feed.connection().connected(1'001);
    // Another Redis may not have the script.
    BOOST_TEST(asked("EVAL", "h1"));
    reply("*1\r\n$4\r\nsame\r\n");
    BOOST_TEST(reported.back() == "problem: ");
    feed.poll(3'000);
    reply("-NOSCRIPT No matching script\r\n");
    BOOST_TEST(reported.back() == "problem: ");
    link.sent.clear();
    feed.poll(5'000);
    BOOST_TEST(asked("EVAL", "h1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
