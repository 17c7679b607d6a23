// Which upstream the forwarder asks, when, and over which transport.
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <set>

#include "world.h"

using namespace steer;
using namespace steer::test;

BOOST_AUTO_TEST_SUITE(requests)

BOOST_AUTO_TEST_CASE(a_query_is_sent_and_its_answer_returned) {
    World w;
    Parked* const parked = w.ask("www.Example");
    BOOST_REQUIRE(w.station().frames.size() == 1);
    const Frame frame = w.station().frames[0];
    BOOST_TEST((frame.source_port >= 10240 && frame.source_port <= 26623));
    BOOST_TEST(has_edns(frame.dns));
    BOOST_TEST(dns::load_be16(&frame.dns[2]) == dns::kRd);
    const Bytes name = wire_name("www.example");
    BOOST_TEST(std::equal(name.begin(), name.end(), frame.dns.begin() + 12));
    BOOST_TEST(w.station().answers.empty());
    w.now.ms += 7;
    BOOST_TEST((w.answer(frame, {.addresses = 2}) == Verdict::upstream_reply));
    BOOST_REQUIRE(w.station().answers.size() == 1);
    const Answered& a = w.station().answers[0];
    BOOST_TEST(a.parked == parked);
    BOOST_TEST((a.end == UpstreamResult::answered));
    BOOST_TEST(a.rcode == 0);
    BOOST_TEST(a.ancount == 2U);
    BOOST_TEST(a.serial != 0U);
    BOOST_TEST(w.station().forwarder.in_flight() == 0U);
    BOOST_TEST(w.station().forwarder.next_deadline_ms() == UINT64_MAX);
    BOOST_TEST(w.station().forwarder.health(0).rtt_16ths_ms.load() == 7U * 16);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(ports_and_ids_do_not_repeat) {
    World w;
    std::set<std::uint16_t> ports, ids;
    for (int i = 0; i < 200; ++i) {
        w.ask("n" + std::to_string(i) + ".example");
        const Frame& f = w.station().frames.back();
        ports.insert(f.source_port);
        ids.insert(id_of(f.dns));
        w.answer(f);
    }
    BOOST_TEST(ports.size() > 190U);
    BOOST_TEST(ids.size() > 190U);
}

BOOST_AUTO_TEST_CASE(a_lost_query_is_retried_and_then_fails) {
    World w;
    w.ask("lost.example");
    w.wait(404);
    BOOST_TEST(w.station().frames.size() == 2U);
    BOOST_TEST(w.stat(Stat::upstream_retries) == 1U);
    w.wait(4'600);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::timed_out));
    BOOST_TEST(w.station().frames.size() == 3U);  // RFC 9520 3.1
    BOOST_TEST(w.stat(Stat::upstream_timeouts) >= 2U);
    BOOST_TEST(w.station().forwarder.in_flight() == 0U);
    w.wait(20'000);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_next_upstream_is_asked_and_a_late_reply_is_still_taken) {
    World w(2);
    w.ask("slow.example");
    // The first, and a copy to the second to learn how fast it is: one is distinguished by its port.
    BOOST_REQUIRE(w.station().frames.size() == 2);
    BOOST_TEST(w.station().frames[0].upstream == 0);
    BOOST_TEST(w.station().frames[1].upstream == 1);
    w.wait(410);
    BOOST_REQUIRE(w.station().frames.size() == 3);
    w.answer(w.station().frames[0]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
    BOOST_TEST((w.answer(w.station().frames[2]) == Verdict::drop_upstream_unknown));
    // The copy is still received, as a measurement.
    BOOST_TEST((w.answer(w.station().frames[1]) == Verdict::upstream_reply));
    BOOST_TEST((w.answer(w.station().frames[1]) == Verdict::drop_upstream_unknown));
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(w.station().forwarder.health(1).rtt_16ths_ms.load() == 410U * 16);
}

BOOST_AUTO_TEST_CASE(a_probe_without_a_reply_ends) {
    World w(2);
    w.ask("quick.example");
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().forwarder.health(1).silent.load() == 0U);
    w.wait(2'001);
    BOOST_TEST(w.station().forwarder.health(1).silent.load() == 1U);
    BOOST_TEST((w.answer(w.station().frames[1]) == Verdict::drop_upstream_unknown));
    w.wait(1'000);
    w.ask("again.example");
    BOOST_TEST(w.station().frames.size() == 4U);
    BOOST_TEST(w.station().frames[3].upstream == 1);
}

BOOST_AUTO_TEST_CASE(servfail_asks_the_next_and_the_last_one_is_passed_on) {
    World w(3);
    w.ask("broken.example");
    w.answer(w.station().frames[0], {.rcode = dns::kServFail, .addresses = 0});
    BOOST_TEST(w.station().answers.empty());
    w.answer(w.station().frames[1], {.rcode = dns::kRefused, .addresses = 0});
    BOOST_TEST(w.station().answers.empty());
    BOOST_REQUIRE(w.station().frames.size() == 3);
    w.answer(w.station().frames[2], {.rcode = dns::kServFail, .addresses = 0});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::answered));
    BOOST_TEST(w.station().answers[0].rcode == dns::kServFail);
    BOOST_TEST(w.stat(Stat::upstream_failures) == 3U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_good_answer_after_a_servfail_is_taken) {
    World w(2);
    w.ask("half.example");
    w.answer(w.station().frames[0], {.rcode = dns::kServFail, .addresses = 0});
    w.answer(w.station().frames[1]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_servfail_is_passed_on_when_the_other_upstream_is_silent) {
    World w(2);
    w.ask("half.example");
    w.answer(w.station().frames[0], {.rcode = dns::kServFail, .addresses = 0});
    w.wait(2'010);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == dns::kServFail);
}

// FORMERR and NOTIMP, as of a server without EDNS; FORMERR with the query's OPT and BADVERS. A name or an option can cause
// each of them, so that nothing is concluded for other queries.
BOOST_AUTO_TEST_CASE(a_refusal_of_edns_is_repeated_without_it_for_this_query_alone) {
    for (const ReplyOf& refusal :
         {ReplyOf{.rcode = dns::kFormErr, .addresses = 0},
          ReplyOf{.rcode = dns::kNotImp, .addresses = 0},
          ReplyOf{.rcode = dns::kFormErr, .addresses = 0, .opt = true},
          ReplyOf{.addresses = 0, .opt = true, .extended_rcode = dns::kBadVers >> 4}}) {
        World w;
        w.ask("old.example");
        w.answer(w.station().frames[0], refusal);
        BOOST_REQUIRE(w.station().frames.size() == 2);
        BOOST_TEST(!has_edns(w.station().frames[1].dns));
        BOOST_TEST(w.stat(Stat::upstream_without_edns) == 1U);
        BOOST_TEST(w.station().answers.empty());
        w.answer(w.station().frames[1]);
        BOOST_REQUIRE(w.station().answers.size() == 1);
        BOOST_TEST(w.station().answers[0].rcode == 0);
        BOOST_TEST(w.station().answers[0].ancount == 1U);
        BOOST_TEST(w.station().forwarder.health(0).edns_refusals.get() == 1U);  // causes a probe
        w.ask("other.example");
        BOOST_TEST(has_edns(w.station().frames[2].dns));
    }
}

BOOST_AUTO_TEST_CASE(an_upstream_whose_probe_refused_edns_is_asked_without_until_another_says_no) {
    World w;
    w.station().forwarder.probed(0, {.without_edns = true});
    w.ask("old.example");
    BOOST_TEST(!has_edns(w.station().frames[0].dns));
    w.answer(w.station().frames[0]);
    w.station().forwarder.probed(0, {});
    w.ask("new.example");
    BOOST_TEST(has_edns(w.station().frames[1].dns));
}

BOOST_AUTO_TEST_CASE(an_upstreams_formerr_never_becomes_the_clients) {
    World w;
    w.ask("bad.example");
    w.answer(w.station().frames[0], {.rcode = dns::kFormErr, .addresses = 0, .opt = true});
    BOOST_REQUIRE(w.station().frames.size() == 2);
    w.answer(w.station().frames[1], {.rcode = dns::kFormErr, .addresses = 0});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == dns::kServFail);
    BOOST_TEST(w.station().forwarder.health(0).without_edns.load() == false);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(badcookie_is_a_failure_of_that_upstream) {
    World w(2);
    w.ask("cookie.example");
    constexpr unsigned kBadCookie = 23;
    w.answer(
        w.station().frames[0],
        {.rcode = kBadCookie & 15, .addresses = 0, .opt = true, .extended_rcode = kBadCookie >> 4});
    BOOST_TEST(w.stat(Stat::upstream_failures) == 1U);
    BOOST_REQUIRE(w.station().frames.size() == 2);
    BOOST_TEST(w.station().frames[1].upstream == 1);
    BOOST_TEST(has_edns(w.station().frames[1].dns));
    w.answer(w.station().frames[1]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
}

BOOST_AUTO_TEST_CASE(a_referral_is_a_failure_of_that_upstream) {
    World w(2);
    w.ask("referred.example");
    w.answer(w.station().frames[0],
             {.addresses = 0, .opt = true, .name_server = "a.root-servers.net"});
    BOOST_TEST(w.stat(Stat::upstream_failures) == 1U);
    BOOST_REQUIRE(w.station().frames.size() == 2);
    BOOST_TEST(w.station().answers.empty());
    // If all of them refer, the client gets SERVFAIL.
    w.answer(w.station().frames[1], {.addresses = 0, .name_server = "b.root-servers.net"});
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == dns::kServFail);
    // Name servers beside the answer are none.
    w.ask("fine.example");
    w.answer(w.station().frames[2], {.name_server = "a.root-servers.net"});
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST(w.station().answers[1].rcode == 0);
    BOOST_TEST(w.station().answers[1].ancount == 1U);
}

BOOST_AUTO_TEST_CASE(an_upstream_without_a_route_is_skipped) {
    World w(2);
    w.station().hops.by_upstream[0].via = NextHop::Via::nothing;
    w.ask("routed.example");
    BOOST_REQUIRE(w.station().frames.size() == 1);
    BOOST_TEST(w.station().frames[0].upstream == 1);
    BOOST_TEST(w.stat(Stat::upstream_no_route) == 1U);
}

BOOST_AUTO_TEST_CASE(a_new_route_is_used_and_otherwise_the_query_ends_with_no_route) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::nothing;
    w.ask("soon.example");
    w.wait(250);
    BOOST_TEST(w.station().frames.empty());
    BOOST_TEST(w.stat(Stat::upstream_no_route) == 3U);
    w.station().hops.by_upstream[0].via = NextHop::Via::port;
    w.wait(110);
    BOOST_REQUIRE(w.station().frames.size() == 1);
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.size() == 1U);

    w.station().hops.by_upstream[0].via = NextHop::Via::nothing;
    w.ask("never.example");
    w.wait(5'010);
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST((w.station().answers[1].end == UpstreamResult::no_route));
}

BOOST_AUTO_TEST_CASE(without_a_next_hop_table_no_query_is_sent) {
    World w;
    w.station().forwarder.set_next_hops(nullptr);
    w.ask("early.example");
    BOOST_TEST(w.station().frames.empty());
    w.station().forwarder.set_next_hops(&w.station().hops);
    w.wait(110);
    BOOST_TEST(w.station().frames.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_for_a_full_port_is_retried_at_once) {
    World w;
    w.station().frames_have_room = false;
    w.ask("full.example");
    BOOST_TEST(w.stat(Stat::upstream_queries) == 0U);
    w.station().frames_have_room = true;
    w.wait(6);
    BOOST_REQUIRE(w.station().frames.size() == 1);
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_without_an_upstream_fails_at_once) {
    World w;
    w.snapshot = make_snapshot(0);
    w.ask("nobody.example");
    w.wait(5);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::no_route));
}

BOOST_AUTO_TEST_CASE(concurrent_asks_several_and_the_first_answer_wins) {
    World w(3);
    w.snapshot = make_snapshot(3, 2);
    w.ask("race.example");
    // Two as configured, and the third to be measured.
    BOOST_REQUIRE(w.station().frames.size() == 3);
    BOOST_TEST(w.stat(Stat::upstream_retries) == 0U);
    w.answer(w.station().frames[1]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.answer(w.station().frames[0]) == Verdict::upstream_reply));  // measured
    BOOST_TEST((w.answer(w.station().frames[0]) == Verdict::drop_upstream_unknown));
    w.ask("race2.example");
    BOOST_TEST(w.station().frames.size() >= 5U);
}

BOOST_AUTO_TEST_CASE(a_dead_upstream_costs_one_timeout_and_is_used_again_later) {
    World w(2);
    const auto ask_all = [&](unsigned from, const std::set<unsigned>& alive) {
        const std::size_t before = w.station().frames.size();
        w.ask("q" + std::to_string(from) + ".example");
        for (std::size_t i = before; i < w.station().frames.size(); ++i) {
            const Frame f = w.station().frames[i];
            if (alive.contains(f.upstream)) w.answer(f);
        }
    };
    unsigned q = 0;
    for (; q < 10; ++q)
        ask_all(q, {0, 1});
    // Upstream 0 dies: of the next queries only those before its first silence go to it first.
    unsigned slow = 0;
    for (; q < 300; ++q) {
        const std::size_t answers = w.station().answers.size();
        ask_all(q, {1});
        if (w.station().answers.size() == answers) {
            ++slow;
            w.wait(210);
            const Frame f = w.station().frames.back();
            BOOST_TEST(f.upstream == 1);
            w.answer(f);
        }
        w.wait(50);
    }
    BOOST_TEST(slow >= 1U);
    BOOST_TEST(slow <= 3U);
    BOOST_TEST(w.station().answers.size() == q);
    // And 1 dies while 0 is back: it is found by itself.
    w.wait(40'000);
    for (unsigned end = q + 20; q < end; ++q) {
        ask_all(q, {0});
        w.wait(1'000);
        for (std::size_t i = w.station().frames.size() - 3; i < w.station().frames.size(); ++i) {
            if (const Frame f = w.station().frames[i]; f.upstream == 0) w.answer(f);
        }
    }
    w.wait(6'000);
    const std::size_t answers = w.station().answers.size();
    ask_all(q, {0});
    BOOST_TEST(w.station().answers.size() == answers + 1);
}

BOOST_AUTO_TEST_CASE(a_query_may_go_by_a_kernel_socket) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
    w.ask("local.example");
    BOOST_TEST(w.station().frames.empty());
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    const KernelQuery k = w.station().kernel[0];
    BOOST_TEST((k.via == UpstreamVia::udp));
    BOOST_TEST((k.header.address == upstream_address(0)));
    BOOST_TEST(k.header.port == 53);
    BOOST_TEST(k.header.timeout_ms == 2000U);
    w.answer_kernel(k);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
    w.answer_kernel(k);  // twice: the token is over
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_socket_query_asks_the_next_upstream_and_then_fails) {
    World w(2);
    for (auto& hop : w.station().hops.by_upstream)
        hop.via = NextHop::Via::kernel;
    w.ask("refused.example");
    BOOST_REQUIRE(w.station().kernel.size() == 2);
    for (std::size_t done = 0; done < w.station().kernel.size() || w.station().answers.empty();) {
        while (done < w.station().kernel.size()) {
            w.fail_kernel(w.station().kernel[done++], ECONNREFUSED);
        }
        w.wait(50);
        BOOST_REQUIRE(w.station().kernel.size() < 50);
    }
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::all_failed));
}

BOOST_AUTO_TEST_CASE(an_upstream_whose_refusal_is_final_is_asked_once_a_query) {
    for (const auto& [upstreams, refusal] : {std::pair{1U, kUpstreamNotTrusted},
                                             {2U, kUpstreamNotTrusted},
                                             {1U, kUpstreamProxyRefuses},
                                             {2U, kUpstreamProxyRefuses}}) {
        World w(upstreams);
        for (auto& hop : w.station().hops.by_upstream)
            hop.via = NextHop::Via::kernel;
        w.ask("distrusted.example");
        for (std::size_t done = 0; done < w.station().kernel.size(); ++done)
            w.fail_kernel(w.station().kernel[done], static_cast<int>(refusal));
        // At once: no time has passed.
        BOOST_REQUIRE(w.station().answers.size() == 1);
        BOOST_TEST((w.station().answers[0].end == UpstreamResult::all_failed));
        w.wait(5'000);
        BOOST_TEST(w.station().kernel.size() == upstreams);
    }
}

BOOST_AUTO_TEST_CASE(a_channel_needs_no_route_and_no_address) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::nothing;
    w.snapshot->upstreams[0].channel = Channel::stream;
    w.snapshot->upstreams[0].address = IpAddress{};
    w.ask("channel.example");
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::channel));
    BOOST_TEST(w.station().kernel[0].header.timeout_ms == 2000U);
    w.answer_kernel(w.station().kernel[0]);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].rcode == 0);
    BOOST_TEST(w.station().forwarder.health(0).replies.get() == 1U);
    BOOST_TEST(w.stat(Stat::upstream_no_route) == 0U);
}

