// The watch says what changes, and writes option 108 only.
#include "control/operator/doctor/watch.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

using namespace steer::doctor;

namespace {

using Seen = Nat64Watch::Seen;

const steer::routeros::CommandForm& kForm = steer::routeros::forms::set_network_option;

// A router whose network gives the option, or has it withdrawn.
struct Fake {
    bool is_given = true;
    unsigned writes = 0;
    std::string refusal;

    Round round(Seen nat64) const {
        Round out{{"edge", "7.21.5", "", {}}, nat64, {}, {}, {}};
        out.option.is_given = is_given;
        const std::vector<Change> change{{&kForm, steer::routeros::Menu::ip, {{".id", "*1"}}}};
        if (is_given) {
            out.withdraw = {change, {"the old row"}};
        } else {
            out.option.withdrawn = {"10.0.0.0/24"};
            out.put_back = {change, {"the new row"}};
        }
        return out;
    }
    std::string write() {
        if (!refusal.empty()) return refusal;
        ++writes;
        is_given = !is_given;
        return {};
    }
};

struct Setting {
    explicit Setting(bool fixes) : watch(fixes, out) {}
    void see(Seen nat64, unsigned times = 1) {
        for (unsigned i = 0; i < times; ++i)
            watch.see(router.round(nat64), [&](const auto&) { return router.write(); });
    }
    Fake router;
    std::ostringstream out;
    Watch watch;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(watch)

BOOST_AUTO_TEST_CASE(the_option_is_withdrawn_after_three_and_put_back_after_five) {
    Setting s(true);
    s.see(Seen::dead, 2);
    BOOST_TEST(s.router.is_given);
    s.see(Seen::dead);
    BOOST_TEST(!s.router.is_given);
    BOOST_TEST(s.watch.is_nat64_dead("edge"));
    BOOST_TEST(
        s.out.str().find(
            "the NAT64 was dead in 3 probes in a row: DHCP option 108 is withdrawn\n    do:   ") !=
        std::string::npos);
    BOOST_TEST(s.out.str().find("    undo: the old row\n") != std::string::npos);
    s.see(Seen::dead, 20), s.see(Seen::alive, 4);
    BOOST_TEST(s.router.writes == 1U);
    s.see(Seen::unknown), s.see(Seen::alive);
    BOOST_TEST(s.router.is_given);
    BOOST_TEST(s.router.writes == 2U);
    BOOST_TEST(!s.watch.is_nat64_dead("edge"));
    s.see(Seen::alive, 20);
    BOOST_TEST(s.router.writes == 2U);
}

BOOST_AUTO_TEST_CASE(a_watch_that_starts_again_puts_back_what_another_withdrew) {
    Setting s(true);
    s.router.is_given = false;
    s.see(Seen::alive, 4);
    BOOST_TEST(s.router.writes == 0U);
    s.see(Seen::alive);
    BOOST_TEST(s.router.is_given);
}

BOOST_AUTO_TEST_CASE(it_is_not_put_back_while_advertisements_are_wrong) {
    Setting s(true);
    s.router.is_given = false;
    Round bad = s.router.round(Seen::alive);
    bad.judgement.steps = {{"advertisement", StepEnd::failed, "no PREF64"}};
    for (int i = 0; i < 9; ++i)
        s.watch.see(bad, [&](const auto&) { return s.router.write(); });
    BOOST_TEST(s.router.writes == 0U);
    s.see(Seen::alive);
    BOOST_TEST(s.router.writes == 1U);
}

BOOST_AUTO_TEST_CASE(without_fix_nothing_is_written_and_it_is_reported_once) {
    Setting s(false);
    s.see(Seen::dead, 9);
    s.router.is_given = false;
    s.see(Seen::alive, 9);
    BOOST_TEST(s.router.writes == 0U);
    const std::string output = s.out.str();
    const auto at = output.find("--fix withdraws it");
    BOOST_TEST(at != std::string::npos);
    BOOST_TEST(output.find("--fix withdraws it", at + 1) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refused_write_is_tried_again) {
    Setting s(true);
    s.router.refusal = "not enough permissions (9)";
    s.see(Seen::dead, 4);
    BOOST_TEST(s.out.str().find(
                   "refused: not enough permissions (9); it is tried again in the next round") !=
               std::string::npos);
    s.router.refusal.clear();
    s.see(Seen::dead);
    BOOST_TEST(!s.router.is_given);
}

BOOST_AUTO_TEST_CASE(nothing_is_written_to_a_router_that_was_not_read) {
    Setting s(true);
    s.see(Seen::dead, 2);
    Round silent = s.router.round(Seen::dead);
    silent.judgement.error = "timed out";
    s.watch.see(silent, [&](const auto&) { return s.router.write(); });
    BOOST_TEST(s.router.writes == 0U);
    BOOST_TEST(s.out.str().find("router edge: it cannot be read: timed out\n") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(only_changes_are_reported) {
    std::ostringstream out;
    Watch watch(false, out);
    const auto see = [&](std::vector<std::string> checks, StepEnd end) {
        Round round{{"edge", "7.21.5", "", {}}, Seen::unknown, {}, {}, {}};
        for (const std::string& check : checks)
            round.judgement.findings.push_back({.check = check, .what = "what " + check});
        round.judgement.steps = {{"nat64", end, "text"}};
        out.str("");
        watch.see(round, [](const auto&) { return std::string(); });
        return out.str();
    };
    BOOST_TEST(see({"a"}, StepEnd::ok).find("problem a: what a") != std::string::npos);
    BOOST_TEST(see({"a"}, StepEnd::ok) == "");
    BOOST_TEST(see({"a", "b"}, StepEnd::failed) ==
               "router edge: new: b: what b\nrouter edge: step nat64: ok, now failed\n");
    BOOST_TEST(see({"b"}, StepEnd::failed) == "router edge: gone: a\n");
}

BOOST_AUTO_TEST_SUITE_END()
