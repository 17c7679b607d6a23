// A probe against routers that differ in what it asks about, that refuse it, and that go away in the middle of it.
#include "routeros/probe.h"

#include <boost/test/unit_test.hpp>
#include <tuple>

#include "lab.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

const std::string kProbed{kProbeList};

RouterConfig probing() {
    auto config = router_config();
    config.probe = true;
    return config;
}

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

struct Ours : Lab {
    explicit Ours(rossim::Options options = fast(), RouterConfig with = probing())
        : Lab(std::move(options), std::move(with)) {
        row(rossim::Family::ipv4, "policy_v4", "192.0.2.1", "of a human");
        row(rossim::Family::ipv4, kProbed, "192.0.2.3", "somebody's");
        row(rossim::Family::ipv4, kProbed, "203.0.113.99", "somebody's");
        row(rossim::Family::ipv6, "x", "2001:db8::1", "");
        others = all();
    }
    void row(rossim::Family family, const std::string& list, const std::string& address,
             const std::string& comment, std::optional<std::int64_t> timeout_s = {}) {
        sim.add_row(family, list, address, timeout_s, comment, now_us);
    }
    using Facts = std::tuple<std::uint64_t, std::string, std::string, std::string, bool, bool>;
    [[nodiscard]] std::vector<Facts> all() const {
        std::vector<Facts> facts;
        for (const auto& r : rows(""))
            facts.emplace_back(r.id, r.list, r.address, r.comment, r.dynamic, r.disabled);
        return facts;
    }
    bool finish(std::int64_t limit_s = 60) {
        return run_until(now_us + limit_s * kSecond,
                         [this] { return router->probed().state >= ProbeState::complete; });
    }
    [[nodiscard]] Answer answer(Question question) const {
        return router->probed().findings[question].answer;
    }
    std::vector<Facts> others;
};

BOOST_AUTO_TEST_SUITE(probe)

BOOST_AUTO_TEST_CASE(the_probe_finds_the_behaviour_of_the_router) {
    using rossim::StaticTimeout;
    for (unsigned variant = 0; variant < 3 * 2 * 2 * 2; ++variant) {
        BOOST_TEST_INFO("way " << variant);
        auto options = fast();
        options.static_timeout = static_cast<StaticTimeout>(variant % 3);
        options.multi_id_atomic = variant / 3 % 2 != 0;
        options.zero_timeout_expires = variant / 6 % 2 != 0;
        options.listen_tells_expiry = variant / 12 % 2 != 0;
        options.version = variant % 2 == 0 ? rossim::Version{7, 17} : rossim::Version{7, 21};
        Ours lab{options};
        BOOST_REQUIRE(lab.sync());
        BOOST_REQUIRE(lab.finish());
        const ProbeView view = lab.router->probed();
        BOOST_TEST(label(view.state) == "complete");
        BOOST_TEST(view.error == "");
        constexpr Answer kStatic[] = {Answer::makes_timed, Answer::stays_static, Answer::refused};
        BOOST_TEST(label(lab.answer(Question::static_timeout)) == label(kStatic[variant % 3]));
        const auto several =
            options.multi_id_atomic ? Answer::all_or_nothing : Answer::until_missing;
        BOOST_TEST(label(lab.answer(Question::set_missing)) == label(several));
        BOOST_TEST(label(lab.answer(Question::remove_missing)) == label(several));
        BOOST_TEST(view.findings[Question::remove_missing].text == "no such item");
        const auto zero = options.zero_timeout_expires ? Answer::ends_at_once : Answer::no_timeout;
        BOOST_TEST(label(lab.answer(Question::zero_timeout)) == label(zero));
        const auto reported = options.listen_tells_expiry ? Answer::reported : Answer::not_reported;
        BOOST_TEST(label(lab.answer(Question::listen_expiry)) == label(reported));
        BOOST_TEST(label(lab.answer(Question::execute)) == "accepted");
        BOOST_TEST(label(lab.answer(Question::long_timeout)) == "refused");
        BOOST_TEST(view.findings[Question::long_timeout].text ==
                   "value of timeout is out of range (00:00:00 .. 35w3d13:13:56)");
        BOOST_TEST(label(lab.answer(Question::long_timeout6)) == "accepted");
        BOOST_TEST(view.findings[Question::missing_list].text ==
                   "missing value(s) of argument(s) list");
        BOOST_TEST(view.findings[Question::duplicate].text == "failure: already have such entry");

        BOOST_TEST(count(view.transcript, "\n> ") <= 26U);
        BOOST_TEST((lab.all() == lab.others));
        const auto flash = lab.sim.flash_sectors();
        lab.run_for(120 * kSecond);
        BOOST_TEST(lab.sim.flash_sectors() == flash);
        BOOST_TEST(lab.finds == 1U);
        BOOST_TEST((lab.router->status().findings == view.findings));
        BOOST_TEST((lab.known.begin()->second == view.findings));
        BOOST_TEST(lab.sentences.size() == 2U);  // in sync; was asked
        BOOST_TEST(lab.router->trace().errors().empty());
    }
}

