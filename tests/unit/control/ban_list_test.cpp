// Which sources are banned, how long, and what ends a ban; with XDP programs that only count.
#include "control/observe/health/ban_list.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>

namespace steer {
namespace {

matchers::Prefix ban_prefix(const char* text) {
    return matchers::Prefix::parse(text).value();
}
IpAddress ban_address(const char* text) {
    return IpAddress::parse(text).value();
}

class CountingFilter final : public BanFilter {
  public:
    [[nodiscard]] bool is_available() const override { return has_xdp; }
    Result<void> set(std::span<const XdpBan> set_bans,
                     std::span<const XdpPrefix> set_exempt) override {
        if (error) return Error{*error};
        bans.assign(set_bans.begin(), set_bans.end());
        exempt.assign(set_exempt.begin(), set_exempt.end());
        return {};
    }
    void renew(std::uint32_t place, std::chrono::milliseconds lifetime) override {
        lifetimes[place] = lifetime.count();
    }
    [[nodiscard]] XdpBanCounts counts(std::uint32_t place) const override {
        const auto at = places.find(place);
        return at == places.end() ? XdpBanCounts{} : at->second;
    }
    [[nodiscard]] bool exempts(const char* text) const {
        const matchers::Prefix prefix = ban_prefix(text);
        return std::ranges::find(exempt, XdpPrefix{prefix.address, prefix.length}) != exempt.end();
    }

