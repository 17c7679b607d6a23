// What replies do: forged replies change only counters, and truncated answers are asked for
// over TCP.
#include <boost/test/unit_test.hpp>
#include <random>

#include "world.h"

using namespace steer;
using namespace steer::test;

BOOST_AUTO_TEST_SUITE(replies)

BOOST_AUTO_TEST_CASE(forged_replies_are_dropped_and_the_real_one_is_waited_for) {
    World w;
    w.ask("www.example");
    const Frame f = w.station().frames[0];
    const Bytes good = reply_to(f.dns, {});
    const auto send = [&](const IpAddress& from, unsigned from_port, unsigned to_port,
                          const Bytes& b) {
        return w.station().forwarder.on_datagram(from, static_cast<std::uint16_t>(from_port),
                                                 static_cast<std::uint16_t>(to_port), b, w.now);
    };
    const IpAddress upstream = upstream_address(0);

    Bytes wrong_id = good;
    wrong_id[1] ^= 1;
    BOOST_TEST((send(upstream, 53, f.source_port, wrong_id) == Verdict::drop_upstream_unknown));
    BOOST_TEST((send(upstream, 53, f.source_port ^ 2U, good) == Verdict::drop_upstream_unknown));
    BOOST_TEST(
        (send(upstream_address(7), 53, f.source_port, good) == Verdict::drop_upstream_unknown));
    BOOST_TEST((send(upstream, 5353, f.source_port, good) == Verdict::drop_upstream_unknown));

    const auto malformed = [&](const Bytes& b) {
        return send(upstream, 53, f.source_port, b) == Verdict::drop_upstream_malformed;
    };
    Bytes other_name = good;
    other_name[13] ^= 1;
    BOOST_TEST(malformed(other_name));
    Bytes other_type = good;
    other_type[12 + wire_name("www.example").size() + 1] = 28;
    BOOST_TEST(malformed(other_type));
    Bytes a_query = good;
    a_query[2] &= 0x7f;
    BOOST_TEST(malformed(a_query));
    Bytes other_opcode = good;
    other_opcode[2] |= 0x28;
    BOOST_TEST(malformed(other_opcode));
    BOOST_TEST(malformed(Bytes(good.begin(), good.begin() + 11)));
    BOOST_TEST(malformed(Bytes(good.begin(), good.end() - 3)));
    Bytes no_question(good.begin(), good.begin() + 12);
    no_question[5] = no_question[7] = 0;
    BOOST_TEST(malformed(no_question));

    BOOST_TEST(w.station().answers.empty());
    BOOST_TEST((send(upstream, 53, f.source_port, good) == Verdict::upstream_reply));
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST((send(upstream, 53, f.source_port, good) == Verdict::drop_upstream_unknown));
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(an_error_without_a_question_counts_by_its_rcode) {
    World w(2);
    w.ask("www.example");
    const Frame f = w.station().frames[0];
    Bytes bare = reply_to(f.dns, {.rcode = dns::kServFail, .addresses = 0});
    bare.resize(12);
    bare[5] = 0;
    BOOST_TEST((w.answer_with(f, bare) == Verdict::upstream_reply));
    BOOST_TEST(w.stat(Stat::upstream_failures) == 1U);
    w.answer(w.station().frames[1]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
}

BOOST_AUTO_TEST_CASE(nxdomain_is_an_answer) {
    World w(2);
    w.ask("no.example");
    w.answer(w.station().frames[0], {.rcode = dns::kNxDomain, .addresses = 0});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == dns::kNxDomain);
}

BOOST_AUTO_TEST_CASE(mutated_replies_change_only_counters) {
    World w;
    std::mt19937 random{11};
    w.ask("www.example");
    Frame f = w.station().frames[0];
    Bytes good = reply_to(f.dns, {.addresses = 3, .opt = true});
    unsigned used = 0;
    for (int i = 0; i < 20'000; ++i) {
        Bytes b = good;
        for (auto n = 1 + random() % 3; n > 0; --n) {
            b[random() % b.size()] = static_cast<std::uint8_t>(random());
        }
        if (random() % 4 == 0) b.resize(random() % b.size());
        const std::size_t frames = w.station().frames.size();
        const Verdict v = w.answer_with(f, b);
        BOOST_TEST((v == Verdict::upstream_reply || v == Verdict::drop_upstream_unknown ||
                    v == Verdict::drop_upstream_malformed));
        // Too many of them resemble guesses: then it is asked over TCP.
        const bool suspected = !w.station().kernel.empty();
        if (suspected) {
            w.answer_kernel(w.station().kernel.back());
            w.station().kernel.clear();
        }
        if (v != Verdict::upstream_reply && !suspected) continue;
        ++used;
        // The reply ended the question: ask again.
        if (w.station().frames.size() > frames) w.answer(w.station().frames.back());
        BOOST_REQUIRE(w.station().forwarder.in_flight() == 0);
        w.ask("www.example");
        f = w.station().frames.back();
        good[0] = f.dns[0];
        good[1] = f.dns[1];
    }
    BOOST_TEST(used > 100U);
    BOOST_TEST(w.station().answers.size() == used);
    w.wait(6'000);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_truncated_reply_is_passed_on_to_a_udp_client) {
    World w;
    w.ask("big.example");
    w.answer(w.station().frames[0], {.addresses = 1, .flags = dns::kTc});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].truncated);
    BOOST_TEST(w.station().kernel.empty());
}

