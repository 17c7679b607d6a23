// The limits of a dynamic_domain_set: the number of rules, who added them, and how long learned names stay.
#include "control/sources/rules/bounded_change.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "control/sources/rules/rule_origins.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::rules;
using Is = BoundedChange::Is;

BOOST_AUTO_TEST_SUITE(bounded_change)

namespace {

constexpr std::int64_t kNow = 1'767'225'600'000;

struct BoundedSet {
    BoundedSet() {
        file.tag = "own";
        file.file = folder / "names.txt";
        file.origins_file = folder / "names.meta.json";
        file.max_entries = 3;
    }
    static OwnedChange add(const std::string& rule, ChangedBy by) {
        return {*make_change(true, rule), by};
    }
    static OwnedChange remove(const std::string& rule, ChangedBy by = ChangedBy::person) {
        return {*make_change(false, rule), by};
    }
    BoundedChange change(const std::vector<OwnedChange>& changes, std::int64_t now_ms = kNow) {
        auto done = change_bounded(file, changes, now_ms);
        BOOST_REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().text));
        return *std::move(done);
    }
    Is learn(const std::string& rule, std::int64_t now_ms = kNow) {
        return change({add(rule, ChangedBy::query)}, now_ms).results.at(0);
    }
    [[nodiscard]] std::string rules() const { return folder.read("names.txt"); }
    [[nodiscard]] RuleOrigins origins() const { return *read_rule_origins(file.origins_file); }

    steer::test::TempFolder folder;
    config::RuleFile file;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_learned_name_never_removes_another_rule) {
    BoundedSet set;
    set.change({BoundedSet::add("mine.example", ChangedBy::person)});
    BOOST_TEST((set.learn("full:a.example") == Is::changed));
    BOOST_TEST((set.learn("full:b.example") == Is::changed));
    BOOST_TEST((set.learn("full:c.example") == Is::no_room));
    BOOST_TEST((set.learn("full:b.example") == Is::unchanged));
    BOOST_TEST(set.rules() == "mine.example\nfull:a.example\nfull:b.example\n");
    const RuleOrigins expected{{"domain:mine.example", {false, kNow}},
                               {"full:a.example", {true, kNow}},
                               {"full:b.example", {true, kNow}}};
    BOOST_TEST((set.origins() == expected));
    // A batch is taken as far as it fits.
    set.change({BoundedSet::remove("full:a.example")});
    const auto batch = set.change({BoundedSet::add("full:d.example", ChangedBy::query),
                                   BoundedSet::add("full:e.example", ChangedBy::query)});
    BOOST_TEST((batch.results == std::vector{Is::changed, Is::no_room}));
    BOOST_TEST(batch.displaced == 0U);
}

