// Lists of names by their form: what is taken, what is a bad line, and what a form is taken for.
#include "matchers/list/name_list.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

namespace steer::matchers {
namespace {

using Texts = std::vector<std::string>;

std::string text_of(const Rule& rule) {
    constexpr const char* kKinds[] = {"full:", "domain:", "keyword:", "regexp:"};
    return kKinds[static_cast<std::size_t>(rule.kind)] + rule.text;
}

Texts rules_of(const NameList& names) {
    Texts out;
    for (const auto& [rule, line] : names.list.rules)
        out.push_back(std::to_string(line) + " " + text_of(rule));
    return out;
}
Texts errors_of(const NameList& names) {
    Texts out;
    for (const Error& e : names.list.bad.errors())
        out.push_back(e.sentence());
    return out;
}

void check(const NameList& names, const Texts& rules, const Texts& errors, std::size_t left_out) {
    BOOST_TEST(rules_of(names) == rules, boost::test_tools::per_element());
    BOOST_TEST(errors_of(names) == errors, boost::test_tools::per_element());
    BOOST_TEST(names.left_out == left_out);
}

BOOST_AUTO_TEST_SUITE(name_list)

BOOST_AUTO_TEST_CASE(a_v2fly_file_is_recognised_by_its_attributes_and_includes) {
    BOOST_TEST((guess_form("ads.example\nmore.example @cn\n") == ListForm::v2fly));
    BOOST_TEST((guess_form("# c\nfull:ads.example @ads @cn # why\n") == ListForm::v2fly));
    BOOST_TEST((guess_form("ads.example &other\n") == ListForm::v2fly));
    BOOST_TEST((guess_form("include:other\n") == ListForm::v2fly));
    BOOST_TEST((guess_form("ads.example # @cn\nregexp:a @cn\nb c\nd @cn x\n") == ListForm::rules));
    std::string many;
    for (int i = 0; i < 65; ++i)
        many += "n" + std::to_string(i) + ".example @cn\n";
    const auto names = read_names(many, "data", ListForm::automatic);
    BOOST_TEST(names.list.rules.size() == 65U);
    BOOST_TEST(names.list.bad.count() == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_line_decides_the_format) {
    const std::map<std::string, ListForm> forms{{"# c\n\n0.0.0.0 a.example\n", ListForm::hosts},
                                                {"::1\ta.example", ListForm::hosts},
                                                {"address=/a.example/0.0.0.0", ListForm::dnsmasq},
                                                {"; c\n$TTL 60\n", ListForm::rpz},
                                                {"@ IN SOA a b 1 2 3 4 5", ListForm::rpz},
                                                {"a.example\n0.0.0.0 b.example", ListForm::rules},
                                                {"0.0.0.0", ListForm::rules},
                                                {"", ListForm::rules}};
    for (const auto& [text, form] : forms)
        BOOST_CHECK_MESSAGE(guess_form(text) == form, text);
}

BOOST_AUTO_TEST_CASE(dnsmasq_lines_give_domains) {
    check(read_names("# c\naddress=/a.example/B.example/0.0.0.0\nserver=/c.example/#  # why\n"
                     "server=192.0.2.1\naddress=/#/0.0.0.0\nmx-host=d.example\nlocal=/e.example\n",
                     "f", ListForm::automatic),
          {"2 domain:a.example", "2 domain:b.example", "3 domain:c.example"},
          {"f:5: \"#\" in \"address=/#/0.0.0.0\" is not a name",
           "f:6: \"mx-host\" does not name a domain with all names below it: only address=, "
           "server=, local=, "
           "ipset= and nftset= do",
           "f:7: no '/' behind the name in \"local=/e.example\""},
          1);
}

BOOST_AUTO_TEST_CASE(a_policy_zone_is_two_sets) {
    const std::string zone =
        "$TTL 2h ; c\n$ORIGIN rpz.example.\n@ IN SOA ns. a. (1 2\n 3 4 5)\n  NS ns.\n"
        "ads.example CNAME .\n*.ads.example 60 IN CNAME .\n"
        "ok.example CNAME rpz-passthru.\nAbs.example.rpz.example. CNAME *.\n"
        "drop.example CNAME rpz-drop.\n";
    check(read_names(zone, "z", ListForm::automatic),
          {"7 domain:ads.example", "9 full:abs.example", "10 full:drop.example"}, {}, 1);
    BOOST_TEST(
        rules_of(read_names(zone, "z", ListForm::rpz_passthru)) == Texts{"8 full:ok.example"},
        boost::test_tools::per_element());
}

// A rule that a set cannot hold is a bad line; otherwise the set would fail open.
BOOST_AUTO_TEST_CASE(a_set_reports_the_rules_of_a_policy_zone_that_do_not_block) {
    const std::string cannot =
        ", which a set of names does not support: use a plugin of type 'rpz'";
    check(read_names("$ORIGIN rpz.example.\n@ SOA ns. a. 1 2 3 4 5\n*.only.example CNAME .\n"
                     "data.example A 192.0.2.1\nalias.example CNAME walled.example.\n"
                     "tcp.example CNAME rpz-tcp-only.\n32.1.2.0.192.rpz-ip CNAME .\n"
                     "32.1.2.0.192.rpz-client-ip CNAME .\nns.example.rpz-nsdname CNAME .\n"
                     "x.example\n",
                     "z", ListForm::rpz),
          {},
          {"z:10: no type of a record behind \"x.example.rpz.example\"",
           "z:4: \"data.example\" has an action other than blocking" + cannot,
           "z:5: \"alias.example\" has an action other than blocking" + cannot,
           "z:6: \"tcp.example\" has an action other than blocking" + cannot,
           "z:7: \"32.1.2.0.192.rpz-ip\" has a trigger other than a name" + cannot,
           "z:8: \"32.1.2.0.192.rpz-client-ip\" has a trigger other than a name" + cannot,
           "z:9: \"ns.example.rpz-nsdname\" has a trigger other than a name" + cannot,
           "z:3: \"*.only.example\" without \"only.example\": a set of names does not support "
           "subdomains without their parent; use a plugin of type 'rpz'"},
          0);
}

BOOST_AUTO_TEST_CASE(a_file_of_v2fly_may_include_others) {
    const std::map<std::string, std::string, std::less<>> files{
        {"other", "x.example @ads @cn\ny.example @ads\nz.example\ninclude:third\n"},
        {"third", "t.example @ads\ninclude:other\n"}};
    const auto beside = [&](std::string_view name) -> std::optional<std::string> {
        const auto at = files.find(name);
        return at == files.end() ? std::nullopt : std::optional(at->second);
    };
    check(read_names("# c\na.example @cn &list # c\nfull:b.example\ninclude:other @ads @-cn\n"
                     "include:none\ninclude:../x\nc.example x\nregexp:^d[0-9]$\n",
                     "f", ListForm::v2fly, beside),
          {"2 domain:a.example", "3 full:b.example", "4 domain:y.example", "4 domain:t.example",
           "8 regexp:^d[0-9]$"},
          {"f:4: include:other comes back to itself", "f:5: include:none cannot be read",
           "f:6: include:../x does not name a file in this folder",
           "f:7: \"x\" after the rule \"c.example\": expected @ATTRIBUTE or &LIST"},
          0);
}

BOOST_AUTO_TEST_CASE(endless_includes_are_refused) {
    int reads = 0;
    const auto beside = [&](std::string_view name) -> std::optional<std::string> {
        ++reads;
        const std::string next = "n" + std::to_string(std::stoi(std::string(name.substr(1))) + 1);
        return "a.example\ninclude:" + next + "\ninclude:" + next + "\n";
    };
    const auto names = read_names("include:n0\n", "f", ListForm::v2fly, beside);
    BOOST_TEST(reads <= 1000);
    BOOST_TEST(names.list.bad.count() > 0U);
}

BOOST_AUTO_TEST_CASE(an_adlist_holds_bare_names_too) {
    check(read_names("0.0.0.0 a.example b.example\nc.example # x\nlocalhost\n# d\n", "f",
                     ListForm::adlist),
          {"1 full:a.example", "1 full:b.example", "2 full:c.example"}, {}, 1);
}

// Rules of AdGuard, wildcards, URLs and pages would become names that no client asks for.
BOOST_AUTO_TEST_CASE(entries_that_are_not_host_names_are_refused) {
    const auto names = read_names(
        "||a.example^\n@@b.example\n*.c.example\nhttp://d.example/x\n<p>\n! e\n0.0.0.0 "
        "f$g\nh_1.example\n",
        "f", ListForm::adlist);
    BOOST_TEST(names.list.rules.size() == 1U);
    BOOST_TEST(names.list.bad.count() == 7U);
    BOOST_TEST(errors_of(names).front() == "f:1: \"||a.example^\" is not a host name");
}

BOOST_AUTO_TEST_CASE(unusual_files_are_refused_with_a_sentence) {
    for (int form = 0; form <= static_cast<int>(ListForm::v2fly); ++form) {
        const auto as = static_cast<ListForm>(form);
        BOOST_TEST(
            errors_of(read_names("\xff\xfe"
                                 "a",
                                 "f", as)) == Texts{"f:1: the file is UTF-16: save it as UTF-8"},
            boost::test_tools::per_element());
        const std::string long_line(1'000'000, 'a');
        const auto names = read_names(long_line + "\n" + std::string(300, 'b') + "\n", "f", as);
        BOOST_TEST(names.list.rules.empty());
        for (const std::string& sentence : errors_of(names))
            BOOST_TEST(sentence.size() < 300U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::matchers
