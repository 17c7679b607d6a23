// Subscriptions: filters, bounds, what is lost, and other threads.
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/api/rpc/subscriptions.h"

namespace json = boost::json;
using namespace steer;
using namespace steer::ops;

namespace {

struct Place {
    boost::asio::io_context io;
    std::shared_ptr<Subscriptions> all = std::make_shared<Subscriptions>(io);
    int woken = 0;
    std::unique_ptr<Feed> feed = std::make_unique<Feed>(all, [this] { ++woken; });

    void run() {
        io.restart();
        io.poll();
    }
    std::uint64_t begin(Topic topic, Filter filter = {}) const {
        const auto id = all->subscribe(*feed, topic, std::move(filter));
        BOOST_REQUIRE(id);
        return *id;
    }
    json::object next() const {
        const auto text = feed->next();
        BOOST_REQUIRE(text);
        return json::parse(*text).as_object();
    }
    void say(Topic topic, const Facts& facts, int n) const {
        all->publish(topic, facts, [n] { return json::object{{"n", n}}; });
    }
    // The numbers of what arrived.
    [[nodiscard]] std::vector<std::int64_t> numbers() const {
        std::vector<std::int64_t> out;
        while (const auto text = feed->next())
            out.push_back(json::parse(*text).at("params").at("data").at("n").as_int64());
        return out;
    }
};

IpAddress address(std::string_view text) {
    return *IpAddress::parse(text);
}

using Numbers = std::vector<std::int64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(subscriptions)

BOOST_AUTO_TEST_CASE(a_subscriber_gets_a_notification_of_its_topic) {
    Place place;
    const auto id = place.begin(Topic::events);
    place.say(Topic::events, {.kind = "reload"}, 7);
    place.say(Topic::queries, {}, 8);
    place.run();
    BOOST_TEST(place.woken == 1);
    BOOST_TEST(place.next() == json::parse(R"({"jsonrpc":"2.0","method":"events","params":)"
                                           R"({"subscription":)" +
                                           std::to_string(id) + R"(,"lost":0,"data":{"n":7}}})"));
    BOOST_TEST(!place.feed->next());
}

BOOST_AUTO_TEST_CASE(nothing_is_made_for_a_topic_without_a_subscriber) {
    Place place;
    place.begin(Topic::events, {.kind = "router"});
    BOOST_TEST(!place.all->wants(Topic::queries));
    const auto never = []() -> json::object { throw std::logic_error("made"); };
    place.all->publish(Topic::queries, {}, never);
    place.all->publish(Topic::events, {.kind = "reload"}, never);
    BOOST_TEST(place.all->wants(Topic::events));
}

BOOST_AUTO_TEST_CASE(filters_select_by_kind_name_and_client) {
    Place place;
    place.begin(Topic::queries, {.kind = "answered",
                                 .suffix = "example.net",
                                 .client = *matchers::Prefix::parse("192.0.2.0/24")});
    const auto ask = [&](std::string_view end, std::string_view name, std::string_view who, int n) {
        place.say(Topic::queries, {.kind = end, .name = name, .client = address(who)}, n);
    };
    ask("answered", "www.Example.NET", "192.0.2.7", 1);
    ask("answered", "example.net", "192.0.2.7", 2);
    ask("refused", "www.example.net", "192.0.2.7", 3);
    ask("answered", "wwwexample.net", "192.0.2.7", 4);
    ask("answered", "net", "192.0.2.7", 5);
    ask("answered", "www.example.net", "192.0.3.7", 6);
    place.say(Topic::queries, {.kind = "answered", .name = "example.net"}, 7);
    BOOST_TEST(place.numbers() == (Numbers{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(readers_do_not_get_the_members_for_operators) {
    Place place;
    const auto id = place.begin(Topic::queries);
    const auto of_reader = place.begin(Topic::queries, {.is_operator = false});
    static constexpr std::string_view kHidden[]{"rule"};
    place.all->publish(Topic::queries, {.for_operators = kHidden}, [] {
        return json::object{{"n", 1}, {"rule", "blocked by a list"}};
    });
    for (int i = 0; i < 2; ++i) {
        const json::object params = place.next().at("params").as_object();
        const bool is_reader = params.at("subscription").to_number<std::uint64_t>() == of_reader;
        BOOST_TEST((is_reader || params.at("subscription").to_number<std::uint64_t>() == id));
        BOOST_TEST(params.at("data").as_object().contains("rule") == !is_reader);
        BOOST_TEST(params.at("data").at("n") == 1);
    }
    BOOST_TEST(!place.feed->next());
}

BOOST_AUTO_TEST_CASE(one_in_some_is_taken_of_those_that_match) {
    Place place;
    place.begin(Topic::queries, {.kind = "a", .one_in = 3});
    for (int i = 0; i < 7; ++i) {
        place.say(Topic::queries, {.kind = "a"}, i);
        place.say(Topic::queries, {.kind = "b"}, 100 + i);
    }
    BOOST_TEST(place.numbers() == (Numbers{0, 3, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_full_queue_loses_and_the_next_notification_says_how_many) {
    Place place;
    place.begin(Topic::queries, {.rate = 1'000'000});
    constexpr int kTooMany = static_cast<int>(kMaxQueued) + 5;
    for (int i = 0; i < kTooMany; ++i)
        place.say(Topic::queries, {}, i);
    BOOST_TEST(place.next().at("params").at("lost").as_int64() == 5);
    BOOST_TEST(place.next().at("params").at("lost").as_int64() == 0);
    BOOST_TEST(place.numbers().size() == kMaxQueued - 2);
}

BOOST_AUTO_TEST_CASE(long_notifications_fill_the_queue_by_their_bytes) {
    Place place;
    place.begin(Topic::queries, {.rate = 1'000'000});
    const std::string text(100'000, 'x');
    for (int i = 0; i < 100; ++i)
        place.all->publish(Topic::queries, {}, [&] { return json::object{{"t", text}}; });
    std::size_t n = 0;
    while (place.feed->next())
        ++n;
    BOOST_TEST(n == kMaxQueuedBytes / text.size() + 1);
}

BOOST_AUTO_TEST_CASE(more_than_the_rate_is_lost) {
    Place place;
    place.begin(Topic::queries, {.rate = 10});
    for (int i = 0; i < 100; ++i)
        place.say(Topic::queries, {}, i);
    const auto n = place.numbers().size();
    BOOST_TEST(n >= 10U);
    BOOST_TEST(n < 60U);
}

BOOST_AUTO_TEST_CASE(subscriptions_of_a_session_take_turns) {
    Place place;
    place.begin(Topic::events);
    place.begin(Topic::queries);
    for (int i = 0; i < 3; ++i)
        place.say(Topic::queries, {}, i);
    place.say(Topic::events, {}, 100);
    BOOST_TEST(place.numbers() == (Numbers{100, 0, 1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_subscriber_has_a_queue_of_its_own) {
    Place place;
    Feed other(place.all, [] {});
    place.begin(Topic::events);
    BOOST_REQUIRE(place.all->subscribe(other, Topic::events, {}));
    place.say(Topic::events, {}, 1);
    BOOST_TEST(place.numbers().size() == 1U);
    BOOST_TEST(other.next().has_value());
    BOOST_TEST(!other.next().has_value());
}

BOOST_AUTO_TEST_CASE(the_number_of_subscriptions_is_limited) {
    Place place;
    for (std::size_t i = 0; i < kMaxSubscriptionsPerFeed; ++i)
        place.begin(Topic::events);
    const auto refused = place.all->subscribe(*place.feed, Topic::events, {});
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().text.find("which is the most") != std::string::npos);
    std::vector<std::unique_ptr<Feed>> others;
    for (std::size_t n = kMaxSubscriptionsPerFeed; n < kMaxSubscriptions; ++n) {
        others.push_back(std::make_unique<Feed>(place.all, [] {}));
        BOOST_REQUIRE(place.all->subscribe(*others.back(), Topic::events, {}));
    }
    Feed last(place.all, [] {});
    BOOST_TEST(!place.all->subscribe(last, Topic::events, {}));
    others.pop_back();
    BOOST_TEST(place.all->subscribe(last, Topic::events, {}).has_value());
}

BOOST_AUTO_TEST_CASE(an_ended_session_has_no_subscriptions) {
    Place place;
    place.begin(Topic::events);
    BOOST_TEST(place.feed->is_used());
    place.say(Topic::events, {}, 1);
    place.feed.reset();
    BOOST_TEST(place.all->count() == 0U);
    BOOST_TEST(!place.all->wants(Topic::events));
    place.run();
    BOOST_TEST(place.woken == 0);
}

BOOST_AUTO_TEST_CASE(another_sessions_subscription_cannot_be_ended) {
    Place place;
    const auto id = place.begin(Topic::events);
    Feed other(place.all, [] {});
    BOOST_TEST(!place.all->unsubscribe(other, id));
    BOOST_TEST(place.all->unsubscribe(*place.feed, id));
    BOOST_TEST(!place.all->unsubscribe(*place.feed, id));
}

BOOST_AUTO_TEST_CASE(counters_come_as_differences) {
    Place place;
    std::uint64_t n = 10;
    place.all->set_counters([&] {
        return Subscriptions::Numbers{{"workers.answered", n}, {"workers.same", 5}, {"other", n}};
    });
    place.begin(Topic::counters, {.kind = "workers.", .interval = std::chrono::milliseconds(1)});
    n = 17;
    place.io.restart();
    place.io.run_one();  // the timer
    const auto data = place.next().at("params").at("data").as_object();
    BOOST_TEST(data.at("differences") == json::parse(R"({"workers.answered":7})"));
    BOOST_TEST(data.at("interval_ms").as_int64() >= 1);
}

BOOST_AUTO_TEST_CASE(numbers_are_named_by_their_path_and_added_up) {
    const auto all = numbers_of(json::parse(
        R"({"workers":[{"verdicts":{"a":1}},{"verdicts":{"a":2}}],"routers":[{"name":"edge1","writes":3,"at":"x"}],"f":1.5,"minus":-1})"));
    const Subscriptions::Numbers expected{{"routers.edge1.writes", 3}, {"workers.verdicts.a", 3}};
    BOOST_TEST((all == expected));
}

BOOST_AUTO_TEST_CASE(threads_publish_while_a_session_reads) {
    Place place;
    place.begin(Topic::queries, {.rate = 1'000'000});
    constexpr int kEach = 5'000;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kEach; ++i)
                place.say(Topic::queries, {.name = "www.example"}, i);
        });
    }
    std::uint64_t seen = 0, lost = 0;
    const auto take = [&] {
        place.run();
        while (const auto text = place.feed->next()) {
            ++seen;
            lost += json::parse(*text).at("params").at("lost").to_number<std::uint64_t>();
        }
    };
    for (int i = 0; i < 1'000; ++i)
        take();
    for (auto& thread : threads)
        thread.join();
    take();
    place.say(Topic::queries, {}, 1);  // says what was lost last
    take();
    BOOST_TEST(seen + lost == 4U * kEach + 1);
    BOOST_TEST(place.woken > 0);
}

BOOST_AUTO_TEST_SUITE_END()
