// Work on a thread of its own: one after the other, and a sentence where there can be no thread.
#include "control/host/process/background.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace steer {

BOOST_AUTO_TEST_SUITE(background)

// (First: the stack of a thread that has ended is kept for the next one.)
BOOST_AUTO_TEST_CASE(without_memory_for_a_thread_the_work_is_not_done) {
    BackgroundThread thread("test");
    bool was_done = false;
    rlimit memory{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_AS, &memory) == 0);
    const rlimit none{0, memory.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_AS, &none) == 0);
    const auto begun = thread.run([&] { was_done = true; });
    BOOST_REQUIRE(::setrlimit(RLIMIT_AS, &memory) == 0);
    BOOST_REQUIRE(begun.has_error());
    BOOST_TEST(begun.error().text.find("a thread cannot be started (") == 0U);
    BOOST_TEST(!was_done);
    BOOST_TEST(thread.run([&] { was_done = true; }).has_value());
}

BOOST_AUTO_TEST_CASE(two_pieces_of_work_run_one_after_the_other) {
    std::string order;
    {
        BackgroundThread thread("test");
        for (const char c : {'a', 'b', 'c'})
            BOOST_REQUIRE(thread.run([&order, c] { order += c; }).has_value());
    }
    BOOST_TEST(order == "abc");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
