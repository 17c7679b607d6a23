// The engine against the simulated router: what an operator and a judge of the rows would see.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <set>

#include "lab.h"
#include "routeros/features.h"
#include "routeros/session.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

BOOST_AUTO_TEST_SUITE(lab)

BOOST_AUTO_TEST_CASE(the_first_answer_writes_rows_of_both_families) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    BOOST_TEST(!lab.aways[1]);
    const std::int64_t asked_us = lab.now_us;
    lab.claim(1, {"203.0.113.7", "2001:db8::7"}, 30, 60, 77, "stream.example.");
    BOOST_TEST(lab.outcomes.empty());
    lab.run_for(50'000);
    BOOST_REQUIRE(lab.outcomes.contains(77));
    BOOST_TEST((lab.outcomes[77] == Outcome::installed));
    const auto four = lab.row("policy_v4", "203.0.113.7");
    const auto six = lab.row("policy_v6", "2001:db8::7/128");
    BOOST_REQUIRE(four);
    BOOST_REQUIRE(six);
    BOOST_TEST(four->comment == "forgedns;pg=ros_policy;kind=D;dm=stream.example");
    // The answer left when it was settled; its lease is 30 s + 30 s from then.
    lab.run_for(70'000'000);
    const std::int64_t left_us = lab.settled_at_us[77];
    BOOST_TEST(left_us > asked_us);
    BOOST_TEST(lab.was_there("policy_v4", "203.0.113.7", left_us, left_us + 60'000'000));
    BOOST_TEST(lab.was_there("policy_v6", "2001:db8::7/128", left_us, left_us + 60'000'000));
    BOOST_TEST(lab.rows("policy_v4").empty());  // and is left to expire
    BOOST_TEST(lab.removes == 0U);
    BOOST_TEST(lab.board.empty());
    BOOST_TEST(lab.losses == 0U);
}

BOOST_AUTO_TEST_CASE(an_async_row_has_the_lifetime_of_its_claim) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 300, 330);
    lab.run_for(20'000);
    BOOST_TEST(*lab.row("policy_v4", "203.0.113.7")->left_us > 329'900'000);
    BOOST_TEST(*lab.row("policy_v4", "203.0.113.7")->left_us <= 330'000'000);
    const auto until_s = lab.installed_until(1, "203.0.113.7");
    BOOST_TEST(until_s <= (lab.now_us + *lab.row("policy_v4", "203.0.113.7")->left_us) / 1'000'000);
    BOOST_TEST(until_s >= lab.now_ms() / 1000 + 328);
}

BOOST_AUTO_TEST_CASE(a_renewal_is_for_the_longest_answer_of_its_claim) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 300, 330);
    lab.run_for(260 * kSecond);
    lab.claim(1, {"203.0.113.7"}, 60, 90);  // from a cache; the next one has its whole TTL again
    lab.run_for(5 * kSecond);
    BOOST_TEST(*lab.row("policy_v4", "203.0.113.7")->left_us > 890 * kSecond);
    BOOST_TEST(*lab.row("policy_v4", "203.0.113.7")->left_us <= 930 * kSecond);
    BOOST_TEST(lab.router->counters().rows_extended == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_with_covered_rows_does_not_wait) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 300, 330, 1);
    lab.run_for(20'000);
    lab.claim(1, {"203.0.113.7"}, 100, 130, 2);
    BOOST_TEST((lab.outcomes[2] == Outcome::already_there));
    BOOST_TEST(lab.router->counters().rows_added == 1U);
    BOOST_TEST(lab.router->counters().set_sentences == 0U);
}

