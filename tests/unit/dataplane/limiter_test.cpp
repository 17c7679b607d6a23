// Which sources count together, by prefix, name, response code, transport and cookie.
#include "dataplane/limits/limiter.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/dns/wire.h"

namespace steer::test {
namespace {

std::vector<std::uint8_t> wire_of(const std::string& name) {
    std::vector<std::uint8_t> out;
    std::size_t from = 0;
    while (from < name.size()) {
        const std::size_t dot = std::min(name.find('.', from), name.size());
        out.push_back(static_cast<std::uint8_t>(dot - from));
        out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(from),
                   name.begin() + static_cast<std::ptrdiff_t>(dot));
        from = dot + 1;
    }
    out.push_back(0);
    return out;
}

struct LimiterWorld {
    // Each row lets one thing pass.
    explicit LimiterWorld(LimitWhat what, unsigned prefix4 = 24, unsigned prefix6 = 56) {
        policy.tables = std::make_shared<LimitTables>();
        policy.tables->workers.push_back(std::make_unique<LimitThread>(std::size_t{1} << 16, 1));
        LimitRow row;
        row.name = fact_of(what).name;
        row.what = what;
        row.rate = LimitRate::of(0.01, 1);
        row.prefix4 = static_cast<std::uint8_t>(prefix4);
        row.prefix6 = static_cast<std::uint8_t>(prefix6);
        policy.add(std::move(row));
    }
    bool query(const std::string& client, bool is_udp = true,
               dns::CookieState cookie = dns::CookieState::none) {
        const IpAddress address = *IpAddress::parse(client);
        return limiter.on_query(policy, {address, local, 53, is_udp, cookie}, 40, now) ==
               Limited::no;
    }
    bool reply(const std::string& client, const std::string& name, unsigned rcode = 0,
               bool has_answers = true, bool is_udp = true,
               dns::CookieState cookie = dns::CookieState::none) {
        const IpAddress address = *IpAddress::parse(client);
        const auto wire = wire_of(name);
        return limiter.on_reply(policy, {address, local, 53, is_udp, cookie},
                                {wire, static_cast<std::uint8_t>(rcode), has_answers},
                                now) == Limited::no;
    }