BOOST_AUTO_TEST_CASE(a_truncated_reply_is_retried_over_tcp_for_a_tcp_client) {
    World w;
    const Parked* const udp = w.ask("big.example");
    const Parked* const tcp = w.ask_over_tcp("big.example");
    BOOST_TEST(w.stat(Stat::upstream_coalesced) == 1U);
    w.answer(w.station().frames[0], {.addresses = 1, .flags = dns::kTc});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].parked == udp);
    BOOST_TEST(w.station().answers[0].truncated);
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::tcp));
    w.answer_kernel(w.station().kernel[0], {.addresses = 400});
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST(w.station().answers[1].parked == tcp);
    BOOST_TEST(!w.station().answers[1].truncated);
    BOOST_TEST(w.station().answers[1].ancount == 400U);
    BOOST_TEST(w.station().forwarder.in_flight() == 0U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_client_may_have_left_when_tcp_answers) {
    World w;
    Parked* const udp = w.ask("big.example");
    auto other_generation = make_snapshot(1);
    std::swap(w.snapshot, other_generation);
    w.ask_over_tcp("big.example");
    w.answer(w.station().frames[0], {.flags = dns::kTc});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    udp->snapshot = nullptr;
    other_generation.reset();
    w.answer_kernel(w.station().kernel[0], {.addresses = 2});
    BOOST_TEST(w.station().answers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_tcp_client_gets_no_truncated_reply_if_tcp_fails) {
    World w(2);
    w.ask_over_tcp("big.example");
    w.answer(w.station().frames[0], {.addresses = 1, .flags = dns::kTc});
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    w.fail_kernel(w.station().kernel[0], ECONNREFUSED);
    BOOST_REQUIRE(w.station().kernel.size() == 2);
    BOOST_TEST(w.station().kernel[1].upstream != w.station().kernel[0].upstream);
    w.wait(2'010);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == -1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::truncated));
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_truncated_over_tcp_is_a_failure_of_that_upstream) {
    World w(2);
    w.ask_over_tcp("big.example");
    w.answer(w.station().frames[0], {.addresses = 1, .flags = dns::kTc});
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    w.answer_kernel(w.station().kernel[0], {.addresses = 1, .flags = dns::kTc});
    BOOST_TEST(w.stat(Stat::upstream_failures) == 1U);
    BOOST_REQUIRE(w.station().kernel.size() == 2);
    BOOST_TEST(w.station().kernel[1].upstream != w.station().kernel[0].upstream);
    w.answer_kernel(w.station().kernel[1], {.addresses = 40});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].ancount == 40U);

    // Both truncate: nothing for the client over TCP.
    w.ask_over_tcp("huge.example");
    w.answer(w.station().frames.back(), {.addresses = 1, .flags = dns::kTc});
    w.answer_kernel(w.station().kernel[2], {.addresses = 1, .flags = dns::kTc});
    w.answer_kernel(w.station().kernel[3], {.addresses = 1, .flags = dns::kTc});
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST(w.station().answers[1].rcode == -1);
    BOOST_TEST((w.station().answers[1].end == UpstreamResult::truncated));
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
