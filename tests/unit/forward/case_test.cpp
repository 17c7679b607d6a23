// Names in random case (0x20): what is sent, what a reply has to return, and what only our own
// probes can change.
#include <boost/test/unit_test.hpp>
#include <cctype>

#include "world.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr const char* kLongName = "a-rather-long-name-with-letters.example";

ForwarderOptions with_case(RandomCase random_case) {
    ForwarderOptions options;
    options.random_case = random_case;
    return options;
}

unsigned capitals(const Bytes& message) {
    unsigned found = 0;
    for (std::size_t i = dns::kHeaderSize; i < message.size() && message[i] != 0; ++i)
        found += std::isupper(message[i]) != 0 ? 1U : 0U;
    return found;
}

// The reply with the question's name in lower case, as a forger sends it who cannot see the query.
Bytes in_lower_case(const Bytes& query, const ReplyOf& what = {}) {
    Bytes reply = reply_to(query, what);
    const std::size_t length = wire_name(kLongName).size();
    dns::lower_case(&reply[dns::kHeaderSize], &reply[dns::kHeaderSize], length);
    return reply;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_case)

BOOST_AUTO_TEST_CASE(a_name_is_sent_in_mixed_case_and_its_reply_is_used) {
    for (const RandomCase setting : {RandomCase::learned, RandomCase::always}) {
        World w(1, 1, with_case(setting));
        w.ask(kLongName);
        BOOST_TEST(capitals(w.station().frames[0].dns) > 3U);
        BOOST_TEST((w.answer(w.station().frames[0]) == Verdict::upstream_reply));
        BOOST_TEST(w.station().answers.size() == 1U);
        BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 0U);
    }
    World w(1, 1, with_case(RandomCase::never));
    w.ask(kLongName);
    BOOST_TEST(capitals(w.station().frames[0].dns) == 0U);
}

BOOST_AUTO_TEST_CASE(a_reply_in_another_case_is_dropped_and_the_question_repeated_over_tcp) {
    World w(1, 1, with_case(RandomCase::learned));
    w.ask(kLongName);
    const Frame frame = w.station().frames[0];
    BOOST_TEST((w.answer_with(frame, in_lower_case(frame.dns, {.addresses = 6})) ==
                Verdict::drop_upstream_malformed));
    BOOST_TEST(w.station().answers.empty());
    BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 1U);
    BOOST_TEST(w.stat(Stat::upstream_near_misses) == 0U);
    BOOST_TEST(w.station().forwarder.health(0).case_mismatches.get() == 1U);
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::tcp));
    BOOST_TEST(capitals(w.station().kernel[0].dns) == 0U);
    // Even the right case is too late over UDP: there is one guess for each query.
    BOOST_TEST((w.answer(frame) == Verdict::drop_upstream_unknown));
    w.answer_kernel(w.station().kernel[0], {.addresses = 2});
    BOOST_REQUIRE(w.station().answers.size() == 1U);
    BOOST_TEST(w.station().answers[0].ancount == 2U);
    BOOST_TEST(w.buffers_in_use() == 0U);
    // It has replied: nothing waits for a measurement.
    w.wait(60'000);
    BOOST_TEST(w.station().forwarder.health(0).timeouts.get() == 0U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_probes_found_to_change_the_case_gets_lower_case) {
    World w(1, 1, with_case(RandomCase::learned));
    w.station().forwarder.probed(0, {.changes_case = true});
    w.ask(kLongName);
    const Frame frame = w.station().frames[0];
    BOOST_TEST(capitals(frame.dns) == 0U);
    BOOST_TEST((w.answer(frame) == Verdict::upstream_reply));
    w.station().forwarder.probed(0, {});
    w.ask(kLongName);
    BOOST_TEST(capitals(w.station().frames[1].dns) > 3U);
    // A reply to a query of before is still held against what was sent.
    w.station().forwarder.probed(0, {.changes_case = true});
    BOOST_TEST((w.answer_with(w.station().frames[1], in_lower_case(w.station().frames[1].dns)) ==
                Verdict::drop_upstream_malformed));
}

BOOST_AUTO_TEST_CASE(always_ignores_what_probes_found) {
    World w(1, 1, with_case(RandomCase::always));
    w.station().forwarder.probed(0, {.changes_case = true});
    w.ask(kLongName);
    BOOST_TEST(capitals(w.station().frames[0].dns) > 3U);
}

BOOST_AUTO_TEST_CASE(forged_replies_switch_nothing_off) {
    World w(1, 1, with_case(RandomCase::learned));
    for (unsigned i = 0; i < 500; ++i) {
        w.ask(kLongName);
        const Frame frame = w.station().frames.back();
        BOOST_TEST_REQUIRE(capitals(frame.dns) > 0U);
        w.answer_with(frame, in_lower_case(frame.dns));
        w.answer_kernel(w.station().kernel.back());
    }
    BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 500U);
    BOOST_TEST(!w.station().forwarder.health(0).changes_case.load());
}

BOOST_AUTO_TEST_CASE(kernel_sockets_and_datagram_channels_have_random_case_but_streams_have_not) {
    for (const Channel channel : {Channel::none, Channel::datagrams, Channel::stream}) {
        World w(1, 1, with_case(RandomCase::learned));
        w.snapshot->upstreams[0].channel = channel;
        w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
        w.ask(kLongName);
        BOOST_REQUIRE(w.station().kernel.size() == 1U);
        const KernelQuery asked = w.station().kernel[0];
        BOOST_TEST((capitals(asked.dns) > 3U) == (channel != Channel::stream));
        if (channel == Channel::stream) continue;
        KernelQuery lower = asked;
        dns::lower_case(&lower.dns[dns::kHeaderSize], &lower.dns[dns::kHeaderSize],
                        wire_name(kLongName).size());
        w.answer_kernel(lower);
        BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 1U);
        BOOST_TEST(w.station().answers.empty());
        BOOST_REQUIRE(w.station().kernel.size() == 2U);
        BOOST_TEST((w.station().kernel[1].via == UpstreamVia::tcp));
        w.answer_kernel(w.station().kernel[1]);
        BOOST_TEST(w.station().answers.size() == 1U);
    }
}

// A copy only measures: its reply turns no question to TCP.
BOOST_AUTO_TEST_CASE(another_case_in_the_reply_to_a_copy_leaves_the_question_with_its_upstream) {
    World w(2, 1, with_case(RandomCase::learned));
    w.ask(kLongName);
    BOOST_REQUIRE(w.station().frames.size() == 2U);  // both are unmeasured
    const Frame first = w.station().frames[0], copy = w.station().frames[1];
    w.answer_with(copy, in_lower_case(copy.dns));
    BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 1U);
    BOOST_TEST(w.station().kernel.empty());
    BOOST_TEST((w.answer(first) == Verdict::upstream_reply));
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_error_without_a_question_has_no_case) {
    World w(1, 1, with_case(RandomCase::learned));
    w.ask(kLongName);
    Bytes bare = reply_to(w.station().frames[0].dns, {.rcode = dns::kRefused, .addresses = 0});
    bare.resize(dns::kHeaderSize);
    dns::store_be16(&bare[4], 0);
    BOOST_TEST((w.answer_with(w.station().frames[0], bare) == Verdict::upstream_reply));
    BOOST_TEST(w.stat(Stat::upstream_case_mismatches) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
