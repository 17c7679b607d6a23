// Rows of `limits:` through whole workers: what is dropped, truncated and refused, and what passes.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dataplane/dns/cookie.h"
#include "dataplane/limits/limit_policy.h"
#include "dataplane/limits/limit_shares.h"
#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

LimitRow row_of(LimitWhat what, double per_s, double burst, LimitAction action) {
    LimitRow row;
    row.name = fact_of(what).name;
    row.what = what;
    row.action = action;
    row.per_s = per_s;
    row.burst = burst;
    row.rate = LimitRate::of(per_s, burst);
    row.salt = 0x1234567 * (static_cast<std::uint64_t>(what) + 1);
    if (what == LimitWhat::nxdomain || what == LimitWhat::servfail) row.prefix4 = row.prefix6 = 0;
    return row;
}

LimitRow answers_row(double per_s, double burst, std::uint8_t slip, std::uint8_t leak = 0) {
    LimitRow row = row_of(LimitWhat::responses, per_s, burst, LimitAction::drop);
    row.slip = slip;
    row.leak = leak;
    row.rate.period = std::max<std::uint8_t>({slip, leak, 1});
    return row;
}

struct LimitedAppliance {
    explicit LimitedAppliance(std::vector<LimitRow> rows, unsigned workers = 1)
        : a({.workers = workers}), tables(std::make_shared<LimitTables>()) {
        for (unsigned i = 0; i < workers; ++i)
            tables->workers.push_back(std::make_unique<LimitThread>(std::size_t{1} << 16, workers));
        policy = std::make_shared<LimitPolicy>();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i].id = static_cast<std::uint16_t>(i);
            policy->add(std::move(rows[i]));
        }
        policy->set_tables(tables);
    }
    void publish(std::unique_ptr<Snapshot> snapshot) {
        snapshot->limits = policy;
        a.publish(std::move(snapshot));
    }
    [[nodiscard]] std::uint64_t count(LimitDecision decision, std::size_t row = 0) const {
        std::uint64_t sum = 0;
        for (const auto& thread : tables->workers)
            sum += thread->counts[row][static_cast<std::size_t>(decision)].get();
        return sum;
    }
    // The name is in the cache, and after a second query in the packet cache.
    void warm(const std::string& name) {
        a.ask_and_answer(name, 3600, "203.0.113.7");
        a.advance_ms(10'000);
    }

    Appliance a;
    std::shared_ptr<LimitTables> tables;
    std::shared_ptr<LimitPolicy> policy;
};

struct Kinds {
    unsigned whole = 0, truncated = 0, refused = 0;
};
Kinds kinds_of(const std::vector<Seen>& answers) {
    Kinds out;
    for (const Seen& seen : answers) {
        if (seen.truncated())
            ++out.truncated;
        else if (seen.rcode() == 5)
            ++out.refused;
        else
            ++out.whole;
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(queries_of_a_prefix_above_its_rate_get_no_work) {
    LimitedAppliance l({row_of(LimitWhat::queries, 10, 5, LimitAction::truncate)});
    l.publish(forward_only());
    for (std::uint16_t i = 0; i < 10; ++i) {
        l.a.ask("www.n" + std::to_string(i) + ".example", 1, i,
                {.address = "192.0.2." + std::to_string(10 + i % 3)});
    }
    l.a.ask("www.other.example", 1, 99, {.address = "198.51.100.9"});
    l.a.turn();
    const auto sent = l.a.answers();
    BOOST_REQUIRE_EQUAL(sent.size(), 5U);
    for (const Seen& seen : sent) {
        BOOST_CHECK(seen.truncated());
        BOOST_CHECK_EQUAL(seen.rcode(), 0U);
        BOOST_CHECK_EQUAL(seen.answers(), 0U);
    }
    BOOST_CHECK_EQUAL(l.a.upstream_queries().size(), 6U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::forwarded), 6U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_truncated), 5U);
    BOOST_CHECK_EQUAL(l.count(LimitDecision::truncated), 5U);
    // Half a second gives five more.
    l.a.advance_ms(500);
    for (std::uint16_t i = 0; i < 10; ++i)
        l.a.ask("www.m" + std::to_string(i) + ".example", 1, i);
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.count(Verdict::forwarded), 11U);
    (void)l.a.upstream_queries();
    (void)l.a.answers();
}

