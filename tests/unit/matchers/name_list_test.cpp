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

BOOST_AUTO_TEST_CASE(the_first_line_tells_the_form) {
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

BOOST_AUTO_TEST_CASE(dnsmasq_lines_name_domains) {
    check(read_names("# c\naddress=/a.example/B.example/0.0.0.0\nserver=/c.example/#  # why\n"
                     "server=192.0.2.1\naddress=/#/0.0.0.0\nmx-host=d.example\nlocal=/e.example\n",
                     "f", ListForm::automatic),
          {"2 domain:a.example", "2 domain:b.example", "3 domain:c.example"},
          {"f:5: \"#\" in \"address=/#/0.0.0.0\" is no name",
           "f:6: \"mx-host\" names no domain with all below it: only address=, server=, local=, "
           "ipset= and nftset= do",
           "f:7: no '/' behind the name in \"local=/e.example\""},
          1);
}

BOOST_AUTO_TEST_CASE(a_policy_zone_is_two_sets) {
    const std::string zone =
        "$TTL 2h ; c\n$ORIGIN rpz.example.\n@ IN SOA ns. a. (1 2\n 3 4 5)\n  NS ns.\n"
        "ads.example CNAME .\n*.ads.example 60 IN CNAME .\n*.only.example CNAME .\n"
        "ok.example CNAME rpz-passthru.\nAbs.example.rpz.example. A 192.0.2.1\n"
        "32.1.2.0.192.rpz-ip CNAME .\nx.example\n";
    check(read_names(zone, "z", ListForm::automatic),
          {"7 domain:ads.example", "10 full:abs.example"},
          {"z:11: \"32.1.2.0.192.rpz-ip\" is no trigger by the question's name",
           "z:12: no type of a record in \"x.example\"",
           "z:8: \"*.only.example\" without \"only.example\": a set cannot hold what is below a "
           "name alone"},
          3);
    BOOST_TEST(
        rules_of(read_names(zone, "z", ListForm::rpz_passthru)) == Texts{"9 full:ok.example"},
        boost::test_tools::per_element());
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
           "f:6: include:../x is no name of a file beside this one",
           "f:7: \"x\" behind the rule \"c.example\": expected @ATTRIBUTE or &LIST"},
          0);
}

BOOST_AUTO_TEST_CASE(includes_have_an_end) {
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

// Rules of AdGuard, wildcards, URLs and pages would be names that nobody asks for.
BOOST_AUTO_TEST_CASE(what_is_no_host) {
    const auto names = read_names(
        "||a.example^\n@@b.example\n*.c.example\nhttp://d.example/x\n<p>\n! e\n0.0.0.0 "
        "f$g\nh_1.example\n",
        "f", ListForm::adlist);
    BOOST_TEST(names.list.rules.size() == 1U);
    BOOST_TEST(names.list.bad.count() == 7U);
    BOOST_TEST(errors_of(names).front() == "f:1: \"||a.example^\" is no name of a host");
}

BOOST_AUTO_TEST_CASE(odd_files_are_sentences) {
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