BOOST_AUTO_TEST_CASE(a_rule_of_the_operator_takes_the_place_of_the_name_that_was_learned_first) {
    BoundedSet set;
    set.learn("full:second.example", kNow + 1);
    set.learn("full:first.example", kNow - 5'000);
    set.learn("full:third.example", kNow + 2);
    const auto one = set.change({BoundedSet::add("mine.example", ChangedBy::person)}, kNow + 9);
    BOOST_TEST((one.results == std::vector{Is::changed}));
    BOOST_TEST(one.displaced == 1U);
    BOOST_TEST(set.rules() == "full:second.example\nfull:third.example\nmine.example\n");
    BOOST_TEST(!set.origins().contains("full:first.example"));
    const auto more = set.change({BoundedSet::add("more.example", ChangedBy::person),
                                  BoundedSet::add("most.example", ChangedBy::person),
                                  BoundedSet::add("over.example", ChangedBy::person)},
                                 kNow + 9);
    BOOST_TEST((more.results == std::vector{Is::changed, Is::changed, Is::no_room}));
    BOOST_TEST(more.displaced == 2U);
    BOOST_TEST(set.rules() == "mine.example\nmore.example\nmost.example\n");
    BOOST_TEST((set.learn("full:a.example") == Is::no_room));
}

// Rules that the file had before, or that an editor wrote, are the operator's: nothing says that they were learned.
BOOST_AUTO_TEST_CASE(rules_that_the_origins_do_not_name_are_the_operators) {
    BoundedSet set;
    set.file.entry_ttl_s = 60;
    (void)set.folder.write("names.txt", "# mine\na.example\nfull:b.example\n");
    set.learn("full:c.example", kNow);
    const auto full = set.change({BoundedSet::add("d.example", ChangedBy::person)}, kNow);
    BOOST_TEST(full.displaced == 1U);
    BOOST_TEST(set.rules() == "# mine\na.example\nfull:b.example\nd.example\n");
    BOOST_TEST((set.change({BoundedSet::add("e.example", ChangedBy::person)}).results.at(0) ==
                Is::no_room));
    BOOST_TEST(expired_rules(set.file, kNow + 1'000'000'000)->empty());
}

BOOST_AUTO_TEST_CASE(learned_names_expire_and_rules_of_the_operator_do_not) {
    BoundedSet set;
    set.file.max_entries = 0;
    set.file.entry_ttl_s = 60;
    set.change({BoundedSet::add("mine.example", ChangedBy::person)});
    set.learn("full:old.example", kNow);
    set.learn("full:young.example", kNow + 1);
    BOOST_TEST(expired_rules(set.file, kNow + 59'999)->empty());
    const auto expired = *expired_rules(set.file, kNow + 60'000);
    BOOST_REQUIRE(expired.size() == 1U);
    BOOST_TEST(expired[0].text == "full:old.example");
    const auto done = set.change({{expired[0], ChangedBy::age}}, kNow + 60'000);
    BOOST_TEST((done.results == std::vector{Is::changed}));
    BOOST_TEST(set.rules() == "mine.example\nfull:young.example\n");
    BOOST_TEST(!set.origins().contains("full:old.example"));
}

// Between the search and the removal.
BOOST_AUTO_TEST_CASE(a_learned_name_that_the_operator_adds_does_not_expire) {
    BoundedSet set;
    set.file.entry_ttl_s = 60;
    set.learn("full:a.example", kNow);
    const auto expired = *expired_rules(set.file, kNow + 60'000);
    BOOST_REQUIRE(expired.size() == 1U);
    const auto both = set.change(
        {BoundedSet::add("full:A.example.", ChangedBy::person), {expired[0], ChangedBy::age}},
        kNow + 60'000);
    BOOST_TEST((both.results == std::vector{Is::unchanged, Is::unchanged}));
    BOOST_TEST(set.rules() == "full:a.example\n");
    BOOST_TEST(!set.origins().at("full:a.example").is_learned);
    BOOST_TEST(expired_rules(set.file, kNow + 1'000'000'000)->empty());
    // Removed and learned again, it is a learned name.
    set.change({BoundedSet::remove("full:a.example")});
    set.learn("full:a.example", kNow + 70'000);
    BOOST_TEST(set.origins().at("full:a.example").is_learned);
}

BOOST_AUTO_TEST_CASE(a_clock_that_ran_ahead_does_not_keep_a_name_for_ever) {
    BoundedSet set;
    set.file.entry_ttl_s = 60;
    set.learn("full:a.example", kNow + 1'000'000'000);
    set.learn("full:b.example", kNow);
    BOOST_TEST(set.origins().at("full:a.example").since_ms == kNow);
    BOOST_TEST(expired_rules(set.file, kNow + 60'000)->size() == 2U);
}

BOOST_AUTO_TEST_CASE(without_origins_every_rule_is_the_operators) {
    BoundedSet set;
    set.file.origins_file.clear();
    for (const char* const name : {"full:a.example", "full:b.example", "full:c.example"})
        BOOST_TEST((set.learn(name) == Is::changed));
    const auto none = set.change({BoundedSet::add("mine.example", ChangedBy::person)});
    BOOST_TEST((none.results == std::vector{Is::no_room}));
    BOOST_TEST(set.rules() == "full:a.example\nfull:b.example\nfull:c.example\n");
    BOOST_TEST(!std::filesystem::exists(set.folder / "names.meta.json"));
}

BOOST_AUTO_TEST_CASE(a_set_without_limits_is_changed_as_before) {
    BoundedSet set;
    set.file.max_entries = 0;
    set.file.origins_file.clear();
    set.file.first = {"first.example"};
    const auto done = set.change({BoundedSet::add("a.example", ChangedBy::person),
                                  BoundedSet::add("first.example", ChangedBy::query),
                                  BoundedSet::remove("x.example")});
    BOOST_TEST((done.results == std::vector{Is::changed, Is::unchanged, Is::unchanged}));
    BOOST_TEST(set.rules() == "first.example\na.example\n");
}

// The file as OxiDNS leaves it.
BOOST_AUTO_TEST_CASE(origins_of_oxidns_are_read) {
    BoundedSet set;
    set.file.entry_ttl_s = 1;
    set.file.max_entries = 0;
    (void)set.folder.write("names.txt", "full:expired.example\nfull:manual.example\n");
    (void)set.folder.write("names.meta.json", R"({
  "full:expired.example": {
    "origin": "learned",
    "created_at_ms": 0
  },
  "full:manual.example": {"origin":"manual","created_at_ms":0},
  "full:gone.example": {"origin":"learned","created_at_ms":9}
}
)");
    std::vector<OwnedChange> removals;
    for (RuleChange& change : *expired_rules(set.file, kNow))
        removals.push_back({std::move(change), ChangedBy::age});
    const auto done = set.change(removals);
    BOOST_TEST(
        (done.results == std::vector{Is::changed, Is::unchanged}));  // one is not in the file
    BOOST_TEST(set.rules() == "full:manual.example\n");
    BOOST_TEST((set.origins() == RuleOrigins{{"full:manual.example", {false, 0}}}));
}

BOOST_AUTO_TEST_CASE(damaged_origins_refuse_a_change_and_stay) {
    BoundedSet set;
    set.learn("full:a.example");
    for (const char* const text :
         {"", "[]", "{", R"({"full:a.example": 1})", R"({"full:a.example": {"origin": "learned"}})",
          R"({"full:a.example": {"origin": "learned", "created_at_ms": 1e300}})"}) {
        (void)set.folder.write("names.meta.json", text);
        const auto refused = change_bounded(
            set.file, std::vector{BoundedSet::add("b.example", ChangedBy::person)}, kNow);
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST(refused.error().text.find("names.meta.json: ") != std::string::npos);
        BOOST_TEST(refused.error().text.find("or remove it") != std::string::npos, text);
        BOOST_TEST(set.folder.read("names.meta.json") == text);
        BOOST_TEST(set.rules() == "full:a.example\n");
        BOOST_TEST(expired_rules(set.file, kNow).has_error());
    }
}

// A rule file that cannot be written leaves the origins as they were.
BOOST_AUTO_TEST_CASE(a_failed_change_leaves_the_origins) {
    BoundedSet set;
    set.learn("full:a.example");
    std::filesystem::remove(set.file.file);
    std::filesystem::create_directory(set.file.file);
    BOOST_TEST(!change_bounded(
        set.file, std::vector{BoundedSet::add("full:b.example", ChangedBy::query)}, kNow));
    BOOST_TEST(set.origins().size() == 1U);
}

BOOST_AUTO_TEST_CASE(origins_survive_writing_and_reading) {
    const RuleOrigins origins{{"full:a.example", {true, kNow}},
                              {"regexp:^x\\.\"[0-9]$", {false, 0}},
                              {"domain:\u00e9.example", {true, 7}}};
    BOOST_TEST((*parse_rule_origins(rule_origins_text(origins)) == origins));
    BOOST_TEST((*parse_rule_origins(rule_origins_text({})) == RuleOrigins{}));
}

BOOST_AUTO_TEST_SUITE_END()
