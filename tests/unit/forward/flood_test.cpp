// Room for questions that are answered, in a flood of those that are not.
#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "dataplane/forward/failing_names.h"
#include "matchers/suffix/public_suffixes.h"
#include "world.h"

using namespace steer;
using namespace steer::test;

namespace {

unsigned ended(World& w, UpstreamResult end) {
    unsigned n = 0;
    for (const Answered& a : w.station().answers)
        if (a.end == end) ++n;
    return n;
}

// What of the honest is answered while names that no server answers come in at a multiple of what the table can hold
// until their time is over: 64 slots here are what 16,384 are to a flood of 12,000 queries a second.
double honest_percent(unsigned hostile_a_second, bool one_suffix,
                      const std::vector<std::string>& hostile_domains = {"victim.example"},
                      const std::string& honest_domain = "") {
    World w;
    struct Due {
        std::uint64_t at_ms;
        Frame frame;
    };
    std::deque<Due> due;
    std::map<const Parked*, bool> honest;
    unsigned hostile = 0;
    const std::uint64_t begin = w.now.ms;
    std::size_t seen = 0;
    for (std::uint64_t ms = 0; ms < 30'000; ++ms) {
        w.now.ms = begin + ms;
        if (ms * hostile_a_second / 1000 > hostile) {
            ++hostile;
            const std::string n = std::to_string(hostile);
            w.ask(one_suffix ? "r" + n + "." + hostile_domains[hostile % hostile_domains.size()]
                             : "r" + n + ".victim" + n);
        }
        if (ms % 100 == 50 && ms < 29'000) {
            const std::string own = ".honest" + std::to_string(ms % 1000);
            honest[w.ask("h" + std::to_string(ms) +
                         (honest_domain.empty() ? own : "." + honest_domain))] = false;
        }
        for (; seen < w.station().frames.size(); ++seen) {
            const Frame& f = w.station().frames[seen];
            if (f.dns[13] == 'h') due.push_back({w.now.ms + 10, f});
        }
        for (; !due.empty() && due.front().at_ms <= w.now.ms; due.pop_front())
            w.answer(due.front().frame);
        w.tick();
    }
    unsigned answered = 0;
    for (const Answered& a : w.station().answers)
        if (honest.contains(a.parked) && a.end == UpstreamResult::answered) ++answered;
    return 100.0 * answered / static_cast<double>(honest.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flood)

BOOST_AUTO_TEST_CASE(a_flood_of_unanswered_names_leaves_room_for_other_names) {
    BOOST_TEST(honest_percent(23, false) >= 95.0);   // 6,000 q/s
    BOOST_TEST(honest_percent(47, false) >= 95.0);   // 12,000 q/s
    BOOST_TEST(honest_percent(47, true) >= 95.0);    // all under one domain
    BOOST_TEST(honest_percent(140, false) >= 95.0);  // 36,000 q/s
}

// No domain is above its share, and no query is old enough to be displaced.
BOOST_AUTO_TEST_CASE(a_flood_to_a_dead_upstream_leaves_room_for_other_upstreams) {
    for (const unsigned hostile_a_ms : {1U, 10U}) {  // 64 records: as 256,000 q/s, and 2,560,000
        World w(2);
        w.snapshot->groups[0].members = {0};
        w.snapshot->groups.push_back(w.snapshot->groups[0]);
        w.snapshot->groups[1].members = {1};
        std::map<const Parked*, bool> honest;
        unsigned hostile = 0;
        std::size_t seen = 0, answered = 0;
        std::deque<std::pair<std::uint64_t, Frame>> due;
        const std::uint64_t begin = w.now.ms;
        for (std::uint64_t ms = 0; ms < 5'000; ++ms) {
            w.now.ms = begin + ms;
            for (unsigned i = 0; i < hostile_a_ms; ++i) {
                const std::string n = std::to_string(++hostile);
                w.ask("r" + n + ".victim" + n);
            }
            if (ms % 50 == 25 && ms < 4'900) {
                Parked* const parked = w.park("h" + std::to_string(ms) + ".example", 0, dns::kA);
                w.ask(parked, 1);
                honest[parked] = false;
            }
            for (; seen < w.station().frames.size(); ++seen) {
                const Frame& frame = w.station().frames[seen];
                if (frame.upstream == 1) due.emplace_back(w.now.ms + 20, frame);
            }
            for (; !due.empty() && due.front().first <= w.now.ms; due.pop_front())
                w.answer(due.front().second);
            w.tick();
        }
        for (const Answered& a : w.station().answers)
            answered += honest.contains(a.parked) && a.end == UpstreamResult::answered ? 1U : 0U;
        BOOST_TEST(answered == honest.size());
        BOOST_TEST(w.stat(Stat::upstream_table_full) > 0U);
        BOOST_TEST(w.stat(Stat::upstream_displaced) > 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_single_group_of_upstreams_uses_the_whole_table) {
    World w;
    for (unsigned n = 0; n < 64; ++n)
        w.ask("r" + std::to_string(n) + ".victim" + std::to_string(n));
    BOOST_TEST(w.station().forwarder.in_flight() == 64U);
    BOOST_TEST(w.stat(Stat::upstream_table_full) == 0U);
}

BOOST_AUTO_TEST_CASE(dead_names_of_a_domain_leave_others_under_its_public_suffix_answered) {
    // 47: 12,000 q/s. Without a list "co.uk" is one domain, which fails.
    const std::vector<std::string> evil{"evil.co.uk", "evil2.co.uk"};
    BOOST_TEST(honest_percent(47, true, evil, "bbc.co.uk") < 90.0);
    matchers::PublicSuffixBuilder builder;
    builder.add("co.uk", matchers::PublicSuffixBuilder::Kind::plain, false);
    builder.add("github.io", matchers::PublicSuffixBuilder::Kind::plain, true);
    matchers::PublicSuffixes::publish(builder.build());
    BOOST_TEST(honest_percent(47, true, evil, "bbc.co.uk") >= 95.0);
    BOOST_TEST(honest_percent(47, true, {"evil.github.io"}, "honest.github.io") >= 95.0);
    matchers::PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_CASE(dead_names_in_a_part_of_a_domain_leave_other_parts_answered) {
    // Less than of other domains: the domain is refused until the queries from before its failures were known have ended.
    BOOST_TEST(honest_percent(47, true, {"evil.example.com"}, "www.example.com") >= 80.0);
}

BOOST_AUTO_TEST_CASE(the_oldest_of_the_second_half_makes_room_after_200_ms) {
    ForwarderOptions options;
    options.max_in_flight = 4;
    World w(1, 1, options);
    Parked* const protected_one = w.ask("a.one");
    w.ask("b.two");
    Parked* const old = w.ask("c.three");
    w.now.ms += 1;
    w.ask("d.four");
    w.now.ms += 100;
    w.ask("e.five");  // no query has waited for long enough
    BOOST_TEST(w.stat(Stat::upstream_table_full) == 1U);
    w.now.ms += 100;
    w.ask("f.six");
    BOOST_TEST(w.stat(Stat::upstream_displaced) == 1U);
    BOOST_TEST(w.station().answers.empty());  // never from within ask()
    w.tick();
    BOOST_REQUIRE(ended(w, UpstreamResult::displaced) == 1U);
    for (const Answered& a : w.station().answers)
        BOOST_TEST((a.end != UpstreamResult::displaced || a.parked == old));
    // The first half goes on, and is answered.
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.back().parked == protected_one);
    BOOST_TEST((w.station().answers.back().end == UpstreamResult::answered));
    // Who was displaced is not awaited any more.
    BOOST_TEST((w.answer(w.station().frames[2]) == Verdict::drop_upstream_unknown));
    Sighting::Seen seen;
    BOOST_REQUIRE(
        w.station().counters.sightings[static_cast<std::size_t>(Overload::displaced)].read(seen));
    BOOST_TEST(Bytes(seen.suffix.begin(), seen.suffix.begin() + static_cast<long>(seen.length)) ==
               wire_name("c.three"));
}

BOOST_AUTO_TEST_CASE(a_caller_can_request_a_free_record) {
    World w;
    w.ask("a.one");
    BOOST_TEST(!w.station().forwarder.make_room(w.now));
    w.now.ms += 200;
    BOOST_TEST(w.station().forwarder.make_room(w.now));
    BOOST_TEST(!w.station().forwarder.make_room(w.now));
    w.tick();
    BOOST_TEST(ended(w, UpstreamResult::displaced) == 1U);
    BOOST_TEST(w.station().forwarder.in_flight() == 0U);
    w.wait(20'000);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_domain_that_fails_has_a_smaller_share_until_it_answers) {
    forward::FailingNames names;
    BOOST_TEST(names.failed_percent(1, 100) == 0U);
    for (int i = 0; i < 15; ++i)
        names.note(1, true, 100);
    BOOST_TEST(names.failed_percent(1, 100) == 0U);  // too little is known
    names.note(1, true, 100);
    BOOST_TEST(names.failed_percent(1, 100) == 100U);
    BOOST_TEST(names.failed_percent(2, 100) == 0U);
    for (int i = 0; i < 16; ++i)
        names.note(1, false, 100);
    BOOST_TEST(names.failed_percent(1, 100) == 50U);
    for (int i = 0; i < 84; ++i)
        names.note(1, false, 119);  // halved once
    BOOST_TEST(names.failed_percent(1, 119) == 8U);
    BOOST_TEST(names.failed_percent(1, 1000) == 0U);
}

BOOST_AUTO_TEST_CASE(failing_domains_lose_their_records_while_the_table_fills_up) {
    World w;  // 64
    for (unsigned n = 0; n < 40; ++n)
        w.ask("r" + std::to_string(n) + ".victim.example");
    w.wait(6'000);  // all of them time out
    w.station().answers.clear();
    for (unsigned n = 0; n < 50; ++n)
        w.ask("s" + std::to_string(n) + ".victim.example");
    BOOST_TEST(w.station().forwarder.in_flight() == 32U);
    BOOST_TEST(w.stat(Stat::upstream_quota) == 18U);
    w.ask("www.other.example");
    BOOST_TEST(w.station().forwarder.in_flight() == 33U);
}

BOOST_AUTO_TEST_SUITE_END()