BOOST_AUTO_TEST_CASE(only_truncated_datagrams_are_retried_over_tcp) {
    for (const Channel channel : {Channel::datagrams, Channel::stream}) {
        World w;
        w.snapshot->upstreams[0].channel = channel;
        w.ask_over_tcp("big.example");
        BOOST_REQUIRE(w.station().kernel.size() == 1);
        BOOST_TEST((w.station().kernel[0].via == UpstreamVia::channel));
        w.answer_kernel(w.station().kernel[0], {.flags = dns::kTc});
        if (channel == Channel::stream) {
            BOOST_TEST(w.station().kernel.size() == 1U);
            BOOST_TEST(w.station().answers.size() == 1U);
            continue;
        }
        BOOST_REQUIRE(w.station().kernel.size() == 2);
        BOOST_TEST((w.station().kernel[1].via == UpstreamVia::tcp));
        w.answer_kernel(w.station().kernel[1]);
        BOOST_TEST(w.station().answers.size() == 1U);
    }
}

// An HTTP error, or a connection that ends on this name: asked once in each upstream, and no conclusion for others.
BOOST_AUTO_TEST_CASE(a_query_that_an_upstream_fails_is_not_asked_there_again) {
    for (const unsigned upstreams : {1U, 2U}) {
        for (const std::uint32_t error :
             {kUpstreamFailsQuery, kUpstreamDropsQuery, kUpstreamAsksToWait | 5}) {
            World w(upstreams);
            for (auto& hop : w.station().hops.by_upstream)
                hop.via = NextHop::Via::kernel;
            w.ask("evil.example");
            for (std::size_t done = 0; done < w.station().kernel.size(); ++done)
                w.fail_kernel(w.station().kernel[done], static_cast<int>(error));
            BOOST_REQUIRE(w.station().answers.size() == 1);  // at once
            BOOST_TEST((w.station().answers[0].end == (error == kUpstreamDropsQuery
                                                           ? UpstreamResult::dropped
                                                           : UpstreamResult::all_failed)));
            BOOST_TEST(w.station().kernel.size() == upstreams);
            BOOST_TEST(w.station().forwarder.health(0).silent.load() == 0U);
            BOOST_TEST(w.stat(Stat::upstream_failures) == upstreams);
            w.ask("good.example");
            BOOST_REQUIRE(w.station().kernel.size() == upstreams + 1);
            BOOST_TEST(w.station().kernel.back().upstream == 0);
            w.answer_kernel(w.station().kernel.back());
            BOOST_REQUIRE(w.station().answers.size() == 2);
            BOOST_TEST((w.station().answers[1].end == UpstreamResult::answered));
        }
    }
}

