// Cookies of clients in whole workers: by port and from `streams`, from the cache and from an
// upstream, and the packet cache, which compares queries without their cookies.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/cookie.h"
#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

constexpr std::uint32_t kWallS = 1'800'000'000;

struct CookieAppliance : Appliance {
    explicit CookieAppliance(const ApplianceOptions& options = {}) : Appliance(options) {
        keys.current = {1, 2};
        keys.clock_s = kWallS - now().s();
        shared().cookie_keys = &keys;
    }
    ~CookieAppliance() { shared().cookie_keys = nullptr; }
    CookieAppliance(const CookieAppliance&) = delete;
    CookieAppliance& operator=(const CookieAppliance&) = delete;

    // A client's cookie and its server cookie of `age_s`.
    [[nodiscard]] Bytes cookie(const std::string& client, std::uint32_t age_s = 0) const {
        dns::Cookie cookie{9, 8, 7, 6, 5, 4, 3, 2};
        const IpAddress address = *IpAddress::parse(client);
        const auto bytes = address.is_v4() ? std::span<const std::uint8_t>{address.v4(), 4}
                                           : std::span<const std::uint8_t>{address.bytes};
        dns::make_server_cookie(cookie, keys.current, kWallS - age_s, bytes);
        return {cookie.begin(), cookie.end()};
    }
    static Bytes option(const Bytes& cookie) {
        return Bytes{0, 10, 0, static_cast<std::uint8_t>(cookie.size())} + cookie;
    }
    static DnsMessage query(const std::string& name, const Bytes& options, std::uint16_t id = 1) {
        return DnsMessage::query(id, name, kTypeA).opt(1232, false, 0, 0, options);
    }
    // The last option's data of the answer's OPT, which is its last record.
    static Bytes cookie_of(const Seen& s) { return {s.dns.end() - 24, s.dns.end()}; }
    void fill(const std::string& name) { ask_and_answer(name, 300, "203.0.113.7"); }

    dns::CookieKeys keys;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cookies)

BOOST_AUTO_TEST_CASE(clients_with_their_own_cookies_share_a_line_of_the_packet_cache) {
    CookieAppliance a;
    a.publish(cache_forward());
    a.fill("www.example");
    for (unsigned i = 1; i <= 50; ++i) {
        const std::string client = "192.0.2." + std::to_string(i);
        const Bytes cookie = a.cookie(client);
        a.ask(CookieAppliance::query("www.example", CookieAppliance::option(cookie),
                                     static_cast<std::uint16_t>(i)),
              {.address = client});
        a.turn();
        const Seen s = a.answer();
        BOOST_CHECK(CookieAppliance::cookie_of(s) == cookie);
        BOOST_CHECK_EQUAL(s.id(), i);
        BOOST_CHECK_EQUAL(s.answers(), 1U);
    }
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 49U);
    BOOST_CHECK_EQUAL(a.count(Stat::cookies_valid), 50U);
    // With another client's: answered by the same line, with a cookie of its own.
    a.ask(CookieAppliance::query("www.example", CookieAppliance::option(a.cookie("192.0.2.1"))),
          {.address = "192.0.2.99"});
    a.turn();
    BOOST_CHECK(CookieAppliance::cookie_of(a.answer()) == a.cookie("192.0.2.99"));
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 50U);
    BOOST_CHECK_EQUAL(a.count(Stat::cookies_client), 1U);
}

