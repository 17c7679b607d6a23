#include "control/sources/blocking/rule_book.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

namespace steer::blocking {
namespace {

Rule rule(const std::string& name, const std::string& clients = "", bool allows = false) {
    Rule out;
    out.name = name;
    out.clients = clients;
    out.allows = allows;
    return out;
}

Rule put(RuleBook& book, Rule one) {
    auto good = RuleBook::checked(std::move(one));
    BOOST_REQUIRE(good);
    std::vector<Rule> replaced;
    auto made = book.put(*std::move(good), replaced);
    BOOST_REQUIRE(made);
    return *made;
}

RuleBook again(const RuleBook& book, std::size_t& left_out) {
    return RuleBook::read(boost::json::parse(book.text()).as_object(), left_out);
}

BOOST_AUTO_TEST_SUITE(rule_book)

BOOST_AUTO_TEST_CASE(names_and_clients_get_their_usual_form) {
    const auto good = RuleBook::checked(rule("ADS.Example.", "02-00-00-00-00-0A"));
    BOOST_REQUIRE(good);
    BOOST_TEST(good->name == "ads.example");
    BOOST_TEST(good->clients == "02:00:00:00:00:0a");
    BOOST_TEST(RuleBook::checked(rule("x.example", "192.0.2.7/32"))->clients == "192.0.2.7");
    BOOST_TEST(RuleBook::checked(rule("x.example", "192.0.2.7/24"))->clients == "192.0.2.0/24");
    BOOST_TEST(RuleBook::checked(rule("x.example", "2001:DB8::1"))->clients == "2001:db8::1");
}

BOOST_AUTO_TEST_CASE(what_is_no_name_no_client_or_no_text_is_refused) {
    for (const char* const name : {"", "a..b", "<script>..",
                                   "x."
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
        BOOST_TEST(RuleBook::checked(rule(name)).has_error());
    BOOST_TEST(RuleBook::checked(rule("a.example", "nobody")).has_error());
    Rule noted = rule("a.example");
    noted.note = "line\nbreak";
    BOOST_TEST(RuleBook::checked(noted).has_error());
    noted.note = std::string(RuleBook::kMostNote + 1, 'x');
    BOOST_TEST(RuleBook::checked(noted).has_error());
    noted.note = "for the homework";
    BOOST_TEST(!RuleBook::checked(noted).has_error());
}

BOOST_AUTO_TEST_CASE(a_rule_replaces_that_with_the_same_name_and_clients) {
    RuleBook book;
    const Rule first = put(book, rule("a.example"));
    const Rule other = put(book, rule("a.example", "192.0.2.1"));
    const Rule second = put(book, rule("A.example", "", true));
    BOOST_TEST(book.rules().size() == 2U);
    BOOST_TEST(first.number < other.number);
    BOOST_TEST(other.number < second.number);
    BOOST_TEST(book.rules().back().allows);
    BOOST_TEST(book.remove("a.example", std::string("192.0.2.1")).size() == 1U);
    BOOST_TEST(book.remove("a.example", std::nullopt).size() == 1U);
    BOOST_TEST(book.remove(99).empty());
}

BOOST_AUTO_TEST_CASE(a_full_book_refuses_further_rules_and_keeps_what_it_has) {
    RuleBook book;
    for (std::size_t i = 0; i < RuleBook::kMostRules; ++i)
        put(book, rule("n" + std::to_string(i) + ".example"));
    std::vector<Rule> replaced;
    BOOST_TEST(book.put(*RuleBook::checked(rule("more.example")), replaced).has_error());
    BOOST_TEST(replaced.empty());
    BOOST_TEST(!book.put(*RuleBook::checked(rule("n1.example", "", true)), replaced).has_error());
    BOOST_REQUIRE(replaced.size() == 1U);
    BOOST_TEST(!replaced.front().allows);
    BOOST_TEST(book.rules().size() == RuleBook::kMostRules);
}

BOOST_AUTO_TEST_CASE(the_file_brings_the_same_rules_back) {
    RuleBook book;
    Rule noted = rule(
        "b\xc3\xbc"
        "cher.example",
        "10.0.0.0/8", true);
    noted.note = "quote \" and <b>";
    noted.until_s = 1234;
    put(book, noted);
    Rule pause = rule(".", "", true);
    pause.plugin = "ads";
    pause.list = "https://lists.example/hosts";
    put(book, pause);
    const Rule gone = put(book, rule("last.example"));
    book.remove(gone.number);
    std::size_t left_out = 9;
    RuleBook read = again(book, left_out);
    BOOST_TEST(left_out == 0U);
    BOOST_TEST(read.text() == book.text());
    // A removed rule's number is not used again: a person may still have it on the screen.
    BOOST_TEST(put(read, rule("new.example")).number == gone.number + 1);
}

BOOST_AUTO_TEST_CASE(rules_that_cannot_be_read_are_counted_and_others_stay) {
    std::size_t left_out = 0;
    const auto file = boost::json::parse(R"({"rules": [
        {"number": 1, "does": "block", "name": "a.example", "until_s": 0, "made_s": 0},
        {"number": 2, "does": "explode", "name": "a.example"},
        {"number": 0, "does": "block", "name": "b.example"},
        {"number": 3, "does": "allow", "name": "no..name"},
        {"number": -4, "does": "allow", "name": "c.example"},
        {"number": 5, "does": "allow", "name": "c.example", "clients": "x"}, 7 ]})");
    const RuleBook book = RuleBook::read(file.as_object(), left_out);
    BOOST_TEST(book.rules().size() == 1U);
    BOOST_TEST(left_out == 6U);
}

// A rule that ends `seconds` after `now`.
Rule for_a_time(const std::string& name, const RuleTime& now, std::int64_t seconds) {
    Rule one = rule(name);
    one.until_s = now.wall_s + seconds;
    one.boot_until_s = now.boot_s + seconds;
    return one;
}

BOOST_AUTO_TEST_CASE(expired_rules_are_taken_out_in_time) {
    const RuleTime now{.wall_s = 1'000'000, .boot_s = 10};
    RuleBook book;
    put(book, for_a_time("a.example", now, 100));
    put(book, for_a_time("b.example", now, 50));
    put(book, rule("c.example"));
    BOOST_TEST(book.remove_expired({1'000'049, 59}).empty());
    BOOST_TEST(book.remove_expired({1'000'050, 60}).size() == 1U);
    const auto table = table_rules(book, {});
    BOOST_REQUIRE(table.size() == 2U);
    BOOST_TEST(table.front().rule.until_s == 110U);
    BOOST_TEST(table.back().rule.until_s == UINT32_MAX);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_ends_and_revives_nothing) {
    const RuleTime now{.wall_s = 1'000'000, .boot_s = 10};
    RuleBook book;
    put(book, for_a_time("a.example", now, 100));
    // By 50 years on, and back.
    BOOST_TEST(book.remove_expired({1'000'000'000'000, 109}).empty());
    BOOST_TEST(table_rules(book, {}).front().rule.until_s == 110U);
    // The file has what is left by the new clock.
    book.set_ends({5'000'000, 60});
    BOOST_TEST(book.rules().front().until_s == 5'000'050);
    BOOST_TEST(book.remove_expired({5, 110}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(ends_of_a_file_hold_by_either_clock) {
    RuleBook book;
    put(book, for_a_time("a.example", {1'000'000, 10}, 100));
    std::size_t left_out = 0;
    RuleBook read = again(book, left_out);
    read.set_ends({1'000'040, 5});
    BOOST_TEST(table_rules(read, {}).front().rule.until_s == 65U);
    read.set_ends({2'000'000, 30});  // later, the clock was set
    BOOST_TEST(table_rules(read, {}).front().rule.until_s == 65U);
    BOOST_TEST(RuleBook(read).remove_expired({1'000'099, 64}).empty());
    BOOST_TEST(RuleBook(read).remove_expired({1'000'100, 20}).size() == 1U);
    BOOST_TEST(RuleBook(read).remove_expired({1'000'041, 65}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(numbers_begin_again_after_the_last_one) {
    std::size_t left_out = 0;
    const auto file = boost::json::parse(
        R"({"last_number": 4294967295, "rules": [{"number": 9, "does": "block", "name": "a.example"}]})");
    RuleBook book = RuleBook::read(file.as_object(), left_out);
    BOOST_TEST(put(book, rule("b.example")).number == 2U);
    BOOST_TEST(book.rules().front().number == 1U);
}

Rule for_group(const std::string& name, const std::string& group, bool allows = false) {
    Rule out = rule(name, "", allows);
    out.group = group;
    return out;
}

BOOST_AUTO_TEST_CASE(a_url_or_two_words_are_no_name) {
    for (const char* const text : {"https://www.a.example/x", "a b.example"})
        BOOST_TEST(RuleBook::checked(rule(text)).has_error(), text);
}

BOOST_AUTO_TEST_CASE(a_rule_is_for_clients_or_for_a_group) {
    Rule both = for_group("a.example", "children");
    both.clients = "192.0.2.1";
    BOOST_TEST(RuleBook::checked(both).error().text.find("for clients or for a group") !=
               std::string::npos);
    BOOST_TEST(RuleBook::checked(for_group("a.example", "a\nb")).has_error());
    BOOST_TEST(RuleBook::checked(for_group("a.example", " The kids "))->group == "The kids");
}

BOOST_AUTO_TEST_CASE(rules_for_groups_are_apart_from_those_for_everyone) {
    RuleBook book;
    put(book, rule("a.example"));
    put(book, for_group("a.example", "children"));
    put(book, for_group("a.example", "guests"));
    put(book, for_group("a.example", "children", true));  // in place of the second
    BOOST_TEST(book.rules().size() == 3U);
    std::size_t left_out = 9;
    BOOST_TEST(again(book, left_out).text() == book.text());
    BOOST_TEST(left_out == 0U);
    BOOST_TEST(book.remove("a.example", std::nullopt, "children").size() == 1U);
    BOOST_TEST(book.remove("a.example", std::string()).size() == 1U);
    BOOST_TEST(book.rules().size() == 1U);
    BOOST_TEST(book.rules().front().group == "guests");
}

BOOST_AUTO_TEST_CASE(rules_for_a_group_have_its_devices_and_are_not_cached) {
    RuleBook book;
    put(book, for_group("a.example", "children", true));
    put(book, for_group("b.example", "children"));
    put(book, for_group("c.example", "gone"));
    clients::GroupBook groups;
    BOOST_REQUIRE(groups.add("children", {"192.0.2.0/24", "02:00:00:00:00:01"}, {}));
    const auto table = table_rules(book, groups);
    BOOST_REQUIRE(table.size() == 2U);
    for (const NameRules::Named& one : table) {
        BOOST_TEST((one.rule.audience == NameRule::Audience::group));
        BOOST_TEST(!one.rule.may_be_cached);
        BOOST_TEST(one.rule.is_for(*IpAddress::parse("192.0.2.9"), nullptr, 0));
        BOOST_TEST(one.rule.is_for(*IpAddress::parse("192.0.3.9"), nullptr, 0x020000000001));
        BOOST_TEST(!one.rule.is_for(*IpAddress::parse("192.0.3.9"), nullptr, 0));
    }
    BOOST_TEST(table.front().rule.group == table.back().rule.group);
    BOOST_REQUIRE(groups.add("gone", {}, {}));  // has no devices: no list can say it
    BOOST_TEST(adguard_text(book, groups) ==
               "! Rules of SteerDNS\n"
               "@@||a.example^$client='02:00:00:00:00:01'|'192.0.2.0/24'\n"
               "||b.example^$client='02:00:00:00:00:01'|'192.0.2.0/24'\n");
}

BOOST_AUTO_TEST_CASE(the_exported_list_is_one_of_adguard) {
    RuleBook book;
    put(book, rule("ads.example"));
    Rule exact = rule("x.example", "192.0.2.1", true);
    exact.is_exact = true;
    exact.note = "a note";
    put(book, exact);
    put(book, rule(".", "", true));
    BOOST_TEST(adguard_text(book, {}) ==
               "! Rules of SteerDNS\n||ads.example^\n! a note\n@@|x.example^$client='192.0.2.1'\n");
}

BOOST_AUTO_TEST_CASE(a_rule_is_the_same_on_another_box) {
    RuleBook book;
    Rule made = rule("ads.example", "192.0.2.7", true);
    made.note = "for the homework";
    made.who = "anna";
    made.until_s = 1'900'000'000;
    const Rule here = put(book, std::move(made));
    const std::string key = shared_key(here), value = shared_value(here, 0);
    const auto there = rule_of_shared(key, value, 0);
    BOOST_REQUIRE(there);
    BOOST_TEST(shared_key(*there) == key);
    BOOST_TEST(shared_value(*there, 0) == value);
    BOOST_TEST(there->note == "for the homework");
    BOOST_TEST(there->until_s == 1'900'000'000);
    BOOST_TEST(value.find("number") == std::string::npos);
    for (const char* const other :
         {"", "garbage", "[]", "{}", R"({"does":"block","name":"b.example"})",
          R"({"does":"allow","name":"a b","clients":"192.0.2.7"})"})
        BOOST_TEST(rule_of_shared(key, other, 0).has_error(), other);
    // Ends are of the fleet's clock: a box whose clock is an hour behind it, and one that is ahead.
    const auto ahead = rule_of_shared(key, shared_value(here, 3'600), -600);
    BOOST_REQUIRE(ahead);
    BOOST_TEST(ahead->until_s == here.until_s + 3'600 + 600);
    BOOST_TEST(name_of_shared(key) == "ads.example");
    Rule legal = here;
    legal.suspends = true;
    BOOST_TEST(rule_of_shared(key, shared_value(legal, 0), 0).has_error());
}

BOOST_AUTO_TEST_CASE(a_rule_is_found_by_its_key_until_it_is_removed) {
    RuleBook book;
    const Rule first = put(book, rule("a.example"));
    put(book, rule("b.example", "192.0.2.7"));
    const std::string key = shared_key(first);
    BOOST_REQUIRE(book.find(key) != nullptr);
    BOOST_TEST(book.find(key)->number == first.number);
    const Rule again = put(book, rule("a.example", "", true));  // takes its place
    BOOST_TEST(book.find(key)->number == again.number);
    BOOST_TEST(book.rules().size() == 2U);
    std::size_t left_out = 0;
    BOOST_TEST(
        RuleBook::read(boost::json::parse(book.text()).as_object(), left_out).find(key)->allows);
    book.remove(again.number);
    BOOST_TEST((book.find(key) == nullptr));
    BOOST_TEST((book.find("garbage") == nullptr));
    Rule legal = rule("a.example", "", true);
    legal.suspends = true;
    const Rule suspension = put(book, legal);
    BOOST_TEST((book.find(shared_key(suspension)) == nullptr));
    BOOST_TEST((book.find("s" + shared_key(suspension)) == nullptr));
    book.remove(std::set<std::uint32_t>{suspension.number});
    put(book, rule("a.example"));
    BOOST_TEST(book.rules().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::blocking
