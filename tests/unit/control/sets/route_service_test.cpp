// Claims become routes that we remove ourselves: leases, linger, flaps, adoption. A kernel of the test's own, its clock.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/sinks/set_process/set_service.h"

using namespace steer;
using namespace steer::sets;

namespace {

const SetName kTable{SetName::kRoutes, "5301", "", false};
const SetName kTable6{SetName::kRoutes, "5301", "", true};

// Routing tables; every change of a route is noted with its second.
struct FakeTables final : SetWriter {
    std::map<SetName, std::set<std::string>> routes;
    std::vector<std::pair<std::uint64_t, std::string>> removals;
    std::uint64_t now_ms = 1'000'000;
    unsigned adds = 0, removes = 0;
    bool refuses = false;

    Result<SetAbility> read(const SetName&) override {
        if (refuses) return Error{"netlink is away"};
        return SetAbility{.timeouts = false, .prefixes = true, .removal = true};
    }
    Result<void> add(const SetName& name, std::span<const SetElement> elements) override {
        ++adds;
        if (refuses) return Error{"netlink is away"};
        for (const auto& element : elements) {
            BOOST_TEST(element.timeout_s == 0U);
            routes[name].insert(element.prefix.to_string());
        }
        return {};
    }
    Result<bool> has(const SetName&, const matchers::Prefix&) override { return Error{"no"}; }
    Result<void> remove(const SetName& name, std::span<const matchers::Prefix> elements) override {
        ++removes;
        if (refuses) return Error{"netlink is away"};
        for (const auto& element : elements) {
            removals.emplace_back(now_ms / 1000, element.to_string());
            routes[name].erase(element.to_string());
        }
        return {};
    }
    Result<std::vector<matchers::Prefix>> ours(const SetName& name) override {
        std::vector<matchers::Prefix> all;
        for (const std::string& text : routes[name])
            all.push_back(matchers::Prefix::parse(text).value());
        return all;
    }
};

struct Router {
    FakeTables kernel;
    std::vector<std::string> log;
    std::vector<Installed> board;
    std::vector<RefusedRow> refused;
    SetService service{kernel,
                       {.installed =
                            [this](std::span<const Installed> rows) {
                                board.insert(board.end(), rows.begin(), rows.end());
                            },
                        .refused =
                            [this](std::span<const RefusedRow> rows) {
                                refused.insert(refused.end(), rows.begin(), rows.end());
                            },
                        .lost = [](ListId) {},
                        .log = [this](Level, const std::string& text) { log.push_back(text); }}};