BOOST_AUTO_TEST_CASE(each_action_is_a_verdict) {
    struct Case {
        LimitAction action;
        Verdict verdict;
        std::size_t answers;
        unsigned rcode;
    };
    for (const Case& c : {Case{LimitAction::drop, Verdict::limited_dropped, 0, 0},
                          Case{LimitAction::refuse, Verdict::limited_refused, 3, 5},
                          Case{LimitAction::servfail, Verdict::limited_servfail, 3, 2}}) {
        LimitedAppliance l({row_of(LimitWhat::queries, 1, 1, c.action)});
        l.publish(forward_only());
        for (std::uint16_t i = 0; i < 4; ++i) {
            DnsMessage query = DnsMessage::query(i, "www.n" + std::to_string(i) + ".example", 1);
            l.a.ask(query.opt(1232));
        }
        l.a.turn();
        const auto sent = l.a.answers();
        BOOST_REQUIRE_EQUAL(sent.size(), c.answers);
        for (const Seen& seen : sent)
            BOOST_CHECK_EQUAL(seen.rcode(), c.rcode);
        BOOST_CHECK_EQUAL(l.a.count(c.verdict), 3U);
        (void)l.a.upstream_queries();
    }
}

BOOST_AUTO_TEST_CASE(queries_of_clients_outside_allow_get_no_reply_above_the_limit) {
    LimitedAppliance l({row_of(LimitWhat::queries, 1, 1, LimitAction::truncate)});
    auto snapshot = forward_only();
    snapshot->allow = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.0/24")});
    l.publish(std::move(snapshot));
    for (std::uint16_t i = 0; i < 3; ++i)
        l.a.ask("www.example", 1, i, {.address = "198.51.100.9"});
    l.a.turn();
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).refused, 1U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped), 2U);
}