// A router that keeps rows longer than their time: what listen tells of the removal is no expiry.
BOOST_AUTO_TEST_CASE(a_removal_is_not_taken_for_an_expiry) {
    Probe probe{{.questions = true, .listens = true}};
    std::uint64_t now_ms = 1'000;
    RowId id = 0;
    bool removed = false;
    while (!probe.finished()) {
        now_ms = std::max(now_ms, probe.ready_ms()) + 1;
        const auto command = probe.next(now_ms);
        if (!command) continue;
        Ending ending;
        const std::string& words = command->words();
        if (words.find("address-list/add") != words.npos) ending.ret = row_id_text(++id);
        if (words.find("address-list/remove") != words.npos && words.ends_with("=.id=*1")) {
            removed = true;
            BOOST_TEST(!probe.dead(1));
        }
        probe.ended(ending, now_ms);
    }
    BOOST_TEST(removed);
    BOOST_TEST(label(probe.findings()[Question::listen_expiry].answer) == "unknown");
}

// It takes one row longer than its time to go, and tells so only then.
BOOST_AUTO_TEST_CASE(a_slow_router_has_time_to_report_an_expiry) {
    Probe probe{{.questions = true, .listens = true}};
    std::uint64_t now_ms = 1'000;
    RowId id = 0;
    unsigned reads_after_its_time = 0;
    while (!probe.finished()) {
        now_ms = std::max(now_ms, probe.ready_ms()) + 1;
        const auto command = probe.next(now_ms);
        if (!command) continue;
        Ending ending;
        const std::string& words = command->words();
        if (words.find("address-list/add") != words.npos) ending.ret = row_id_text(++id);
        if (words.find("address-list/remove") != words.npos) {
            BOOST_TEST(!words.ends_with("=.id=*1"));
        }
        if (probe.reads() && now_ms > 6'000) {
            if (++reads_after_its_time == 4) {
                BOOST_TEST(probe.dead(1));
            } else {
                const std::string_view row[] = {"=.id=*1"};
                probe.row(ReplyRow{row}, now_ms);
            }
        }
        probe.ended(ending, now_ms);
    }
    BOOST_TEST(reads_after_its_time == 4U);
    BOOST_TEST(label(probe.findings()[Question::listen_expiry].answer) == "reported");
}

BOOST_AUTO_TEST_CASE(old_versions_have_no_execute_as_string) {
    auto options = fast();
    options.version = {6, 49};
    Ours lab{options};
    BOOST_REQUIRE(lab.sync());
    BOOST_REQUIRE(lab.finish());
    BOOST_TEST(label(lab.answer(Question::execute)) == "refused");
    BOOST_TEST(lab.router->probed().findings[Question::execute].text ==
               "unknown parameter as-string");
}

BOOST_AUTO_TEST_CASE(a_version_is_probed_once) {
    Ours lab;
    BOOST_REQUIRE(lab.sync());
    BOOST_REQUIRE(lab.finish());
    const auto adds = lab.adds;
    lab.restart();  // what was found is on file
    BOOST_REQUIRE(lab.sync());
    lab.run_for(120 * kSecond);
    BOOST_TEST(lab.adds == adds);
    BOOST_TEST(lab.router->status().findings.has_value());
    lab.known.clear();
    lab.restart();
    BOOST_REQUIRE(lab.sync());
    BOOST_REQUIRE(lab.finish());
    lab.known.clear();  // no file can be written: the process knows
    lab.reachable = false;
    lab.sim.reboot(kSecond, lab.now_us);
    lab.run_for(5 * kSecond);
    lab.reachable = true;
    const auto adds_then = lab.adds;
    lab.run_for(120 * kSecond);
    BOOST_TEST((lab.router->status().state == RouterState::in_sync));
    BOOST_TEST(lab.adds == adds_then);
}

BOOST_AUTO_TEST_CASE(a_manual_probe_runs_even_for_a_known_version) {
    Ours lab{fast(), router_config()};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(100 * kSecond);
    BOOST_TEST(lab.adds == lab.others.size());
    BOOST_TEST(label(lab.router->probed().state) == "none");
    for (const std::size_t times : {1U, 2U}) {
        lab.router->probe(lab.now_ms());
        BOOST_TEST(label(lab.router->probed().state) == "running");
        BOOST_REQUIRE(lab.finish());
        BOOST_TEST(label(lab.router->probed().state) == "complete");
        BOOST_TEST(lab.finds == times);
    }
    BOOST_TEST((lab.all() == lab.others));
}

