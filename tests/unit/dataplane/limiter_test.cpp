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
               CookieState cookie = CookieState::none) {
        const IpAddress address = *IpAddress::parse(client);
        return limiter.on_query(policy, {address, local, 53, is_udp, cookie}, 40, now) ==
               Limited::no;
    }
    bool reply(const std::string& client, const std::string& name, unsigned rcode = 0,
               bool has_answers = true, bool is_udp = true,
               CookieState cookie = CookieState::none) {
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
    BOOST_TEST(!w.query("192.0.2.1", true, CookieState::client));
    BOOST_TEST(w.query("192.0.2.1", true, CookieState::valid));
    BOOST_TEST(!w.query("192.0.2.1", true, CookieState::valid));
    BOOST_TEST(w.query("192.0.2.2", true, CookieState::valid));
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
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, CookieState::valid));
    BOOST_TEST(w.reply("192.0.2.1", "a.b", 0, true, true, CookieState::valid));
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