BOOST_AUTO_TEST_CASE(bytes_of_queries_are_counted) {
    LimitedAppliance l({row_of(LimitWhat::bytes, 1'000, 100, LimitAction::drop)});
    l.publish(forward_only());
    // 12 + 13 + 4 bytes each
    for (std::uint16_t i = 0; i < 10; ++i)
        l.a.ask("www.example", 1, i, {.port = static_cast<std::uint16_t>(40'000 + i)});
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.count(Verdict::forwarded), 3U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped), 7U);
    (void)l.a.upstream_queries();
}

BOOST_AUTO_TEST_CASE(a_dry_run_counts_and_lets_pass) {
    LimitRow row = row_of(LimitWhat::queries, 1, 1, LimitAction::drop);
    row.dry_run = true;
    LimitedAppliance l({row});
    l.publish(forward_only());
    for (std::uint16_t i = 0; i < 5; ++i)
        l.a.ask("www.n" + std::to_string(i) + ".example", 1, i);
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.upstream_queries().size(), 5U);
    BOOST_CHECK_EQUAL(l.count(LimitDecision::dry_run), 4U);
    BOOST_CHECK_EQUAL(l.count(LimitDecision::dropped), 0U);
}

// By the cache, by the packet cache, and in any case of letters: one bucket.
static void drop_answers_above_the_limit(double per_s, unsigned burst) {
    LimitedAppliance l({answers_row(per_s, burst, 2)});
    BOOST_REQUIRE_EQUAL(l.policy->batched.most, burst / 20);
    l.publish(cache_forward());
    l.warm("www.victim.example");
    l.warm("www.other.example");
    Kinds kinds;
    for (unsigned i = 0; i < burst + 20; ++i) {
        l.a.ask(i % 3 == 0 ? "wWw.VICTIM.example" : "www.victim.example", 1,
                static_cast<std::uint16_t>(i), {.address = "192.0.2." + std::to_string(10 + i)});
        l.a.turn();
        const Kinds one = kinds_of(l.a.answers());
        kinds.whole += one.whole;
        kinds.truncated += one.truncated;
    }
    BOOST_CHECK_EQUAL(kinds.whole, burst);
    BOOST_CHECK_EQUAL(kinds.truncated, 10U);
    BOOST_CHECK_EQUAL(l.count(LimitDecision::dropped), 10U);
    BOOST_CHECK_EQUAL(l.count(LimitDecision::truncated), 10U);
    BOOST_CHECK_GT(l.a.count(Stat::packet_cache_hits), 0U);
    // Other names, other prefixes and connections are not concerned.
    l.a.ask("www.other.example");
    l.a.ask("www.victim.example", 1, 1, {.address = "198.51.100.9"});
    l.a.inject(DnsMessage::query(7, "www.victim.example", 1), 1);
    l.a.turn();
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).whole, 2U);
    const auto by_tcp = l.a.injected_answers();
    BOOST_REQUIRE_EQUAL(by_tcp.size(), 1U);
    BOOST_REQUIRE(by_tcp[0].answer);
    BOOST_CHECK_EQUAL(by_tcp[0].answer->answers(), 1U);
    // The same over the kernel's UDP is UDP.
    for (unsigned i = 0; i < 4; ++i)
        l.a.inject(DnsMessage::query(7, "www.victim.example", 1), 10 + i, true);
    l.a.turn();
    unsigned truncated = 0;
    for (const auto& one : l.a.injected_answers())
        truncated += one.answer && one.answer->truncated();
    BOOST_CHECK_EQUAL(truncated, 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_above_its_rate_is_dropped_and_every_second_one_is_truncated) {
    drop_answers_above_the_limit(1, 4);
}

BOOST_AUTO_TEST_CASE(answers_in_batches_are_limited_as_others) {
    drop_answers_above_the_limit(20, 20);  // the least that has batches
}

// The packet cache still has the query, but its entry has expired: the answer comes from upstream.
BOOST_AUTO_TEST_CASE(an_answer_that_a_cache_did_not_give_counts_once) {
    LimitedAppliance l({answers_row(20, 20, 0)});
    BOOST_REQUIRE_EQUAL(l.policy->batched.most, 1U);
    l.publish(cache_forward());
    l.a.ask_and_answer("www.victim.example", 5, "203.0.113.7");
    for (unsigned i = 0; i < 2; ++i) {
        l.a.ask("www.victim.example");
        l.a.turn();
        BOOST_REQUIRE_EQUAL(l.a.answers().size(), 1U);
    }
    BOOST_REQUIRE_GT(l.a.count(Stat::packet_cache_hits), 0U);
    l.a.advance_ms(10'000);
    std::size_t answered = 0;
    for (unsigned i = 0; i < 25; ++i) {
        l.a.ask("www.victim.example");
        l.a.turn();
        l.a.reply(l.a.upstream_query(), 0, {"203.0.113.7"});
        l.a.turn();
        answered += l.a.answers().size();
    }
    BOOST_CHECK_EQUAL(answered, 20U);
}

BOOST_AUTO_TEST_CASE(every_nth_answer_above_the_limit_leaks) {
    LimitedAppliance l({answers_row(1, 4, 2, 4)});
    l.publish(cache_forward());
    l.warm("www.victim.example");
    Kinds kinds;
    for (unsigned i = 0; i < 44; ++i) {
        l.a.ask("www.victim.example");
        l.a.turn();
        const Kinds one = kinds_of(l.a.answers());
        kinds.whole += one.whole;
        kinds.truncated += one.truncated;
    }
    BOOST_CHECK_EQUAL(l.count(LimitDecision::leaked), 10U);
    BOOST_CHECK_EQUAL(kinds.whole, 14U);
    BOOST_CHECK_EQUAL(kinds.truncated, 10U);
}

BOOST_AUTO_TEST_CASE(negative_answers_are_counted_by_domain_and_errors_by_prefix) {
    LimitedAppliance l({answers_row(1, 4, 0)});
    auto snapshot = cache_forward();
    snapshot->allow = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.0/24")});
    l.publish(std::move(snapshot));
    for (std::uint16_t i = 0; i < 8; ++i) {
        l.a.ask("r" + std::to_string(i) + ".victim.example", 1, i);
        l.a.turn();
        for (const Seen& asked : l.a.upstream_queries())
            l.a.reply(asked, DnsMessage::response(0, asked.qname(), 1, 0x8183));
        l.a.turn();
    }
    BOOST_CHECK_EQUAL(l.a.answers().size(), 4U);
    BOOST_CHECK_EQUAL(l.a.count(PendingOutcome::limited_dropped), 4U);
    for (std::uint16_t i = 0; i < 8; ++i)
        l.a.ask("e" + std::to_string(i) + ".example", 1, i, {.address = "198.51.100.9"});
    l.a.turn();
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).refused, 4U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped), 4U);
}