// Both lengths, mixed in a burst with queries without one, IPv4 and IPv6.
BOOST_AUTO_TEST_CASE(bursts_mix_all_kinds) {
    CookieAppliance a;
    a.publish(cache_forward());
    a.fill("www.example");
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < 30; ++i) {
            const std::string client =
                (i % 2 == 0 ? "192.0.2." : "2001:db8::") + std::to_string(i + 1);
            const Bytes whole = a.cookie(client);
            const Bytes cookie = i % 3 == 0   ? Bytes(whole.begin(), whole.begin() + 8)
                                 : i % 3 == 1 ? whole
                                              : Bytes{};
            const Bytes options = cookie.empty() ? Bytes{} : CookieAppliance::option(cookie);
            a.ask(CookieAppliance::query("www.example", options, static_cast<std::uint16_t>(i)),
                  {.address = client});
        }
        a.turn();
        const auto answers = a.answers();
        BOOST_REQUIRE_EQUAL(answers.size(), 30U);
        for (const Seen& s : answers) {
            const std::string client = s.frame.to.to_string();
            BOOST_CHECK_EQUAL(s.answers(), 1U);
            if (s.id() % 3 == 2) {
                BOOST_CHECK_EQUAL(s.dns[s.dns.size() - 1], 0);  // an OPT without options
            } else {
                BOOST_CHECK(CookieAppliance::cookie_of(s) == a.cookie(client));
            }
        }
    }
    BOOST_CHECK_EQUAL(a.count(Stat::cookies_valid), 30U);
    BOOST_CHECK_EQUAL(a.count(Stat::cookies_client), 30U);
}

// Bytes at the end that resemble a cookie, inside of another option: they are compared.
BOOST_AUTO_TEST_CASE(bytes_that_only_resemble_a_cookie_are_no_cookie) {
    CookieAppliance a;
    a.publish(cache_forward());
    a.fill("www.example");
    const Bytes inner = CookieAppliance::option(a.cookie("192.0.2.10"));
    const Bytes padding = Bytes{0, 12, 0, static_cast<std::uint8_t>(inner.size())} + inner;
    for (unsigned i = 0; i < 3; ++i) {
        a.ask(CookieAppliance::query("www.example", padding));
        a.turn();
        const Seen s = a.answer();
        BOOST_CHECK_EQUAL(s.answers(), 1U);
        BOOST_CHECK_EQUAL(s.dns[s.dns.size() - 1], 0);
    }
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
}

BOOST_AUTO_TEST_CASE(a_cookie_before_other_options_is_found) {
    CookieAppliance a;
    a.publish(cache_forward());
    a.fill("www.example");
    const Bytes cookie = a.cookie("192.0.2.10");
    for (unsigned i = 0; i < 3; ++i) {
        a.ask(CookieAppliance::query("www.example",
                                     CookieAppliance::option(cookie) + Bytes{0, 12, 0, 2, 0, 0}));
        a.turn();
        BOOST_CHECK(CookieAppliance::cookie_of(a.answer()) == cookie);
    }
    BOOST_CHECK_EQUAL(a.count(Stat::cookies_valid), 3U);
}

// A message that ends where the cookie of a known line begins is malformed.
BOOST_AUTO_TEST_CASE(a_query_that_is_cut_before_its_cookie_is_malformed) {
    CookieAppliance a;
    a.publish(cache_forward());
    a.fill("www.example");
    const Bytes cookie = a.cookie("192.0.2.10");
    for (unsigned i = 0; i < 3; ++i) {
        a.ask(CookieAppliance::query("www.example", CookieAppliance::option(cookie)));
        a.turn();
        (void)a.answer();
    }
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 2U);
    // The OPT's length and the option's head are as before.
    a.ask(DnsMessage::query(1, "www.example", kTypeA)
              .set(10, 1)
              .raw({0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 28, 0, 10, 0, 24}));
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 2U);
}

BOOST_AUTO_TEST_CASE(parked_queries_and_streams_get_the_cookie) {
    CookieAppliance a;
    a.publish(cache_forward());
    const Bytes cookie = a.cookie("192.0.2.10");
    a.ask(CookieAppliance::query("one.example", CookieAppliance::option(cookie)));
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    BOOST_CHECK(CookieAppliance::cookie_of(a.answer()) == cookie);
    for (const bool is_udp : {false, true}) {
        a.inject(CookieAppliance::query("one.example", CookieAppliance::option(cookie)), 5, is_udp);
        a.turn();
        const auto answers = a.injected_answers();
        BOOST_REQUIRE_EQUAL(answers.size(), 1U);
        BOOST_REQUIRE(answers[0].answer);
        BOOST_CHECK(CookieAppliance::cookie_of(*answers[0].answer) == cookie);
    }
    const Bytes client(cookie.begin(), cookie.begin() + 8);
    a.inject(CookieAppliance::query("two.example", CookieAppliance::option(client)), 6);
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.8"});
    a.turn();
    const auto answers = a.injected_answers();
    BOOST_REQUIRE_EQUAL(answers.size(), 1U);
    BOOST_REQUIRE(answers[0].answer);
    BOOST_CHECK(CookieAppliance::cookie_of(*answers[0].answer) == cookie);
}