BOOST_AUTO_TEST_CASE(the_transcript_is_complete_and_has_no_password) {
    auto options = fast();
    options.users = {{"steer-user", "a-secret", {"read", "write", "api"}}};
    auto config = probing();
    config.username = "steer-user";
    config.password = "a-secret";
    Ours lab{options, config};
    lab.claim(1, {"203.0.113.50"}, 600, 630);
    BOOST_REQUIRE(lab.sync());
    BOOST_REQUIRE(lab.finish());
    const std::string text = lab.router->probed().transcript;
    BOOST_TEST(
        text.starts_with("# SteerDNS's probe of RouterOS 7.21 (stable) on rossim, transcript 1\n"
                         "> 0 ms\n/system/resource/print\n.tag="));
    BOOST_TEST(count(text, "\n> ") == 24U);
    BOOST_TEST(count(text, "!done\n") == 24U);
    BOOST_TEST(count(text, "=board-name=") == 1U);
    BOOST_TEST(count(text, "=timeout=36w\n") == 2U);
    BOOST_TEST(count(text, "listen reported *") == 1U);
    BOOST_TEST(text.find("=script=:put \"steerdns probe\"\n") != text.npos);
    for (const char* secret : {"secret", "steer-user", "203.0.113", "192.0.2.3\n", "somebody"})
        BOOST_TEST(text.find(secret) == text.npos, secret);
    BOOST_TEST(count(text, "=address=***\n=") == 4U);  // two rows, printed twice
}