// Random names below a domain: no upstream is asked any more, and other domains are resolved.
BOOST_AUTO_TEST_CASE(a_domain_with_too_many_nxdomains_is_not_asked_upstream) {
    LimitedAppliance l({row_of(LimitWhat::nxdomain, 1, 4, LimitAction::refuse)});
    l.publish(cache_forward());
    for (std::uint16_t i = 0; i < 10; ++i) {
        l.a.ask("r" + std::to_string(i) + ".victim.example", 1, i,
                {.address = i % 2 == 0 ? "192.0.2.10" : "198.51.100.9"});
        l.a.turn();
        for (const Seen& asked : l.a.upstream_queries())
            l.a.reply(asked, DnsMessage::response(0, asked.qname(), 1, 0x8183));
        l.a.turn();
    }
    BOOST_CHECK_EQUAL(l.a.count(Stat::upstream_queries), 4U);
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).refused, 6U);
    l.a.ask("www.other.example");
    l.a.turn();
    l.a.reply(l.a.upstream_query(), 60, {"203.0.113.7"});
    l.a.turn();
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).whole, 1U);
    // Connections have buckets of their own, which forged addresses cannot fill.
    l.a.inject(DnsMessage::query(7, "www.victim.example", 1), 1);
    l.a.turn();
    l.a.reply(l.a.upstream_query(), 60, {"203.0.113.7"});
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.injected_answers().size(), 1U);
}

BOOST_AUTO_TEST_CASE(exceptions_and_trusted_forwarders_are_not_limited) {
    LimitRow row = row_of(LimitWhat::queries, 1, 1, LimitAction::drop);
    row.clients = AddressSet({*matchers::Prefix::parse("192.0.2.0/24")});
    row.except = AddressSet({*matchers::Prefix::parse("192.0.2.20/32")});
    LimitedAppliance l({row});
    l.policy->trusted = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.30/32")});
    l.publish(forward_only());
    for (const char* const client : {"192.0.2.10", "192.0.2.20", "192.0.2.30", "198.51.100.9"}) {
        const auto before = l.a.count(Verdict::limited_dropped);
        for (std::uint16_t i = 0; i < 3; ++i) {
            l.a.ask(std::string("n") + std::to_string(i) + ".x" + client + ".example", 1, i,
                    {.address = client});
        }
        l.a.turn();
        BOOST_TEST_CONTEXT(client)
        BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped) - before,
                          std::string(client) == "192.0.2.10" ? 2U : 0U);
    }
    (void)l.a.upstream_queries();
}

BOOST_AUTO_TEST_CASE(a_row_for_a_listener_concerns_no_other) {
    LimitRow row = row_of(LimitWhat::queries, 1, 1, LimitAction::drop);
    row.listeners = {{*IpAddress::parse("2001:db8:1::1"), 53, true}};
    LimitedAppliance l({row});
    l.publish(forward_only());
    for (std::uint16_t i = 0; i < 3; ++i) {
        l.a.ask("four" + std::to_string(i) + ".example", 1, i);
        l.a.ask("six" + std::to_string(i) + ".example", 1, i, {.address = "2001:db8::10"});
    }
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped), 2U);
    (void)l.a.upstream_queries();
}

