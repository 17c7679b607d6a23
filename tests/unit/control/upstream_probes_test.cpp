// When an upstream is probed, and when it is silent; with a clock of the test's own.
#include "control/observe/health/upstream_probes.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

namespace steer {
namespace {

constexpr std::uint16_t kId = 7;

// One upstream and its clients, in steps of the daemon's housekeeping.
struct World {
    explicit World(std::uint64_t every_ms = 0) {
        plan[kId].every_ms = every_ms;
        probes.follow(plan);
    }
    // Passes this time; `lives`: the upstream replies to probes at once.
    void pass(std::uint64_t ms, bool lives) {
        for (const std::uint64_t end_ms = now_ms + ms; now_ms < end_ms; now_ms += 100) {
            if (clients) clients();
            probes.see(kId, traffic, now_ms);
            for (const std::uint16_t id : probes.due(now_ms)) {
                sent_ms.push_back(now_ms);
                if (lives) probes.replied(id, {.name_case = next_case()});
            }
            if (probes.is_silent(kId)) was_silent = true;
        }
    }
    std::map<std::uint16_t, build::UpstreamProbe> plan;
    UpstreamProbes probes;
    UpstreamProbes::Traffic traffic{100, 100};
    // The case in the next reply to a probe.
    std::function<stream::ReplyCase()> next_case = [] { return stream::ReplyCase::unknown; };
    std::function<void()> clients;
    std::vector<std::uint64_t> sent_ms;
    std::uint64_t now_ms = 0;
    bool was_silent = false;
};

using Times = std::vector<std::uint64_t>;
using stream::ReplyCase;

}  // namespace

BOOST_AUTO_TEST_SUITE(upstream_probes)

BOOST_AUTO_TEST_CASE(
    a_quiet_upstream_is_asked_once_after_a_start_a_reload_and_a_change_of_the_network) {
    World w;
    w.pass(60'000, true);
    BOOST_TEST(w.sent_ms == Times{0}, boost::test_tools::per_element());
    w.probes.follow(w.plan);
    w.pass(60'000, true);
    w.probes.network_changed();
    w.pass(60'000, true);
    const Times wanted{0, 60'000, 120'000};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_asks_a_quiet_upstream_regularly) {
    World w(10'000);
    w.pass(30'100, true);
    const Times wanted{0, 10'000, 20'000, 30'000};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_query_without_a_reply_for_a_second_starts_probes_until_a_reply_comes) {
    World w;
    w.pass(10'000, true);
    ++w.traffic.queries;
    w.pass(10'000, true);
    const Times wanted{0, 11'000};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
    BOOST_TEST(!w.was_silent);
}

BOOST_AUTO_TEST_CASE(three_unanswered_probes_are_silence_until_a_reply) {
    World w;
    w.pass(10'000, true);
    ++w.traffic.queries;
    w.pass(6'000, false);  // probes after 1, 3 and 5 s
    BOOST_TEST(!w.probes.is_silent(kId));
    w.pass(100, false);
    BOOST_TEST(w.probes.is_silent(kId));
    w.pass(60'000, false);
    BOOST_TEST(w.probes.is_silent(kId));  // without a client, too
    w.pass(2'000, true);
    BOOST_TEST(!w.probes.is_silent(kId));
    const Times begin(w.sent_ms.begin(), w.sent_ms.begin() + 4);
    const Times wanted{0, 11'000, 13'000, 15'000};
    BOOST_TEST(begin == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_names_of_a_dead_domain_makes_no_upstream_silent) {
    World w;
    w.clients = [&] { w.traffic.queries += 5; };
    w.pass(600'000, true);
    BOOST_TEST(!w.was_silent);
    BOOST_TEST(w.sent_ms.size() <= 300U);  // one in 2 s at most
    BOOST_TEST(w.sent_ms.size() >= 200U);
}

BOOST_AUTO_TEST_CASE(a_new_upstream_lives_until_its_first_three_probes_are_unanswered) {
    World w;
    w.pass(5'000, false);
    BOOST_TEST(!w.was_silent);
    w.pass(100, false);
    BOOST_TEST(w.was_silent);
}

BOOST_AUTO_TEST_CASE(a_reply_to_a_client_is_life) {
    World w;
    w.pass(8'000, false);
    BOOST_TEST(w.probes.is_silent(kId));
    ++w.traffic.replies;
    w.pass(100, false);
    BOOST_TEST(!w.probes.is_silent(kId));
}

BOOST_AUTO_TEST_CASE(a_late_reply_to_a_probe_is_life) {
    World w;
    w.pass(4'900, false);
    w.probes.replied(kId);
    w.pass(60'000, false);
    BOOST_TEST(!w.was_silent);
}

// What a stranger's name can cause leads to a probe, and only that says that the upstream is without EDNS.
BOOST_AUTO_TEST_CASE(a_refusal_of_edns_causes_at_most_one_probe_a_minute) {
    World w;
    w.pass(1'000, true);
    w.clients = [&w] { ++w.traffic.queries, ++w.traffic.replies, ++w.traffic.edns_refusals; };
    w.pass(119'100, true);
    const Times wanted{0, 60'000, 120'000};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
    BOOST_TEST(!w.probes.is_without_edns(kId));
}

BOOST_AUTO_TEST_CASE(an_upstream_without_edns_is_asked_with_it_every_fifteen_minutes) {
    World w;
    w.pass(1'000, true);
    w.probes.replied(kId, {.refuses_edns = true});
    BOOST_TEST(w.probes.is_without_edns(kId));
    BOOST_TEST(!w.probes.is_silent(kId));
    w.pass(898'900, true);
    BOOST_TEST(w.sent_ms == Times{0}, boost::test_tools::per_element());
    BOOST_TEST(w.probes.is_without_edns(kId));
    w.pass(200, true);
    const Times wanted{0, 900'000};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
    BOOST_TEST(!w.probes.is_without_edns(kId));
}

BOOST_AUTO_TEST_CASE(an_upstream_that_returns_the_case_is_asked_once) {
    World w;
    w.next_case = [] { return ReplyCase::kept; };
    w.pass(60'000, true);
    BOOST_TEST(w.sent_ms == Times{0}, boost::test_tools::per_element());
    BOOST_TEST(!w.probes.changes_case(kId));
}

BOOST_AUTO_TEST_CASE(three_changed_replies_in_a_round_are_an_upstream_that_changes_the_case) {
    World w;
    w.next_case = [] { return ReplyCase::changed; };
    w.pass(200, true);
    BOOST_TEST(!w.probes.changes_case(kId));
    w.pass(100, true);
    BOOST_TEST(w.probes.changes_case(kId));
    w.pass(60'000, true);
    const Times wanted{0, 100, 200};
    BOOST_TEST(w.sent_ms == wanted, boost::test_tools::per_element());
    BOOST_TEST(
        w.probes.news(kId, "a", w.now_ms).starts_with("upstream a changes the case of names"));
    BOOST_TEST(w.probes.news(kId, "a", w.now_ms).empty());
}

// Who guesses id and port of one probe, or of two, switches nothing off.
BOOST_AUTO_TEST_CASE(two_changed_replies_of_eight_decide_nothing) {
    World w;
    unsigned replies = 0;
    w.next_case = [&] { return ++replies <= 2 ? ReplyCase::changed : ReplyCase::kept; };
    w.pass(60'000, true);
    BOOST_TEST(replies == UpstreamProbes::kCaseProbes);
    BOOST_TEST(!w.probes.changes_case(kId));
    BOOST_TEST(w.probes.news(kId, "a", w.now_ms).empty());
}

BOOST_AUTO_TEST_CASE(a_changed_reply_to_a_client_only_causes_a_round_a_minute) {
    World w;
    w.next_case = [] { return ReplyCase::kept; };
    w.pass(10'000, true);
    w.clients = [&w] { ++w.traffic.queries, ++w.traffic.replies, ++w.traffic.case_mismatches; };
    w.pass(110'000, true);
    BOOST_TEST(!w.probes.changes_case(kId));
    BOOST_TEST(w.sent_ms.size() == 1U + 2 * UpstreamProbes::kCaseProbes);
    BOOST_TEST(w.sent_ms[1] == 10'000U);
    BOOST_TEST(w.sent_ms[1 + UpstreamProbes::kCaseProbes] == 70'000U);
}

BOOST_AUTO_TEST_CASE(a_round_without_replies_ends_and_changes_nothing) {
    World w;
    w.next_case = [] { return ReplyCase::kept; };
    w.pass(10'000, true);
    ++w.traffic.case_mismatches;
    w.clients = [&w] { ++w.traffic.queries, ++w.traffic.replies; };  // so no probe is awaited
    w.pass(59'000, false);
    BOOST_TEST(w.sent_ms.size() == 1U + UpstreamProbes::kCaseProbes);
    BOOST_TEST(!w.probes.changes_case(kId));
}

BOOST_AUTO_TEST_CASE(an_upstream_that_returns_the_case_again_is_noticed_after_fifteen_minutes) {
    World w;
    w.next_case = [] { return ReplyCase::changed; };
    w.pass(1'000, true);
    BOOST_TEST(w.probes.changes_case(kId));
    (void)w.probes.news(kId, "a", w.now_ms);
    w.pass(1'000'000, true);
    BOOST_TEST(w.probes.changes_case(kId));  // asked again, and still so
    w.next_case = [] { return ReplyCase::kept; };
    w.pass(790'000, true);
    BOOST_TEST(w.probes.changes_case(kId));
    w.pass(20'000, true);
    BOOST_TEST(!w.probes.changes_case(kId));
    BOOST_TEST(w.probes.news(kId, "a", w.now_ms) == "upstream a returns the case of names again");
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_what_is_known_and_forgets_what_is_not_probed) {
    World w;
    w.pass(8'000, false);
    w.probes.follow(w.plan);
    BOOST_TEST(w.probes.is_silent(kId));
    w.probes.follow({});
    BOOST_TEST(!w.probes.is_silent(kId));
    w.pass(10'000, false);
    BOOST_TEST(!w.probes.is_silent(kId));  // `probe: off`
}

BOOST_AUTO_TEST_CASE(silence_and_its_end_are_reported_once) {
    World w;
    BOOST_TEST(w.probes.news(kId, "udp://192.0.2.1:53", 0).empty());
    w.pass(8'000, false);
    BOOST_TEST(w.probes.news(kId, "udp://192.0.2.1:53", w.now_ms)
                   .starts_with("upstream udp://192.0.2.1:53 does not answer (3 probes without a "
                                "reply): check that"));
    BOOST_TEST(w.probes.news(kId, "udp://192.0.2.1:53", w.now_ms).empty());
    w.pass(2'000, true);
    BOOST_TEST(w.probes.news(kId, "udp://192.0.2.1:53", w.now_ms) ==
               "upstream udp://192.0.2.1:53 answers again");
    BOOST_TEST(w.probes.news(kId, "udp://192.0.2.1:53", w.now_ms).empty());
}

BOOST_AUTO_TEST_CASE(silence_without_descriptors_is_not_blamed_on_the_upstream) {
    World w;
    w.pass(8'000, false);
    const std::string news = w.probes.news(kId, "a", w.now_ms, false);
    BOOST_TEST(news.find("no file descriptor is free") != std::string::npos);
    BOOST_TEST(news.find("firewall") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unstable_upstream_does_not_flood_the_log) {
    World w;
    w.clients = [&] { ++w.traffic.queries; };
    int sentences = 0;
    for (int turn = 0; turn < 60; ++turn) {
        for (const bool lives : {false, true}) {
            w.pass(10'000, lives);
            if (!w.probes.news(kId, "a", w.now_ms).empty()) ++sentences;
        }
    }
    BOOST_TEST(sentences >= 20);
    BOOST_TEST(sentences <= 40);  // it is silent, it answers again: once a minute, in 20 minutes
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
