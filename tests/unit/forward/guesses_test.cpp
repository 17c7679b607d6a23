// Replies that resemble guesses of an attacker: after ten of them a question is asked over TCP (RFC 5452).
#include <boost/test/unit_test.hpp>

#include "world.h"

using namespace steer;
using namespace steer::test;

namespace {

Bytes with_id(Bytes message, unsigned id) {
    dns::store_be16(message.data(), static_cast<std::uint16_t>(id));
    return message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guesses)

BOOST_AUTO_TEST_CASE(wrong_ids_turn_a_question_to_tcp) {
    World w;
    w.ask("www.example");
    const Frame frame = w.station().frames[0];
    const Bytes forged = reply_to(frame.dns, {});
    for (unsigned i = 1; i < 10; ++i)
        BOOST_TEST((w.answer_with(frame, with_id(forged, id_of(frame.dns) + i)) ==
                    Verdict::drop_upstream_unknown));
    BOOST_TEST(w.station().kernel.empty());
    w.answer_with(frame, with_id(forged, id_of(frame.dns) + 10));
    BOOST_TEST(w.stat(Stat::upstream_near_misses) == 10U);
    BOOST_TEST(w.stat(Stat::upstream_suspected) == 1U);
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::tcp));
    // Even the right port and id are too late.
    BOOST_TEST(
        (w.answer_with(frame, forged) != Verdict::upstream_reply || w.station().answers.empty()));
    BOOST_TEST(w.station().answers.empty());
    w.answer_kernel(w.station().kernel[0], {.addresses = 3});
    BOOST_REQUIRE(w.station().answers.size() == 1U);
    BOOST_TEST(w.station().answers[0].ancount == 3U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(wrong_ports_count_by_their_question) {
    World w;
    w.ask("wWw.example");
    Frame frame = w.station().frames[0];
    const Bytes forged = reply_to(frame.dns, {});
    for (unsigned i = 1; i <= 10; ++i) {
        frame.source_port = static_cast<std::uint16_t>(10'240 + (frame.source_port + 7) % 16'384);
        w.answer_with(frame, with_id(forged, i * 77));
    }
    BOOST_TEST(w.stat(Stat::upstream_suspected) == 1U);
    BOOST_TEST(w.station().kernel.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_question_with_the_right_port_and_id_counts) {
    World w;
    w.ask("www.example");
    const Frame frame = w.station().frames[0];
    Bytes other = reply_to(frame.dns, {});
    other[13] = 'x';
    for (unsigned i = 0; i < 10; ++i)
        w.answer_with(frame, other);
    BOOST_TEST(w.stat(Stat::upstream_suspected) == 1U);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_not_an_upstream_does_not_count) {
    World w(2);
    w.ask("www.example");
    w.ask("other.example");
    const Frame frame = w.station().frames[0];
    const Bytes forged = reply_to(frame.dns, {});
    const auto from = [&](const IpAddress& address, std::uint16_t port) {
        for (unsigned i = 1; i <= 20; ++i) {
            w.station().forwarder.on_datagram(address, port, frame.source_port,
                                              with_id(forged, id_of(frame.dns) + i), w.now);
        }
    };
    from(upstream_address(9), 53);
    from(upstream_address(0), 54);
    // For a question that was not asked, or of another type.
    Bytes unasked = with_id(forged, 1);
    unasked[13] = 'z';
    for (unsigned i = 1; i <= 20; ++i)
        w.answer_with({static_cast<std::uint16_t>(frame.source_port + 1), 0, {}}, unasked);
    BOOST_TEST(w.stat(Stat::upstream_near_misses) == 0U);
    BOOST_TEST(w.station().kernel.empty());
}

BOOST_AUTO_TEST_CASE(guesses_at_a_socket_turn_its_question_to_tcp) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
    w.ask("www.example");
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    w.fail_kernel(w.station().kernel[0], static_cast<int>(kForgedReplies));
    BOOST_REQUIRE(w.station().kernel.size() == 2U);
    BOOST_TEST((w.station().kernel[1].via == UpstreamVia::tcp));
    BOOST_TEST(w.stat(Stat::upstream_failures) == 0U);
    w.answer_kernel(w.station().kernel[1]);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(ad_is_kept_only_from_a_trusted_upstream) {
    for (const bool trusted : {false, true}) {
        World w;
        w.snapshot->upstreams[0].trust_ad = trusted;
        w.ask("www.example");
        const Frame& frame = w.station().frames[0];
        // RFC 6840 5.7: who understands AD says so.
        BOOST_TEST(((dns::load_be16(&frame.dns[2]) & dns::kAd) != 0) == trusted);
        w.answer(frame, {.flags = dns::kAd});
        BOOST_REQUIRE(w.station().answers.size() == 1U);
        BOOST_TEST(w.station().answers[0].authentic == trusted);
    }
}

BOOST_AUTO_TEST_SUITE_END()
