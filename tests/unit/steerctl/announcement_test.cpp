// When a service address is announced, and when it is withdrawn.
#include "announcement.h"

#include <boost/test/unit_test.hpp>

using steerctl::Announcement;
using namespace std::chrono_literals;

namespace {

struct Heard {
    // Ready for long enough.
    Heard() {
        one.heard(true, "", now);
        now += 1'000ms;
        BOOST_REQUIRE(one.is_wanted(now));
    }
    Announcement::Ms now{50'000};
    Announcement one{{}};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(announcement)

BOOST_AUTO_TEST_CASE(nothing_is_announced_before_the_daemon_was_heard) {
    Announcement one{{}};
    BOOST_TEST(!one.is_wanted(1h));
    BOOST_TEST(one.why() == "steerdnsd was not heard yet");
}

BOOST_AUTO_TEST_CASE(it_is_announced_after_it_was_ready_for_the_hold_time) {
    Announcement one{{}};
    one.heard(true, "", 1'000ms);
    BOOST_TEST(!one.is_wanted(1'999ms));
    BOOST_TEST(one.is_wanted(2'000ms));
    BOOST_TEST(one.why() == "ready");
}

BOOST_AUTO_TEST_CASE(a_reason_withdraws_at_once_and_the_hold_time_begins_again) {
    Heard heard;
    heard.one.heard(false, "drain: draining", heard.now);
    BOOST_TEST(!heard.one.is_wanted(heard.now));
    BOOST_TEST(heard.one.why() == "not ready: drain: draining");
    heard.one.heard(true, "", heard.now);
    BOOST_TEST(!heard.one.is_wanted(heard.now + 999ms));
    BOOST_TEST(heard.one.is_wanted(heard.now + 1'000ms));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_ended_withdraws_at_once) {
    Heard heard;
    heard.one.lost("steerdnsd does not run", heard.now);
    BOOST_TEST(!heard.one.is_wanted(heard.now));
    BOOST_TEST(heard.one.why() == "steerdnsd does not run");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_closed_the_session_may_go_on_in_another_one) {
    Heard heard;
    heard.one.reconnecting(heard.now);
    BOOST_TEST(heard.one.is_wanted(heard.now + 499ms));
    heard.one.heard(true, "", heard.now + 499ms);
    BOOST_TEST(heard.one.is_wanted(heard.now + 3'498ms));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_says_nothing_in_its_new_session_is_withdrawn) {
    Heard heard;
    heard.one.reconnecting(heard.now);
    BOOST_TEST(!heard.one.is_wanted(heard.now + 500ms));
    BOOST_TEST(heard.one.why() == "steerdnsd closed the connection and says nothing");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_hangs_is_withdrawn_after_the_patience) {
    Heard heard;
    heard.one.heard(true, "", heard.now);
    BOOST_TEST(heard.one.is_wanted(heard.now + 2'999ms));
    BOOST_TEST(!heard.one.is_wanted(heard.now + 3'000ms));
    BOOST_TEST(heard.one.why() == "steerdnsd says nothing for 3000 ms");
}

BOOST_AUTO_TEST_CASE(nothing_is_announced_after_the_end) {
    Heard heard;
    heard.one.end();
    BOOST_TEST(!heard.one.is_wanted(heard.now));
    heard.one.heard(true, "", heard.now);
    BOOST_TEST(!heard.one.is_wanted(heard.now + 2'000ms));
}

BOOST_AUTO_TEST_SUITE_END()