    LimitPolicy policy;
    Limiter limiter{0, false, 0x1234567};
    IpAddress local = *IpAddress::parse("192.0.2.53");
    Now now{1'000'000};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(limiter)

BOOST_AUTO_TEST_CASE(clients_of_one_prefix_count_together) {
    LimiterWorld w(LimitWhat::queries);
    BOOST_TEST(w.query("192.0.2.1"));
    BOOST_TEST(!w.query("192.0.2.255"));
    BOOST_TEST(w.query("192.0.3.1"));
    BOOST_TEST(w.query("2001:db8:0:100::1"));
    BOOST_TEST(!w.query("2001:db8:0:1ff::2"));
    BOOST_TEST(w.query("2001:db8:0:200::1"));
    LimiterWorld one(LimitWhat::queries, 32, 128);
    BOOST_TEST(one.query("192.0.2.1"));
    BOOST_TEST(one.query("192.0.2.2"));
    BOOST_TEST(one.query("2001:db8::1"));
    BOOST_TEST(one.query("2001:db8::2"));
    BOOST_TEST(!one.query("2001:db8::2"));
    LimiterWorld all(LimitWhat::queries, 0, 0);
    BOOST_TEST(all.query("192.0.2.1"));
    BOOST_TEST(!all.query("198.51.100.1"));
    BOOST_TEST(!all.query("2001:db8::1"));
}

BOOST_AUTO_TEST_CASE(connections_and_cookies_have_buckets_of_their_own) {
    LimiterWorld w(LimitWhat::queries);
    BOOST_TEST(w.query("192.0.2.1"));
    BOOST_TEST(!w.query("192.0.2.1"));
    BOOST_TEST(w.query("192.0.2.1", false));
    BOOST_TEST(!w.query("192.0.2.1", false));
    BOOST_TEST(!w.query("192.0.2.1", true, dns::CookieState::client));
    BOOST_TEST(w.query("192.0.2.1", true, dns::CookieState::valid));
    BOOST_TEST(!w.query("192.0.2.1", true, dns::CookieState::valid));
    BOOST_TEST(w.query("192.0.2.2", true, dns::CookieState::valid));
}

// A cookie proves one address, so a report has this address alone.
BOOST_AUTO_TEST_CASE(offenders_have_the_bits_that_they_count_by) {
    struct Case {
        std::string client;
        dns::CookieState cookie;
        unsigned prefix4, prefix6;
        std::string shown;
    };
    using dns::CookieState;
    for (const Case& c : {Case{"192.0.2.7", CookieState::none, 24, 56, "192.0.2.0/24"},
                          Case{"192.0.2.7", CookieState::valid, 24, 56, "192.0.2.7/32"},
                          Case{"192.0.2.0", CookieState::valid, 24, 56, "192.0.2.0/32"},
                          Case{"2001:db8::7", CookieState::none, 24, 56, "2001:db8::/56"},
                          Case{"2001:db8::7", CookieState::valid, 24, 56, "2001:db8::7/128"},
                          Case{"192.0.2.7", CookieState::none, 0, 0, "::/0"},
                          Case{"192.0.2.7", CookieState::valid, 0, 0, "192.0.2.7/32"}}) {
        LimiterWorld w(LimitWhat::queries, c.prefix4, c.prefix6);
        for (int i = 0; i < 3; ++i)
            (void)w.query(c.client, true, c.cookie);
        unsigned found = 0;
        OffenderBoard::Offender offender;
        for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
            if (!w.policy.tables->workers[0]->board.read(slot, offender)) continue;
            ++found;
            const matchers::Prefix prefix{offender.prefix, offender.bits};
            BOOST_TEST(prefix.to_string() == c.shown);
        }
        BOOST_TEST(found == 1U);
    }
}

BOOST_AUTO_TEST_CASE(answers_count_by_name_in_any_case) {
    LimiterWorld w(LimitWhat::responses);
    for (const std::string name :
         {"a.b", "www.example", "www.a-long-name.of.several.labels.example"}) {
        BOOST_TEST(w.reply("192.0.2.1", name));
        std::string upper = name;
        for (char& c : upper)
            c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        BOOST_TEST(!w.reply("192.0.2.2", upper), name);
        BOOST_TEST(w.reply("192.0.2.2", "x" + name));
    }
    // Neither connections nor valid cookies are limited.
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, dns::CookieState::valid));
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, dns::CookieState::valid));
}

BOOST_AUTO_TEST_CASE(negative_answers_count_by_domain_and_errors_by_prefix) {
    LimiterWorld w(LimitWhat::responses);
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example", dns::kNxDomain, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.VICTIM.example", dns::kNxDomain, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.other.example", dns::kNxDomain, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example", dns::kNoError, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.victim.example", dns::kNoError, false));
    BOOST_TEST(w.reply("192.0.2.1", "a.victim.example"));
    BOOST_TEST(w.reply("192.0.2.1", "a.example", dns::kRefused, false));
    BOOST_TEST(!w.reply("192.0.2.1", "b.test", dns::kRefused, false));
    BOOST_TEST(w.reply("192.0.2.1", "b.test", dns::kServFail, false));
}

BOOST_AUTO_TEST_CASE(a_domain_above_its_limit_refuses_misses_without_a_token) {
    LimiterWorld w(LimitWhat::nxdomain, 0, 0);
    const IpAddress client = *IpAddress::parse("192.0.2.1");
    const auto miss = [&](const std::string& name, bool is_udp = true) {
        const auto wire = wire_of(name);
        return w.limiter.on_miss(w.policy, {client, w.local, 53, is_udp}, wire, w.now) ==
               Limited::no;
    };
    BOOST_TEST(miss("a.victim.example"));
    BOOST_TEST(miss("b.victim.example"));
    BOOST_TEST(w.reply("198.51.100.1", "c.victim.example", dns::kNxDomain, false));
    BOOST_TEST(!miss("d.victim.example"));
    BOOST_TEST(miss("d.other.example"));
    BOOST_TEST(miss("d.victim.example", false));
    w.now.ms += 101'000;
    BOOST_TEST(miss("d.victim.example"));
}

