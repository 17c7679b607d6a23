// The seam below the pool: a protocol without sockets, bytes or ids is asked as TCP, TLS and HTTPS are.
#include "control/streams/upstream/upstream_transport.h"

#include "dataplane/forward/forwarder.h"
#include "seam_world.h"

using namespace steer;
using namespace steer::test;

namespace {

UpstreamTarget one_connection() {
    UpstreamTarget target;
    target.max_conns = 1;
    return target;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_transport)

// One name can cause it: workers prefer others for a while, and the connection is used as before.
BOOST_AUTO_TEST_CASE(an_upstream_that_asks_to_wait_is_still_asked) {
    SeamWorld w;
    w.ask(11, "a.example");
    const auto session = w.open(0);
    session->refuse(0, 7);
    w.check_error(11, static_cast<int>(kUpstreamAsksToWait | 7));
    BOOST_TEST_REQUIRE(w.logged.size() == 1U);
    BOOST_TEST(w.logged[0] ==
               "upstream up cannot be asked: it asks to wait for 7 s (HTTP's Retry-After)");
    w.ask(12, "b.example");
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(session->streams.begin()->first);
    w.check_reply(12, "b.example");
    BOOST_TEST(w.logged.size() == 2U);
    // For at most ten seconds.
    w.ask(13, "c.example");
    session->refuse(session->streams.begin()->first, 86'400);
    w.check_error(13, static_cast<int>(kUpstreamAsksToWait | 10));
}

BOOST_AUTO_TEST_CASE(an_http_error_fails_the_query_alone) {
    SeamWorld w;
    w.ask(11, "a.example");
    const auto session = w.open(0);
    session->refuse(0, 0);
    w.check_error(11, static_cast<int>(kUpstreamFailsQuery));
    w.ask(12, "b.example");
    session->answer(session->streams.begin()->first);
    w.check_reply(12, "b.example");
}

BOOST_AUTO_TEST_CASE(queries_have_a_stream_each_and_are_answered_in_any_order) {
    SeamWorld w;
    w.ask(11, "a.example");
    w.ask(12, "b.example");
    w.ask(13, "c.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 1U);
    BOOST_TEST((w.attempts[0]->path.address == kServer));
    const auto session = w.open(0);
    BOOST_TEST_REQUIRE(session->streams.size() == 3U);
    for (const auto& [number, one] : session->streams)
        BOOST_TEST(dns::load_be16(one.query.data()) == 0U);
    session->answer(8);
    session->answer(0);
    session->answer(4);
    w.check_reply(13, "c.example");
    w.check_reply(11, "a.example");
    w.check_reply(12, "b.example");
    BOOST_TEST(w.attempts.size() == 1U);
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_connects) == 1U);
    BOOST_TEST(w.state->report().address == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_query_above_the_stream_limit_waits) {
    SeamWorld w(one_connection());
    w.ask(21, "a.example");
    w.ask(22, "b.example");
    const auto session = w.open(0, 1);
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(0);
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(4);
    w.check_reply(21, "a.example");
    w.check_reply(22, "b.example");
    BOOST_TEST(w.attempts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(queries_that_a_leaving_server_did_not_accept_use_a_new_session) {
    SeamWorld w;
    w.ask(31, "a.example");
    w.ask(32, "b.example");
    const auto old = w.open(0);
    old->leave(4);
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    const auto fresh = w.open(1);
    BOOST_TEST_REQUIRE(fresh->streams.size() == 1U);
    old->answer(0);
    fresh->answer(0);
    w.check_reply(31, "a.example");
    w.check_reply(32, "b.example");
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_again) == 1U);
}

BOOST_AUTO_TEST_CASE(a_silent_session_gets_no_more_queries_and_its_queries_are_retried) {
    SeamWorld w;
    w.ask(41, "a.example");
    const auto silent = w.open(0);
    w.clock.ms += stream::UpstreamPool::kSilenceMs;
    w.pool->tick();
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    const auto fresh = w.open(1);
    fresh->answer(0);
    w.check_reply(41, "a.example");
    w.clock.ms += stream::UpstreamPool::kGiveUpMs;
    w.pool->tick();
    BOOST_TEST(silent->closed);
    BOOST_TEST(!fresh->closed);
}

BOOST_AUTO_TEST_CASE(a_failed_connection_ends_its_queries_with_its_error) {
    SeamWorld w;
    w.ask(51, "a.example");
    SeamWorld::end(*w.attempts.at(0), {.error = ECONNREFUSED, .why = "nobody listens"});
    w.check_error(51, ECONNREFUSED);
    BOOST_TEST_REQUIRE(w.logged.size() == 1U);
    BOOST_TEST(w.logged[0] == "upstream up cannot be asked: nobody listens");
}

BOOST_AUTO_TEST_CASE(an_untrusted_server_is_not_connected_to_for_some_time) {
    SeamWorld w;
    w.ask(61, "a.example");
    SeamWorld::end(*w.attempts.at(0), {.error = EKEYREJECTED, .why = "not trusted"});
    w.check_error(61, EKEYREJECTED);
    w.ask(62, "a.example");
    w.check_error(62, EKEYREJECTED);
    BOOST_TEST(w.attempts.size() == 1U);
    w.clock.ms += stream::UpstreamPool::kDistrustFirstMs;
    w.ask(63, "a.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    w.open(1)->answer(0);
    w.check_reply(63, "a.example");
}

BOOST_AUTO_TEST_CASE(sessions_from_a_removed_local_address_are_closed) {
    SeamWorld w;
    w.ask(71, "a.example");
    const auto here = w.open(0);
    here->answer(0);
    w.pool->network_changed();
    BOOST_TEST(!here->closed);
    here->leave(0);
    w.ask(72, "b.example");
    const auto gone = w.open(1, 100, address("192.0.2.99"));
    gone->answer(0);
    w.pool->network_changed();
    BOOST_TEST(gone->closed);
    w.check_reply(71, "a.example");
    w.check_reply(72, "b.example");
}

BOOST_AUTO_TEST_CASE(a_closed_pool_cancels_attempts_and_closes_sessions) {
    SeamWorld w;
    w.ask(81, "a.example");
    const auto session = w.open(0, 1);
    w.ask(82, "b.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    w.pool->close();
    BOOST_TEST(session->closed);
    BOOST_TEST((w.attempts[1]->done == nullptr));
    BOOST_TEST(w.replies().empty());
}

BOOST_AUTO_TEST_SUITE_END()
