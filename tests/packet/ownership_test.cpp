// Who touches which line while packets are served: docs/explanation/ownership.md, counted.
//
// Two workers serve cached queries under a trace of every access to the heap and to DPDK's memory.
// A line that one of them writes and the other one touches is contended. Between ports with a
// worker each there is none; where queries move there are those of the rings and of the mbufs.
#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "packet/appliance.h"
#include "support/access_trace.h"
#include "support/hand_over.h"

namespace steer::test {
namespace {

constexpr unsigned kQueries = 32;  // to a port and a round

// Warm: every entry was hit, every table and pool cache touched.
void warm_up(Appliance& a, unsigned ports) {
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < kQueries * ports; ++i) {
            a.ask("n" + std::to_string(i % 8) + ".stream.example", 1, static_cast<std::uint16_t>(i),
                  {.port = static_cast<std::uint16_t>(40000 + i), .worker = i % ports});
        }
        a.turn();
        for (const Seen& q : a.upstream_queries())
            a.reply(q, 3600, {"203.0.113.7"});
        a.turn();
        (void)a.answers();
        // The row board knows the row: hits claim nothing more.
        a.board().put(3, *IpAddress::parse("203.0.113.7"), kForever, a.lists()[3].epoch());
        (void)a.events();
    }
}

std::vector<TracedLine> contended(Appliance& a, unsigned ports) {
    AccessTrace trace;
    for (unsigned round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < kQueries * ports; ++i) {
            a.ask("n" + std::to_string(i % 8) + ".stream.example", 1, static_cast<std::uint16_t>(i),
                  {.port = static_cast<std::uint16_t>(40000 + i), .worker = i % ports});
        }
        for (const unsigned w : {0U, 1U, 0U})
            trace.run(w, [&] { a.worker(w).poll(a.now()); });
        a.turn();
        BOOST_CHECK_EQUAL(a.answers().size(), kQueries * ports);
    }
    std::vector<TracedLine> lines;
    std::array<unsigned, 2> touched{};
    for (const TracedLine& line : trace.lines()) {
        for (unsigned w = 0; w < 2; ++w)
            touched[w] += line.reads[w] + line.writes[w] > 0 ? 1U : 0U;
        if (line.is_contended()) lines.push_back(line);
    }
    BOOST_CHECK_GT(touched[0], 100U);  // the trace sees something
    BOOST_CHECK_GT(touched[1], 100U);
    return lines;
}

}  // namespace

// (ThreadSanitizer has pages and faults of its own.)
BOOST_AUTO_TEST_SUITE(ownership, *boost::unit_test::enable_if<!kThreadSanitizer>())

BOOST_AUTO_TEST_CASE(workers_with_separate_ports_share_no_written_line) {
    ::mallopt(M_MMAP_MAX, 0);  // everything in the heap, where the trace sees it
    Appliance a({.workers = 2, .spread = true, .one_device = true});
    a.publish(cache_list_forward(policy_list(3)));
    warm_up(a, 2);
    const auto hits = a.count(Stat::cache_hits);
    for (const TracedLine& line : contended(a, 2))
        BOOST_ERROR(line.text());
    BOOST_CHECK_EQUAL(a.count(Stat::cache_hits) - hits, 4 * kQueries);
}

BOOST_AUTO_TEST_CASE(workers_with_a_shared_port_share_only_rings_and_mbufs) {
    ::mallopt(M_MMAP_MAX, 0);
    Appliance a({.workers = 2, .ports = 1, .spread = true});
    a.publish(cache_list_forward(policy_list(3)));
    warm_up(a, 1);
    const auto moved = a.count(Verdict::query_moved);
    std::map<std::string, unsigned> places;
    for (const TracedLine& line : contended(a, 1)) {
        const std::string place = AccessTrace::place_of(line.address).substr(0, 3);
        ++places[place];
        if (place != "RG_" && place != "MP_") BOOST_ERROR(line.text());
    }
    BOOST_CHECK_GT(a.count(Verdict::query_moved), moved);
    BOOST_CHECK_GT(places["RG_"], 0U);  // and it sees what is shared
    BOOST_CHECK_GT(places["MP_"], 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