    void configure(const SetEnds& ends = {.linger_s = 10, .apart_s = 1800, .adopt_s = 600},
                   std::uint32_t most = 1000) {
        service.configure({{0, "video", {{kTable, 32}, {kTable6, 128}}, most, {}, ends}});
        service.work(kernel.now_ms);
    }
    // 20.0.0.0 and those after it, of this list.
    void claim_many(unsigned count, std::uint32_t life_s, ListId list = 0) {
        const auto until_s = static_cast<std::uint32_t>(kernel.now_ms / 1000) + life_s;
        for (unsigned i = 0; i < count; ++i) {
            const std::uint8_t four[]{20, 0, static_cast<std::uint8_t>(i >> 8),
                                      static_cast<std::uint8_t>(i)};
            service.claim({{list, IpAddress::from_v4(four), until_s}});
        }
        service.work(kernel.now_ms);
    }
    // Another program removes all routes of the table.
    void flush() {
        kernel.routes[kTable].clear();
        service.changed(kTable);
    }
    void claim(const std::string& text, std::uint32_t life_s) {
        service.claim({{0, IpAddress::parse(text).value(),
                        static_cast<std::uint32_t>(kernel.now_ms / 1000) + life_s}});
        service.work(kernel.now_ms);
    }
    // With 100 routes; a client has 60 at most.
    void configure_shares(const SetEnds& ends = {.linger_s = 300, .apart_s = 0, .adopt_s = 600}) {
        SetPlan plan{.list = 0, .tag = "video", .families = {{kTable, 32}}, .max_elements = 100};
        plan.ends = ends;
        plan.shares.per_client = 60;
        service.configure({plan});
        service.work(kernel.now_ms);
    }
    void claim_for(unsigned first, unsigned count, const std::string& client,
                   std::uint32_t life_s = 60) {
        for (unsigned i = first; i < first + count; ++i) {
            const std::uint8_t four[]{20, 0, 0, static_cast<std::uint8_t>(i)};
            ClaimRow row{{0, IpAddress::from_v4(four),
                          static_cast<std::uint32_t>(kernel.now_ms / 1000) + life_s}};
            row.origin.client = IpAddress::parse(client);
            row.holders = routeros::Shares::holders_of(0, {"", row.origin.client->bytes});
            service.claim(std::move(row));
        }
        service.work(kernel.now_ms);
    }
    // As the thread would: whenever something is due.
    void pass(std::uint64_t seconds) {
        const std::uint64_t end = kernel.now_ms + seconds * 1000;
        while (service.next_ms() <= end) {
            kernel.now_ms = std::max(kernel.now_ms, service.next_ms());
            service.work(kernel.now_ms);
        }
        kernel.now_ms = end;
    }
    [[nodiscard]] bool has(const std::string& route) {
        return kernel.routes[kTable].contains(route);
    }
    [[nodiscard]] SetStatus status() const { return service.status().at(0); }
};

constexpr const char* kA = "203.0.113.7/32";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(route_service, Router)

BOOST_AUTO_TEST_CASE(a_route_lives_for_its_lease_and_the_linger) {
    configure();
    claim("203.0.113.7", 60);
    claim("2001:db8::1", 60);
    BOOST_TEST(kernel.routes[kTable6].contains("2001:db8::1/128"));
    BOOST_TEST_REQUIRE(board.size() == 2U);
    BOOST_TEST(board[0].until_s == 1060U);  // of the lease, not of the route
    pass(69);
    BOOST_TEST(has(kA));
    pass(1);
    BOOST_TEST(!has(kA));
    BOOST_TEST(kernel.routes[kTable6].empty());
    BOOST_TEST(status().counters.removed == 1U);
    BOOST_TEST(status().claims == 0U);
    BOOST_TEST(log.empty());
}

BOOST_AUTO_TEST_CASE(renewals_write_nothing) {
    configure();
    for (int i = 0; i < 100; ++i) {
        claim("203.0.113.7", 60);
        pass(50);
    }
    BOOST_TEST(kernel.adds == 1U);
    BOOST_TEST(kernel.removes == 0U);
    BOOST_TEST(board.size() == 100U);
}

BOOST_AUTO_TEST_CASE(a_claim_during_the_linger_keeps_the_route) {
    configure();
    claim("203.0.113.7", 60);
    pass(65);
    claim("203.0.113.7", 60);
    pass(60);
    BOOST_TEST(has(kA));
    BOOST_TEST(kernel.removes == 0U);
    pass(15);
    BOOST_TEST(!has(kA));
}

BOOST_AUTO_TEST_CASE(a_route_that_flapped_is_removed_once_in_the_interval) {
    configure();
    for (int i = 0; i < 200; ++i) {  // asked every 100 s, with leases of 60 s
        claim("203.0.113.7", 60);
        pass(100);
    }
    BOOST_TEST_REQUIRE(kernel.removals.size() >= 9U);
    BOOST_TEST(kernel.removals.size() <= 12U);
    for (std::size_t i = 1; i < kernel.removals.size(); ++i)
        BOOST_TEST(kernel.removals[i].first - kernel.removals[i - 1].first >= 1800U);
    BOOST_TEST(status().counters.damped >= 9U);
}

BOOST_AUTO_TEST_CASE(routes_of_an_earlier_process_are_kept_for_a_time_unless_claimed) {
    kernel.routes[kTable] = {kA, "203.0.113.8/32"};
    configure();
    BOOST_TEST(status().counters.adopted == 2U);
    BOOST_TEST(status().claims == 2U);
    BOOST_TEST(kernel.adds == 0U);
    pass(300);
    claim("203.0.113.7", 900);
    BOOST_TEST(kernel.adds == 0U);  // it is there
    BOOST_TEST(board.size() == 1U);
    pass(305);
    BOOST_TEST(has("203.0.113.8/32"));
    pass(10);
    BOOST_TEST(!has("203.0.113.8/32"));
    BOOST_TEST(has(kA));
    pass(600);
    BOOST_TEST(!has(kA));
    BOOST_TEST_REQUIRE(log.size() == 1U);
    BOOST_TEST(log[0] ==
               "IPv4 routes of table 5301: 2 of an earlier process are kept for 600 s, or until "
               "they are claimed");
}

BOOST_AUTO_TEST_CASE(claims_before_the_first_reading_are_routes_too) {
    kernel.refuses = true;
    configure();
    claim("203.0.113.7", 600);
    BOOST_TEST(!status().ready);
    BOOST_TEST(board.empty());
    kernel.refuses = false;
    pass(10);
    BOOST_TEST(has(kA));
    BOOST_TEST(board.size() == 1U);
    BOOST_TEST(status().pending == 0U);
}

BOOST_AUTO_TEST_CASE(routes_that_another_program_removed_return_if_their_lease_lasts) {
    configure();
    claim("203.0.113.7", 60);
    claim("203.0.113.8", 300);
    claim("203.0.113.9", 300);
    pass(65);  // the first lingers
    kernel.routes[kTable] = {"203.0.113.9/32"};
    const unsigned before = kernel.adds;
    service.changed(kTable);
    pass(2);
    BOOST_TEST(
        (kernel.routes[kTable] == std::set<std::string>{"203.0.113.8/32", "203.0.113.9/32"}));
    BOOST_TEST(kernel.adds == before + 1);
    BOOST_TEST(status().counters.restored == 1U);
    service.changed(kTable);  // nothing is missing
    pass(2);
    BOOST_TEST(status().counters.restored == 1U);
    pass(600);
    BOOST_TEST(!has("203.0.113.9/32"));
    BOOST_TEST(has("203.0.113.8/32"));  // the peer saw it flap
    pass(1800);
    BOOST_TEST(!has("203.0.113.8/32"));
    BOOST_TEST(status().claims == 0U);
}

BOOST_AUTO_TEST_CASE(failed_removals_are_tried_again) {
    configure();
    claim("203.0.113.7", 60);
    pass(60);
    kernel.refuses = true;
    pass(20);
    BOOST_TEST(has(kA));
    BOOST_TEST(status().error == "netlink is away");
    BOOST_TEST_REQUIRE(log.size() == 1U);
    BOOST_TEST(log[0] ==
               "IPv4 routes of table 5301: ended routes cannot be removed: netlink is away; its "
               "addresses wait, and it is tried again");
    kernel.refuses = false;
    pass(40);
    BOOST_TEST(!has(kA));
    BOOST_TEST(status().ready);
}

BOOST_AUTO_TEST_CASE(routes_of_a_removed_list_end_with_their_leases) {
    configure();
    claim("203.0.113.7", 60);
    service.configure({});
    BOOST_TEST(service.status().empty());
    pass(50);
    BOOST_TEST(has(kA));
    claim("203.0.113.8", 60);  // of no list
    pass(30);
    BOOST_TEST(!has(kA));
    BOOST_TEST(kernel.routes[kTable].empty());
    BOOST_TEST(service.next_ms() == UINT64_MAX);
    configure();  // and it can come back
    claim("203.0.113.7", 60);
    BOOST_TEST(has(kA));
}

BOOST_AUTO_TEST_CASE(lingering_routes_count_toward_the_maximum) {
    configure({.linger_s = 100, .apart_s = 0, .adopt_s = 600}, 2);
    claim("203.0.113.7", 10);
    claim("203.0.113.8", 10);
    pass(20);
    claim("203.0.113.9", 10);
    BOOST_TEST(status().counters.full == 1U);
    BOOST_TEST(refused.size() == 1U);
    pass(100);
    claim("203.0.113.9", 10);
    BOOST_TEST(has("203.0.113.9/32"));
}

BOOST_AUTO_TEST_CASE(many_routes_are_removed_in_few_batches) {
    configure({.linger_s = 0, .apart_s = 1800, .adopt_s = 600}, 100'000);
    claim_many(5'000, 60);
    BOOST_TEST(kernel.adds == 10U);
    pass(60);
    BOOST_TEST(kernel.routes[kTable].size() == 5'000U - 2'048U);  // the rest in steps of 100 ms
    pass(1);
    BOOST_TEST(kernel.routes[kTable].empty());
    BOOST_TEST(kernel.removes == 10U);
    BOOST_TEST(service.next_ms() > kernel.now_ms);
}

BOOST_AUTO_TEST_CASE(all_tables_share_the_pace_of_removals) {
    const SetName other{SetName::kRoutes, "5302", "", false};
    const SetEnds ends{.linger_s = 0, .apart_s = 1800, .adopt_s = 600};
    service.configure({{0, "video", {{kTable, 32}}, 100'000, {}, ends},
                       {1, "other", {{other, 32}}, 100'000, {}, ends}});
    service.work(kernel.now_ms);
    claim_many(5'000, 60, 0);
    claim_many(5'000, 60, 1);
    pass(60);
    BOOST_TEST(kernel.routes[kTable].size() + kernel.routes[other].size() == 10'000U - 2'048U);
    pass(1);
    BOOST_TEST(kernel.routes[kTable].empty());
    BOOST_TEST(kernel.routes[other].empty());
}

BOOST_AUTO_TEST_CASE(many_routes_are_restored_in_steps_but_claimed_ones_at_once) {
    configure({.linger_s = 0, .apart_s = 1800, .adopt_s = 600}, 100'000);
    claim_many(5'000, 60);
    pass(5);
    flush();
    service.work(kernel.now_ms);
    BOOST_TEST(kernel.routes[kTable].size() == 2'048U);
    BOOST_TEST(status().pending == 5'000U - 2'048U);
    BOOST_TEST(log.back() ==
               "IPv4 routes of table 5301 was changed by another program: its 5000 elements are "
               "written again");
    board.clear();
    claim_many(5'000, 30);  // shorter leases than before
    BOOST_TEST(kernel.routes[kTable].size() == 5'000U);
    BOOST_TEST(board.size() == 5'000U);
    BOOST_TEST(refused.empty());
    flush();
    pass(1);
    BOOST_TEST(kernel.routes[kTable].size() == 5'000U);
    BOOST_TEST(status().pending == 0U);
    BOOST_TEST(status().counters.restored == 2U);
}

BOOST_AUTO_TEST_CASE(routes_that_end_before_they_are_restored_are_not_added) {
    configure({.linger_s = 0, .apart_s = 0, .adopt_s = 600}, 100'000);
    claim_many(5'000, 60);
    pass(59);
    flush();
    service.work(kernel.now_ms);
    kernel.now_ms += 1'000;  // as if the process had stopped
    service.work(kernel.now_ms);
    pass(2);
    BOOST_TEST(kernel.routes[kTable].empty());
    BOOST_TEST(status().claims == 0U);
    BOOST_TEST(status().pending == 0U);
}

// ---- shares

BOOST_AUTO_TEST_CASE(routes_that_linger_count_for_their_client) {
    configure_shares();
    claim_for(0, 60, "192.0.2.66");
    pass(100);  // the leases are over
    claim_for(60, 60, "192.0.2.66");
    BOOST_TEST(kernel.routes[kTable].size() == 60U);
    BOOST_TEST(status().counters.over_share == 60U);
    pass(300);
    BOOST_TEST(kernel.routes[kTable].empty());
    claim_for(60, 60, "192.0.2.66");
    BOOST_TEST(kernel.routes[kTable].size() == 60U);
}

BOOST_AUTO_TEST_CASE(adopted_routes_are_judged_when_they_are_claimed) {
    for (unsigned i = 0; i < 80; ++i)
        kernel.routes[kTable].insert("20.0.0." + std::to_string(i) + "/32");
    configure_shares({.linger_s = 0, .apart_s = 0, .adopt_s = 600});
    claim_for(0, 80, "192.0.2.66", 900);
    BOOST_TEST(status().counters.over_share == 20U);
    claim_for(100, 10, "192.0.2.66", 900);
    BOOST_TEST(status().counters.over_share == 30U);
    claim_for(70, 5, "192.0.2.7", 900);
    BOOST_TEST(status().claims == 80U);
    pass(601);  // those without a claim end
    BOOST_TEST(kernel.routes[kTable].size() == 65U);
}

BOOST_AUTO_TEST_CASE(a_full_table_gives_up_a_route_of_the_largest_share) {
    configure_shares();
    claim_for(0, 60, "192.0.2.66", 900);
    claim_for(60, 40, "192.0.2.67", 900);
    claim_for(150, 5, "192.0.2.7", 900);
    pass(1);
    BOOST_TEST(kernel.routes[kTable].size() == 100U);
    for (unsigned i = 150; i < 155; ++i)
        BOOST_TEST(has("20.0.0." + std::to_string(i) + "/32"));
    BOOST_TEST(status().counters.evicted == 5U);
    BOOST_TEST(status().claims == 100U);
}

BOOST_AUTO_TEST_SUITE_END()