// A spoofer of the address cannot use up what the client may have pending with its cookie.
BOOST_AUTO_TEST_CASE(a_valid_cookie_has_a_quota_of_its_own) {
    CookieAppliance a({.max_parked = 256, .max_parked_per_client = 8});
    a.publish(forward_only());
    for (unsigned i = 0; i < 20; ++i)
        a.ask("n" + std::to_string(i) + ".example", kTypeA, static_cast<std::uint16_t>(i));
    Bytes forged = a.cookie("192.0.2.10");
    forged[20] ^= 1;
    for (unsigned i = 0; i < 20; ++i)
        a.ask(CookieAppliance::query("f" + std::to_string(i) + ".example",
                                     CookieAppliance::option(forged)));
    a.turn();
    BOOST_CHECK_EQUAL(a.parked(), 8U);
    for (unsigned i = 0; i < 20; ++i)
        a.ask(CookieAppliance::query("c" + std::to_string(i) + ".example",
                                     CookieAppliance::option(a.cookie("192.0.2.10"))));
    a.turn();
    BOOST_CHECK_EQUAL(a.parked(), 16U);
    (void)a.upstream_queries();
    (void)a.answers();
}

BOOST_AUTO_TEST_CASE(under_load_only_valid_cookies_pass) {
    CookieAppliance a({.max_parked = 64});
    auto snapshot = cache_forward();
    snapshot->frontends.datagrams = {{IpAddress{}, 53, 0, CookieMode::required_under_load}};
    snapshot->frontends.compare_cookies();
    a.publish(std::move(snapshot));
    a.fill("www.example");
    for (unsigned i = 0; i < 32; ++i)
        a.ask("n" + std::to_string(i) + ".example" + std::to_string(i), kTypeA, 1,
              {.address = "192.0.2." + std::to_string(100 + i)});
    a.turn();
    (void)a.upstream_queries();
    BOOST_REQUIRE_EQUAL(a.parked(), 32U);
    a.ask("www.example");
    a.turn();
    const Seen plain = a.answer();
    BOOST_CHECK(plain.truncated());
    BOOST_CHECK_EQUAL(plain.answers(), 0U);
    const Bytes cookie = a.cookie("192.0.2.10");
    a.ask(CookieAppliance::query("www.example",
                                 CookieAppliance::option({cookie.begin(), cookie.begin() + 8})));
    a.turn();
    const Seen bad = a.answer();
    BOOST_CHECK_EQUAL(bad.rcode(), 7U);
    BOOST_CHECK(CookieAppliance::cookie_of(bad) == cookie);
    a.ask(CookieAppliance::query("www.example", CookieAppliance::option(cookie)));
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
    // A connection proves the address.
    a.inject(DnsMessage::query(1, "www.example", kTypeA), 5);
    a.turn();
    BOOST_CHECK(a.injected_answers().at(0).answer->answers() == 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::bad_cookie), 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::truncated_cookie), 1U);
    (void)a.answers();
}

BOOST_AUTO_TEST_CASE(without_keys_cookies_are_ignored) {
    Appliance a;
    a.publish(cache_forward());
    a.ask_and_answer("www.example", 300, "203.0.113.7");
    Bytes option{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned i = 0; i < 3; ++i) {
        a.ask(CookieAppliance::query("www.example", option));
        a.turn();
        const Seen s = a.answer();
        BOOST_CHECK_EQUAL(s.answers(), 1U);
        BOOST_CHECK_EQUAL(s.dns[s.dns.size() - 1], 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
