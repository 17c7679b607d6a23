// A device with fewer queues than there are workers: flows are shared by message, answers go back
// by message, and every table of verdicts still sums to what went in.
#include "dataplane/stages/software_rss.h"

#include <rte_mbuf.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "dataplane/stages/transmit.h"
#include "packet/appliance.h"

namespace steer::test {
namespace {

constexpr const char* kSpreadName = "www.other.example";

ApplianceOptions one_port(unsigned workers) {
    return {.workers = workers, .ports = 1, .spread = true};
}

std::uint16_t flow_port(unsigned flow) {
    return static_cast<std::uint16_t>(40000 + flow);
}

// One query of each flow: id and source port name it.
void ask_flows(Appliance& a, unsigned flows, const std::string& name = kSpreadName) {
    for (unsigned i = 0; i < flows; ++i)
        a.ask(name, 1, static_cast<std::uint16_t>(i), {.port = flow_port(i)});
}

// Flows whose worker is not the one with the port.
unsigned foreign_flows(unsigned flows, unsigned workers) {
    unsigned n = 0;
    for (unsigned i = 0; i < flows; ++i) {
        n += worker_of_flow(*IpAddress::parse("192.0.2.10"), flow_port(i), workers) != 0 ? 1U : 0U;
    }
    return n;
}

// Each flow has its answer, at its port, once.
void check_answers(Appliance& a, unsigned flows) {
    std::set<std::uint16_t> ids;
    const auto answers = a.answers();
    BOOST_CHECK_EQUAL(answers.size(), flows);
    for (const Seen& s : answers) {
        BOOST_CHECK_EQUAL(s.worker, 0U);
        BOOST_CHECK_EQUAL(s.rcode(), 0U);
        BOOST_CHECK_EQUAL(s.frame.to_port, flow_port(s.id()));
        BOOST_CHECK(ids.insert(s.id()).second);
    }
}

void check_moves(const Appliance& a, std::uint64_t moved) {
    BOOST_CHECK_EQUAL(a.count(Verdict::query_moved), moved);
    BOOST_CHECK_EQUAL(a.count(Stat::moved_queries), moved);
    a.check_sums();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spread)

BOOST_AUTO_TEST_CASE(flows_are_spread_over_workers_and_each_flow_has_one_worker) {
    const IpAddress v4 = *IpAddress::parse("192.0.2.1"), v6 = *IpAddress::parse("2001:db8::1");
    for (const unsigned workers : {1U, 2U, 3U, 32U}) {
        for (const IpAddress& client : {v4, v6}) {
            std::map<unsigned, unsigned> flows;
            for (unsigned port = 1024; port < 1024 + 256 * workers; ++port)
                ++flows[worker_of_flow(client, static_cast<std::uint16_t>(port), workers)];
            BOOST_CHECK_EQUAL(flows.size(), workers);
            for (const auto& [worker, n] : flows) {
                BOOST_CHECK_LT(worker, workers);
                BOOST_CHECK_GT(n, 128U);  // 256 on average
                BOOST_CHECK_LT(n, 512U);
            }
        }
    }
    std::set<unsigned> of_one_port;  // addresses count, too
    for (unsigned i = 1; i < 33; ++i) {
        of_one_port.insert(
            worker_of_flow(*IpAddress::parse("192.0.2." + std::to_string(i)), 40000, 4));
        of_one_port.insert(
            4 + worker_of_flow(*IpAddress::parse("2001:db8:" + std::to_string(i) + "::1"), 1, 4));
    }
    BOOST_CHECK_EQUAL(of_one_port.size(), 8U);
}

BOOST_AUTO_TEST_CASE(cached_answers_of_moved_queries_are_sent_by_the_receiving_port) {
    for (const unsigned workers : {2U, 3U}) {
        Appliance a(one_port(workers));
        a.publish(cache_forward());
        a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
        const auto before = a.count(Verdict::query_moved);
        ask_flows(a, 100);
        a.turn();
        check_answers(a, 100);
        const unsigned moved = foreign_flows(100, workers);
        check_moves(a, before + moved);
        BOOST_CHECK_EQUAL(a.count(Moved::answered), moved);
        BOOST_CHECK_EQUAL(a.count(Stat::frames_for_others) - before, moved);
        for (unsigned w = 1; w < workers; ++w)
            BOOST_CHECK_GT(a.worker(w).counters().get(Moved::answered), 0U);
        BOOST_CHECK_EQUAL(a.worker(0).counters().get(Stat::moved_queries), 0U);
    }
}

BOOST_AUTO_TEST_CASE(moved_queries_are_forwarded_and_answered_where_they_are_from) {
    for (const unsigned workers : {2U, 3U}) {
        Appliance a(one_port(workers));
        a.publish(forward_only());
        for (unsigned i = 0; i < 48; ++i) {
            Client client{.port = flow_port(i)};
            if (i % 3 == 1) client.vlans = {12};
            if (i % 3 == 2) client.address = "2001:db8::77";
            a.ask("n" + std::to_string(i) + ".example", 1, static_cast<std::uint16_t>(i), client);
        }
        a.turn();
        const auto queries = a.upstream_queries();
        BOOST_REQUIRE_EQUAL(queries.size(), 48U);
        for (const Seen& q : queries) {
            BOOST_CHECK_EQUAL(q.worker, 0U);  // the only port
            a.reply(q, 60, {"203.0.113.7"});
        }
        a.turn();
        BOOST_CHECK_GT(a.count(Verdict::upstream_moved), 0U);
        BOOST_CHECK_EQUAL(a.count(Stat::moved_replies_dropped), 0U);
        const auto answers = a.answers();
        BOOST_REQUIRE_EQUAL(answers.size(), 48U);
        for (const Seen& s : answers) {
            BOOST_CHECK_EQUAL(s.frame.to_port, flow_port(s.id()));
            BOOST_CHECK_EQUAL(s.qname(), "n" + std::to_string(s.id()) + ".example");
            BOOST_CHECK_EQUAL(s.frame.vlans.size(), s.id() % 3 == 1 ? 1U : 0U);
            BOOST_CHECK_EQUAL(s.frame.to.is_v4(), s.id() % 3 != 2);
        }
        BOOST_CHECK_GT(a.count(Moved::forwarded), 0U);
        check_moves(a, a.count(Moved::forwarded));
        BOOST_CHECK_EQUAL(a.count(Verdict::forwarded) + a.count(Moved::forwarded), 48U);
    }
}

BOOST_AUTO_TEST_CASE(errors_and_drops_of_moved_queries_have_their_own_counters) {
    Appliance a(one_port(2));
    a.publish(cache_forward());
    unsigned flow = 0;
    while (worker_of_flow(*IpAddress::parse("192.0.2.10"), flow_port(flow), 2) != 1)
        ++flow;
    const Client client{.port = flow_port(flow)};
    a.ask(DnsMessage::response(1, kSpreadName, 1), client);
    a.ask(DnsMessage(2, 0x0100), client);
    a.ask(DnsMessage::query(3, kSpreadName, 252), client);  // AXFR
    std::uint16_t port = 1;
    while (worker_of_flow(*IpAddress::parse("2001:db9::1"), port, 2) != 1)
        ++port;
    a.ask(kSpreadName, 1, 4, {.address = "2001:db9::1", .port = port});
    a.turn();
    BOOST_CHECK_EQUAL(a.answers().size(), 3U);
    BOOST_CHECK_EQUAL(a.count(Moved::drop_response), 1U);
    BOOST_CHECK_EQUAL(a.count(Moved::answered_error), 2U);
    BOOST_CHECK_EQUAL(a.count(Moved::refused_client), 1U);
    check_moves(a, 4);
}

BOOST_AUTO_TEST_CASE(a_full_ring_to_the_other_worker_leaves_queries_with_their_receiver) {
    Appliance a({.workers = 2, .between_workers = 4, .ports = 1, .spread = true});
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    const auto before = a.count(Verdict::query_moved);
    ask_flows(a, 32);
    a.worker(0).poll(a.now());
    a.worker(0).poll(a.now());
    // Half of the three places are for queries; the rest were served at once.
    BOOST_CHECK_EQUAL(a.count(Verdict::query_moved) - before, 2U);
    a.turn();
    check_answers(a, 32);
    check_moves(a, before + 2);
}

// A name whose outstanding queries belong to this worker.
std::string name_of_worker(Appliance& a, unsigned worker, unsigned workers) {
    for (unsigned i = 0;; ++i) {
        const std::string name = "n" + std::to_string(i) + ".other.example";
        if ((a.shared().hasher->spread_of(wire_name(name)) >> 32) % workers == worker) return name;
    }
}

BOOST_AUTO_TEST_CASE(a_full_ring_back_to_the_receiver_drops_and_counts) {
    Appliance a({.workers = 2, .between_workers = 64, .ports = 1, .spread = true});
    a.publish(forward_only());
    // All flows wait for the same answer; half of them at the worker without the port, whose name it is.
    const std::string name = name_of_worker(a, 1, 2);
    for (unsigned i = 0; i < 200; i += 20) {
        for (unsigned flow = i; flow < i + 20; ++flow)
            a.ask(name, 1, static_cast<std::uint16_t>(flow), {.port = flow_port(flow)});
        a.turn();
    }
    const unsigned moved = foreign_flows(200, 2);
    BOOST_CHECK_EQUAL(a.count(Moved::forwarded), moved);
    a.reply(a.upstream_query(), 60, {"203.0.113.7"});
    a.turn();
    const auto lost = a.count(PendingOutcome::drop_tx_full);
    BOOST_CHECK_GT(lost, 0U);
    BOOST_CHECK_EQUAL(a.answers().size() + lost, 200U);
    BOOST_CHECK_EQUAL(a.worker(0).counters().get(PendingOutcome::drop_tx_full), 0U);
    check_moves(a, moved);
}

BOOST_AUTO_TEST_CASE(a_full_port_drops_and_counts_frames_of_other_workers) {
    Appliance a({.workers = 2, .between_workers = 1024, .ports = 1, .spread = true});
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    for (unsigned round = 0; round < 60; ++round) {  // the test does not take what the port sends
        ask_flows(a, 32);
        for (unsigned i = 0; i < 3; ++i) {
            for (unsigned w : {0U, 1U})
                a.worker(w).poll(a.now());
        }
    }
    BOOST_CHECK_GT(a.count(Stat::frames_for_others_dropped), 0U);
    BOOST_CHECK_GT(a.count(Verdict::drop_tx_full), 0U);
    BOOST_CHECK_EQUAL(
        a.count(Stat::frames_for_others) + a.count(Stat::frames_for_others_dropped),
        a.count(Moved::answered) + a.worker(1).counters().get(PendingOutcome::answered));
    a.turn();
    const auto dropped = a.count(Verdict::drop_tx_full) + a.count(Stat::frames_for_others_dropped);
    BOOST_CHECK_EQUAL(a.answers().size() + dropped, 60U * 32);
    a.check_sums();
}

BOOST_AUTO_TEST_CASE(a_moved_query_is_served_by_the_generation_of_its_arrival) {
    Appliance a(one_port(2));
    const Snapshot& old = a.publish(forward_only());
    ask_flows(a, 32);
    a.worker(0).poll(a.now());
    const unsigned moved = foreign_flows(32, 2);
    BOOST_REQUIRE_EQUAL(a.count(Verdict::query_moved), moved);
    (void)a.upstream_queries();
    // No state of the old generation moves along.
    BOOST_CHECK_EQUAL(a.shared().parked[1].by_slot[old.slot], 0U);
    auto strict = forward_only();
    strict->allow = matchers::PrefixSet({*matchers::Prefix::parse("10.0.0.0/8")});
    a.publish(std::move(strict));
    a.shared().retire_generation = old.generation;
    a.turn();
    unsigned refused = 0, ended = 0;
    for (const Seen& s : a.answers()) {
        refused += s.rcode() == 5 ? 1U : 0U;
        ended += s.rcode() == 2 ? 1U : 0U;
    }
    BOOST_CHECK_EQUAL(refused, moved);
    BOOST_CHECK_EQUAL(ended, 32 - moved);
    BOOST_CHECK_EQUAL(a.count(Moved::refused_client), moved);
    for (unsigned i = 0; i < 60; ++i)
        a.advance_ms(100);  // the forwarder gives the records back
    (void)a.upstream_queries();
    check_moves(a, moved);
}

BOOST_AUTO_TEST_CASE(a_worker_without_a_snapshot_leaves_moved_queries_where_they_are) {
    Appliance a(one_port(2));
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    ask_flows(a, 16);
    a.worker(0).poll(a.now());
    const Snapshot* const snapshot = a.shared().snapshot.exchange(nullptr);
    a.worker(1).poll(a.now());
    BOOST_CHECK_EQUAL(a.worker(1).counters().get(Moved::answered), 0U);
    a.shared().snapshot = snapshot;
    a.turn();
    check_answers(a, 16);
}

// The Appliance checks at its end that no mbuf and no buffer is left.
BOOST_AUTO_TEST_CASE(mbufs_in_rings_are_freed_at_the_end) {
    Appliance a(one_port(3));
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    ask_flows(a, 32);
    a.worker(0).poll(a.now());
    a.worker(1).poll(a.now());  // finished frames returning, moved queries at worker 2
    const Counters& target = a.worker(1).counters();
    BOOST_CHECK_GT(target.get(Moved::answered), 0U);
    BOOST_CHECK_GT(a.count(Verdict::query_moved), target.get(Stat::moved_queries));
    BOOST_CHECK_EQUAL(a.port().receive_all().size(), 32 - foreign_flows(32, 3));
    BOOST_CHECK_EQUAL(a.port().mbufs_in_use(), foreign_flows(32, 3));
}

BOOST_AUTO_TEST_CASE(a_device_with_a_queue_for_each_worker_moves_no_query) {
    Appliance a({.workers = 2, .spread = true, .one_device = true});
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    ask_flows(a, 32);
    a.turn();
    check_answers(a, 32);
    check_moves(a, 0);
    for (const auto& owner : a.shared().port_owners)
        BOOST_CHECK_EQUAL(owner.queues, 2U);
}

BOOST_AUTO_TEST_CASE(two_queues_and_three_workers_share_both) {
    Appliance a({.workers = 3, .ports = 2, .spread = true, .one_device = true});
    a.publish(forward_only());
    for (unsigned i = 0; i < 60; ++i) {
        a.ask("n" + std::to_string(i) + ".example", 1, static_cast<std::uint16_t>(i),
              {.port = flow_port(i), .worker = i % 2});
    }
    a.turn();
    for (const Seen& q : a.upstream_queries())
        a.reply(q, 60, {"203.0.113.7"});
    a.turn();
    const auto answers = a.answers();
    BOOST_CHECK_EQUAL(answers.size(), 60U);
    for (const Seen& s : answers)
        BOOST_CHECK_EQUAL(s.worker, s.id() % 2U);  // by the queue that it reached
    for (unsigned w = 0; w < 3; ++w)
        BOOST_CHECK_GT(a.worker(w).counters().get(Stat::moved_queries), 0U);
    check_moves(a, a.count(Moved::forwarded));
}

BOOST_AUTO_TEST_CASE(spread_off_moves_no_query) {
    Appliance a({.workers = 2, .ports = 1});
    a.publish(cache_forward());
    a.ask_and_answer(kSpreadName, 300, "203.0.113.7");
    ask_flows(a, 32);
    a.turn();
    check_answers(a, 32);
    check_moves(a, 0);
}

BOOST_AUTO_TEST_CASE(workers_on_threads_share_a_port_and_lose_nothing) {
    constexpr unsigned kWorkers = 3, kRounds = 20, kAtATime = 32;
    Appliance a({.workers = kWorkers, .ports = 1, .spread = true, .idle = Idle::pause});
    a.publish(cache_forward());
    std::vector<std::thread> threads;
    for (unsigned w = 0; w < kWorkers; ++w)
        threads.emplace_back([&a, w] { a.worker(w).run(); });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    unsigned answered = 0;
    for (unsigned round = 0; round < kRounds; ++round) {
        for (unsigned i = 0; i < kAtATime; ++i) {  // some names are new, some are cached
            a.ask("n" + std::to_string(round + i % 8) + ".example", 1,
                  static_cast<std::uint16_t>(i), {.port = flow_port(i)});
        }
        std::set<std::uint16_t> ids;
        while (ids.size() < kAtATime && std::chrono::steady_clock::now() < deadline) {
            if (!a.sort_output()) std::this_thread::yield();
            for (const Seen& q : a.upstream_queries())
                a.reply(q, 3600, {"203.0.113.7"});
            for (const Seen& s : a.answers()) {
                BOOST_CHECK_EQUAL(s.frame.to_port, flow_port(s.id()));
                BOOST_CHECK_EQUAL(s.answers(), 1U);
                BOOST_CHECK(ids.insert(s.id()).second);
            }
        }
        answered += static_cast<unsigned>(ids.size());
    }
    for (unsigned w = 0; w < kWorkers; ++w)
        a.worker(w).stop();
    for (std::thread& t : threads)
        t.join();
    BOOST_CHECK_EQUAL(answered, kRounds * kAtATime);
    a.turn();
    const unsigned moved = kRounds * foreign_flows(kAtATime, kWorkers);
    check_moves(a, moved);
    BOOST_CHECK_EQUAL(a.count(Moved::answered) + a.count(Moved::forwarded), moved);
}

BOOST_AUTO_TEST_CASE(a_lane_to_another_worker_counts_the_packets_that_its_ring_takes) {
    RingPort port("lane");
    Ring<Message> ring(4, nullptr);
    const std::array<Ring<Message>*, 2> to_worker{&ring, nullptr};
    Counters counters;
    {
        Transmit transmit(1, {}, to_worker, counters);
        const auto mbuf = [&] { return rte_pktmbuf_alloc(port.port().pool()); };
        transmit.put(transmit.lane_of_worker(0), mbuf(), Verdict::answered);
        transmit.put(transmit.lane_of_worker(0), mbuf(), PendingOutcome::servfail);
        transmit.put(transmit.lane_of_worker(0), mbuf(), Verdict::refused_client);
        transmit.put(transmit.lane_of_worker(0), mbuf(), Verdict::answered);
        transmit.put(transmit.lane_of_worker(0), mbuf(), PendingOutcome::answered);
        BOOST_CHECK(transmit.flush());
        BOOST_CHECK(!transmit.flush());
        transmit.put(transmit.lane_of_worker(0), mbuf(), Verdict::held);  // never flushed
    }
    BOOST_CHECK_EQUAL(counters.get(Moved::answered), 1U);
    BOOST_CHECK_EQUAL(counters.get(Moved::refused_client), 1U);
    BOOST_CHECK_EQUAL(counters.get(Moved::drop_tx_full), 1U);
    BOOST_CHECK_EQUAL(counters.get(PendingOutcome::servfail), 1U);
    BOOST_CHECK_EQUAL(counters.get(PendingOutcome::drop_tx_full), 1U);
    BOOST_CHECK_EQUAL(port.mbufs_in_use(), 3U);
    Message m;
    while (ring.pop(&m, 1) == 1) {
        BOOST_CHECK(m.kind == MessageKind::send_frame);
        BOOST_CHECK_EQUAL(m.from, 1U);
        rte_pktmbuf_free(static_cast<rte_mbuf*>(m.pointer));
    }
    BOOST_CHECK_EQUAL(port.mbufs_in_use(), 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
