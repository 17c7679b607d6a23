// What the log says of queries that are refused: once a minute for each kind, and who it was.
#include "control/observe/health/overload_watch.h"

#include <boost/test/unit_test.hpp>
#include <memory>

#include "support/dns_message.h"

namespace steer {
namespace {

struct Workers {
    std::array<Counters, 2> counters{};
    OverloadWatch watch;

    void refuse(Overload overload, const char* client, std::string_view name, unsigned worker = 0) {
        counters[worker].saw(overload, IpAddress::parse(client).value(), test::wire_name(name));
    }
    std::vector<std::string> check(std::uint64_t now_ms) {
        const std::array<const Counters*, 2> all{&counters[0], &counters[1]};
        return watch.check(all, now_ms);
    }
};

BOOST_AUTO_TEST_SUITE(overload_watch)

BOOST_AUTO_TEST_CASE(without_overload_nothing_is_logged) {
    const auto w = std::make_unique<Workers>();
    BOOST_TEST(w->check(0).empty());
    BOOST_TEST(w->check(100'000).empty());
}

BOOST_AUTO_TEST_CASE(a_client_above_its_quota_is_named_once_a_minute) {
    const auto w = std::make_unique<Workers>();
    for (unsigned i = 0; i < 10; ++i)
        w->refuse(Overload::client_quota, "192.0.2.7", "a" + std::to_string(i) + ".one.example");
    BOOST_TEST(w->check(1'000).empty());  // more samples first
    w->refuse(Overload::client_quota, "192.0.2.7", "x.two.example", 1);
    BOOST_TEST(w->check(2'000).empty());
    w->refuse(Overload::client_quota, "192.0.2.9", "y.three.example", 1);
    w->refuse(Overload::client_quota, "192.0.2.7", "z.four.example");
    const auto logged = w->check(3'000);
    BOOST_TEST_REQUIRE(logged.size() == 1U);
    BOOST_TEST(logged[0] ==
               "queries refused: a client has more waiting than `max_parked_per_client`: 13 in 2 "
               "s, 75 % from client 192.0.2.7, 25 % for names under \"four.example\"; if it "
               "forwards for others, add it to `trusted_forwarders`");
    w->refuse(Overload::client_quota, "192.0.2.9", "y.three.example");
    BOOST_TEST(w->check(10'000).empty());
    BOOST_TEST(w->check(62'000).empty());
    BOOST_TEST(w->check(63'000).size() == 1U);
    BOOST_TEST(w->check(300'000).empty());
}

BOOST_AUTO_TEST_CASE(each_kind_of_overload_has_its_line) {
    const auto w = std::make_unique<Workers>();
    for (std::size_t t = 0; t < static_cast<std::size_t>(Overload::count_); ++t) {
        if (static_cast<Overload>(t) != Overload::timeout)
            w->refuse(static_cast<Overload>(t), "192.0.2.7", "www.one.example");
    }
    (void)w->check(0);
    const auto logged = w->check(5'000);
    BOOST_TEST(logged.size() == static_cast<std::size_t>(Overload::count_) - 1);
    for (const auto& line : logged)
        BOOST_TEST(line.find("192.0.2.7") != std::string::npos, line);
}

BOOST_AUTO_TEST_CASE(a_flood_from_many_clients_names_no_single_client) {
    const auto w = std::make_unique<Workers>();
    for (unsigned i = 0; i < 50; ++i) {
        const std::string n = std::to_string(i);
        w->refuse(Overload::displaced, ("198.51.100." + n).c_str(), "r.victim" + n + ".example");
        (void)w->check(i * 10);
    }
    const auto logged = w->check(5'000);
    BOOST_TEST_REQUIRE(logged.size() == 1U);
    BOOST_TEST(
        logged[0].find("from many clients, for names under many domains") != std::string::npos,
        logged[0]);
}

BOOST_AUTO_TEST_CASE(random_names_under_a_domain_are_named_by_that_domain) {
    const auto w = std::make_unique<Workers>();
    for (unsigned i = 0; i < 30; ++i) {
        w->refuse(Overload::timeout, "192.0.2.7", "r" + std::to_string(i) + ".victim.example");
        w->counters[0].add(Stat::upstream_timeouts);
        (void)w->check(i);
    }
    BOOST_TEST(w->watch.failing_domain() == "victim.example");
    const auto logged = w->check(2'500);
    BOOST_TEST_REQUIRE(logged.size() == 1U);
    BOOST_TEST(logged[0].find("\"victim.example\"") != std::string::npos, logged[0]);
}

BOOST_AUTO_TEST_CASE(timeouts_of_a_silent_upstream_name_no_domain) {
    const auto w = std::make_unique<Workers>();
    for (unsigned i = 0; i < 30; ++i) {
        if (i % 3 == 0) w->refuse(Overload::timeout, "192.0.2.7", "www.busy.example");
        w->counters[0].add(Stat::upstream_timeouts, 3);
        (void)w->check(i);
    }
    BOOST_TEST(w->watch.failing_domain().empty());
    BOOST_TEST(w->check(5'000).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
