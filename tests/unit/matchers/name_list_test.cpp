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

// Exceptions, and rules with a condition.
Texts deciding(const NameList& names) {
    Texts out;
    for (const AdguardRule& rule : names.rules)
        out.push_back(std::to_string(rule.line) + (rule.exception ? " @@" : " ") +
                      text_of(rule.rule));
    return out;
}
NameList read_adguard_list(std::string_view bytes) {
    const TypeNumber type_number = [](std::string_view name) {
        return name == "A" ? std::optional<std::uint16_t>(1) : std::nullopt;
    };
    return read_names(bytes, "f", ListForm::automatic, {{}, type_number});
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

BOOST_AUTO_TEST_CASE(the_format_is_that_of_most_lines) {
    const std::map<std::string, ListForm> forms{
        {"# c\n\n0.0.0.0 a.example\n", ListForm::hosts},
        {"::1\ta.example", ListForm::hosts},
        {"address=/a.example/0.0.0.0", ListForm::dnsmasq},
        {"filter-AAAA=x\n--conf-dir=/etc\n", ListForm::dnsmasq},
        {"; c\n$TTL 60\n", ListForm::rpz},
        {"@ IN SOA a b 1 2 3 4 5", ListForm::rpz},
        {"a.example\n0.0.0.0 b.example", ListForm::rules},
        {"# c\nDOMAIN-SUFFIX,a.example\nIP-CIDR,192.0.2.0/24"
         ",no-resolve\n",
         ListForm::clash},
        {"payload:\n  - '+.a.example'\n", ListForm::clash},
        {"+.a.example\n+.b.example\nc.example\n", ListForm::clash},
        {".a.example\n.b.example\n", ListForm::surge},
        {"host-suffix, a.example, proxy\n"
         "HOST,b.example,proxy\n",
         ListForm::quantumult},
        {"nameserver /a.example/cn\n-.b.example\n", ListForm::smartdns},
        {"! Title\n||a.example^\nb.example\n||c.example^\n", ListForm::adguard},
        {"0.0.0.0 a.example ## why\n", ListForm::hosts},
        // Signs in an expression are those of no other list.
        {"regexp:^ads?$$\nregexp:^ad^$\n", ListForm::rules},
        // One line of another form changes the meaning of no other.
        {"a.example\nb.example\n+.c.example\n", ListForm::rules},
        {"domain:a.example\n||b.example^\n", ListForm::rules},
        {"0.0.0.0", ListForm::rules},
        {"", ListForm::rules}};
    for (const auto& [text, form] : forms)
        BOOST_CHECK_MESSAGE(guess_form(text) == form, text);
}

BOOST_AUTO_TEST_CASE(dnsmasq_lines_give_domains) {
    check(read_names("# c\naddress=/a.example/B.example/0.0.0.0\nserver=/c.example/#  # why\n"
                     "server=192.0.2.1\naddress=/#/0.0.0.0\nmx-host=d.example\nlocal=/e.example\n",
                     "f", ListForm::automatic),
          {"2 domain:a.example", "2 domain:b.example", "5 regexp:."},
          {"f:6: \"mx-host\" does not name a domain with all names below it: only address=, "
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
                     "f", ListForm::v2fly, {beside}),
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
    const auto names = read_names("include:n0\n", "f", ListForm::v2fly, {beside});
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
    BOOST_TEST(errors_of(names).front() ==
               "f:1: \"||a.example^\" is in AdGuard's form: write \"domain:a.example\", or use a "
               "plugin of type 'adguard_rule'");
}

BOOST_AUTO_TEST_CASE(unusual_files_are_refused_with_a_sentence) {
    for (std::size_t form = 0; form <= kListForms.size(); ++form) {
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

BOOST_AUTO_TEST_CASE(dnsmasq_names_may_begin_with_a_dot) {
    const auto names = read_names(
        "address=/.a.example/::\nserver=/b.example/#\nserver=/*.c.example/192.0.2.1\n"
        "server=//192.0.2.8\nnftset=/d.example/4#fw4#vpn\nserver=/e.example/192.0.2.1#53\n",
        "f", ListForm::dnsmasq);
    check(
        names, {"1 domain:a.example", "5 domain:d.example", "6 domain:e.example"},
        {"f:3: \"*.c.example\" in \"server=/*.c.example/192.0.2.1\" is not a name: a wildcard in "
         "the rule \"*.c.example\": write \"domain:c.example\", which holds the name and "
         "everything below it",
         "f:4: \"\" in \"server=//192.0.2.8\" is not a name: a rule without a name: write a name, "
         "or remove the rule"},
        0);
    BOOST_TEST(names.list.bad.left_out_count() == 1U);
}

BOOST_AUTO_TEST_CASE(rules_of_clash_and_surge_are_names) {
    const auto names = read_names(
        "# c\nDOMAIN-SUFFIX,A.example\nDOMAIN,b.example,PROXY\nDOMAIN-KEYWORD,ads\n"
        "IP-CIDR,192.0.2.0/24,no-resolve\nPROCESS-NAME,x\nDOMAIN-REGEX,^a[0-9]\nMATCH,DIRECT\n"
        "DOMAIN-SUFFIX,bad..name // c\ntwo.example,three.example\n",
        "f", ListForm::automatic);
    check(
        names, {"2 domain:a.example", "3 full:b.example", "4 keyword:ads", "7 regexp:^a[0-9]"},
        {"f:9: an empty label in the name \"bad..name\": remove the dot at its start or one of two "
         "dots in a row",
         "f:10: \"two.example,three.example\" is not a rule: expected KEY,VALUE or one name"},
        0);
    BOOST_TEST(names.list.bad.left_out_count() == 3U);
}

// A comma in brackets belongs to the expression, one behind it begins the policy.
BOOST_AUTO_TEST_CASE(an_expression_of_clash_may_have_commas) {
    check(read_names("DOMAIN-REGEX,^ad[0-9]{1,3}[.]example$\nDOMAIN-REGEX,^(a|b{2,})[,x],PROXY\n"
                     "DOMAIN-REGEX,^a\\{1,PROXY\nDOMAIN-REGEX,^c{1,2\n",
                     "f", ListForm::automatic),
          {"1 regexp:^ad[0-9]{1,3}[.]example$", "2 regexp:^(a|b{2,})[,x]", "3 regexp:^a\\{1",
           "4 regexp:^c{1,2"},
          {}, 0);
}

BOOST_AUTO_TEST_CASE(a_payload_of_clash_is_names) {
    check(
        read_names("payload:\n  # c\n  - '+.a.example'\n  - \"b.example\"\n  - c.example # d\n"
                   "  - '.d.example'\n  - '*.e.example'\n  - DOMAIN-SUFFIX,f.example\n",
                   "f", ListForm::automatic),
        {"3 domain:a.example", "4 full:b.example", "5 full:c.example", "8 domain:f.example"},
        {"f:6: \".d.example\" holds the names below without the name itself in Clash, which a set "
         "of names does not support: write \"+.d.example\"",
         "f:7: a wildcard in the rule \"*.e.example\": write \"domain:e.example\", which holds the "
         "name and everything below it"},
        0);
}

BOOST_AUTO_TEST_CASE(a_list_of_surge_has_names_with_a_dot) {
    check(read_names("# c\n.a.example\nb.example\n.c.example // d\n", "f", ListForm::automatic),
          {"2 domain:a.example", "3 full:b.example", "4 domain:c.example"}, {}, 0);
}

BOOST_AUTO_TEST_CASE(rules_of_quantumult_are_names) {
    check(read_names(
              "host-suffix, a.example, proxy\nHOST,b.example,direct\nhost-keyword, ads, reject\n"
              "ip-cidr, 192.0.2.0/24, direct\nc.example\n",
              "f", ListForm::automatic),
          {"1 domain:a.example", "2 full:b.example", "3 keyword:ads"},
          {"f:5: expected 'host-suffix, NAME, POLICY' and not \"c.example\""}, 0);
}

BOOST_AUTO_TEST_CASE(lines_of_smartdns_are_names) {
    const auto names = read_names(
        "nameserver /a.example/cn\ndomain-rules /b.example/ -a #\naddress "
        "/c.example/-\n-.d.example\n"
        "*-.e.example\nf.example\nserver 192.0.2.1\nipset /domain-set:x/y\n",
        "f", ListForm::automatic);
    check(names,
          {"1 domain:a.example", "2 domain:b.example", "4 full:d.example", "6 domain:f.example"},
          {"f:5: \"*-.e.example\" is smartdns's form for the names below: write "
           "\"regexp:[.]e[.]example$\""},
          0);
    BOOST_TEST(names.list.bad.left_out_count() == 3U);
}

BOOST_AUTO_TEST_CASE(a_list_of_adguard_has_names_and_rules_that_decide) {
    const auto names = read_adguard_list(
        "[Adblock Plus 2.0]\n||a.example^\n||b.example^$important\n||c.example^$dnstype=A\n"
        "||d.example^$client=x\n||e.example^\n||e.example^$badfilter\nf.example##.ad\n"
        "@@||b.a.example^\n||g.example^$denyallow=h.g.example\n||i.example^$dnstype=X\n");
    check(names, {"2 domain:a.example", "6 domain:e.example"},
          {"f:11: unknown type \"X\" in dnstype"}, 1);
    BOOST_TEST(
        deciding(names) == (Texts{"3 domain:b.example", "4 domain:c.example", "7 domain:e.example",
                                  "9 @@domain:b.a.example", "10 domain:g.example"}),
        boost::test_tools::per_element());
    BOOST_TEST(names.rules.at(1).types.size() == 1U);
    BOOST_TEST(names.rules.at(2).badfilter);
    BOOST_TEST(names.list.bad.left_out_count() == 1U);
}

// Without its exception the set would have a name that the file leaves out, in whatever form the other lines are.
BOOST_AUTO_TEST_CASE(an_exception_counts_among_lines_of_another_form) {
    const std::pair<const char*, ListForm> kTexts[] = {
        {"a.example\nb.example\n@@||c.a.example^\n", ListForm::rules},
        {"a.example\nb.example\n@@||c.a.example^ # why\n", ListForm::rules},
        {"0.0.0.0 a.example\n0.0.0.0 b.example\n  @@||c.a.example^\n", ListForm::hosts},
        {"address=/a.example/\naddress=/b.example/\n@@||c.a.example^\r\n", ListForm::dnsmasq},
        {"+.a.example\n+.b.example\n@@||c.a.example^", ListForm::clash},
        {"a.example @cn\nb.example @cn\n@@||c.a.example^\n", ListForm::v2fly}};
    for (const auto& [text, form] : kTexts) {
        const auto names = read_names(text, "f", ListForm::automatic);
        BOOST_TEST((names.form == form), text);
        BOOST_TEST(names.list.rules.size() == 2U, text);
        BOOST_TEST(names.list.bad.count() == 0U, text);
        BOOST_TEST(deciding(names) == Texts{"3 @@domain:c.a.example"}, text);
        // A form that a person named has no such lines.
        const auto named = read_names(text, "f", form);
        BOOST_TEST((named.rules.empty() && named.list.rules.size() == 2U), text);
    }
    BOOST_TEST(read_names("a.example\n# @@||b.example^\nregexp:@@\n", "f", ListForm::automatic)
                   .rules.empty());
    check(read_names("a.example\nb.example\n@@||c.example^$client=x\n@@a b\n", "f",
                     ListForm::automatic),
          {"1 domain:a.example", "2 domain:b.example"},
          {"f:4: more than one word in the rule \"a b\""}, 0);
}

// Beside names, and as a whole file: an address would be a name that no client asks for.
BOOST_AUTO_TEST_CASE(addresses_and_numbers_are_no_names_of_a_list) {
    for (const ListForm form : {ListForm::automatic, ListForm::rules, ListForm::clash,
                                ListForm::surge, ListForm::smartdns, ListForm::v2fly}) {
        const auto names = read_names(
            "10.0.0.1\n10.0.0.0/8\n2001:db8::1\n2001:db8::/32\n17\na.17\n10.in-addr.arpa\n"
            "0/25.2.0.192.in-addr.arpa\n17.example\n",
            "f", form);
        BOOST_TEST(names.list.rules.size() == 3U);
        BOOST_TEST(names.list.bad.count() == 6U);
    }
    BOOST_TEST(read_names("10.0.0.1\n", "f", ListForm::automatic).list.bad.errors()[0].sentence() ==
               "f:1: \"10.0.0.1\" is an IP address and not a name: write a name, or read addresses "
               "with a plugin of type 'ip_set'");
}

// dnsmasq removes blanks around '='.
BOOST_AUTO_TEST_CASE(dnsmasq_lines_may_have_blanks_around_the_sign) {
    check(read_names("server = /a.example/1.1.1.1\naddress= /b.example/\nlocal\t=/c.example/\n"
                     "  --nftset  =  /d.example/4#t#s # why\n",
                     "f", ListForm::automatic),
          {"1 domain:a.example", "2 domain:b.example", "3 domain:c.example", "4 domain:d.example"},
          {}, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::matchers