BOOST_AUTO_TEST_CASE(a_router_that_disconnects_keeps_no_row_of_the_probe) {
    using rossim::FaultKind;
    for (const FaultKind kind : {FaultKind::hang, FaultKind::reset, FaultKind::reboot}) {
        for (const bool applied : {false, true}) {
            for (unsigned skip = 0; skip < 22; ++skip) {
                BOOST_TEST_CONTEXT(rossim::fault_name(kind)
                                   << " applied " << applied << " after " << skip) {
                    Ours lab;
                    rossim::Fault fault;
                    fault.kind = kind;
                    fault.command = "address-list/(add|set|remove)";
                    fault.skip = skip;
                    fault.applied = applied;
                    fault.for_us = 15 * kSecond;
                    lab.sim.inject(fault);
                    BOOST_REQUIRE(lab.sync());
                    const auto struck = [&] { return lab.sim.faults().front().struck > 0; };
                    const bool any = lab.run_until(lab.now_us + 30 * kSecond, struck);
                    BOOST_TEST(any == (skip < 20));
                    lab.run_for(6 * kSecond);
                    if (kind == FaultKind::hang && any)
                        BOOST_TEST((lab.router->status().state != RouterState::in_sync));
                    lab.run_for(9 * kSecond);  // it is there again
                    lab.run_for(60 * kSecond);
                    BOOST_TEST(lab.rows(kProbed).size() == 2U);
                    if (kind != FaultKind::reboot) BOOST_TEST((lab.all() == lab.others));
                    BOOST_TEST(label(lab.router->probed().state) == "complete");
                    BOOST_TEST(lab.finds == 1U);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_probe_that_ends_the_session_is_given_up_after_three_attempts) {
    for (const char* command : {"/execute", "address-list/set"}) {
        Ours lab;
        rossim::Fault fault;
        fault.kind = rossim::FaultKind::reset;
        fault.command = command;
        fault.times = 0;
        const auto id = lab.sim.inject(fault);
        BOOST_REQUIRE(lab.sync());
        lab.run_for(600 * kSecond);
        BOOST_TEST(lab.sim.faults().front().struck == 3U);
        BOOST_TEST((lab.router->status().state == RouterState::in_sync));
        BOOST_TEST((lab.all() == lab.others));
        BOOST_TEST(!lab.router->status().findings.has_value());
        BOOST_TEST(lab.router->probed().error == "the session ended");
        lab.sim.withdraw(id);
        lab.router->probe(lab.now_ms());
        BOOST_REQUIRE(lab.finish());
        BOOST_TEST(label(lab.router->probed().state) == "complete");
    }
}

BOOST_AUTO_TEST_CASE(refusals_are_findings_or_unknown) {
    const std::pair<const char*, Question> refusals[] = {
        {"address-list/set", Question::static_timeout},
        {"execute", Question::execute},
        {"address-list/remove", Question::remove_missing}};
    for (const auto& [command, question] : refusals) {
        Ours lab;
        rossim::Fault fault;
        fault.command = command;
        fault.message = "failure: not today";
        fault.times = 0;
        const auto id = lab.sim.inject(fault);
        BOOST_REQUIRE(lab.sync());
        BOOST_REQUIRE(lab.finish());
        BOOST_TEST(
            (lab.answer(question) == Answer::refused || lab.answer(question) == Answer::unknown));
        BOOST_TEST(lab.router->probed().findings[Question::missing_list].text ==
                   "missing value(s) of argument(s) list");
        lab.sim.withdraw(id);
        lab.run_for(1'900 * kSecond);
        BOOST_TEST((lab.all() == lab.others));
    }
}

BOOST_AUTO_TEST_CASE(without_write_rights_no_probe_runs) {
    auto options = fast();
    options.users = {{"reader", "", {"read", "api"}}};
    auto config = probing();
    config.username = "reader";
    Ours lab{options, config};
    BOOST_REQUIRE(lab.sync());
    const auto before = lab.sim.report().sentences;
    lab.run_for(600 * kSecond);
    BOOST_TEST(lab.sentences.size() == 2U);
    BOOST_TEST(lab.sentences.back().find("not enough permissions") != std::string::npos);
    BOOST_TEST(lab.sim.report().sentences - before <
               340U);  // heartbeats, own addresses, and three tries
    BOOST_TEST((lab.all() == lab.others));
    BOOST_TEST(!lab.router->status().findings.has_value());
    BOOST_TEST(lab.router->probed().error == "not enough permissions (9)");
}

BOOST_AUTO_TEST_CASE(leftovers_of_another_probe_are_removed_but_not_its_live_rows) {
    Ours lab{fast(), router_config()};
    lab.row(rossim::Family::ipv4, kProbed, "192.0.2.18", std::string(kProbeComment));
    lab.row(rossim::Family::ipv4, kProbed, "192.0.2.34", std::string(kProbeComment));
    lab.row(rossim::Family::ipv4, kProbed, "192.0.2.50", std::string(kProbeComment), 300);
    BOOST_REQUIRE(lab.sync());
    lab.router->probe(lab.now_ms());
    lab.run_for(5 * kSecond);  // the other one is running
    BOOST_TEST(lab.rows(kProbed).size() == 5U);
    BOOST_REQUIRE(lab.sim.remove_row(rossim::Family::ipv4, kProbed, "192.0.2.34", lab.now_us));
    lab.row(rossim::Family::ipv4, kProbed, "192.0.2.66", std::string(kProbeComment));
    BOOST_REQUIRE(lab.finish());
    BOOST_TEST(label(lab.router->probed().state) == "complete");
    BOOST_TEST(!lab.Lab::row(kProbed, "192.0.2.18"));
    BOOST_TEST(lab.Lab::row(kProbed, "192.0.2.50").has_value());
    BOOST_TEST(lab.Lab::row(kProbed, "192.0.2.66").has_value());  // it arrived later
    BOOST_TEST(lab.removes == 8U);
}

BOOST_AUTO_TEST_CASE(answers_do_not_wait_for_a_probe) {
    auto options = fast();
    options.costs = rossim::built_in_presets().get("slow");
    auto list = list_config();
    list.sync_timeout_ms = 500;
    auto config = probing();
    config.lists = {list};
    Ours lab{options, config};
    lab.sim.prefill(rossim::Family::ipv4, "others", 10'000, lab.now_us);
    BOOST_REQUIRE(lab.sync());
    std::int64_t longest_us = 0;
    unsigned asked = 0;
    while (lab.router->probed().state < ProbeState::complete && asked < 500) {
        const auto at_us = lab.now_us;
        const std::uint64_t hold = ++asked;
        lab.claim(1, {"203.0." + std::to_string(asked / 250) + "." + std::to_string(asked % 250)},
                  300, 330, hold);
        BOOST_REQUIRE(
            lab.run_until(lab.now_us + kSecond, [&] { return lab.outcomes.contains(hold); }));
        BOOST_TEST((lab.outcomes[hold] == Outcome::installed));
        longest_us = std::max(longest_us, lab.now_us - at_us);
        lab.run_for(50'000);
    }
    BOOST_TEST_MESSAGE(asked << " answers beside a probe waited at most " << longest_us / 1000
                             << " ms; it is " << label(lab.router->probed().state));
    BOOST_TEST(longest_us < 100'000);
    BOOST_TEST(label(lab.router->probed().state) == "complete");
    BOOST_TEST(lab.rows(kProbed).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_probe_that_is_paused_writes_nothing) {
    Ours lab;
    BOOST_REQUIRE(lab.sync());
    const auto with_static = [&] {
        for (const auto& r : lab.rows(kProbed)) {
            if (!r.dynamic && r.comment == kProbeComment) return true;
        }
        return false;
    };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 10 * kSecond, with_static));
    lab.router->pause(lab.now_ms());
    lab.run_for(kSecond);
    const auto changes = lab.adds + lab.removes;
    lab.run_for(400 * kSecond);
    BOOST_TEST(lab.adds + lab.removes == changes);
    lab.router->resume(lab.now_ms());
    lab.run_for(120 * kSecond);
    BOOST_TEST((lab.all() == lab.others));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