BOOST_AUTO_TEST_CASE(a_thousand_answers_are_held_beside_ten_thousand_rows_and_a_print) {
    for (const bool printing : {false, true}) {
        auto list = list_config();
        list.sync_timeout_ms = 2000;
        Lab lab{fast(), router_config({list})};
        lab.sim.prefill(rossim::Family::ipv4, "policy_v4", 10'000, lab.now_us);
        BOOST_REQUIRE(lab.sync());
        if (printing) {
            lab.router->request_reprint(lab.now_ms());
            lab.run_for(20'000);
        }
        const std::int64_t asked_us = lab.now_us;
        for (unsigned i = 0; i < 1000; ++i) {
            const auto address =
                "203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
            lab.claim(1, {address}, 30, 60, i + 1);
            if (i % 10 == 9) lab.run_for(10'000);
        }
        lab.run_for(3'000'000);
        BOOST_TEST(lab.outcomes.size() == 1000U);
        std::size_t installed = 0, gaps = 0;
        std::int64_t longest_us = 0;
        lab.run_for(65'000'000);
        for (unsigned i = 0; i < 1000; ++i) {
            if (lab.outcomes[i + 1] == Outcome::installed) ++installed;
            const auto at_us = lab.settled_at_us[i + 1];
            longest_us = std::max(longest_us, at_us - asked_us - i / 10 * 10'000);
            const auto address =
                "203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
            if (!lab.was_there("policy_v4", address, at_us, at_us + 60'000'000)) ++gaps;
        }
        BOOST_TEST_MESSAGE("printing " << printing << ": longest hold " << longest_us / 1000
                                       << " ms");
        BOOST_TEST(installed == 1000U);
        BOOST_TEST(gaps == 0U);
        BOOST_TEST(longest_us < 1'500'000);
    }
}

BOOST_AUTO_TEST_CASE(a_paused_router_is_away_and_gets_no_write) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 30, 60, 1);
    const auto epoch = lab.epochs[1];
    lab.router->pause(lab.now_ms());
    BOOST_TEST(lab.epochs[1] == epoch + 1);                    // rows may be removed unnoticed
    BOOST_TEST((lab.outcomes.at(1) == Outcome::router_away));  // its row was in progress
    BOOST_TEST(lab.aways[1]);
    lab.run_for(kSecond);
    const auto adds = lab.adds;
    lab.claim(1, {"203.0.113.2"}, 300, 330, 2);
    BOOST_TEST((lab.outcomes.at(2) == Outcome::router_away));
    lab.run_for(100 * kSecond);  // a renewal of the first is not written either
    BOOST_TEST(lab.adds == adds);
    BOOST_TEST(lab.rows("policy_v4").empty());
    const auto paused = lab.router->status();
    BOOST_TEST((paused.state == RouterState::in_sync && paused.paused && paused.away));
    BOOST_TEST(paused.claims_while_away == 1U);
    BOOST_TEST(paused.pending == 1U);
    BOOST_TEST(lab.router->differences(10, lab.now_ms()).size() == 1U);
    BOOST_TEST(lab.router->trace().errors().empty());

    lab.router->configure(lab.config, lab.now_ms());  // a reload does not end it
    lab.run_for(5 * kSecond);
    BOOST_TEST((lab.router->status().state == RouterState::in_sync));
    BOOST_TEST(lab.rows("policy_v4").empty());

    lab.router->resume(lab.now_ms());
    BOOST_TEST(!lab.aways[1]);
    lab.run_for(kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 1U);
    BOOST_TEST(!lab.router->status().away);
    BOOST_TEST(lab.router->status().away_since_ms == 0U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_fails_during_a_pause_waits) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1", "203.0.113.2"}, 30, 60);
    lab.run_for(kSecond);
    lab.claim(1, {"203.0.113.1", "203.0.113.2"}, 300, 330, 1);  // in transit
    for (const auto* address : {"203.0.113.1", "203.0.113.2"})
        BOOST_REQUIRE(lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", address, lab.now_us));
    lab.router->pause(lab.now_ms());
    lab.run_for(kSecond);
    BOOST_TEST(lab.router->counters().bisections == 1U);
    BOOST_TEST(lab.router->next_deadline() > lab.now_ms());
    BOOST_TEST(lab.rows("policy_v4").empty());
    lab.router->resume(lab.now_ms());
    lab.run_for(kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 2U);
}

BOOST_AUTO_TEST_CASE(differences_are_the_pending_writes) {
    auto list = list_config();
    list.persistent = {*Address::parse(Menu::ip, "192.0.2.0/24")};
    Lab lab{fast(), router_config({list})};
    BOOST_TEST(lab.router->differences(10, lab.now_ms()).empty());  // nothing is known
    BOOST_REQUIRE(lab.sync());
    lab.run_for(kSecond);
    BOOST_TEST(lab.router->differences(10, lab.now_ms()).empty());
    lab.router->pause(lab.now_ms());
    lab.claim(1, {"203.0.113.1"}, 30, 60, 0, "a.stream.example.");
    const auto one = lab.router->differences(10, lab.now_ms());
    BOOST_REQUIRE(one.size() == 1U);
    BOOST_TEST(one[0].list == "policy_v4");
    BOOST_TEST(one[0].address == "203.0.113.1");
    BOOST_TEST(one[0].what == "add");
    BOOST_TEST(one[0].name == "a.stream.example.");
    BOOST_TEST(one[0].ends_ms == lab.now_ms() + 60'000);
    lab.claim(1, {"203.0.113.2", "203.0.113.3"}, 30, 60);
    BOOST_TEST(lab.router->differences(2, lab.now_ms()).size() == 2U);
}

BOOST_AUTO_TEST_CASE(one_claim_says_what_its_row_lacks) {
    const auto bytes = [](const char* text) { return Address::parse(Menu::ip, text)->bytes; };
    const auto mine = bytes("203.0.113.1"), other = bytes("203.0.113.2");
    Lab lab{fast()};
    lab.claim(1, {"203.0.113.1"}, 30, 60);
    BOOST_TEST(lab.router->row_state(1, mine, lab.now_ms()) == "");  // nothing is known
    BOOST_REQUIRE(lab.sync());
    lab.run_for(kSecond);
    BOOST_TEST(lab.router->row_state(1, mine, lab.now_ms()) == "nothing");
    BOOST_TEST(lab.router->row_state(1, other, lab.now_ms()) == "");
    BOOST_TEST(lab.router->row_state(2, mine, lab.now_ms()) == "");  // another list
    lab.router->pause(lab.now_ms());
    lab.claim(1, {"203.0.113.2"}, 30, 60);
    BOOST_TEST(lab.router->row_state(1, other, lab.now_ms()) == "add");
    lab.run_for(61 * kSecond);
    BOOST_TEST(lab.router->row_state(1, mine, lab.now_ms()) == "");  // the claim is over
}

BOOST_AUTO_TEST_CASE(rows_of_a_predecessor_are_adopted_in_place_on_request_only) {
    constexpr auto kIp = rossim::Family::ipv4;
    auto list = list_config();
    Lab lab{fast(), router_config({list})};
    const auto add = [&](std::string_view address, std::optional<std::int64_t> timeout_s,
                         std::string_view comment) {
        lab.sim.add_row(kIp, "policy_v4", std::string(address), timeout_s, std::string(comment),
                        lab.now_us);
    };
    add("198.51.100.1", 600, "oxi;pg=policy_address_list;kind=D;dm=a.example");
    add("198.51.100.2", 600, "oxi;pg=ros_policy;kind=D");
    add("198.51.100.3", {}, "oxi;pg=policy_address_list;kind=P");
    add("198.51.100.4", 600, "oxidns;pg=policy_address_list;kind=D;dm=b.example");
    add("198.51.100.5", 600, "oxi is what a human wrote");
    add("198.51.100.6", {}, "oxi;pg=policy_address_list;kind=D;dm=c.example");
    BOOST_REQUIRE(lab.sync());
    lab.run_for(5 * kSecond);
    const auto before = lab.rows("policy_v4");

    const auto shown = lab.router->adopt("oxi", false, lab.now_ms());
    BOOST_TEST(shown.asked == 0U);
    BOOST_TEST_REQUIRE(shown.rows.size() == 4U);
    BOOST_TEST(shown.rows[0].own_comment == "forgedns;pg=ros_policy;kind=D;dm=a.example");
    BOOST_TEST(shown.rows[0].becomes == "a row of ros_policy until its timeout or a new answer");
    BOOST_TEST(shown.rows[1].own_comment == "forgedns;pg=ros_policy;kind=D;dm=");
    BOOST_TEST(shown.rows[2].own_comment == "");
    BOOST_TEST(shown.rows[2].becomes == "stays: its address is not in 'persistent' of ros_policy");
    BOOST_TEST(shown.rows[3].becomes == "a row of ros_policy without a timeout");
    lab.run_for(5 * kSecond);
    for (const auto& row : before)
        BOOST_TEST(lab.row("policy_v4", row.address)->comment == row.comment);

    const std::int64_t from_us = lab.now_us;
    BOOST_TEST(lab.router->adopt("oxi", true, lab.now_ms()).asked == 3U);
    lab.run_for(30 * kSecond);
    for (const char* address : {"198.51.100.1", "198.51.100.2", "198.51.100.6"}) {
        BOOST_TEST(
            lab.row("policy_v4", address)->comment.starts_with("forgedns;pg=ros_policy;kind=D"));
        BOOST_TEST(lab.was_there("policy_v4", address, from_us, lab.now_us));
    }
    BOOST_TEST(lab.row("policy_v4", "198.51.100.3")->comment ==
               "oxi;pg=policy_address_list;kind=P");
    BOOST_TEST(lab.row("policy_v4", "198.51.100.4")->comment.starts_with("oxidns;"));
    BOOST_TEST(lab.row("policy_v4", "198.51.100.5")->comment == "oxi is what a human wrote");
    BOOST_TEST(lab.router->adopt("oxi", true, lab.now_ms()).asked == 0U);

    // It is ours now: an answer extends it, and adds nothing.
    const std::size_t adds = lab.adds;
    lab.claim(1, {"198.51.100.1"}, 1770, 1800);
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.adds == adds);
    BOOST_TEST(*lab.row("policy_v4", "198.51.100.1")->left_us > 1'700 * kSecond);
    BOOST_TEST(lab.row("policy_v4", "198.51.100.1")->comment ==
               "forgedns;pg=ros_policy;kind=D;dm=a.example");
}

BOOST_AUTO_TEST_CASE(rows_are_not_adopted_while_paused) {
    Lab lab{fast()};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "198.51.100.1", 600,
                    "fdns;pg=gone;kind=D;dm=a.example", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.router->pause(lab.now_ms());
    const auto done = lab.router->adopt("fdns", true, lab.now_ms());
    BOOST_TEST(done.rows.size() == 1U);
    BOOST_TEST(done.asked == 0U);
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.row("policy_v4", "198.51.100.1")->comment.starts_with("fdns;"));
}

BOOST_AUTO_TEST_CASE(orphans_come_in_pages_and_those_that_stay_once) {
    Lab lab{fast()};
    constexpr int kOrphans = 25;
    const auto address = [](int i) { return "198.51.100." + std::to_string(i); };
    for (int i = 0; i < kOrphans; ++i)
        BOOST_REQUIRE(lab.sim.add_row(rossim::Family::ipv4, "policy_v4", address(i), {},
                                      "forgedns;pg=gone;kind=P;dm=", lab.now_us));
    BOOST_REQUIRE(lab.sync());
    std::multiset<std::string> seen;
    std::optional<OrphanPlace> after;
    for (auto page = lab.router->orphans(after, 4); !page.empty();
         page = lab.router->orphans(after, 4)) {
        BOOST_TEST(page.size() <= 4U);
        for (const OrphanRow& row : page)
            seen.insert(row.address);
        after = page.back().place;
        if (seen.size() == 4U) {  // one that was shown, and one that would have come
            lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", page.back().address, lab.now_us);
            lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", address(20), lab.now_us);
            lab.run_for(10 * kSecond);
        }
    }
    for (int i = 0; i < kOrphans; ++i)
        BOOST_TEST(seen.count(address(i)) == (i == 20 ? 0U : 1U), i);
}

BOOST_AUTO_TEST_CASE(orphans_are_removed_on_request_only) {
    Lab lab{fast()};
    const auto orphan = [&](std::string_view address, std::string_view comment) {
        BOOST_REQUIRE(
            lab.sim.add_row(rossim::Family::ipv4, "policy_v4", address, {}, comment, lab.now_us));
    };
    orphan("198.51.100.1", "forgedns;pg=gone;kind=D;dm=a.example");
    orphan("198.51.100.2", "forgedns;pg=gone;kind=P;dm=");
    orphan("198.51.100.3", "of a human");
    BOOST_REQUIRE(lab.sync());
    BOOST_TEST(lab.router->orphans().size() == 2U);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 3U);
    BOOST_TEST(lab.router->remove_orphans(lab.now_ms()) == 2U);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 1U);
    BOOST_TEST(lab.rows("policy_v4").front().comment == "of a human");
}

BOOST_AUTO_TEST_CASE(the_trace_has_sentences_without_passwords) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 30, 60);
    lab.run_for(kSecond);
    const auto all = lab.router->trace().since(0);
    BOOST_REQUIRE(!all.empty());
    BOOST_TEST(all.front().words == "/login =name=" + lab.config.username + " =password=***");
    BOOST_TEST(all.front().reply == "done");
    const auto add = std::ranges::find_if(
        all, [](const auto& s) { return s.words.find("address-list/add ") != s.words.npos; });
    BOOST_REQUIRE(add != all.end());
    BOOST_TEST(add->words.find("=address=203.0.113.1") != add->words.npos);
    BOOST_TEST(add->reply.starts_with("done ret=*"));
    BOOST_TEST(add->ended_ms > add->sent_ms);
    const auto print = std::ranges::find_if(
        all, [](const auto& s) { return s.words.find("resource/print") != s.words.npos; });
    BOOST_REQUIRE(print != all.end());
    BOOST_TEST(print->rows == 1U);
    BOOST_TEST(lab.router->trace().since(all.back().serial).empty());
    BOOST_TEST(lab.router->trace().errors().empty());
}

