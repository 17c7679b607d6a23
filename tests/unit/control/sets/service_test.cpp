// Claims become elements, and stay there through what happens to sets: a kernel of the test's own and its clock.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/sinks/set_process/set_service.h"

using namespace steer;
using namespace steer::sets;

namespace {

const SetName kFour{"inet", "fw", "four", false};
const SetName kSix{"inet", "fw", "six", true};
const SetName kIpset{"", "", "old", false};

IpAddress address(const std::string& text) {
    return IpAddress::parse(text).value();
}

// A kernel in which time is the test's.
struct FakeKernel final : SetWriter {
    struct Set {
        SetAbility ability{.timeouts = true, .prefixes = true, .evicts = true};
        std::map<std::string, std::uint64_t> elements;  // prefix: until, ms; 0: for ever
        std::set<std::string> refuses;
    };
    std::map<SetName, Set> sets;
    std::uint64_t now_ms = 1'000'000;
    unsigned adds = 0, reads = 0, removes = 0;
    std::size_t most = 0;  // elements of a set at a time
    bool refuses_removal = false;

    Result<SetAbility> read(const SetName& name) override {
        ++reads;
        const auto at = sets.find(name);
        if (at == sets.end()) return Error{"there is no such set"};
        return at->second.ability;
    }
    Result<void> add(const SetName& name, std::span<const SetElement> elements) override {
        ++adds;
        const auto at = sets.find(name);
        if (at == sets.end()) return Error{"there is no such set"};
        for (const auto& element : elements) {
            const std::string text = element.prefix.to_string();
            if (at->second.refuses.contains(text)) return Error{"interval overlaps"};
            BOOST_TEST((element.timeout_s != 0) == at->second.ability.timeouts);
        }
        for (const auto& element : elements) {
            at->second.elements[element.prefix.to_string()] =
                element.timeout_s == 0 ? 0 : now_ms + element.timeout_s * std::uint64_t{1000};
        }
        most = std::max(most, at->second.elements.size());
        return {};
    }
    Result<bool> has(const SetName& name, const matchers::Prefix& prefix) override {
        const auto at = sets.find(name);
        if (at == sets.end()) return Error{"there is no such set"};
        return at->second.elements.contains(prefix.to_string());
    }
    Result<void> remove(const SetName& name, std::span<const matchers::Prefix> elements) override {
        ++removes;
        if (refuses_removal) return Error{"interval overlaps"};
        for (const auto& element : elements)
            sets[name].elements.erase(element.to_string());
        return {};
    }
    Result<std::vector<matchers::Prefix>> ours(const SetName&) override {
        BOOST_ERROR("elements with timeouts are not read");
        return std::vector<matchers::Prefix>{};
    }
    [[nodiscard]] std::vector<std::string> in(const SetName& name) {
        std::vector<std::string> all;
        for (const auto& [text, until] : sets[name].elements) {
            if (until == 0 || until > now_ms) all.push_back(text);
        }
        return all;
    }
};

struct World {
    FakeKernel kernel;
    std::vector<std::string> log;
    std::vector<Installed> board, refused;
    std::vector<RefusedRow> refusals;
    std::vector<ListId> lost;
    SetService service{kernel,
                       {.installed =
                            [this](std::span<const Installed> rows) {
                                board.insert(board.end(), rows.begin(), rows.end());
                            },
                        .refused =
                            [this](std::span<const RefusedRow> rows) {
                                for (const RefusedRow& row : rows)
                                    refused.push_back(row.claim.what);
                                refusals.insert(refusals.end(), rows.begin(), rows.end());
                            },
                        .lost = [this](ListId list) { lost.push_back(list); },
                        .log = [this](Level, const std::string& text) { log.push_back(text); }}};