// The noted addresses, of one thread.
std::vector<std::string> proven_in(const LimiterWorld& w) {
    std::vector<std::string> out;
    for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
        OffenderBoard::Offender one;
        if (w.policy.tables->workers[0]->proven.read(slot, one))
            out.push_back(one.prefix.to_string());
    }
    return out;
}

BOOST_AUTO_TEST_CASE(only_a_valid_cookie_or_a_connection_proves_a_banned_address) {
    LimiterWorld w(LimitWhat::queries);
    w.policy.rows[0].ban_ms = 1'000;
    const auto prove = [&](const std::string& client) {
        const IpAddress address = *IpAddress::parse(client);
        w.limiter.prove(w.policy, {address, w.local, 53, false}, w.now);
    };
    w.query("198.51.100.1", true, dns::CookieState::valid);
    prove("198.51.100.1");
    BOOST_TEST(proven_in(w).empty());
    const std::vector<matchers::Prefix> banned{*matchers::Prefix::parse("198.51.100.0/24"),
                                               *matchers::Prefix::parse("2001:db8:0:100::/56")};
    w.policy.tables->banned.set(banned);
    w.query("198.51.100.2");
    w.query("198.51.100.3", true, dns::CookieState::client);
    w.query("203.0.113.1", true, dns::CookieState::valid);
    BOOST_TEST(proven_in(w).empty());
    w.query("198.51.100.4", true, dns::CookieState::valid);
    BOOST_TEST(proven_in(w) == std::vector<std::string>{"198.51.100.4"});
    prove("2001:db8:0:1ff::5");
    prove("2001:db8:0:200::5");
    BOOST_TEST(proven_in(w).size() == 2U);
    w.policy.tables->banned.set({});
    prove("198.51.100.6");
    BOOST_TEST(proven_in(w).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_banned_source_gets_tc_until_its_address_is_proven) {
    LimiterWorld w(LimitWhat::queries);
    w.policy.rows[0].ban_ms = 1'000;
    w.policy.rows[0].rate = LimitRate::of(1'000, 1'000);
    w.policy.bans = true;
    const auto limited = [&](const char* client, bool is_udp = true,
                             dns::CookieState cookie = dns::CookieState::none) {
        return w.limiter.on_query(
            w.policy, {*IpAddress::parse(client), w.local, 53, is_udp, cookie}, 40, w.now);
    };
    BOOST_TEST((limited("198.51.100.1") == Limited::no));
    const std::vector<matchers::Prefix> banned{*matchers::Prefix::parse("198.51.100.0/24")};
    const std::vector<matchers::Prefix> exempt{*matchers::Prefix::parse("198.51.100.9")};
    w.policy.tables->banned.set(banned);
    w.policy.tables->exempt.set(exempt);
    BOOST_TEST((limited("198.51.100.1") == Limited::truncate));
    BOOST_TEST((limited("198.51.100.1", true, dns::CookieState::client) == Limited::truncate));
    BOOST_TEST((limited("198.51.100.1", true, dns::CookieState::valid) == Limited::no));
    BOOST_TEST((limited("198.51.100.1", false) == Limited::no));
    BOOST_TEST((limited("198.51.100.9") == Limited::no));
    BOOST_TEST((limited("198.51.101.1") == Limited::no));
    const LimitCounts& counts = w.policy.tables->workers[0]->counts[0];
    BOOST_TEST(counts[static_cast<std::size_t>(LimitDecision::truncated)].get() == 2U);
    w.policy.rows[0].dry_run = true;
    BOOST_TEST((limited("198.51.100.1") == Limited::no));
}

BOOST_AUTO_TEST_CASE(an_offender_without_cookie_and_connection_has_no_proof) {
    for (const bool is_udp : {true, false}) {
        for (const dns::CookieState cookie : {dns::CookieState::none, dns::CookieState::valid}) {
            LimiterWorld w(LimitWhat::queries);
            w.query("198.51.100.1", is_udp, cookie);
            w.query("198.51.100.1", is_udp, cookie);
            bool is_found = false;
            for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
                OffenderBoard::Offender one;
                if (!w.policy.tables->workers[0]->board.read(slot, one)) continue;
                is_found = true;
                BOOST_TEST(one.is_proven == (!is_udp || cookie == dns::CookieState::valid));
            }
            BOOST_TEST(is_found);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
