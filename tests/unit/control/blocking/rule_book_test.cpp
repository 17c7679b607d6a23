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
    auto made = book.put(*std::move(good));
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
    BOOST_TEST(book.put(*RuleBook::checked(rule("more.example"))).has_error());
    BOOST_TEST(!book.put(*RuleBook::checked(rule("n1.example", "", true))).has_error());
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
    BOOST_TEST((read.rules() == book.rules()));
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

BOOST_AUTO_TEST_CASE(expired_rules_are_taken_out_in_time) {
    RuleBook book;
    Rule one = rule("a.example");
    one.until_s = 100;
    put(book, one);
    one = rule("b.example");
    one.until_s = 50;
    put(book, one);
    put(book, rule("c.example"));
    BOOST_TEST(book.next_end_s() == 50);
    BOOST_TEST(book.remove_expired(49).empty());
    BOOST_TEST(book.remove_expired(50).size() == 1U);
    BOOST_TEST(book.next_end_s() == 100);
    const auto table = table_rules(book, -90);
    BOOST_REQUIRE(table.size() == 2U);
    BOOST_TEST(table.front().rule.until_s == 10U);
    BOOST_TEST(table.back().rule.until_s == UINT32_MAX);
}

BOOST_AUTO_TEST_CASE(the_exported_list_is_one_of_adguard) {
    RuleBook book;
    put(book, rule("ads.example"));
    Rule exact = rule("x.example", "192.0.2.1", true);
    exact.is_exact = true;
    exact.note = "a note";
    put(book, exact);
    put(book, rule(".", "", true));
    BOOST_TEST(adguard_text(book) ==
               "! Rules of SteerDNS\n||ads.example^\n! a note\n@@|x.example^$client='192.0.2.1'\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::blocking