// Four workers get queries of one prefix: together they let the rate pass, after a second.
BOOST_AUTO_TEST_CASE(four_workers_share_one_rate) {
    LimitedAppliance l({answers_row(400, 400, 2)}, 4);
    l.publish(cache_forward());
    l.warm("www.victim.example");
    std::vector<OffenderBoard*> boards;
    for (const auto& thread : l.tables->workers)
        boards.push_back(&thread->board);
    LimitShares shares;
    for (unsigned second = 0; second < 4; ++second) {
        unsigned whole = 0;
        for (unsigned ms = 0; ms < 1'000; ms += 10) {
            for (unsigned worker = 0; worker < 4; ++worker) {
                for (unsigned i = 0; i < (worker == 0 ? 10U : 4U); ++i)
                    l.a.ask("www.victim.example", 1, 1, {.worker = worker});
            }
            l.a.advance_ms(10);
            whole += kinds_of(l.a.answers()).whole;
            if (ms % 100 == 90) shares.divide(boards, l.a.now().ms);
        }
        if (second == 0) continue;
        BOOST_CHECK_GE(whole, 380U);
        BOOST_CHECK_LE(whole, 420U);
    }
    BOOST_REQUIRE_EQUAL(shares.sources().size(), 1U);
    BOOST_CHECK_EQUAL(shares.sources()[0].offender.prefix.to_string(), "192.0.2.0");
}

// Moved and injected queries end in the same verdicts; Appliance compares all sums at its end.
BOOST_AUTO_TEST_CASE(all_kinds_of_queries_end_in_a_verdict_of_limits) {
    for (const LimitAction action :
         {LimitAction::drop, LimitAction::truncate, LimitAction::refuse, LimitAction::servfail}) {
        LimitedAppliance l({row_of(LimitWhat::queries, 1, 2, action),
                            row_of(LimitWhat::servfail, 1, 1, action), answers_row(1, 1, 2)});
        l.publish(cache_forward());
        for (unsigned i = 0; i < 6; ++i) {
            l.a.ask("u" + std::to_string(i) + ".example");
            l.a.inject(DnsMessage::query(7, "t" + std::to_string(i) + ".example", 1), i);
            l.a.inject(DnsMessage::query(7, "k" + std::to_string(i) + ".example", 1), 10 + i, true,
                       0, "198.51.100.9");
            l.a.turn();
            for (const Seen& asked : l.a.upstream_queries())
                l.a.reply(asked, DnsMessage::response(0, asked.qname(), 1, 0x8182));
            l.a.turn();
        }
        l.a.advance_ms(30'000);
        (void)l.a.answers();
        BOOST_CHECK_EQUAL(l.a.injected_answers().size(), 12U);
        (void)l.a.upstream_queries();
    }
}

BOOST_AUTO_TEST_CASE(refusals_without_rd_count_as_responses) {
    LimitedAppliance l({answers_row(1, 4, 0)});
    auto snapshot = cache_forward();
    snapshot->rare.norecurse = NoRecurse::refuse;
    l.publish(std::move(snapshot));
    for (std::uint16_t i = 0; i < 10; ++i)
        l.a.ask(DnsMessage::query(i, "www.example", 1, 0));
    l.a.turn();
    BOOST_CHECK_EQUAL(kinds_of(l.a.answers()).refused, 4U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::refused_norecurse), 4U);
    BOOST_CHECK_EQUAL(l.a.count(Verdict::limited_dropped), 6U);
}

