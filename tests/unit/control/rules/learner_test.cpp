// What becomes of names that learn_domains hand over: batches, their rate, their bounds.
#include "control/sources/rules/learner.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "matchers/suffix/public_suffixes.h"
#include "support/captured_log.h"

namespace steer::rules {
namespace {

// A configuration with one learn_domain 'learn' into the set 'own'; what is begun waits for done().
struct World {
    explicit World(config::LearnDomain args = {}) { follow(std::move(args)); }

    void follow(config::LearnDomain args) {
        config::Settings settings;
        settings.plugins.push_back(
            {.tag = "own", .type = "dynamic_domain_set", .args = config::DomainSet{}});
        args.set = 0;
        settings.rule_files.push_back(
            {.tag = "own", .file = {}, .first = {}, .batch_size = batch_size});
        settings.plugins.push_back({.tag = "learn", .type = "learn_domain", .args = args});
        if (is_double)
            settings.plugins.push_back({.tag = "second", .type = "learn_domain", .args = args});
        learner.follow(settings);
    }
    void done(const Learner::Learned& learned) {
        BOOST_TEST_REQUIRE(!pending.empty());
        const auto first = std::move(pending.front());
        pending.erase(pending.begin());
        first(learned);
    }
    // The count of this result among the metrics.
    std::string count(const std::string& result, const std::string& plugin = "learn") {
        ops::MetricWriter writer;
        learner.write_metrics(writer);
        const std::string text = writer.text(steer::ops::MetricsFormat::openmetrics);
        const std::string key =
            "steerdns_learned_names_total{plugin=\"" + plugin + "\",result=\"" + result + "\"} ";
        const auto at = text.find(key);
        if (at == std::string::npos) return "none";
        const auto begin = at + key.size();
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    std::uint32_t batch_size = 256;
    bool is_double = false, may_reload = true;  // double: a learn_domain 'second' does as 'learn'
    std::vector<Learner::Batch> batches;
    std::vector<std::function<void(const Learner::Learned&)>> pending;
    Learner learner{[this](Learner::Batch batch, auto when_done) {
                        batches.push_back(std::move(batch));
                        pending.push_back(std::move(when_done));
                    },
                    [this] { return may_reload; }};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(learner)

BOOST_AUTO_TEST_CASE(names_become_one_batch_without_duplicates) {
    World w;
    w.learner.check(1'000);
    BOOST_TEST(w.batches.empty());
    for (const char* const name : {"b.example", "a.example", "b.example"})
        w.learner.take("learn", name);
    w.learner.take("nobody", "c.example");
    w.learner.check(1'000);
    BOOST_REQUIRE_EQUAL(w.batches.size(), 1U);
    BOOST_TEST(w.batches[0].set == "own");
    BOOST_TEST(w.batches[0].max_names == 10'000U);
    BOOST_TEST(w.batches[0].rules == (std::vector<std::string>{"full:a.example", "full:b.example"}),
               boost::test_tools::per_element());
    w.done({.added = 1, .unchanged = 1});
    BOOST_TEST(w.count("added") == "1");
    BOOST_TEST(w.count("unchanged") == "2", "and the one that waited already");
    BOOST_TEST(w.count("dropped", "") == "1", "that of nobody");
    w.learner.take_lost();
    BOOST_TEST(w.count("dropped", "") == "2");
}

BOOST_AUTO_TEST_CASE(the_configuration_in_force_decides_the_kind_of_rule) {
    World w;
    config::LearnDomain args;
    args.rule_kind = matchers::RuleKind::domain;
    args.max_names = 7;
    w.follow(args);
    w.learner.take("learn", "a.example");
    w.learner.check(1'000);
    BOOST_TEST(w.batches.at(0).rules.at(0) == "domain:a.example");
    BOOST_TEST(w.batches.at(0).max_names == 7U);
}

BOOST_AUTO_TEST_CASE(a_batch_waits_for_the_one_before_and_for_ten_seconds) {
    World w;
    w.learner.take("learn", "a.example");
    w.learner.check(10'000);
    w.learner.take("learn", "b.example");
    w.learner.check(20'000);
    BOOST_TEST(w.batches.size() == 1U, "the first is not done");
    w.learner.check(40'000);
    BOOST_TEST(w.batches.size() == 1U);
    World quick;
    quick.learner.take("learn", "a.example");
    quick.learner.check(10'000);
    quick.done({.added = 1});
    quick.learner.take("learn", "b.example");
    quick.learner.check(10'000 + Learner::kEveryMs - 1);
    BOOST_TEST(quick.batches.size() == 1U);
    quick.learner.check(10'000 + Learner::kEveryMs);
    BOOST_TEST(quick.batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(long_batches_take_a_tenth_of_the_time) {
    World w;
    w.learner.take("learn", "a.example");
    w.learner.check(10'000);
    w.learner.take("learn", "b.example");
    w.learner.check(14'000);
    w.done({.added = 1});  // it took 4 s
    w.learner.check(14'000 + 36'000 - 1);
    BOOST_TEST(w.batches.size() == 1U);
    w.learner.check(14'000 + 36'000);
    BOOST_TEST(w.batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(names_over_the_limit_are_dropped_and_counted) {
    World w;
    for (std::size_t i = 0; i < Learner::kMaxWaiting + 3; ++i)
        w.learner.take("learn", "n" + std::to_string(i) + ".example");
    w.learner.check(1'000);
    BOOST_TEST(w.count("dropped") == "3");
    std::size_t batches = 0;
    for (std::uint64_t now_ms = 1'000; w.batches.size() > batches; now_ms += Learner::kEveryMs) {
        BOOST_TEST(w.batches[batches].rules.size() == Learner::kMaxAtOnce);
        w.done({.added = 5, .refused = Learner::kMaxAtOnce - 5, .is_full = true});
        ++batches;
        w.learner.check(now_ms + Learner::kEveryMs);
    }
    BOOST_TEST(batches == Learner::kMaxWaiting / Learner::kMaxAtOnce);
    BOOST_TEST(w.count("refused") == std::to_string(Learner::kMaxWaiting - 5 * batches));
}

BOOST_AUTO_TEST_CASE(a_batch_is_no_larger_than_the_sets) {
    World w;
    w.batch_size = 2;
    w.follow({});
    for (const char* const name : {"a.example", "b.example", "c.example"})
        w.learner.take("learn", name);
    w.learner.check(10'000);
    BOOST_TEST(w.batches.at(0).rules.size() == 2U);
    w.done({.added = 1, .later = {"full:b.example"}});  // one found no room
    w.learner.check(20'000);
    BOOST_TEST(
        w.batches.at(1).rules == (std::vector<std::string>{"full:b.example", "full:c.example"}),
        boost::test_tools::per_element());
    w.done({.added = 2});
    BOOST_TEST(w.count("added") == "3");
    BOOST_TEST(w.count("dropped") == "0");
}

BOOST_AUTO_TEST_CASE(learners_take_turns_with_one_pause_for_all) {
    World w;
    w.is_double = true;
    w.follow({});
    for (const char* const tag : {"learn", "second"}) {
        for (std::size_t i = 0; i < 2 * Learner::kMaxAtOnce; ++i)
            w.learner.take(tag, std::string(tag) + std::to_string(i) + ".example");
    }
    std::string order;
    for (std::uint64_t i = 1; i <= 4; ++i) {
        w.learner.check(i * Learner::kEveryMs);
        w.learner.check(i * Learner::kEveryMs);
        BOOST_TEST_REQUIRE(w.batches.size() == i, "one is under way");
        order += w.batches.back().rules.front().starts_with("full:learn") ? 'l' : 's';
        w.done({.added = Learner::kMaxAtOnce});
        w.learner.check((i + 1) * Learner::kEveryMs - 1);
        BOOST_TEST_REQUIRE(w.batches.size() == i, "not yet");
    }
    BOOST_TEST(order == "lsls");
    BOOST_TEST(w.count("added", "second") == std::to_string(2 * Learner::kMaxAtOnce));
}

BOOST_AUTO_TEST_CASE(names_wait_while_files_differ_and_that_is_logged_once) {
    World w;
    w.may_reload = false;
    w.learner.take("learn", "a.example");
    const test::CapturedLog log;
    for (std::uint64_t now_ms = 1'000; now_ms <= 5'000; now_ms += 100)
        w.learner.check(now_ms);
    BOOST_TEST(w.batches.empty());
    BOOST_TEST(log.count("files of the configuration changed") == 1U);
    w.may_reload = true;
    w.learner.check(5'000 + Learner::kHeldEveryMs);
    BOOST_TEST(w.batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_rule_for_a_domain_has_two_labels) {
    World w;
    config::LearnDomain args;
    for (const char* const name : {"com", "."})
        w.learner.take("learn", name);
    w.learner.check(10'000);
    BOOST_TEST(w.batches.at(0).rules.size() == 2U, "a name alone may be any");
    w.done({.added = 2});
    args.rule_kind = matchers::RuleKind::domain;
    w.follow(args);
    for (const char* const name : {"com", ".", "example.com"})
        w.learner.take("learn", name);
    w.learner.check(20'000);
    BOOST_TEST(w.batches.at(1).rules == (std::vector<std::string>{"domain:example.com"}),
               boost::test_tools::per_element());
    BOOST_TEST(w.count("refused") == "2");
}

BOOST_AUTO_TEST_CASE(the_registrable_domain_is_learned_and_no_public_suffix) {
    matchers::PublicSuffixBuilder builder;
    builder.add("co.uk", matchers::PublicSuffixBuilder::Kind::plain, false);
    builder.add("github.io", matchers::PublicSuffixBuilder::Kind::plain, true);
    matchers::PublicSuffixes::publish(builder.build());
    config::LearnDomain args;
    args.rule_kind = matchers::RuleKind::domain;
    World w(args);
    for (const char* const name :
         {"co.uk", "github.io", "bbc.co.uk", "www.bbc.co.uk", "a.www.pages.github.io"})
        w.learner.take("learn", name);
    w.learner.check(10'000);
    BOOST_TEST(w.batches.at(0).rules ==
                   (std::vector<std::string>{"domain:bbc.co.uk", "domain:pages.github.io"}),
               boost::test_tools::per_element());
    BOOST_TEST(w.count("refused") == "2");
    matchers::PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_CASE(names_that_wait_for_another_kind_of_rule_are_dropped) {
    World w;
    for (const char* const name : {"a.example", "b.example"})
        w.learner.take("learn", name);
    w.follow({});
    BOOST_TEST(w.count("dropped") == "0", "nothing changed");
    w.learner.check(10'000);
    w.learner.take("learn", "c.example");
    config::LearnDomain args;
    args.rule_kind = matchers::RuleKind::domain;
    w.follow(args);
    BOOST_TEST(w.count("dropped") == "1");
    w.done({.added = 1, .later = {"full:b.example"}});
    BOOST_TEST(w.count("dropped") == "2");
    w.learner.check(30'000);
    BOOST_TEST(w.batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_learner_that_is_not_configured_any_more_is_forgotten) {
    World w;
    w.learner.take("learn", "a.example");
    w.learner.check(1'000);
    w.learner.take("learn", "b.example");
    w.learner.follow({});
    w.done({.added = 1});
    w.learner.check(10'000);
    BOOST_TEST(w.batches.size() == 1U);
    BOOST_TEST(w.count("added") == "none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::rules