    bool has_xdp = true;
    std::optional<std::string> error;
    std::vector<XdpBan> bans;
    std::vector<XdpPrefix> exempt;
    std::map<std::uint32_t, XdpBanCounts> places;
    std::map<std::uint32_t, std::int64_t> lifetimes;
};

struct BanWorld {
    BanWorld() {
        policy.tables = std::make_shared<LimitTables>();
        LimitRow row;
        row.name = "queries";
        row.per_s = 100;
        row.ban_ms = 2'000;
        policy.add(row);
        policy.trusted_prefixes = {ban_prefix("192.0.2.53")};
    }
    // For `ms`, each 100 ms: the sources are above the row, and programs count `per_s` queries.
    void run(std::uint64_t ms, const std::vector<const char*>& above, std::uint64_t per_s = 0) {
        std::vector<BanSource> sources;
        sources.reserve(above.size());
        for (const char* const text : above)
            sources.push_back({&policy.rows[0], ban_prefix(text), 5'000});
        for (std::uint64_t end = now_ms + ms; now_ms < end;) {
            now_ms += 100;
            for (const XdpBan& ban : filter.bans) {
                filter.places[ban.place].dropped += per_s / 10 * 7 / 8;
                filter.places[ban.place].passed += per_s / 10 / 8;
            }
            for (std::string& line : list.check(&policy, sources, now_ms))
                log.push_back(std::move(line));
        }
    }

    LimitPolicy policy;
    CountingFilter filter;
    BanList list{filter};
    std::uint64_t now_ms = 1'000'000;
    std::vector<std::string> log;
};

BOOST_AUTO_TEST_SUITE(ban_list)

BOOST_AUTO_TEST_CASE(a_source_above_its_row_is_banned_after_the_time_of_the_row) {
    BanWorld w;
    w.run(2'000, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.bans.empty());
    BOOST_TEST(w.log.empty());
    w.run(100, {"198.51.100.0/24"});
    BOOST_TEST_REQUIRE(w.filter.bans.size() == 1U);
    BOOST_TEST(w.filter.bans[0].source.bits == 120U);
    BOOST_TEST(w.filter.lifetimes.at(w.filter.bans[0].place) == 10'000);
    BOOST_TEST_REQUIRE(w.log.size() == 1U);
    BOOST_TEST(
        w.log[0] ==
        "client 198.51.100.0/24 at 5000 queries/s was above limit \"queries\" for 2 s and is "
        "banned; if it is legitimate, `steerctl bans remove 198.51.100.0/24` and add it to "
        "`except`");
    BOOST_TEST(w.policy.tables->banned.contains(ban_prefix("198.51.100.0/24")));
    BOOST_TEST(!w.policy.tables->banned.contains(ban_prefix("198.51.101.0/24")));
}

BOOST_AUTO_TEST_CASE(a_pause_begins_the_time_again) {
    BanWorld w;
    w.run(1'500, {"198.51.100.0/24"});
    w.run(1'200, {});
    w.run(1'500, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.bans.empty());
}

BOOST_AUTO_TEST_CASE(a_ban_lasts_while_the_programs_count_more_than_the_rate) {
    BanWorld w;
    w.run(2'100, {"198.51.100.0/24"});
    w.run(60'000, {}, 8'000);
    BOOST_TEST(w.filter.bans.size() == 1U);
    const Ban& ban = w.list.bans().begin()->second;
    BOOST_TEST(ban.per_s > 7'000);
    BOOST_TEST(ban.dropped == 7U * ban.passed);
    BOOST_TEST(w.list.totals("queries").dropped == ban.dropped);
    w.run(9'000, {}, 80);
    BOOST_TEST(w.filter.bans.size() == 1U);
    w.run(2'000, {}, 80);
    BOOST_TEST(w.filter.bans.empty());
    BOOST_TEST(w.list.bans().empty());
    BOOST_TEST(w.policy.tables->banned.empty());
    BOOST_TEST(w.list.totals("queries").bans == 1U);
}

BOOST_AUTO_TEST_CASE(without_checks_a_ban_has_the_rest_of_ten_seconds) {
    BanWorld w;
    w.run(2'100, {"198.51.100.0/24"});
    w.run(4'000, {});
    BOOST_TEST(w.filter.lifetimes.at(0) == 6'000);
}

BOOST_AUTO_TEST_CASE(trusted_forwarders_and_proven_addresses_are_exempt) {
    BanWorld w;
    w.run(2'100, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.exempts("192.0.2.53"));
    w.list.prove(ban_address("198.51.100.7"), w.now_ms, w.now_ms);
    w.list.prove(ban_address("203.0.113.7"), w.now_ms, w.now_ms);  // no ban covers it
    w.run(100, {}, 8'000);
    BOOST_TEST(w.filter.exempts("198.51.100.7"));
    BOOST_TEST(w.policy.tables->exempt.contains(ban_prefix("198.51.100.7")));
    BOOST_TEST(!w.filter.exempts("203.0.113.7"));
    BOOST_TEST(w.list.bans().begin()->second.exempt == 1U);
    w.run(BanList::kProofMs - 1'000, {}, 8'000);
    BOOST_TEST(w.filter.exempts("198.51.100.7"));
    w.run(2'000, {}, 8'000);
    BOOST_TEST(!w.filter.exempts("198.51.100.7"));
    BOOST_TEST(w.policy.tables->exempt.empty());
    BOOST_TEST(w.filter.bans.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_ban_of_one_address_ends_with_its_proof) {
    BanWorld w;
    w.run(2'100, {"198.51.100.7/32"});
    BOOST_TEST(w.filter.bans.size() == 1U);
    w.list.prove(ban_address("198.51.100.7"), w.now_ms, w.now_ms);
    w.run(10'000, {"198.51.100.7/32"}, 8'000);
    BOOST_TEST(w.filter.bans.empty());
}

BOOST_AUTO_TEST_CASE(one_ban_exempts_a_bounded_number_of_addresses) {
    BanWorld w;
    w.run(2'100, {"2001:db8::/56"});
    for (unsigned i = 0; i < 1'000; ++i)
        w.list.prove(ban_address(("2001:db8::" + std::to_string(i)).c_str()), w.now_ms, w.now_ms);
    w.run(100, {}, 8'000);
    BOOST_TEST(w.filter.exempt.size() == BanList::kMaxExempt + 1);
}

// Sixteen bans whose sources prove all addresses that they may leave a place for the next ban.
BOOST_AUTO_TEST_CASE(each_ban_has_places_for_a_few_addresses) {
    BanWorld w;
    std::vector<std::string> names;
    for (unsigned i = 0; i < 16; ++i)
        names.push_back("2001:db8:0:" + std::to_string(i) + "00::/56");
    std::vector<const char*> sources{"198.51.100.0/24"};
    for (const std::string& name : names)
        sources.push_back(name.c_str());
    w.run(2'100, sources);
    BOOST_REQUIRE_EQUAL(w.filter.bans.size(), sources.size());
    for (unsigned ban = 0; ban < 16; ++ban) {
        for (unsigned i = 0; i < BanList::kMaxExempt; ++i) {
            const std::string address =
                "2001:db8:0:" + std::to_string(ban) + "00::" + std::to_string(i + 1);
            w.list.prove(ban_address(address.c_str()), w.now_ms, w.now_ms);
        }
    }
    w.list.prove(ban_address("198.51.100.7"), w.now_ms, w.now_ms);
    w.run(100, sources, 8'000);
    BOOST_TEST(w.filter.exempts("198.51.100.7"));
    BOOST_TEST(w.filter.exempt.size() <= BanList::kMostProven + 1);
}

// What a thread noted stays in its table; it takes no place again when it is old.
BOOST_AUTO_TEST_CASE(an_old_proof_counts_no_more) {
    BanWorld w;
    w.run(2'100, {"2001:db8::/56"});
    const std::uint64_t seen_ms = w.now_ms;
    const auto prove_all = [&] {
        for (unsigned i = 0; i < BanList::kMaxExempt; ++i) {
            w.list.prove(ban_address(("2001:db8::" + std::to_string(i + 1)).c_str()), seen_ms,
                         w.now_ms);
        }
    };
    prove_all();
    w.run(BanList::kProofMs + 1'000, {}, 8'000);
    prove_all();
    w.list.prove(ban_address("2001:db8::ffff"), w.now_ms, w.now_ms);
    w.run(100, {}, 8'000);
    BOOST_TEST(w.filter.exempts("2001:db8::ffff"));
    BOOST_TEST(!w.filter.exempts("2001:db8::1"));
}

BOOST_AUTO_TEST_CASE(a_removed_ban_does_not_return_for_ten_minutes) {
    BanWorld w;
    w.run(2'100, {"198.51.100.0/24"});
    BOOST_TEST(!w.list.remove(ban_prefix("198.51.100.0/25"), w.now_ms));
    BOOST_TEST(w.list.remove(ban_prefix("198.51.100.0/24"), w.now_ms));
    w.run(BanList::kRemovedMs - 1'000, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.bans.empty());
    w.run(2'000, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.bans.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_dry_run_and_ports_without_xdp_only_list_bans) {
    for (const bool has_xdp : {false, true}) {
        BanWorld w;
        w.filter.has_xdp = has_xdp;
        w.policy.rows[0].dry_run = has_xdp;
        w.run(5'000, {"198.51.100.0/24"});
        BOOST_TEST(w.filter.bans.empty());
        BOOST_TEST_REQUIRE(w.list.bans().size() == 1U);
        BOOST_TEST(!w.list.bans().begin()->second.is_in_force);
        BOOST_TEST(w.policy.tables->banned.empty());
        BOOST_TEST(w.log.at(0).ends_with("and would be banned; `steerctl bans` lists it"));
        w.run(11'000, {});
        BOOST_TEST(w.list.bans().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_reload_without_the_row_ends_its_bans) {
    BanWorld w;
    w.run(2'100, {"198.51.100.0/24"});
    LimitPolicy other;
    other.tables = w.policy.tables;
    w.list.follow_policy();
    BOOST_TEST(w.list.check(&other, {}, w.now_ms + 100).empty());
    BOOST_TEST(w.filter.bans.empty());
    BOOST_TEST(w.list.check(nullptr, {}, w.now_ms + 200).empty());
}

BOOST_AUTO_TEST_CASE(more_sources_than_places_are_left_to_the_row) {
    BanWorld w;
    std::vector<std::string> texts;
    for (unsigned i = 0; i < 1'100; ++i) {
        texts.push_back("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24");
    }
    std::vector<const char*> above;
    above.reserve(texts.size());
    for (const std::string& text : texts)
        above.push_back(text.c_str());
    w.run(2'200, above);
    BOOST_TEST(w.filter.bans.size() == XdpSteering::kMaxBans);
    BOOST_TEST(w.log.size() == 1U);  // one a minute
}

BOOST_AUTO_TEST_CASE(bans_that_the_kernel_refuses_are_reported_and_not_kept) {
    BanWorld w;
    w.filter.error = "no room";
    w.run(5'000, {"198.51.100.0/24"});
    BOOST_TEST_REQUIRE(w.log.size() == 2U);
    BOOST_TEST(w.log[1] == "bans are not in force: no room; the next attempt is in 60 s");
    BOOST_TEST(w.list.bans().empty());
    w.filter.error.reset();
    w.run(60'000, {"198.51.100.0/24"});
    BOOST_TEST(w.filter.bans.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