    World() {
        kernel.sets[kFour];
        kernel.sets[kSix];
        configure();
    }
    void configure(std::uint32_t most = 1000) {
        service.configure({{0, "policy", {{kFour, 24}, {kSix, 48}}, most}});
        work();
    }
    [[nodiscard]] std::uint32_t now_s() const {
        return static_cast<std::uint32_t>(kernel.now_ms / 1000);
    }
    void claim(const std::string& text, std::uint32_t life_s, ListId list = 0) {
        service.claim({{list, address(text), now_s() + life_s}});
    }
    // With shares of a tenth, 40 % and 60 % of 100 elements, or without.
    void configure_shares(bool has_shares = true) {
        SetPlan plan{.list = 0,
                     .tag = "policy",
                     .families = {{kFour, 32}, {kSix, 128}},
                     .max_elements = 100};
        if (has_shares) plan.shares = {10, 40, 60};
        service.configure({plan});
        work();
    }
    // As the daemon asks for the answer for `name` that `client` got.
    void claim_for(const std::string& text, const std::string& name, const std::string& client,
                   std::uint32_t life_s = 600) {
        ClaimRow row{{0, address(text), now_s() + life_s}};
        row.origin = {name, address(client)};
        row.holders = routeros::Shares::holders_of(0, {name, row.origin.client->bytes});
        service.claim(std::move(row));
    }
    // 10.0.N.M and later, each under a name of its own; not more than `batch` between two writes.
    void flood(unsigned from, unsigned count, const std::string& domain, const std::string& client,
               unsigned batch = 1'000) {
        for (unsigned i = from; i < from + count; ++i) {
            claim_for("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1),
                      "n" + std::to_string(i) + "." + domain, client);
            if (i % batch == batch - 1) work();
        }
        work();
    }
    void work() { service.work(kernel.now_ms); }
    // As the thread would: whenever something is due.
    void pass(std::uint64_t ms) {
        const std::uint64_t end = kernel.now_ms + ms;
        while (service.next_ms() <= end) {
            kernel.now_ms = std::max(kernel.now_ms, service.next_ms());
            work();
        }
        kernel.now_ms = end;
    }
    [[nodiscard]] SetStatus of(const SetName& name) {
        for (auto& status : service.status()) {
            if (status.set == name) return status;
        }
        throw std::logic_error("no such set");
    }
    [[nodiscard]] bool logged(const std::string& text) const {
        return std::any_of(log.begin(), log.end(),
                           [&](const auto& line) { return line.find(text) != std::string::npos; });
    }
};

using Texts = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(service)

matchers::Prefix prefix(const char* text) {
    return matchers::Prefix::parse(text).value();
}

BOOST_AUTO_TEST_CASE(an_element_contains_no_never_claimed_address) {
    World w;
    w.service.configure({{0,
                          "policy",
                          {{kFour, 24}, {kSix, 48}},
                          1000,
                          {prefix("9.9.9.0/25"), prefix("198.51.100.9"), prefix("2001:db8:1::/64"),
                           prefix("::/3")}}});
    w.work();
    w.claim("9.9.9.200", 100);
    w.claim("198.51.100.10", 100);
    w.claim("198.51.100.200", 100);
    w.claim("203.0.113.7", 100);
    w.claim("2001:db8:1:8::1", 100);
    w.claim("2001:db8:2:8::1", 100);
    w.claim("64:ff9b::cb00:7109", 100);  // below ::/3, behind a NAT64
    w.work();
    BOOST_TEST(
        (w.kernel.in(kFour) == std::vector<std::string>{"198.51.100.10/31", "198.51.100.128/25",
                                                        "203.0.113.0/24", "9.9.9.128/25"}));
    BOOST_TEST(
        (w.kernel.in(kSix) == std::vector<std::string>{"2001:db8:1:8::/61", "2001:db8:2::/48",
                                                       "64:ff9b::cb00:7109/128"}));
}

BOOST_AUTO_TEST_CASE(claims_are_made_again_when_the_never_claimed_prefixes_change) {
    World w;
    w.claim("9.9.9.200", 100);
    w.work();
    w.service.configure({{0, "policy", {{kFour, 24}, {kSix, 48}}, 1000, {prefix("9.9.9.0/25")}}});
    BOOST_TEST((w.lost == std::vector<ListId>{0, 0}));  // of both families
    w.claim("9.9.9.200", 200);
    w.work();
    BOOST_TEST(w.of(kFour).claims == 1U);
    BOOST_TEST(w.kernel.sets[kFour].elements.contains("9.9.9.128/25"));
}

BOOST_AUTO_TEST_CASE(addresses_go_in_as_prefixes_by_family_once) {
    World w;
    w.claim("203.0.113.7", 60);
    w.claim("203.0.113.9", 90);
    w.claim("2001:db8:1:2::3", 60);
    w.work();
    BOOST_TEST(w.kernel.in(kFour) == Texts{"203.0.113.0/24"}, boost::test_tools::per_element());
    BOOST_TEST(w.kernel.in(kSix) == Texts{"2001:db8:1::/48"}, boost::test_tools::per_element());
    BOOST_TEST(w.kernel.adds == 2U);
    BOOST_TEST_REQUIRE(w.board.size() == 3U);
    BOOST_TEST((w.board[0].address == address("203.0.113.7")));
    BOOST_TEST(w.board[0].until_s == w.now_s() + 60);
    // The element lives as long as the longest that wants it.
    w.pass(75'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 1U);
    BOOST_TEST(w.kernel.in(kSix).empty());
    w.pass(20'000);
    BOOST_TEST(w.kernel.in(kFour).empty());
}

BOOST_AUTO_TEST_CASE(a_longer_claim_renews_and_a_shorter_one_writes_nothing) {
    World w;
    w.claim("203.0.113.7", 60);
    w.pass(30'000);
    const auto adds = w.kernel.adds;
    w.claim("203.0.113.7", 20);
    w.work();
    BOOST_TEST(w.kernel.adds == adds);
    BOOST_TEST(w.board.size() == 2U);  // and the row board may know that it is there
    w.claim("203.0.113.7", 60);
    w.pass(50'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 1U);
    w.pass(20'000);
    BOOST_TEST(w.kernel.in(kFour).empty());
    BOOST_TEST(w.of(kFour).claims == 0U);
}

BOOST_AUTO_TEST_CASE(a_set_without_timeouts_and_prefixes_gets_addresses_once) {
    World w;
    w.kernel.sets[kIpset].ability = {.timeouts = false, .prefixes = false};
    w.service.configure({{0, "policy", {{kIpset, 24}}, 1000}});
    w.claim("203.0.113.7", 60);
    w.work();
    w.claim("203.0.113.7", 600);
    w.work();
    BOOST_TEST(w.kernel.in(kIpset) == Texts{"203.0.113.7/32"}, boost::test_tools::per_element());
    BOOST_TEST(w.of(kIpset).counters.added == 1U);
    BOOST_TEST(w.logged("ipset old has no timeouts"));
    BOOST_TEST(w.logged("holds addresses, not prefixes"));
    BOOST_TEST(w.log.size() == 2U);
}

BOOST_AUTO_TEST_CASE(claims_wait_for_a_missing_set_that_is_reported_once) {
    World w;
    w.kernel.sets.erase(kFour);
    w.service.configure({});
    w.configure();
    w.claim("203.0.113.7", 600);
    w.claim("198.51.100.1", 20);
    w.pass(100'000);
    const auto complaints = std::count_if(w.log.begin(), w.log.end(), [](const auto& line) {
        return line.find("cannot be filled: there is no such set") != std::string::npos;
    });
    BOOST_TEST(complaints == 1);
    BOOST_TEST(w.kernel.reads < 12U);  // 1 s, 2, 4, ... 30
    BOOST_TEST(w.board.empty());
    w.kernel.sets[kFour];
    w.pass(30'000);
    BOOST_TEST(w.kernel.in(kFour) == Texts{"203.0.113.0/24"}, boost::test_tools::per_element());
    BOOST_TEST(w.logged("can be filled now: 1 elements wait for it"));
}

BOOST_AUTO_TEST_CASE(a_removed_element_is_written_again_with_its_remaining_time) {
    World w;
    w.claim("203.0.113.7", 60);
    w.pass(10'000);
    w.kernel.sets[kFour].elements.clear();
    w.service.changed(SetName{"inet", "fw", "", false});  // all of the table
    w.pass(1'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 1U);
    BOOST_TEST(w.of(kFour).counters.restored == 1U);
    w.pass(50'000);
    BOOST_TEST(w.kernel.in(kFour).empty());
    w.service.changed(SetName{"inet", "other", "", false});
    BOOST_TEST(w.of(kFour).ready);
}

BOOST_AUTO_TEST_CASE(a_flushed_ipset_is_filled_again) {
    World w;
    w.kernel.sets[kIpset];
    w.service.configure({{0, "policy", {{kIpset, 32}}, 1000}});
    w.claim("203.0.113.7", 600);
    w.work();
    w.service.check(w.kernel.now_ms);
    w.work();
    BOOST_TEST(w.of(kIpset).counters.added == 1U);
    w.kernel.sets[kIpset].elements.clear();
    w.pass(1'000);
    w.service.check(w.kernel.now_ms);
    w.pass(1'000);
    BOOST_TEST(w.kernel.in(kIpset).size() == 1U);
    BOOST_TEST(w.of(kIpset).counters.restored == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_element_does_not_stop_the_others) {
    World w;
    w.kernel.sets[kFour].refuses.insert("10.0.3.0/24");
    for (unsigned i = 0; i < 8; ++i)
        w.claim("10.0." + std::to_string(i) + ".1", 600);
    w.work();
    BOOST_TEST(w.kernel.in(kFour).size() == 7U);
    BOOST_TEST(w.of(kFour).counters.failed == 1U);
    BOOST_TEST(w.of(kFour).pending == 1U);
    BOOST_TEST(w.board.size() == 7U);
    BOOST_TEST_REQUIRE(w.refused.size() == 1U);
    BOOST_TEST((w.refused[0].address == address("10.0.3.1")));
    BOOST_TEST(w.logged("refuses 10.0.3.0/24: interval overlaps"));
    w.kernel.sets[kFour].refuses.clear();
    w.pass(31'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 8U);
    BOOST_TEST(w.of(kFour).pending == 0U);
}

// Another element that is refused again and again does not delay the retry of the first one.
BOOST_AUTO_TEST_CASE(refused_elements_are_tried_again_while_others_are_refused) {
    World w;
    w.kernel.sets[kFour].refuses = {"10.0.3.0/24", "10.0.4.0/24"};
    w.claim("10.0.3.1", 600);
    w.work();
    w.kernel.sets[kFour].refuses.erase("10.0.3.0/24");
    for (unsigned i = 0; i < 40; ++i) {
        w.claim("10.0.4.1", 600);
        w.pass(1'000);
        BOOST_TEST(w.of(kFour).pending <= 2U);
    }
    BOOST_TEST((w.kernel.in(kFour) == Texts{"10.0.3.0/24"}));
    BOOST_TEST(w.of(kFour).pending == 1U);
}

BOOST_AUTO_TEST_CASE(the_maximum_of_elements_is_kept) {
    World w;
    w.configure(4);
    for (unsigned i = 0; i < 8; ++i)
        w.claim("10.0." + std::to_string(i) + ".1", 600);
    w.work();
    BOOST_TEST(w.kernel.in(kFour).size() == 4U);
    BOOST_TEST(w.of(kFour).counters.full == 4U);
    BOOST_TEST(w.board.size() == 4U);
    BOOST_TEST(w.refused.size() == 4U);
}

BOOST_AUTO_TEST_CASE(many_elements_are_written_in_few_batches) {
    World w;
    w.configure(100'000);
    for (unsigned i = 0; i < 5'000; ++i)
        w.claim("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".1", 600);
    w.work();
    BOOST_TEST(w.kernel.in(kFour).size() == 5'000U);
    BOOST_TEST(w.kernel.adds == 10U);
    BOOST_TEST(w.service.next_ms() > w.kernel.now_ms);  // nothing is left to be done
}

BOOST_AUTO_TEST_CASE(a_set_that_was_recreated_with_other_flags_is_filled_again) {
    World w;
    w.claim("203.0.113.7", 600);
    w.work();
    w.kernel.sets[kFour] = {.ability = {.timeouts = true, .prefixes = false, .evicts = true},
                            .elements = {},
                            .refuses = {}};
    w.service.changed(kFour);
    w.pass(1'000);
    BOOST_TEST(w.lost == std::vector<ListId>{0}, boost::test_tools::per_element());
    w.claim("203.0.113.7", 600);
    w.work();
    BOOST_TEST(w.kernel.in(kFour) == Texts{"203.0.113.7/32"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_set_that_is_not_configured_any_more_is_left_alone) {
    World w;
    w.claim("203.0.113.7", 600);
    w.work();
    w.service.configure({});
    w.claim("203.0.113.8", 600);
    w.work();
    BOOST_TEST(w.service.status().empty());
    BOOST_TEST(w.kernel.in(kFour).size() == 1U);
}

// ---- shares

BOOST_AUTO_TEST_CASE(one_domain_fills_a_set_only_without_shares) {
    for (const bool has_shares : {false, true}) {
        World w;
        w.configure_shares(has_shares);
        w.flood(0, 200, "evil.example", "192.0.2.66");
        w.claim_for("203.0.113.7", "www.good.example", "192.0.2.7");
        w.work();
        BOOST_TEST((w.kernel.sets[kFour].elements.contains("203.0.113.7/32")) == has_shares);
        BOOST_TEST(w.of(kFour).claims == (has_shares ? 41U : 100U));
        BOOST_TEST(w.of(kFour).counters.over_share == (has_shares ? 160U : 0U));
        BOOST_TEST(w.of(kFour).counters.full == (has_shares ? 0U : 101U));
    }
}

BOOST_AUTO_TEST_CASE(a_refused_claim_returns_with_its_reason_name_and_client) {
    World w;
    w.configure_shares();
    w.flood(0, 41, "evil.example", "192.0.2.66");
    BOOST_TEST_REQUIRE(w.refusals.size() == 1U);
    BOOST_TEST((w.refusals[0].why->why == routeros::ClaimRefusal::suffix));
    BOOST_TEST(w.refusals[0].claim.origin.name == "n40.evil.example");
    BOOST_TEST((w.refusals[0].claim.origin.client == address("192.0.2.66")));
    for (unsigned d = 0; d < 30; ++d)
        w.flood(100 + d, 1, "d" + std::to_string(d) + ".example", "192.0.2.66");
    BOOST_TEST(w.refusals.back().why->of_client);
    BOOST_TEST(w.of(kFour).claims == 60U);
    // The other family's set has shares of its own.
    w.claim_for("2001:db8::1", "n.evil.example", "192.0.2.66");
    w.work();
    BOOST_TEST(w.kernel.in(kSix).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_set_gives_up_elements_of_the_largest_share_before_others_are_written) {
    World w;
    w.configure_shares();
    w.flood(0, 40, "evil.example", "192.0.2.66");
    w.flood(100, 40, "bad.example", "192.0.2.67");
    w.flood(200, 20, "fine.example", "192.0.2.7");
    BOOST_TEST(w.kernel.in(kFour).size() == 100U);
    for (unsigned i = 0; i < 20; ++i) {
        w.claim_for("203.0.113." + std::to_string(i), "www.good" + std::to_string(i) + ".example",
                    "192.0.2.8");
        w.work();
        BOOST_TEST(
            w.kernel.sets[kFour].elements.contains("203.0.113." + std::to_string(i) + "/32"));
    }
    BOOST_TEST(w.kernel.most == 100U);
    BOOST_TEST(w.kernel.in(kFour).size() == 100U);
    BOOST_TEST(w.of(kFour).counters.evicted == 20U);
    BOOST_TEST(w.of(kFour).claims == 100U);
    for (unsigned i = 200; i < 220; ++i)
        BOOST_TEST(w.kernel.sets[kFour].elements.contains("10.0.0." + std::to_string(i % 250 + 1) +
                                                          "/32"));
}

BOOST_AUTO_TEST_CASE(a_full_set_without_eviction_gives_nothing_up) {
    World w;
    w.kernel.sets[kFour].ability.evicts = false;
    w.service.configure({});
    w.configure_shares();
    w.flood(0, 40, "evil.example", "192.0.2.66");
    w.flood(100, 40, "bad.example", "192.0.2.67");
    w.flood(200, 20, "fine.example", "192.0.2.7");
    w.claim_for("203.0.113.7", "www.good.example", "192.0.2.8");
    w.work();
    BOOST_TEST(w.kernel.removes == 0U);
    BOOST_TEST(w.of(kFour).counters.full == 1U);
}

BOOST_AUTO_TEST_CASE(elements_that_cannot_be_removed_count_until_their_leases_end) {
    World w;
    w.configure_shares();
    w.flood(0, 40, "evil.example", "192.0.2.66");
    w.flood(100, 40, "bad.example", "192.0.2.67");
    w.flood(200, 20, "fine.example", "192.0.2.7");
    w.kernel.refuses_removal = true;
    w.flood(300, 90, "good.example", "192.0.2.8");
    BOOST_TEST(w.logged("of its elements cannot be removed: interval overlaps"));
    BOOST_TEST(w.of(kFour).claims <= 164U);
    BOOST_TEST(w.kernel.in(kFour).size() <= 164U);
    const auto over_share = w.of(kFour).counters.over_share;
    w.flood(40, 10, "evil.example", "192.0.2.66");  // no room for more of the evicted one
    BOOST_TEST(w.of(kFour).counters.over_share == over_share + 10U);
    w.kernel.refuses_removal = false;
    w.pass(611'000);
    BOOST_TEST(w.of(kFour).claims == 0U);
    w.flood(0, 40, "evil.example", "192.0.2.66");
    BOOST_TEST(w.of(kFour).claims == 40U);
}

BOOST_AUTO_TEST_CASE(claims_before_the_first_reading_have_shares_too) {
    World w;
    w.service.configure({});
    w.kernel.sets.erase(kFour);
    w.configure_shares();
    w.flood(0, 200, "evil.example", "192.0.2.66");
    BOOST_TEST(w.of(kFour).claims == 40U);
    w.claim_for("203.0.113.7", "www.good.example", "192.0.2.7");
    w.kernel.sets[kFour];
    w.pass(2'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 41U);
    BOOST_TEST(w.refusals.size() == 160U);
    w.flood(200, 10, "evil.example", "192.0.2.66");
    BOOST_TEST(w.of(kFour).claims == 41U);  // counted once
}

BOOST_AUTO_TEST_CASE(a_row_that_was_given_up_before_the_first_reading_is_named) {
    World w;
    w.service.configure({});
    w.kernel.sets.erase(kFour);
    w.configure_shares();
    w.flood(0, 40, "evil.example", "192.0.2.66");
    w.flood(100, 40, "bad.example", "192.0.2.67");
    w.flood(200, 20, "fine.example", "192.0.2.7");
    w.claim_for("203.0.113.7", "www.good.example", "192.0.2.8");
    w.work();
    BOOST_TEST_REQUIRE(w.refusals.size() == 1U);
    BOOST_TEST(w.refusals[0].claim.origin.name.ends_with(".example"));
    BOOST_TEST(w.refusals[0].claim.origin.client.has_value());
}

BOOST_AUTO_TEST_CASE(a_flushed_set_restores_no_element_that_was_given_up) {
    World w;
    w.configure_shares();
    w.flood(0, 40, "evil.example", "192.0.2.66");
    w.flood(100, 60, "fine.example", "192.0.2.7", 1'000);
    w.flood(400, 20, "nice.example", "192.0.2.9");
    w.kernel.refuses_removal = true;
    w.claim_for("203.0.113.7", "www.good.example", "192.0.2.8");
    w.work();
    const std::size_t before = w.of(kFour).claims;
    w.kernel.sets[kFour].elements.clear();
    w.service.changed(kFour);
    w.pass(1'000);
    BOOST_TEST(w.kernel.in(kFour).size() == w.of(kFour).claims);
    BOOST_TEST(w.of(kFour).claims == before - w.of(kFour).counters.evicted);
}

BOOST_AUTO_TEST_SUITE_END()
