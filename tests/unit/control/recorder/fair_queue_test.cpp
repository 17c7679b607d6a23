#include "control/observe/recorder/fair_queue.h"

#include <boost/test/unit_test.hpp>
#include <string>

using steer::recorder::FairQueue;
using Queue = FairQueue<int>;
using Room = Queue::Room;

namespace {

// "caller request" of what begins next; "-": nothing may.
std::string next(Queue& queue) {
    const auto one = queue.begin();
    return one ? one->caller + " " + std::to_string(one->request) : "-";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_caller_with_many_requests_does_not_delay_others) {
    Queue queue;
    for (int i = 1; i <= 4; ++i)
        BOOST_TEST((queue.push("slow", i) == Room::taken));
    BOOST_TEST(next(queue) == "slow 1");
    BOOST_TEST(next(queue) == "-");  // one of each caller
    BOOST_TEST((queue.push("quick", 1) == Room::taken));
    BOOST_TEST(next(queue) == "quick 1");
    BOOST_TEST((queue.push("third", 1) == Room::taken));
    BOOST_TEST(next(queue) == "-");  // two run
    queue.end("quick");
    BOOST_TEST(next(queue) == "third 1");
    queue.end("third");
    queue.end("slow");
    BOOST_TEST(next(queue) == "slow 2");
    BOOST_TEST(next(queue) == "-");
}

BOOST_AUTO_TEST_CASE(callers_take_turns) {
    Queue queue;
    for (const char* const caller : {"a", "b", "c"}) {
        for (int i = 1; i <= 2; ++i)
            BOOST_TEST((queue.push(caller, i) == Room::taken));
    }
    std::string order;
    for (int i = 0; i < 6; ++i) {
        const auto one = queue.begin();
        BOOST_REQUIRE(one);
        order += one->caller;
        queue.end(one->caller);
    }
    BOOST_TEST(order == "abcabc");
    BOOST_TEST(next(queue) == "-");
}

BOOST_AUTO_TEST_CASE(a_caller_cannot_fill_the_queue) {
    Queue queue;
    for (std::size_t i = 0; i < Queue::kMostOfOne; ++i)
        BOOST_TEST((queue.push("a", 1) == Room::taken));
    BOOST_TEST((queue.push("a", 1) == Room::none_for_caller));
    BOOST_TEST((queue.push("b", 1) == Room::taken));
    BOOST_TEST(next(queue) == "a 1");
    BOOST_TEST((queue.push("a", 1) == Room::taken));  // room again
    for (std::size_t i = Queue::kMostOfOne + 1; i < Queue::kMost; ++i)
        BOOST_TEST((queue.push("c" + std::to_string(i), 1) == Room::taken));
    BOOST_TEST((queue.push("d", 1) == Room::none));
    BOOST_TEST(next(queue) == "b 1");
    BOOST_TEST((queue.push("d", 1) == Room::taken));
}