// Silence, no route, an HTTP error or a refusal of the network says more than a closed connection.
BOOST_AUTO_TEST_CASE(a_query_that_one_upstream_dropped_and_another_did_not_answer_is_not_dropped) {
    for (const std::uint32_t error : {0U, kUpstreamFailsQuery, kUpstreamNotTrusted}) {
        for (const bool drops_first : {false, true}) {
            World w(2);
            for (auto& hop : w.station().hops.by_upstream)
                hop.via = NextHop::Via::kernel;
            w.ask("evil.example");
            for (std::size_t done = 0, ms = 0; ms < 20'000; ms += 100) {
                for (; done < w.station().kernel.size(); ++done) {
                    const bool drops = (w.station().kernel[done].upstream == 0) == drops_first;
                    const std::uint32_t why = drops ? kUpstreamDropsQuery : error;
                    if (why != 0) w.fail_kernel(w.station().kernel[done], static_cast<int>(why));
                }
                w.wait(100);
            }
            BOOST_REQUIRE(w.station().answers.size() == 1);
            BOOST_TEST((w.station().answers[0].end != UpstreamResult::dropped), "error " << error);
        }
    }
}

// A path that is away for longer than three queries take: what the network refused was not one.
BOOST_AUTO_TEST_CASE(a_query_that_the_network_refuses_is_retried) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
    w.ask("away.example");
    std::size_t refused = 0;
    for (unsigned ms = 0; ms < 4'000; ms += 100) {
        while (refused < w.station().kernel.size())
            w.fail_kernel(w.station().kernel[refused++], ENETUNREACH);
        w.wait(100);
    }
    BOOST_TEST(refused > 8U);
    BOOST_TEST(refused < 24U);
    w.wait(400);
    BOOST_REQUIRE(w.station().kernel.size() > refused);
    w.answer_kernel(w.station().kernel.back());
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::answered));
}

BOOST_AUTO_TEST_SUITE_END()
