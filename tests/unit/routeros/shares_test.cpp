// No name, suffix or client takes a list, or the router's time, for itself.
#include "routeros/shares.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <span>

#include "lab.h"
#include "matchers/suffix/public_suffixes.h"
#include "routeros/fair_queue.h"

namespace steer::routeros::test {
namespace {

constexpr std::string_view kSharedList = "policy_v4";

// 198.18.0.0 and onwards.
std::string flood_address(unsigned i) {
    return "198." + std::to_string(18 + i / 62'500) + "." + std::to_string(i / 250 % 250) + "." +
           std::to_string(i % 250 + 1);
}

BOOST_AUTO_TEST_SUITE(shares)

// Puts a list with these suffixes in force until it is destroyed.
struct SuffixesInForce {
    SuffixesInForce() {
        using Kind = matchers::PublicSuffixBuilder::Kind;
        matchers::PublicSuffixBuilder builder;
        builder.add("uk", Kind::plain, false);
        builder.add("co.uk", Kind::plain, false);
        builder.add("github.io", Kind::plain, true);
        matchers::PublicSuffixes::publish(builder.build());
    }
    ~SuffixesInForce() { matchers::PublicSuffixes::publish({}); }
    SuffixesInForce(const SuffixesInForce&) = delete;
    SuffixesInForce& operator=(const SuffixesInForce&) = delete;
};

// The outcome for a name that is asked after 760 others below `hostile`, with 32 addresses each.
Outcome outcome_beside(std::span<const std::string> hostile, std::string_view honest) {
    auto list = list_config();
    list.max_rows = 5'000;
    list.max_per_name = 250;
    list.max_per_suffix = 1'250;
    list.max_per_client = 5'000;
    Lab lab{fast(), router_config({list})};
    if (!lab.sync()) BOOST_FAIL("it is not in sync");
    for (unsigned i = 0; i < 760; ++i) {
        std::vector<std::string> addresses;
        for (unsigned a = 0; a < 32; ++a)
            addresses.push_back(flood_address(i * 32 + a));
        const std::string name = "q" + std::to_string(i) + "." + hostile[i % hostile.size()];
        lab.claim(1, addresses, 600, 630, 0, std::string_view{name});
    }
    lab.claim(1, {"203.0.113.1"}, 600, 630, 1, honest);
    lab.run_for(10 * kSecond);
    return lab.outcomes[1];
}

BOOST_AUTO_TEST_CASE(a_domain_does_not_take_the_share_of_its_public_suffix) {
    const std::vector<std::string> evil{"evil.co.uk", "evil2.co.uk"};
    BOOST_TEST((outcome_beside(evil, "bbc.co.uk") == Outcome::refused));  // "co.uk" is one domain
    const SuffixesInForce suffixes;
    BOOST_TEST((outcome_beside(evil, "bbc.co.uk") == Outcome::installed));
    BOOST_TEST((outcome_beside(evil, "www.evil.co.uk") == Outcome::refused));
}

BOOST_AUTO_TEST_CASE(a_platform_leaves_half_of_a_list_to_others) {
    const SuffixesInForce suffixes;
    std::vector<std::string> evil(10);
    for (std::size_t i = 0; i < evil.size(); ++i)
        evil[i] = "evil" + std::to_string(i) + ".github.io";
    BOOST_TEST((outcome_beside(evil, "www.example.org") == Outcome::installed));
    BOOST_TEST((outcome_beside(evil, "new.github.io") == Outcome::refused));
    BOOST_TEST((outcome_beside(std::span(evil).first(1), "new.github.io") == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_domain_leaves_half_of_its_share_to_others) {
    const std::vector<std::string> evil{"evil.example.com"};
    BOOST_TEST((outcome_beside(evil, "www.example.com") == Outcome::installed));
    BOOST_TEST((outcome_beside(evil, "www.evil.example.com") == Outcome::refused));
    const std::vector<std::string> deep{"a.evil.example.com"};
    BOOST_TEST((outcome_beside(deep, "b.evil.example.com") == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(claims_are_counted_per_name_suffix_and_client) {
    Shares shares;
    const auto a = Shares::holders_of(1, {"x.one.example", bytes_of("192.0.2.1")});
    const auto b = Shares::holders_of(1, {"y.one.example", bytes_of("192.0.2.2")});
    const auto other_list = Shares::holders_of(2, {"x.one.example", bytes_of("192.0.2.1")});
    shares.add(a, 1);
    shares.add(a, 1);
    shares.add(b, 1);
    BOOST_TEST(shares.count(ShareKind::name, a[0]) == 2U);
    BOOST_TEST(shares.count(ShareKind::suffix, b[1]) == 3U);
    BOOST_TEST(shares.count(ShareKind::client, b[2]) == 1U);
    BOOST_TEST(shares.count(ShareKind::suffix, other_list[1]) == 0U);
    shares.add(a, -1);
    BOOST_TEST(shares.count(ShareKind::suffix, a[1]) == 2U);
}

BOOST_AUTO_TEST_CASE(an_ipv6_client_is_its_64_prefix) {
    const auto a = Shares::holders_of(1, {"x.example", bytes_of("2001:db8:0:1::1")});
    const auto b = Shares::holders_of(1, {"x.example", bytes_of("2001:db8:0:1:9::2")});
    const auto c = Shares::holders_of(1, {"x.example", bytes_of("2001:db8:0:2::1")});
    BOOST_TEST(a[2] == b[2]);
    BOOST_TEST(a[2] != c[2]);
    BOOST_TEST(Shares::holders_of(1, "x.example")[2] == 0U);
}

ListConfig small_list() {
    auto list = list_config();
    list.max_rows = 100;
    list.max_per_name = 10;
    list.max_per_suffix = 40;
    list.max_per_client = 60;
    return list;
}

BOOST_AUTO_TEST_CASE(names_suffixes_and_clients_have_their_share) {
    Lab lab{fast(), router_config({small_list()})};
    BOOST_REQUIRE(lab.sync());
    const Origin one{"a.evil.example", bytes_of("192.0.2.1")};
    for (unsigned i = 0; i < 20; ++i)
        lab.claim(1, {flood_address(i)}, 600, 630, 0, one);
    BOOST_TEST(lab.router->status().claims == 10U);
    BOOST_TEST(
        lab.logged("a.evil.example has its share of the 100 claims of list ros_policy (10)") == 1U);
    for (unsigned i = 0; i < 100; ++i) {
        const std::string name = "n" + std::to_string(i) + ".evil.example";
        lab.claim(1, {flood_address(100 + i)}, 600, 630, 0, {name, bytes_of("192.0.2.1")});
    }
    BOOST_TEST(lab.router->status().claims == 40U);
    for (unsigned i = 0; i < 100; ++i) {
        const std::string name = "n" + std::to_string(i) + ".example";
        lab.claim(1, {flood_address(300 + i)}, 600, 630, 0, {name, bytes_of("192.0.2.1")});
    }
    BOOST_TEST(lab.router->status().claims == 60U);
    BOOST_TEST(lab.router->counters().claims_over_share == 10U + 70U + 80U);
    // Those above the client's share say nothing about other clients.
    BOOST_TEST_REQUIRE(lab.refusals.size() == 10U + 70U + 80U);
    BOOST_TEST(!lab.refusals.at(0).of_client);
    BOOST_TEST(!lab.refusals.at(10).of_client);
    BOOST_TEST(lab.refusals.at(80).of_client);
    lab.run_for(61 * kSecond);
    lab.claim(1, {flood_address(500)}, 600, 630, 0, {"m.example", bytes_of("192.0.2.1")});
    BOOST_TEST(lab.logged("client 192.0.2.1 has its share") == 1U);
    BOOST_TEST(lab.logged("160 refused, the last for m.example") == 1U);
    // Others, and those that stand for many, are not hindered.
    lab.claim(1, {"203.0.113.1"}, 600, 630, 1, {"www.good.example", bytes_of("192.0.2.2")});
    lab.claim(1, {"203.0.113.2"}, 600, 630, 2, "www.good.example");
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST((lab.outcomes[2] == Outcome::installed));
}

// One domain may have 80 of its 100 claims.
ListConfig list_of_a_large_share() {
    auto list = small_list();
    list.max_per_name = list.max_per_client = 100;
    list.max_per_suffix = 80;
    return list;
}

void claim_evil(Lab& lab) {
    for (unsigned i = 0; i < 80; ++i) {
        const std::string name = "n" + std::to_string(i) + ".evil.example";
        lab.claim(1, {flood_address(i)}, 600, 630, 0, std::string_view{name});
    }
}

// Each for a domain of its own; if answers wait, by its number.
void claim_good(Lab& lab, unsigned from, unsigned to, bool waits = false) {
    for (unsigned i = from; i < to; ++i) {
        const std::string name = "www.good" + std::to_string(i) + ".example";
        lab.claim(1, {nth(i)}, 600, 630, waits ? i : 0, std::string_view{name});
    }
}

// Else cached answers go on as if their rows were to come.
BOOST_AUTO_TEST_CASE(claims_that_are_evicted_before_their_rows_are_written_are_lost) {
    Lab lab{fast(), router_config({list_of_a_large_share()})};
    lab.reachable = false;
    lab.start();
    claim_evil(lab);
    claim_good(lab, 0, 50);
    BOOST_TEST(lab.router->counters().claims_evicted == 30U);
    BOOST_TEST(lab.losses == 30U);
}

BOOST_AUTO_TEST_CASE(a_full_list_evicts_claims_of_the_largest_share) {
    Lab lab{fast(), router_config({list_of_a_large_share()})};
    BOOST_REQUIRE(lab.sync());
    claim_evil(lab);
    claim_good(lab, 0, 20);
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.rows(kSharedList).size() == 100U);
    BOOST_TEST(lab.losses == 0U);
    claim_good(lab, 20, 50, true);
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.router->counters().claims_evicted == 30U);
    BOOST_TEST(lab.losses == 30U);
    BOOST_TEST(lab.router->status().claims == 100U);
    BOOST_TEST(lab.rows(kSharedList).size() == 100U);
    for (unsigned i = 0; i < 50; ++i)
        BOOST_TEST(lab.row(kSharedList, nth(i)).has_value());
    for (unsigned i = 20; i < 50; ++i)
        BOOST_TEST((lab.outcomes[i] == Outcome::installed));
    // The largest share gets no more.
    lab.claim(1, {flood_address(200)}, 600, 630, 0, "m.evil.example");
    BOOST_TEST(lab.router->counters().claims_evicted == 30U);
}

BOOST_AUTO_TEST_CASE(a_claim_counts_for_the_holder_with_the_smallest_share) {
    Claims claims;
    const ClaimBounds bounds{1000, 1000, 1000, 1000};
    for (unsigned i = 0; i < 10; ++i)
        claims.raise({1, Address::host(bytes_of(nth(i)))}, "x.evil.example", 1000, 1000, bounds);
    // The last is an honest one's as well: it is not given up for a claim of the other's suffix.
    const ClaimKey shared{1, Address::host(bytes_of(nth(9)))};
    claims.raise(shared, "www.good.example", 1000, 1000, bounds);
    for (unsigned i = 0; i < 8; ++i) {
        const auto evicted = claims.evict(1, "www.fine.example", bounds);
        BOOST_REQUIRE(evicted);
        BOOST_TEST((evicted->key != shared));
    }
    BOOST_TEST(!claims.evict(1, "www.fine.example", bounds).has_value());
    BOOST_TEST(claims.size() == 2U);
    // Places of what was evicted are used again once their end has come.
    while (claims.expire(5000)) {
    }
    const std::size_t slots = claims.slots();
    for (unsigned i = 0; i < 10; ++i)
        claims.raise({1, Address::host(bytes_of(nth(i)))}, "x.example", 9000, 9000, bounds);
    BOOST_TEST(claims.slots() == slots);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(fair_queue)

Place place(unsigned n) {
    return {0, Address::host(bytes_of(nth(n)))};
}

std::vector<unsigned> served(FairQueue& queue, std::size_t count) {
    std::vector<unsigned> order;
    while (order.size() < count && !queue.empty()) {
        queue.walk(1000, [&](const Place& p) {
            order.push_back(unsigned{p.address.bytes[14]} * 250 + p.address.bytes[15]);
            return FairQueue::Choice::take_and_stop;
        });
    }
    return order;
}

BOOST_AUTO_TEST_CASE(flows_take_turns_and_a_new_one_goes_first) {
    FairQueue queue;
    for (unsigned i = 0; i < 1000; ++i)
        queue.insert(7, {i, place(i)});
    served(queue, 20);
    queue.insert(9, {5000, place(2000)});
    BOOST_TEST(queue.head().is_new);
    BOOST_TEST(queue.head().flow == 9U);
    served(queue, 1);
    BOOST_TEST(queue.head().flow == 7U);
    for (unsigned i = 0; i < 100; ++i)
        queue.insert(11, {6000 + i, place(3000 + i)});
    unsigned of_eleven = 0;
    for (unsigned i = 0; i < 80; ++i) {
        of_eleven += queue.head().flow == 11 ? 1U : 0U;
        served(queue, 1);
    }
    BOOST_TEST(of_eleven >= 40U - FairQueue::kQuantum);
    BOOST_TEST(of_eleven <= 40U + FairQueue::kQuantum);
}

BOOST_AUTO_TEST_CASE(a_single_flow_may_fill_a_sentence) {
    FairQueue queue;
    for (unsigned i = 0; i < 100; ++i)
        queue.insert(7, {i, place(i)});
    unsigned taken = 0;
    queue.walk(1000, [&](const Place&) {
        ++taken;
        return taken == 60 ? FairQueue::Choice::take_and_stop : FairQueue::Choice::take;
    });
    BOOST_TEST(taken == 60U);
    BOOST_TEST(queue.size() == 40U);
    queue.insert(9, {0, place(500)});
    BOOST_TEST(queue.head().flow == 9U);
    queue.erase(9, {0, place(500)});
    BOOST_TEST(queue.head().flow == 7U);
    BOOST_TEST(served(queue, 100).size() == 40U);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(a_flow_is_new_only_as_far_as_its_first_quantum_is_not_in_flight) {
    FairQueue queue;
    for (unsigned i = 0; i < 40; ++i)
        queue.insert(7, {i, place(i)});
    served(queue, FairQueue::kQuantum);
    BOOST_TEST(!queue.head().is_new);
    queue.insert(8, {0, place(100)}, FairQueue::kQuantum);
    BOOST_TEST(queue.head().flow == 7U);
    for (unsigned i = 0; i < 4; ++i)
        queue.insert(9, {i, place(200 + i)}, FairQueue::kQuantum - 2);
    BOOST_TEST(queue.head().flow == 9U);
    BOOST_TEST(queue.head().is_new);
    served(queue, 2);
    BOOST_TEST(queue.head().flow == 7U);
}

// A router that is away takes no write, while writes of ever other domains come and are dropped.
BOOST_AUTO_TEST_CASE(flows_whose_writes_were_dropped_are_forgotten) {
    FairQueue queue;
    queue.insert(1, {0, place(0)});
    queue.insert(1, {1, place(1)});
    for (unsigned i = 2; i < 20'000; ++i) {
        queue.insert(i, {i, place(i)});
        queue.erase(i, {i, place(i)});
        BOOST_TEST_REQUIRE(queue.flows() < 2'000U);
    }
    BOOST_TEST(queue.size() == 2U);
    queue.insert(30'000, {30'000, place(2)});
    BOOST_TEST(queue.head().flow == 1U);
    BOOST_TEST(served(queue, 2).size() == 2U);
    BOOST_TEST(queue.head().flow == 30'000U);
    BOOST_TEST(served(queue, 2).size() == 1U);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(rows_that_go_before_a_flow_are_counted_at_most) {
    FairQueue queue;
    for (unsigned i = 0; i < 40; ++i)
        queue.insert(7, {i, place(i)});
    BOOST_TEST(queue.rows_before(7) == 40U);
    BOOST_TEST(queue.rows_before(8) == std::size_t{FairQueue::kQuantum});  // both are new
    served(queue, FairQueue::kQuantum);
    BOOST_TEST(queue.head().flow == 7U);
    for (unsigned i = 0; i < 3; ++i)
        queue.insert(8, {i, place(100 + i)});
    BOOST_TEST(queue.rows_before(8) == 3U);
    BOOST_TEST(queue.rows_before(7) == 35U);
    for (unsigned i = 3; i < 20; ++i)
        queue.insert(8, {i, place(100 + i)});
    BOOST_TEST(queue.rows_before(8) == 20U + 28U);  // it has more than its first quantum
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(floods)

// Delays of honest rows, 4 of a name, ten names a second, beside a flood or without.
std::int64_t p99_us(bool held, bool flood, std::string_view preset) {
    rossim::Options options;
    options.costs = rossim::built_in_presets().get(preset);
    options.latency_us = 2'000;
    auto list = list_config();
    list.max_per_name = 1'000;
    list.max_per_suffix = 12'500;
    list.max_per_client = 12'500;
    list.sync_timeout_ms = 10'000;  // no answer gives up: delays are seen whole
    Lab lab{options, router_config({list})};
    if (!lab.sync()) BOOST_FAIL("it is not in sync");
    lab.run_for(10 * kSecond);
    std::vector<std::pair<std::string, std::int64_t>> asked;
    unsigned flooded = 0;
    std::uint64_t token = 0;
    const std::int64_t start_us = lab.now_us;
    for (unsigned tick = 0; tick < 750; ++tick) {  // 15 s, the flood from the fifth on
        lab.run_until(start_us + tick * 20'000);
        for (unsigned i = 0; flood && tick >= 250 && i < 30 && flooded < 715; ++i, ++flooded) {
            std::vector<std::string> addresses;
            for (unsigned a = 0; a < 32; ++a)  // of 70: `max_addresses`
                addresses.push_back(flood_address(flooded * 70 + a));
            const std::string name = "q" + std::to_string(flooded) + ".evil.example";
            lab.claim(1, addresses, 600, 630, held ? ++token : 0, {name, bytes_of("192.0.2.66")});
        }
        if (tick % 5 != 0) continue;
        std::vector<std::string> addresses;
        for (unsigned a = 0; a < 4; ++a) {
            addresses.push_back(nth(tick * 4 + a));
            if (tick >= 250) asked.emplace_back(addresses.back(), lab.now_us);
        }
        const std::string name = "www.good" + std::to_string(tick) + ".example";
        lab.claim(1, addresses, 600, 630, held ? ++token : 0, {name, bytes_of("192.0.2.7")});
    }
    lab.run_for(60 * kSecond);
    std::vector<std::int64_t> delays;
    for (const auto& [address, at_us] : asked) {
        const auto life = lab.lives.find({std::string(kSharedList), address});
        BOOST_REQUIRE(life != lab.lives.end());
        delays.push_back(life->second.front().from_us - at_us);
    }
    std::ranges::sort(delays);
    return delays[(delays.size() * 99 - 1) / 100];
}

BOOST_AUTO_TEST_CASE(other_rows_wait_at_most_twice_as_long_beside_a_flood) {
    for (const bool held : {true, false}) {
        for (const auto preset : {"fast", "slow"}) {
            const auto without = p99_us(held, false, preset), beside = p99_us(held, true, preset);
            BOOST_TEST_MESSAGE((held ? "held " : "not held ")
                               << preset << ": without " << without << " us, beside " << beside);
            BOOST_TEST(beside <= 2 * without);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_flood_does_not_fill_the_list) {
    auto list = list_config();
    list.max_per_suffix = 12'500;
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 715; ++i) {
        std::vector<std::string> addresses;
        for (unsigned a = 0; a < 70; ++a)
            addresses.push_back(flood_address(i * 70 + a));
        const std::string name = "q" + std::to_string(i) + ".evil.example";
        lab.claim(1, addresses, 600, 630, 0, {name, bytes_of("192.0.2.66")});
    }
    BOOST_TEST(lab.router->status().claims == 12'500U);
    BOOST_TEST(lab.logged("names below evil.example have their share") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
