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
        SetAbility ability{.timeouts = true, .prefixes = true};
        std::map<std::string, std::uint64_t> elements;  // prefix: until, ms; 0: for ever
        std::set<std::string> refuses;
    };
    std::map<SetName, Set> sets;
    std::uint64_t now_ms = 1'000'000;
    unsigned adds = 0, reads = 0;

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
        return {};
    }
    Result<bool> has(const SetName& name, const matchers::Prefix& prefix) override {
        const auto at = sets.find(name);
        if (at == sets.end()) return Error{"there is no such set"};
        return at->second.elements.contains(prefix.to_string());
    }
    Result<void> remove(const SetName&, std::span<const matchers::Prefix>) override {
        BOOST_ERROR("elements with timeouts are not removed");
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
    std::vector<ListId> lost;
    SetService service{kernel,
                       {.installed =
                            [this](std::span<const Installed> rows) {
                                board.insert(board.end(), rows.begin(), rows.end());
                            },
                        .refused =
                            [this](std::span<const Installed> rows) {
                                refused.insert(refused.end(), rows.begin(), rows.end());
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
        service.claim(list, address(text), now_s() + life_s);
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
    [[nodiscard]] bool said(const std::string& text) const {
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
    BOOST_TEST(w.said("ipset old has no timeouts"));
    BOOST_TEST(w.said("holds addresses, not prefixes"));
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
    BOOST_TEST(w.said("can be filled now: 1 elements wait for it"));
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
    w.service.look(w.kernel.now_ms);
    w.work();
    BOOST_TEST(w.of(kIpset).counters.added == 1U);
    w.kernel.sets[kIpset].elements.clear();
    w.pass(1'000);
    w.service.look(w.kernel.now_ms);
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
    BOOST_TEST(w.said("refuses 10.0.3.0/24: interval overlaps"));
    w.kernel.sets[kFour].refuses.clear();
    w.pass(31'000);
    BOOST_TEST(w.kernel.in(kFour).size() == 8U);
    BOOST_TEST(w.of(kFour).pending == 0U);
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
    w.kernel.sets[kFour] = {
        .ability = {.timeouts = true, .prefixes = false}, .elements = {}, .refuses = {}};
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

BOOST_AUTO_TEST_SUITE_END()