BOOST_AUTO_TEST_CASE(a_limited_number_of_errors_is_kept) {
    const std::uint64_t now_ms = 1;
    Trace trace{now_ms};
    for (Tag tag = 1; tag <= 600; ++tag) {
        std::string words;
        append_word(words, "/ip/firewall/address-list/add");
        append_word(words, "=comment=" + std::string(2 * kTraceBytes, 'x'));
        trace.sent(tag, words);
        trace.ended(tag, {.ok = false, .message = "failure: number " + std::to_string(tag)});
    }
    BOOST_TEST(trace.since(0).size() == kTracedSentences);
    BOOST_TEST(trace.since(0).back().serial == 600U);
    BOOST_TEST(trace.since(0).back().words.size() <= kTraceBytes + 3);
    BOOST_TEST(trace.errors().size() == kTracedErrors);
    BOOST_TEST(trace.since(0).back().reply == "trap: failure: number 600");
}

BOOST_AUTO_TEST_CASE(a_name_asked_for_half_an_hour_keeps_its_row_without_a_gap) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    struct Name {
        std::string address;
        std::uint32_t ttl_s;
        std::int64_t lease_us = 0, since_us = 0, cached_until_us = 0;
    };
    std::vector<Name> names;
    const std::uint32_t ttls[] = {5, 30, 60, 300, 1770};
    for (unsigned i = 0; i < 40; ++i)
        names.push_back({"198.51.100." + std::to_string(i + 1), ttls[i % 5]});
    const std::int64_t end_us = lab.now_us + 1800LL * 1'000'000;
    std::uint64_t hold = 0;
    while (lab.now_us < end_us) {
        for (unsigned i = 0; i < names.size(); ++i) {
            auto& name = names[i];
            // The longest come from a cache: their TTL counts down.
            if (name.cached_until_us <= lab.now_us) {
                name.cached_until_us = lab.now_us + name.ttl_s * kSecond;
            }
            const auto left_s =
                static_cast<std::uint32_t>((name.cached_until_us - lab.now_us) / kSecond);
            const std::uint32_t ttl_s = name.ttl_s > 1000 ? left_s : name.ttl_s;
            const std::uint32_t life_s = std::max(std::clamp(ttl_s, 60U, 1800U), ttl_s + 30);
            // As a worker does: the row board is asked first, and only what it does not cover is
            // claimed and held.
            const std::uint64_t lease_ms = lab.now_ms() + (ttl_s + 30) * 1000ULL;
            if (lab.installed_until(1, name.address) * 1000ULL >= lease_ms) {
                name.lease_us = std::max(name.lease_us, lab.now_us + (ttl_s + 30) * kSecond);
                continue;
            }
            lab.claim(1, {name.address}, ttl_s, life_s, ++hold);
            const bool done =
                lab.run_until(lab.now_us + 100'000, [&] { return lab.outcomes.contains(hold); });
            BOOST_REQUIRE(done);
            const std::int64_t at_us = lab.settled_at_us[hold];
            if (name.since_us == 0) name.since_us = at_us;
            name.lease_us = std::max(name.lease_us, at_us + (ttl_s + 30) * kSecond);
        }
        lab.run_for(1'700'000);
    }
    lab.run_for(1900LL * 1'000'000);
    for (const auto& name : names) {
        BOOST_TEST(lab.was_there("policy_v4", name.address, name.since_us, name.lease_us),
                   name.address);
    }
    BOOST_TEST_MESSAGE("rows extended " << lab.router->counters().rows_extended << " in "
                                        << lab.router->counters().set_sentences << " sentences");
    BOOST_TEST(lab.router->counters().rows_extended < 40U * 6);
    BOOST_TEST(lab.removes == 0U);
}

