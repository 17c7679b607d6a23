// When a service address is announced, and when it is withdrawn.
#include "announcement.h"

#include <boost/test/unit_test.hpp>

using steerctl::Announcement;
using namespace std::chrono_literals;

namespace {

struct Scene {
    // Ready for long enough.
    Scene() {
        one.received(true, "", now);
        now += 1'000ms;
        BOOST_REQUIRE(one.is_wanted(now));
    }
    Announcement::Ms now{50'000};
    Announcement one{{}};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(announcement)

BOOST_AUTO_TEST_CASE(nothing_is_announced_before_the_daemon_reported) {
    Announcement one{{}};
    BOOST_TEST(!one.is_wanted(1h));
    BOOST_TEST(one.why() == "steerdnsd was not heard yet");
}

BOOST_AUTO_TEST_CASE(it_is_announced_after_it_was_ready_for_the_hold_time) {
    Announcement one{{}};
    one.received(true, "", 1'000ms);
    BOOST_TEST(!one.is_wanted(1'999ms));
    BOOST_TEST(one.is_wanted(2'000ms));
    BOOST_TEST(one.why() == "ready");
}

BOOST_AUTO_TEST_CASE(a_reason_withdraws_at_once_and_the_hold_time_begins_again) {
    Scene scene;
    scene.one.received(false, "drain: draining", scene.now);
    BOOST_TEST(!scene.one.is_wanted(scene.now));
    BOOST_TEST(scene.one.why() == "not ready: drain: draining");
    scene.one.received(true, "", scene.now);
    BOOST_TEST(!scene.one.is_wanted(scene.now + 999ms));
    BOOST_TEST(scene.one.is_wanted(scene.now + 1'000ms));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_ended_withdraws_at_once) {
    Scene scene;
    scene.one.lost("steerdnsd does not run", scene.now);
    BOOST_TEST(!scene.one.is_wanted(scene.now));
    BOOST_TEST(scene.one.why() == "steerdnsd does not run");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_closed_the_session_may_go_on_in_another_one) {
    Scene scene;
    scene.one.reconnecting(scene.now);
    BOOST_TEST(scene.one.is_wanted(scene.now + 499ms));
    scene.one.received(true, "", scene.now + 499ms);
    BOOST_TEST(scene.one.is_wanted(scene.now + 3'498ms));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_says_nothing_in_its_new_session_is_withdrawn) {
    Scene scene;
    scene.one.reconnecting(scene.now);
    BOOST_TEST(!scene.one.is_wanted(scene.now + 500ms));
    BOOST_TEST(scene.one.why() == "steerdnsd closed the connection and says nothing");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_hangs_is_withdrawn_after_the_patience) {
    Scene scene;
    scene.one.received(true, "", scene.now);
    BOOST_TEST(scene.one.is_wanted(scene.now + 2'999ms));
    BOOST_TEST(!scene.one.is_wanted(scene.now + 3'000ms));
    BOOST_TEST(scene.one.why() == "steerdnsd says nothing for 3000 ms");
}

BOOST_AUTO_TEST_CASE(nothing_is_announced_after_the_end) {
    Scene scene;
    scene.one.end();
    BOOST_TEST(!scene.one.is_wanted(scene.now));
    scene.one.received(true, "", scene.now);
    BOOST_TEST(!scene.one.is_wanted(scene.now + 2'000ms));
}

BOOST_AUTO_TEST_SUITE_END()
