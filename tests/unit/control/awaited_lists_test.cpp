// Which fetched lists readiness waits for, and for how long.
#include "control/observe/health/awaited_lists.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace steer {
namespace {

config::ReadList list(const std::string& source, bool loaded, bool ready = true) {
    config::ReadList one;
    one.source = source;
    one.is_remote = true;
    one.loaded = loaded;
    one.use.ready = ready;
    return one;
}

using Lists = std::vector<config::ReadList>;

}  // namespace

BOOST_AUTO_TEST_SUITE(awaited_lists)

BOOST_AUTO_TEST_CASE(a_start_waits_for_the_first_copy_of_each_fetched_list) {
    AwaitedLists awaited;
    awaited.begin(
        Lists{list("http://a/", false), list("http://b/", false), list("http://c/", true)});
    BOOST_TEST(awaited.error() == "never fetched: http://a/, http://b/");
    awaited.follow(Lists{list("http://a/", true), list("http://b/", false)});
    BOOST_TEST(awaited.error() == "never fetched: http://b/");
    awaited.follow(Lists{list("http://a/", true), list("http://b/", true)});
    BOOST_TEST(awaited.error().empty());
}

BOOST_AUTO_TEST_CASE(a_reload_never_adds_a_list_to_wait_for) {
    AwaitedLists awaited;
    awaited.begin(Lists{list("http://a/", true)});
    awaited.follow(Lists{list("http://a/", true), list("http://mistyped/", false)});
    BOOST_TEST(awaited.error().empty());
    awaited.follow(Lists{list("http://a/", false)});  // its copy was deleted
    BOOST_TEST(awaited.error().empty());
}

BOOST_AUTO_TEST_CASE(a_reload_while_the_start_waits_adds_none_either) {
    AwaitedLists awaited;
    awaited.begin(Lists{list("http://a/", false)});
    awaited.follow(Lists{list("http://a/", false), list("http://mistyped/", false)});
    BOOST_TEST(awaited.error() == "never fetched: http://a/");
}

BOOST_AUTO_TEST_CASE(a_list_that_a_reload_removes_is_not_awaited_any_more) {
    AwaitedLists awaited;
    awaited.begin(Lists{list("http://a/", false)});
    awaited.follow(Lists{});
    BOOST_TEST(awaited.error().empty());
}

BOOST_AUTO_TEST_CASE(ready_false_takes_a_list_out) {
    AwaitedLists awaited;
    awaited.begin(Lists{list("http://a/", false, false)});
    BOOST_TEST(awaited.error().empty());
    awaited.begin(Lists{list("http://a/", false)});
    awaited.follow(Lists{list("http://a/", false, false)});
    BOOST_TEST(awaited.error().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