void repair_in_time(std::string_view preset, unsigned count) {
    rossim::Options options;
    options.costs = rossim::built_in_presets().get(preset);
    options.latency_us = 2'000;
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < count; ++i) {
        lab.claim(1, {"203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)}, 1770,
                  1800);
    }
    // No held answer waits for these: they get their share of the router, and no more.
    const auto began_us = lab.now_us;
    const auto all_there = [&] { return lab.sim.row_count(rossim::Family::ipv4) == count; };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 300 * kSecond, all_there));
    const double least_s = count / options.costs.writes_per_second();
    const double routine_s = static_cast<double>(lab.now_us - began_us) / 1e6;
    BOOST_TEST(routine_s > least_s / 0.40);
    BOOST_TEST(routine_s < least_s / 0.22);
    lab.sim.reboot(20 * kSecond, lab.now_us);
    lab.run_for(19 * kSecond);
    BOOST_TEST(lab.aways[1]);
    BOOST_TEST(lab.rows("policy_v4").empty());
    BOOST_REQUIRE(lab.run_until(lab.now_us + 10 * kSecond, [&] {
        return lab.router->status().state >= RouterState::logging_in;
    }));
    const auto up_us = lab.now_us;
    BOOST_REQUIRE(lab.run_until(lab.now_us + 300 * kSecond, all_there));
    const double took_s = static_cast<double>(lab.now_us - up_us) / 1e6;
    BOOST_TEST_MESSAGE(preset << ": routine " << least_s / routine_s
                              << " of its write rate, repair " << least_s / took_s);
    BOOST_TEST(took_s < least_s / 0.85 + 0.5);
    BOOST_TEST(lab.router->counters().reboots == 1U);
    BOOST_TEST(lab.logged("has rebooted"));
}

BOOST_AUTO_TEST_CASE(rows_are_back_in_time_after_a_reboot) {
    repair_in_time("fast", 3000);
    repair_in_time("mid", 1500);
    repair_in_time("slow", 700);
}

BOOST_AUTO_TEST_CASE(routine_writes_use_the_configured_share) {
    auto config = router_config();
    config.routine_share = 0.6;
    config.scripts = false;
    Lab lab{fast(), config};
    BOOST_REQUIRE(lab.sync());
    unsigned claimed = 0;
    // The part of what the router can write that is written in ten seconds, while there is more.
    const auto part_written = [&] {
        for (const unsigned end = claimed + 12'000; claimed < end; ++claimed) {
            const auto host = std::to_string(claimed / 250) + "." + std::to_string(claimed % 250);
            lab.claim(1, {"203.0." + host}, 1770, 1800);
        }
        lab.run_for(5 * kSecond);  // until it is measured
        const auto before = lab.adds;
        lab.run_for(10 * kSecond);
        BOOST_TEST(lab.router->status().queued > 0U);
        const auto rate = rossim::built_in_presets().get("fast").writes_per_second();
        return static_cast<double>(lab.adds - before) / 10 / rate;
    };
    const double first = part_written();
    BOOST_TEST(first > 0.52);
    BOOST_TEST(first < 0.66);
    config.routine_share = 0.1;
    lab.router->configure(config, lab.now_ms());
    BOOST_TEST(lab.router->status().routine_share == 0.1);
    BOOST_REQUIRE(lab.run_until(lab.now_us + 120 * kSecond, [&] { return lab.adds == claimed; }));
    const double second = part_written();
    BOOST_TEST(second > 0.07);
    BOOST_TEST(second < 0.13);
    lab.router->hurry(lab.now_ms());
    BOOST_TEST(part_written() > 4 * second);
}