// The place of the packet in the burst had a query with a cookie far behind the end of this one.
BOOST_AUTO_TEST_CASE(a_reply_has_no_cookie_of_an_earlier_packet) {
    constexpr std::uint32_t kWallS = 1'800'000'000;
    for (const bool is_read_first : {false, true}) {
        LimitedAppliance l({is_read_first ? row_of(LimitWhat::queries, 1, 6, LimitAction::truncate)
                                          : answers_row(1, 2, 1)});
        dns::CookieKeys keys{.current = {1, 2}, .clock_s = kWallS - l.a.now().s()};
        l.a.shared().cookie_keys = &keys;
        l.publish(cache_forward());
        const auto plain = [](std::uint16_t id) {
            return DnsMessage::query(id, "www.example", 1).opt(1232);
        };
        l.warm("www.example");
        constexpr std::size_t kPadding = 120;
        const Bytes options = Bytes{0, 12, 0, kPadding} + Bytes(kPadding, 0) +
                              Bytes{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
        for (unsigned i = 0; i < 2; ++i)
            l.a.ask(DnsMessage::query(7, "other.example", 251).opt(1232, false, 0, 0, options));
        l.a.turn();
        (void)l.a.answers();
        unsigned truncated = 0;
        for (std::uint16_t i = 0; i < 6; ++i) {
            l.a.ask(plain(i));
            l.a.ask(plain(i));
            l.a.turn();
            for (const Seen& seen : l.a.answers()) {
                if (!seen.truncated()) continue;
                ++truncated;
                BOOST_CHECK_EQUAL(seen.dns.size(), plain(i).bytes().size());
            }
        }
        BOOST_CHECK_GT(truncated, 4U);
        l.a.shared().cookie_keys = nullptr;
    }
}

// Any host has all addresses of an IPv6 /64, and can prove each of them.
BOOST_AUTO_TEST_CASE(valid_cookies_of_one_ipv6_network_share_a_bucket) {
    constexpr std::uint32_t kWallS = 1'800'000'000;
    LimitedAppliance l({row_of(LimitWhat::queries, 10, 10, LimitAction::drop)});
    dns::CookieKeys keys{.current = {1, 2}, .clock_s = kWallS - l.a.now().s()};
    l.a.shared().cookie_keys = &keys;
    l.publish(forward_only());
    std::size_t passed = 0;
    for (std::uint16_t i = 0; i < 30; ++i) {
        const std::string text = "2001:db8::" + std::to_string(i + 1);
        const IpAddress client = *IpAddress::parse(text);
        dns::Cookie cookie{9, 8, 7, 6, 5, 4, 3, 2};
        dns::make_server_cookie(cookie, keys.current, kWallS, client.bytes);
        const Bytes option = Bytes{0, 10, 0, 24} + Bytes(cookie.begin(), cookie.end());
        l.a.ask(DnsMessage::query(i, "n" + std::to_string(i) + ".example", 1)
                    .opt(1232, false, 0, 0, option),
                {.address = text});
        l.a.turn();
        passed += l.a.upstream_queries().size();
    }
    BOOST_CHECK_EQUAL(passed, 10U);
    BOOST_CHECK_EQUAL(l.a.count(Stat::cookies_valid), 30U);
    l.a.shared().cookie_keys = nullptr;
}

// A spoofer of the address cannot use up what the client may send with its cookie.
BOOST_AUTO_TEST_CASE(a_valid_cookie_has_a_bucket_of_its_own) {
    LimitedAppliance l({row_of(LimitWhat::queries, 10, 5, LimitAction::drop)});
    constexpr std::uint32_t kWallS = 1'800'000'000;
    dns::CookieKeys keys{.current = {1, 2}, .other = {}, .clock_s = kWallS - l.a.now().s()};
    l.a.shared().cookie_keys = &keys;
    l.publish(forward_only());
    const IpAddress client = *IpAddress::parse("192.0.2.10");
    dns::Cookie cookie{9, 8, 7, 6, 5, 4, 3, 2};
    dns::make_server_cookie(cookie, keys.current, kWallS, {client.v4(), 4});
    dns::Cookie forged = cookie;
    forged.back() ^= 1;
    const auto ask = [&](const dns::Cookie& with, std::uint16_t id) {
        const Bytes data(with.begin(), with.end());
        l.a.ask(DnsMessage::query(id, "www.n" + std::to_string(id) + ".example", kTypeA)
                    .opt(1232, false, 0, 0, Bytes{0, 10, 0, 24} + data),
                {.address = "192.0.2.10"});
    };
    for (std::uint16_t i = 0; i < 20; ++i)
        ask(forged, i);
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.upstream_queries().size(), 5U);
    ask(cookie, 100);
    l.a.turn();
    BOOST_CHECK_EQUAL(l.a.upstream_queries().size(), 1U);
    BOOST_CHECK_EQUAL(l.a.count(Stat::cookies_valid), 1U);
    BOOST_CHECK_EQUAL(l.a.count(Stat::cookies_client), 20U);
    (void)l.a.answers();
    l.a.shared().cookie_keys = nullptr;
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