BOOST_AUTO_TEST_CASE(held_answers_are_written_before_a_backlog) {
    for (const char* preset : {"fast", "slow"}) {
        rossim::Options options;
        options.costs = rossim::built_in_presets().get(preset);
        options.latency_us = 2'000;
        auto list = list_config();
        list.sync_timeout_ms = 500;
        Lab lab{options, router_config({list})};
        BOOST_REQUIRE(lab.sync());
        for (unsigned i = 0; i < 2000; ++i) {
            lab.claim(1, {"203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)},
                      300, 330);
        }
        std::int64_t longest_us = 0;
        for (unsigned i = 1; i <= 30; ++i) {
            lab.run_for(97'000);
            const auto asked_us = lab.now_us;
            lab.claim(1, {"198.51.100." + std::to_string(i)}, 300, 330, i);
            BOOST_REQUIRE(
                lab.run_until(lab.now_us + kSecond, [&] { return lab.outcomes.contains(i); }));
            longest_us = std::max(longest_us, lab.settled_at_us[i] - asked_us);
        }
        BOOST_TEST_MESSAGE(preset << ": longest hold beside a backlog " << longest_us / 1000
                                  << " ms");
        BOOST_TEST(longest_us < 80'000);
        BOOST_TEST(lab.router->status().queued > 100U);
    }
}

BOOST_AUTO_TEST_CASE(variants_of_router_behaviour_are_supported) {
    for (unsigned variant = 0; variant < 16; ++variant) {
        auto options = fast();
        options.tag_last = (variant & 1) != 0;
        options.multi_id_atomic = (variant & 2) != 0;
        options.listen_tells_expiry = (variant & 4) != 0;
        options.version = (variant & 8) != 0 ? rossim::Version{7, 17} : rossim::Version{7, 21};
        Lab lab{options};
        BOOST_REQUIRE(lab.sync());
        for (unsigned i = 1; i <= 20; ++i)
            lab.claim(1, {"203.0.113." + std::to_string(i)}, 300, 330);
        lab.run_for(100 * kSecond);
        for (unsigned i = 1; i <= 20; ++i)
            lab.claim(1, {"203.0.113." + std::to_string(i)}, 600, 630);
        // The router loses two of them while the renewal is in transit.
        BOOST_REQUIRE(lab.run_until(lab.now_us + 3 * kSecond,
                                    [&] { return lab.router->counters().set_sentences > 0; }));
        lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", "203.0.113.7", lab.now_us);
        lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", "203.0.113.20", lab.now_us);
        lab.run_for(3 * kSecond);
        const auto rows = lab.rows("policy_v4");
        BOOST_TEST(rows.size() == 20U);
        for (const auto& row : rows)
            BOOST_TEST(*row.left_us > 620 * kSecond);
        BOOST_TEST(lab.router->counters().prints == 2U);
        BOOST_TEST(lab.router->counters().lookups == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_restarted_daemon_adopts_its_rows) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 200; ++i)
        lab.claim(1, {"203.0.113." + std::to_string(i)}, 1770, 1800);
    lab.run_for(10'000'000);
    const auto adds = lab.adds;
    BOOST_TEST(adds == 200U);
    lab.restart();
    BOOST_REQUIRE(lab.sync());
    BOOST_TEST(lab.router->status().rows_ours == 200U);
    lab.claim(1, {"203.0.113.9"}, 300, 330, 5);
    BOOST_TEST((lab.outcomes[5] == Outcome::already_there));
    for (unsigned i = 1; i <= 200; ++i)
        lab.claim(1, {"203.0.113." + std::to_string(i)}, 1770, 1800);
    lab.run_for(10'000'000);
    BOOST_TEST(lab.adds == adds);
    BOOST_TEST(lab.removes == 0U);
    BOOST_TEST(lab.router->counters().rows_adopted == 200U);
    BOOST_TEST(lab.router->counters().rows_extended == 200U);
    BOOST_TEST(lab.router->counters().set_sentences < 30U);
}

BOOST_AUTO_TEST_CASE(a_foreign_row_is_left_alone_and_blocks_a_claim_until_it_ends) {
    Lab lab{fast()};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.1", std::nullopt, "mine",
                    lab.now_us);
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.2", 100, "mine too", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.claim(1, {"203.0.113.2"}, 30, 60, 2);
    BOOST_TEST((lab.outcomes[2] == Outcome::already_there));
    lab.claim(1, {"203.0.113.2"}, 300, 330, 3);
    BOOST_TEST((lab.outcomes[3] == Outcome::failed));
    BOOST_TEST(lab.router->status().rows_blocked == 1U);
    lab.run_for(103'000'000);
    const auto row = lab.row("policy_v4", "203.0.113.2");
    BOOST_REQUIRE(row);
    BOOST_TEST(row->comment == "forgedns;pg=ros_policy;kind=D;dm=www.stream.example");
    BOOST_TEST(lab.row("policy_v4", "203.0.113.1")->comment == "mine");
    BOOST_TEST(lab.removes == 0U);
}

BOOST_AUTO_TEST_CASE(a_row_deleted_by_hand_comes_back) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 300, 330);
    lab.run_for(100'000);
    BOOST_REQUIRE(lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", "203.0.113.7", lab.now_us));
    lab.run_for(100'000);
    BOOST_TEST(lab.row("policy_v4", "203.0.113.7").has_value());
    BOOST_TEST(lab.router->counters().rows_lost == 1U);
}

BOOST_AUTO_TEST_CASE(persistent_rows_are_kept) {
    auto list = list_config();
    list.persistent = {*Address::parse("10.9.0.0/16"), *Address::parse("192.0.2.1"),
                       *Address::parse("2001:db8::/32")};
    Lab lab{fast(), router_config({list})};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "192.0.2.99", std::nullopt,
                    "forgedns;pg=ros_policy;kind=P", lab.now_us);
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "192.0.2.98", std::nullopt,
                    "forgedns;pg=other;kind=P", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.run_for(1'000'000);
    const auto net = lab.row("policy_v4", "10.9.0.0/16");
    BOOST_REQUIRE(net);
    BOOST_TEST(net->comment == "forgedns;pg=ros_policy;kind=P");
    BOOST_TEST(!net->left_us.has_value());
    BOOST_TEST(lab.row("policy_v4", "192.0.2.1").has_value());
    BOOST_TEST(lab.row("policy_v6", "2001:db8::/32").has_value());
    BOOST_TEST(!lab.row("policy_v4", "192.0.2.99").has_value());  // no longer configured
    BOOST_TEST(lab.row("policy_v4", "192.0.2.98").has_value());   // an orphan: listed, untouched
    BOOST_REQUIRE(lab.router->orphans().size() == 1U);
    BOOST_TEST(lab.router->orphans()[0].comment == "forgedns;pg=other;kind=P");
    lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", "10.9.0.0/16", lab.now_us);
    lab.run_for(1'000'000);
    BOOST_TEST(lab.row("policy_v4", "10.9.0.0/16").has_value());
    lab.claim(1, {"192.0.2.1"}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
}

BOOST_AUTO_TEST_CASE(fixed_ttl_zero_makes_static_rows) {
    auto list = list_config();
    list.max_ttl_s = 0;
    Lab lab{fast(), router_config({list})};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.8", 40,
                    "forgedns;pg=ros_policy;kind=D;dm=x", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "203.0.113.8"}, 86400, 0, 1);
    lab.run_for(100'000);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(!lab.row("policy_v4", "203.0.113.7")->left_us.has_value());
    // Our timed row is never removed under a lease: it gets the longest timeout instead.
    BOOST_TEST(*lab.row("policy_v4", "203.0.113.8")->left_us > 20'000'000LL * 1'000'000);
    BOOST_TEST(lab.removes == 0U);
}

BOOST_AUTO_TEST_CASE(rows_without_timeout_cause_at_most_one_flash_write_a_second) {
    auto list = list_config();
    list.max_ttl_s = 0;
    auto options = fast();
    options.flash_save_us = 500'000;
    Lab lab{options, router_config({list})};
    BOOST_REQUIRE(lab.sync());
    BOOST_TEST((lab.router->status().flash_total == 0U));
    for (unsigned i = 0; i < 1000; ++i) {
        lab.claim(1, {"203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)}, 300,
                  0);
        lab.run_for(kSecond / 100);
    }
    lab.run_for(3 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 1000U);
    BOOST_TEST(lab.sim.flash_sectors() <= 12U);
    BOOST_TEST(lab.sim.flash_sectors() >= 5U);
    // A held one waits for no burst.
    lab.claim(1, {"198.51.100.1"}, 300, 0, 1);
    lab.run_for(20'000);
    lab.claim(1, {"198.51.100.2"}, 300, 0, 2);
    lab.run_for(20'000);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST((lab.outcomes[2] == Outcome::installed));
    lab.run_for(60 * kSecond);
    const auto status = lab.router->status();
    BOOST_TEST((status.flash_total == lab.sim.flash_sectors()));
    BOOST_TEST((status.flash_since_reboot == lab.sim.flash_sectors()));
    BOOST_REQUIRE(status.flash_per_hour);
    BOOST_TEST(*status.flash_per_hour > 300);
    BOOST_TEST(*status.flash_per_hour < 800);
}

BOOST_AUTO_TEST_CASE(a_permanent_row_of_a_timed_list_is_removed_after_its_last_lease) {
    Lab lab{fast()};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.8", std::nullopt,
                    "forgedns;pg=ros_policy;kind=D;dm=x", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.8"}, 30, 60, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.run_for(3'500LL * 1'000'000);
    BOOST_TEST(lab.row("policy_v4", "203.0.113.8").has_value());  // an hour was promised
    lab.run_for(200'000'000);
    BOOST_TEST(!lab.row("policy_v4", "203.0.113.8").has_value());
}

BOOST_AUTO_TEST_CASE(several_writers_remove_no_row_of_each_other) {
    auto list = list_config();
    list.multi_writer = true;
    list.persistent = {*Address::parse("192.0.2.1")};
    Lab lab{fast(), router_config({list})};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.8", std::nullopt,
                    "forgedns;pg=ros_policy;kind=D;dm=x", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.8"}, 30, 60);
    lab.run_for(3'700LL * kSecond);  // its lease has ended
    list.persistent.clear();
    lab.router->configure(router_config({list}), lab.now_ms());
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.row("policy_v4", "203.0.113.8").has_value());
    BOOST_TEST(lab.row("policy_v4", "192.0.2.1").has_value());
    BOOST_TEST(lab.removes == 0U);
}

BOOST_AUTO_TEST_CASE(a_hanging_router_is_not_waited_for) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    lab.sim.hang(lab.now_us);
    const auto hung_us = lab.now_us;
    for (unsigned i = 1; i <= 20; ++i) {
        lab.claim(1, {"203.0.113." + std::to_string(i)}, 30, 60, i);
        lab.run_for(100'000);
    }
    BOOST_TEST(lab.aways[1]);
    for (unsigned i = 1; i <= 20; ++i)
        BOOST_TEST((lab.outcomes[i] == Outcome::router_away));
    BOOST_TEST(lab.settled_at_us[1] - hung_us <= 310'000);
    BOOST_TEST(lab.settled_at_us[20] - hung_us == 1'900'000);  // at once
    lab.sim.resume(lab.now_us);
    lab.run_for(5'000'000);
    BOOST_TEST(!lab.aways[1]);
    BOOST_TEST(lab.rows("policy_v4").size() == 20U);
}

BOOST_AUTO_TEST_CASE(a_router_that_comes_back_gets_the_rows_that_were_claimed_in_between) {
    Lab lab{fast()};
    lab.reachable = false;
    lab.start();
    lab.claim(1, {"203.0.113.1"}, 300, 330, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::router_away));
    lab.run_for(30'000'000);
    BOOST_TEST(lab.sentences.size() == 1U);
    BOOST_TEST(lab.logged("cannot be reached"));
    lab.reachable = true;
    lab.run_for(3'000'000);
    BOOST_TEST(lab.row("policy_v4", "203.0.113.1").has_value());
    BOOST_TEST(lab.installed_until(1, "203.0.113.1") > 0U);
    BOOST_TEST(!lab.aways[1]);
}

BOOST_AUTO_TEST_CASE(wrong_passwords_and_missing_rights_are_reported_once) {
    auto options = fast();
    options.users = {{"admin", "right", {"read", "write", "api"}}, {"reader", "", {"read", "api"}}};
    Lab lab{options};
    lab.start();
    lab.claim(1, {"203.0.113.1"}, 3000, 3030, 9);
    lab.run_for(600 * kSecond);
    BOOST_TEST((lab.outcomes.at(9) == Outcome::router_away));  // no answer is held
    BOOST_TEST(lab.sentences.size() == 1U);
    BOOST_TEST(lab.router->counters().login_failures <= 21U);
    BOOST_TEST(lab.logged("refuses user admin (invalid user name or password (6))"));
    BOOST_TEST(lab.sim.report().logins == 0U);

    auto config = router_config();
    config.username = "reader";
    Lab second{options, config};
    BOOST_REQUIRE(second.sync());
    second.claim(1, {"203.0.113.1"}, 300, 330, 1);
    second.run_for(100'000);
    BOOST_TEST((second.outcomes[1] == Outcome::failed));
    second.claim(1, {"203.0.113.2"}, 300, 330, 2);
    BOOST_TEST((second.outcomes[2] == Outcome::failed));
    second.run_for(600 * kSecond);
    BOOST_TEST(second.sentences.size() == 2U);
    BOOST_TEST(second.logged("does not let user reader write"));
    BOOST_TEST(second.sim.report().traps < 45U);  // two rows, every half a minute

    // A reload brings the right password: the rows that were claimed in between are written.
    config = lab.config;
    config.password = "right";
    lab.router->configure(config, lab.now_ms());
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 1U);
    BOOST_TEST(lab.sentences.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_full_router_is_reported_once) {
    auto options = fast();
    options.max_rows = 5;
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 20; ++i)
        lab.claim(1, {"203.0.113." + std::to_string(i)}, 1770, 1800, i);
    lab.run_for(600 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 5U);
    for (unsigned i = 1; i <= 20; ++i)
        BOOST_TEST((lab.outcomes.at(i) == (i <= 5 ? Outcome::installed : Outcome::failed)));
    BOOST_TEST(lab.sentences.size() == 2U);  // in sync; a refused row
    BOOST_TEST(lab.logged("refused a row (203.0.113.6 in list policy_v4): failure: out of memory"));
    BOOST_TEST(lab.logged("no memory for more rows: lower `max_ttl`"));
    BOOST_TEST(lab.sim.report().traps < 600 * 20U);
    lab.sim.set_max_rows(std::nullopt);
    lab.run_for(5 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 20U);
    BOOST_TEST(lab.sentences.size() == 3U);
    BOOST_TEST(lab.logged("accepts the rows that it refused"));
    // Full again is news.
    lab.sim.set_max_rows(20);
    lab.claim(1, {"203.0.113.21"}, 300, 330);
    lab.run_for(kSecond);
    BOOST_TEST(lab.sentences.size() == 4U);
}

BOOST_AUTO_TEST_CASE(old_routers_get_a_challenge_login) {
    auto options = fast();
    options.version = {6, 42};
    options.users = {{"admin", "secret", {"read", "write", "api"}}};
    auto config = router_config();
    config.password = "secret";
    Lab lab{options, config};
    BOOST_TEST(lab.sync());
}

BOOST_AUTO_TEST_CASE(two_lists_with_one_name_share_rows) {
    auto other = list_config(2);
    other.tag = "ros_other";
    Lab lab{fast(), router_config({list_config(1), other})};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1"}, 300, 330, 1);
    lab.run_for(100'000);
    lab.claim(2, {"203.0.113.1"}, 300, 320, 2);
    BOOST_TEST((lab.outcomes[2] == Outcome::already_there));
    lab.claim(2, {"203.0.113.1"}, 900, 930, 3);
    lab.run_for(100'000);
    BOOST_TEST((lab.outcomes[3] == Outcome::installed));
    BOOST_TEST(lab.adds == 1U);
    BOOST_TEST(lab.installed_until(1, "203.0.113.1") == lab.installed_until(2, "203.0.113.1"));
}

BOOST_AUTO_TEST_CASE(cleanup_removes_only_rows_that_this_process_wrote) {
    Lab lab{fast()};
    lab.sim.add_row(rossim::Family::ipv4, "policy_v4", "203.0.113.1", 900,
                    "forgedns;pg=ros_policy;kind=D;dm=x", lab.now_us);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.1", "203.0.113.2", "2001:db8::1"}, 300, 330);
    lab.run_for(1'000'000);
    BOOST_TEST(lab.rows("policy_v4").size() == 2U);
    lab.router->cleanup(lab.now_ms());
    BOOST_REQUIRE(lab.run_until(lab.now_us + 5'000'000, [&] { return lab.router->cleaned(); }));
    BOOST_REQUIRE(lab.rows("policy_v4").size() == 1U);
    BOOST_TEST(lab.rows("policy_v4")[0].address == "203.0.113.1");
    BOOST_TEST(lab.rows("policy_v6").empty());
}

BOOST_AUTO_TEST_CASE(a_print_finds_changes_that_listen_missed) {
    auto options = fast();
    options.listen_tells_expiry = false;
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 1; i <= 50; ++i)
        lab.claim(1, {"203.0.113." + std::to_string(i)}, 30, 60);
    lab.run_for(120'000'000);
    BOOST_TEST(lab.rows("policy_v4").empty());
    BOOST_TEST(lab.router->status().rows_ours == 50U);
    lab.claim(1, {"203.0.113.1"}, 30, 60, 1);
    lab.run_for(100'000);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    lab.run_for(1800LL * 1'000'000);
    BOOST_TEST(lab.router->counters().prints == 4U);
    BOOST_TEST(lab.router->status().rows_ours == 0U);
}

// --- scripts ------------------------------------------------------------------------------------

constexpr unsigned kMany = 300;
// A row whose end was read is known to less than a second, and renewed for that.
constexpr std::int64_t kRenewalSlackS = 660;

// Each with a timeout of its own.
void claim_many(Lab& lab, unsigned count = kMany, std::string_view name = "www.stream.example.") {
    for (unsigned i = 0; i < count; ++i)
        lab.claim(1, {nth(i)}, 300 + i, 330 + i, 0, name);
}

// Every row once, for as long as it was claimed, and not much longer.
void check_many(const Lab& lab, std::int64_t claimed_us, std::int64_t slack_s = 0,
                unsigned count = kMany) {
    BOOST_TEST(lab.rows("policy_v4").size() == count);
    for (unsigned i = 0; i < count; ++i) {
        const auto row = lab.row("policy_v4", nth(i));
        BOOST_REQUIRE(row);
        const std::int64_t end_us = lab.now_us + row->left_us.value_or(0);
        BOOST_TEST(end_us >= claimed_us + (330 + i) * kSecond);
        BOOST_TEST(end_us <= claimed_us + (332 + slack_s + i) * kSecond);
        BOOST_TEST(row->comment == "forgedns;pg=ros_policy;kind=D;dm=www.stream.example");
        const auto until_s = lab.installed_until(1, nth(i));
        BOOST_TEST(until_s * kSecond <= end_us);
        BOOST_TEST((until_s + 3) * kSecond >= end_us);
    }
}

std::uint64_t executed(const Lab& lab) {
    const auto found = lab.sim.report().commands.find("/execute");
    return found == lab.sim.report().commands.end() ? 0 : found->second;
}

BOOST_AUTO_TEST_CASE(many_rows_are_written_by_scripts) {
    for (const char* line_end : {"\n", "\r\n"}) {
        auto options = fast();
        options.script_line_end = line_end;
        Lab lab{options};
        BOOST_REQUIRE(lab.sync());
        const auto claimed_us = lab.now_us;
        claim_many(lab);
        lab.run_for(3 * kSecond);
        check_many(lab, claimed_us);
        BOOST_TEST(lab.adds == kMany);
        BOOST_TEST(lab.router->counters().rows_added == kMany);
        BOOST_TEST(lab.router->counters().scripts == executed(lab));
        BOOST_TEST(executed(lab) > 3U);
        BOOST_TEST(lab.sim.report().commands.find("/ip/firewall/address-list/add")->second < 60U);
        BOOST_TEST(lab.router->counters().prints == 2U);
        BOOST_TEST(lab.router->counters().lookups == 0U);
        // Their ids are known.
        claim_many(lab);
        for (unsigned i = 0; i < kMany; ++i)
            lab.claim(1, {nth(i)}, 900, 930);
        lab.run_for(5 * kSecond);
        BOOST_TEST(lab.router->counters().rows_extended == kMany);
        BOOST_TEST(lab.adds == kMany);
    }
}

BOOST_AUTO_TEST_CASE(scripts_need_a_router_with_them_and_the_setting) {
    auto old = fast();
    old.version = {6, 49};
    auto config = router_config();
    Lab six{old, config};
    config.scripts = false;
    Lab unwanted{fast(), config};
    for (Lab* const lab : {&six, &unwanted}) {
        BOOST_REQUIRE(lab->sync());
        const auto claimed_us = lab->now_us;
        claim_many(*lab);
        lab->run_for(3 * kSecond);
        check_many(*lab, claimed_us);
        BOOST_TEST(executed(*lab) == 0U);
        BOOST_TEST(!lab->logged("scripts"));
    }
}

BOOST_AUTO_TEST_CASE(scripts_keep_comments_byte_for_byte) {
    auto list = list_config();
    list.list4 = "a \"b\" $c";
    list.tag = "q\\u?o[te]{s}";
    list.prefix = "$pre \xc3\xa4";
    Lab lab{fast(), router_config({list})};
    BOOST_REQUIRE(lab.sync());
    claim_many(lab, 50, "a\"$b\\c?d.example.");
    lab.run_for(2 * kSecond);
    const auto rows = lab.rows(list.list4);
    BOOST_TEST(executed(lab) > 1U);
    BOOST_TEST(!lab.logged("scripts"));
    BOOST_REQUIRE(rows.size() == 50U);
    for (const auto& row : rows) {
        BOOST_TEST(row.comment == "$pre \xc3\xa4;pg=q\\u?o[te]{s};kind=D;dm=a\"$b\\c?d.example");
    }
}

BOOST_AUTO_TEST_CASE(a_row_that_a_script_could_not_add_is_retried_by_an_add) {
    auto options = fast();
    options.max_rows = 200;
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    const auto claimed_us = lab.now_us;
    claim_many(lab);
    lab.run_for(3 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == 200U);
    BOOST_TEST(executed(lab) > 0U);
    BOOST_TEST(lab.router->counters().rows_failed >= 100U);
    BOOST_TEST(lab.logged("out of memory"));
    BOOST_TEST(!lab.logged("scripts"));
    lab.sim.set_max_rows(std::nullopt);
    lab.run_for(10 * kSecond);
    check_many(lab, claimed_us);
}

BOOST_AUTO_TEST_CASE(a_foreign_row_that_blocks_a_script_is_found) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    claim_many(lab);
    BOOST_REQUIRE(lab.run_until(lab.now_us + kSecond, [&] { return executed(lab) >= 2; }));
    const auto there = lab.rows("policy_v4").size();
    for (unsigned i = 0; i < kMany; ++i) {
        if (lab.row("policy_v4", nth(i))) continue;
        lab.sim.add_row(rossim::Family::ipv4, "policy_v4", nth(i), 900, "of a human", lab.now_us);
    }
    lab.run_for(3 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == kMany);
    BOOST_TEST(there < kMany);
    BOOST_TEST(lab.router->status().rows_foreign == kMany - there);
    BOOST_TEST(lab.removes == 0U);
    for (unsigned i = 0; i < kMany; ++i)
        BOOST_TEST(lab.installed_until(1, nth(i)) > 0U);
}

BOOST_AUTO_TEST_CASE(a_router_that_refuses_scripts_gets_adds) {
    for (const char* message : {"not enough permissions (9)", "unknown parameter as-string",
                                "no such command", "failure: something else"}) {
        Lab lab{fast()};
        rossim::Fault fault;
        fault.command = "^/execute$";
        fault.times = 0;
        fault.message = message;
        lab.sim.inject(fault);
        for (unsigned session = 1; session <= 2; ++session) {
            BOOST_REQUIRE(lab.sync());
            const auto claimed_us = lab.now_us;
            claim_many(lab);
            lab.run_for(5 * kSecond);
            const bool begun = std::string_view{message}.starts_with("failure");
            check_many(lab, claimed_us, begun ? kRenewalSlackS : 0);
            BOOST_TEST(executed(lab) == session);  // once in each
            BOOST_TEST(lab.router->counters().rows_failed == 0U);
            BOOST_TEST(std::ranges::count_if(lab.sentences, [](const std::string& sentence) {
                           return sentence.find("does not run scripts") != sentence.npos;
                       }) == 1);
            BOOST_TEST(!lab.logged("does not let"));
            BOOST_TEST((lab.router->counters().lookups > 0U) == begun);
            lab.run_for(1'500 * kSecond);  // until they have ended
            BOOST_TEST(lab.rows("policy_v4").empty());
            lab.sim.reboot(kSecond, lab.now_us);
            lab.run_for(5 * kSecond);
        }
    }
}

BOOST_AUTO_TEST_CASE(unknown_results_of_a_script_are_looked_up) {
    auto options = fast();
    options.script_line_end = " ";
    Lab lab{options};
    BOOST_REQUIRE(lab.sync());
    const auto claimed_us = lab.now_us;
    claim_many(lab);
    lab.run_for(3 * kSecond);
    check_many(lab, claimed_us, kRenewalSlackS);
    BOOST_TEST(lab.adds == kMany);
    BOOST_TEST(executed(lab) == 1U);
    BOOST_TEST(lab.router->counters().lookups == 1U);
    BOOST_TEST(lab.logged("does not run scripts"));
}

BOOST_AUTO_TEST_CASE(foreign_changes_to_rows_of_a_running_script_are_noticed) {
    Lab lab{fast()};
    BOOST_REQUIRE(lab.sync());
    claim_many(lab);
    std::vector<std::string> fresh;  // there, and the script that added them has not ended
    const auto runs = [&] {
        fresh.clear();
        for (unsigned i = 0; i < kMany; ++i) {
            if (lab.row("policy_v4", nth(i)) && lab.installed_until(1, nth(i)) == 0)
                fresh.push_back(nth(i));
        }
        return executed(lab) >= 2 && fresh.size() >= 3;
    };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 3 * kSecond, runs));
    const auto family = rossim::Family::ipv4;
    BOOST_REQUIRE(lab.sim.remove_row(family, "policy_v4", fresh[0], lab.now_us));
    rossim::RowEdit edit;
    edit.timeout_s = 20;
    BOOST_REQUIRE(lab.sim.edit_row(family, "policy_v4", fresh[1], edit, lab.now_us));
    edit.comment = "of a human";
    BOOST_REQUIRE(lab.sim.edit_row(family, "policy_v4", fresh[2], edit, lab.now_us));
    lab.run_for(3 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == kMany);
    BOOST_TEST(*lab.row("policy_v4", fresh[1])->left_us > 300 * kSecond);
    BOOST_TEST(lab.row("policy_v4", fresh[2])->comment == "of a human");
    for (const auto& address : fresh) {
        const auto end_us = lab.now_us + *lab.row("policy_v4", address)->left_us;
        BOOST_TEST(lab.installed_until(1, address) * kSecond <= end_us, address);
    }
}

BOOST_AUTO_TEST_CASE(a_session_that_ends_within_a_script_leaves_no_write_pending) {
    for (const bool goes_on : {false, true}) {
        auto options = fast();
        options.script_outlives_session = goes_on;
        Lab lab{options};
        BOOST_REQUIRE(lab.sync());
        const auto claimed_us = lab.now_us;
        claim_many(lab);
        BOOST_REQUIRE(lab.run_until(lab.now_us + kSecond, [&] { return executed(lab) >= 3; }));
        lab.run_for(6'000);  // some rows of it are there
        lab.close();
        lab.router->closed("reset", lab.now_ms());
        lab.run_for(5 * kSecond);
        BOOST_TEST(lab.router->counters().connects == 2U);
        check_many(lab, claimed_us, kRenewalSlackS);
        BOOST_TEST(lab.adds == kMany);
        BOOST_TEST(lab.removes == 0U);
    }
}

BOOST_AUTO_TEST_CASE(held_answers_do_not_wait_behind_a_script) {
    for (const char* preset : {"fast", "slow"}) {
        rossim::Options options;
        options.costs = rossim::built_in_presets().get(preset);
        options.latency_us = 2'000;
        auto list = list_config();
        list.sync_timeout_ms = 500;
        Lab lab{options, router_config({list})};
        lab.reachable = false;
        lab.start();
        claim_many(lab, 1500);
        lab.run_for(kSecond);
        lab.reachable = true;
        const auto works = [&] { return lab.router->counters().scripts >= 3; };
        BOOST_REQUIRE(lab.run_until(lab.now_us + 30 * kSecond, works));
        lab.claim(1, {"198.51.100.250"}, 300, 330, 1000);
        lab.run_for(kSecond);  // what was sent before anybody waited
        const auto before = lab.router->counters();
        std::int64_t longest_us = 0;
        for (unsigned i = 1; i <= 10; ++i) {
            const auto asked_us = lab.now_us;
            lab.claim(1, {"198.51.100." + std::to_string(i)}, 300, 330, i);
            BOOST_REQUIRE(
                lab.run_until(lab.now_us + kSecond, [&] { return lab.outcomes.contains(i); }));
            longest_us = std::max(longest_us, lab.settled_at_us[i] - asked_us);
            lab.run_for(50'000);
        }
        const auto after = lab.router->counters();
        const auto scripts = static_cast<double>(after.scripts - before.scripts);
        BOOST_REQUIRE(scripts >= 5);
        const double rows = static_cast<double>(after.rows_added - before.rows_added) / scripts;
        const double script_us = rows * static_cast<double>(options.costs.add);
        BOOST_TEST_MESSAGE(preset << ": scripts of " << script_us / 1000 << " ms, longest hold "
                                  << longest_us / 1000 << " ms");
        BOOST_TEST(script_us <= 22'000);
        BOOST_TEST(longest_us < 80'000);
    }
}

// What is configured and its version lacks: in the status, and in the log once for each version.
BOOST_AUTO_TEST_CASE(what_a_version_lacks_is_reported_once) {
    auto list = list_config();
    list.list6 = "policy_v6";
    const auto texts_of = [&](const rossim::Options& options) {
        Lab lab{options, router_config({list})};
        BOOST_REQUIRE(lab.sync());
        const auto lacks = lab.router->status().lacks;
        for (const std::string& text : lacks)
            BOOST_TEST(lab.logged(text) == 1U, text);
        lab.sim.reboot(kSecond, lab.now_us);
        lab.run_for(30 * kSecond);
        BOOST_TEST((lab.router->status().state == RouterState::in_sync));
        for (const std::string& text : lacks)
            BOOST_TEST(lab.logged(text) == 1U, text);
        return lacks;
    };
    auto options = fast();
    options.version = {7, 21};
    BOOST_TEST(texts_of(options).empty());
    options.version = {7, 6};
    BOOST_TEST(
        texts_of(options) ==
            std::vector<std::string>{"RouterOS 7.6 has no /execute with as-string (7.8 and newer "
                                     "have it): rows are added one by one"},
        boost::test_tools::per_element());
    options.version = {6, 49};
    BOOST_TEST(texts_of(options).size() == 3U);
    options.claimed_version = "banana";
    BOOST_TEST(texts_of(options).empty(), "nothing is concluded from it");
}

BOOST_AUTO_TEST_CASE(versions_are_read_and_compared_by_their_minor_release) {
    BOOST_TEST((Version::parse("7.16.2 (stable)") == Version{7, 16, 2}));
    BOOST_TEST((Version::parse("7.17rc1") == Version{7, 17, 0}));
    for (const char* const text : {"", "7", "banana", "v7.1"})
        BOOST_TEST(!Version::parse(text), text);
    const Feature& late = feature(FeatureId::forwarders);  // seen first in 7.17.1
    BOOST_TEST(lacks({7, 16, 9}, late));
    BOOST_TEST(!lacks({7, 17, 0}, late));
    BOOST_TEST(find_feature("address lists") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
