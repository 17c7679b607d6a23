// The lines of a dnsmasq.conf, and which domain is the longest.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "tools/import/dnsmasq.h"
#include "tools/import/dnsmasq_domains.h"
#include "tools/import/dnsmasq_import.h"

using namespace steer::importing;

namespace {

std::string all_options(std::string_view text) {
    const DnsmasqFile read = read_dnsmasq(text);
    std::string out;
    for (const DnsmasqOption& o : read.options)
        out += std::to_string(o.line) + " " + o.name + "=" + o.value + ";";
    return out + (read.failure ? "failed" : "");
}

BOOST_AUTO_TEST_CASE(options_and_comments_are_parsed) {
    BOOST_TEST(all_options("# a\nport=53 # b\r\n\n--no-resolv\n  server = 1.1.1.1#53\n") ==
               "2 port=53;4 no-resolv=;5 server=1.1.1.1#53;");
    BOOST_TEST(all_options("txt-record=a,\"b # c\"") == "1 txt-record=a,\"b # c\";");
    BOOST_TEST(all_options("address=/#/1.2.3.4") == "1 address=/#/1.2.3.4;");
}

BOOST_AUTO_TEST_CASE(words_are_split_outside_quotes) {
    BOOST_TEST(
        dnsmasq_words("a, \"b,c\" ,\"d\\\"e\"") == (std::vector<std::string>{"a", "b,c", "d\"e"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_files_are_refused) {
    BOOST_TEST(all_options("plugins:\n - tag\n").ends_with("failed"));
    BOOST_TEST(all_options("").ends_with("failed"));
    BOOST_TEST(all_options(std::string_view("port=53\n\0", 9)).ends_with("failed"));
}

std::size_t place_of(const std::string& yaml, std::string_view text) {
    const auto at = yaml.find(text);
    BOOST_TEST(at != std::string::npos, text);
    return at;
}

BOOST_AUTO_TEST_CASE(international_names_get_their_dns_form) {
    const Imported made = import_dnsmasq(
        "server=/m\u00fcnchen.example/192.0.2.1\naddress=/B\u00dcCHER.example/192.0.2.2\n"
        "host-record=stra\u00dfe.example,192.0.2.3\nno-hosts\nno-resolv\n",
        "test");
    BOOST_TEST(made.notes.empty());
    place_of(made.yaml, "xn--mnchen-3ya.example");
    place_of(made.yaml, "{ name: xn--bcher-kva.example");
    place_of(made.yaml, "{ name: xn--strae-oqa.example");
}

BOOST_AUTO_TEST_CASE(a_name_without_a_dns_form_has_a_note_that_says_what_to_write) {
    const Imported made = import_dnsmasq(
        "server=/m\xfcnchen.example/192.0.2.1\nserver=/a "
        "b.example/192.0.2.1\nno-hosts\nno-resolv\n",
        "test");
    BOOST_TEST_REQUIRE(made.notes.size() >= 2U);
    BOOST_TEST(
        made.notes[0].text.find("): write it in UTF-8, or in its xn-- form") != std::string::npos,
        made.notes[0].text);
    BOOST_TEST(made.notes[1].text.find("has ' ' in it") != std::string::npos, made.notes[1].text);
}

BOOST_AUTO_TEST_CASE(the_longest_domain_comes_first) {
    const Imported made = import_dnsmasq(
        "address=/example/192.0.2.1\nserver=/b.example/192.0.2.2\naddress=/a.b.example/192.0.2.3\n"
        "host-record=x.example,192.0.2.4\nno-hosts\n",
        "test");
    BOOST_TEST(made.notes.empty());
    const auto single = place_of(made.yaml, "{ name: x.example"),
               three = place_of(made.yaml, "{ name: a.b.example"),
               two = place_of(made.yaml, "{ name: b.example"),
               one = place_of(made.yaml, "{ name: example");
    BOOST_TEST((single < three && three < two && two < one));
}

// A name that has an address exists, whatever is denied around it: the domain is denied behind it.
BOOST_AUTO_TEST_CASE(a_local_domain_is_denied_behind_its_names) {
    const Imported made =
        import_dnsmasq("local=/lan/\nhost-record=nas.lan,192.0.2.1\nno-hosts\n", "test");
    BOOST_TEST(made.yaml.find("NXDOMAIN") == std::string::npos);
    BOOST_TEST(place_of(made.yaml, "exec: $names") < place_of(made.yaml, "qname domain:lan"));
}

// Within a domain that others are asked about, it is denied before they are asked.
BOOST_AUTO_TEST_CASE(a_local_domain_may_be_within_a_forwarded_one) {
    const Imported made =
        import_dnsmasq("server=/corp/192.0.2.1\nlocal=/x.corp/\nno-hosts\n", "test");
    BOOST_TEST(
        place_of(made.yaml, "{ matches: \"qname domain:x.corp\", exec: \"black_hole nxdomain") <
        place_of(made.yaml, "{ matches: \"qname domain:corp\", exec: \"$servers_1\" }"));
}

BOOST_AUTO_TEST_CASE(a_forwarded_domain_may_be_within_a_local_one) {
    const Imported made =
        import_dnsmasq("local=/corp/\nserver=/x.corp/192.0.2.1\nno-hosts\n", "test");
    place_of(made.yaml,
             "{ matches: [\"qname domain:corp\", \"!qname domain:x.corp\"], exec: \"black_hole "
             "nxdomain");
}

// An exception does not join the outer set.
BOOST_AUTO_TEST_CASE(the_longest_domain_has_the_set) {
    const Imported made = import_dnsmasq(
        "nftset=/example/4#inet#fw4#outer\nnftset=/in.example/4#inet#fw4#inner\n"
        "nftset=/x.in.example/4#inet#fw4#outer\nnftset=/#/4#t#all\nno-hosts\n",
        "test");
    BOOST_TEST(made.notes.empty());
    for (const std::string_view rule :
         {"{ matches: \"qname domain:x.in.example\", exec: \"$set_1\" }",
          "{ matches: [\"qname domain:in.example\", \"!qname domain:x.in.example\"], exec: "
          "\"$set_2\" }",
          "{ matches: [\"qname domain:example\", \"!qname domain:in.example\"], exec: \"$set_1\" }",
          "{ matches: \"!qname domain:example\", exec: \"$set_3\" }", "set_name: outer",
          "set_name: inner", "{ table_family: ip, table_name: t, set_name: all, mask: 32 }"})
        place_of(made.yaml, rule);
    BOOST_TEST(made.yaml.find("set_4") == std::string::npos);  // one plugin for each set
}

BOOST_AUTO_TEST_CASE(the_first_sets_of_a_domain_count) {
    const Imported made =
        import_dnsmasq("ipset=/example/first\nipset=/example/second\nno-hosts\n", "test");
    place_of(made.yaml, "set_name4: first");
    BOOST_TEST(made.yaml.find("set_name4: second") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(filters_reach_names_with_servers_of_their_own) {
    const Imported made = import_dnsmasq(
        "server=/corp.example/"
        "192.0.2.1\nserver=192.0.2.2\nfilter-A\nfilter-AAAA\nfilter-rr=https,65,ANY\n"
        "bogus-nxdomain=192.0.2.9\ndomain-needed\nbogus-priv\nrev-server=10.0.0.0/"
        "8,192.0.2.1\nno-hosts\n",
        "test");
    const auto forwarded = place_of(made.yaml, "exec: \"$servers_1\" }"),
               rest = place_of(made.yaml, "{ matches: \"!has_resp\", exec: \"$forward_main\" }");
    BOOST_TEST(forwarded < rest);
    BOOST_TEST(rest < place_of(made.yaml, "\"resp_ip 192.0.2.9\""));
    BOOST_TEST(rest <
               place_of(made.yaml,
                        "[\"qtype A AAAA HTTPS 65\", has_wanted_ans], exec: \"black_hole nodata"));
    BOOST_TEST(place_of(made.yaml, "qname regexp:^[^.]+$") < forwarded);
    place_of(made.yaml, "\"!qname domain:10.in-addr.arpa\"], exec: \"black_hole nxdomain");
    BOOST_TEST(made.yaml.find("type: FWD") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_above_local_records_exists) {
    const Imported made = import_dnsmasq(
        "local=/lan/\nhost-record=nas.sub.lan,192.0.2.1\ntxt-record=t.e.lan,x\n"
        "caa-record=c.f.lan,0,issue,ca.example\nno-hosts\n",
        "test");
    BOOST_TEST(place_of(made.yaml,
                        "\"qname full:e.lan full:lan full:sub.lan full:t.e.lan\", "
                        "exec: \"black_hole nodata") < place_of(made.yaml, "black_hole nxdomain"));
    place_of(made.yaml, R"("c.f.lan. 0 IN CAA 0 issue \"ca.example\"")");
}

std::string yaml_with(std::string_view options) {
    const Imported made =
        import_dnsmasq(std::string(options) + "\nserver=192.0.2.1\nno-hosts\nno-resolv\n", "test");
    BOOST_TEST(made.notes.empty(), options);
    return made.yaml;
}

BOOST_AUTO_TEST_CASE(options_become_settings) {
    place_of(yaml_with("max-ttl=30"), "cache_max_ttl: 30s");
    place_of(yaml_with("max-ttl=30\ncache-size=0"), "- exec: \"ttl 0-30\"");
    place_of(yaml_with("use-stale-cache"), "lazy_cache_ttl: 1d");
    place_of(yaml_with("use-stale-cache=600"), "lazy_cache_ttl: 10m");
    place_of(yaml_with("use-stale-cache=0"), "lazy_cache_ttl: 4w2d");
    place_of(yaml_with("add-subnet=192.0.2.0/24"), "preset: \"192.0.2.0/24\"");
    place_of(yaml_with("server=/printers.local/192.0.2.2"), "local: true");
    const std::string subnet =
        import_dnsmasq("add-subnet=24,96\nserver=192.0.2.1\nno-hosts\n", "test").yaml;
    place_of(subnet, "send: true");
    place_of(subnet, "mask4: 24");
    BOOST_TEST(place_of(subnet, "- exec: $subnet") < place_of(subnet, "- exec: $answers"));
}

BOOST_AUTO_TEST_CASE(rebinding_protection_has_its_exceptions) {
    place_of(yaml_with("stop-dns-rebind"), "policy:\n  rebind: block\n\nplugins:");
    const std::string all = yaml_with(
        "stop-dns-rebind\nrebind-localhost-ok\nrebind-domain-ok=/lan/.corp.example/\n"
        "rebind-domain-ok=Home.example");
    place_of(all, "rebind_names: [lan, corp.example, home.example]");
    place_of(all, "rebind_nets: [\"127.0.0.0/8\", \"::1/128\"]");
    BOOST_TEST(yaml_with("rebind-localhost-ok").find("policy:\n") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(options_without_a_counterpart_are_noted) {
    for (const std::string_view option :
         {"localise-queries", "rebind-domain-ok=/a b/", "filter-rr=NOTYPE", "filter-rr=ANY",
          "add-subnet=99", "caa-record=a.example,0,issue", "add-subnet"}) {
        const Imported made = import_dnsmasq(
            std::string(option) + "\nserver=192.0.2.1\nno-hosts\nno-resolv\n", "test");
        BOOST_TEST(made.notes.size() == 1U, option);
    }
}

// As the lists of Chinese domains are: a line a domain, the same server in all.
BOOST_AUTO_TEST_CASE(many_domains_have_one_forward_for_each_server) {
    std::string text = "no-hosts\nno-resolv\nserver=192.0.2.1\n";
    for (int i = 0; i < 2000; ++i)
        text += "server=/d" + std::to_string(i) + ".example/192.0.2." + std::to_string(2 + i % 3) +
                "\naddress=/b" + std::to_string(i) + ".example/0.0.0.0\nipset=/d" +
                std::to_string(i) + ".example/far\n";
    const Imported made = import_dnsmasq(text, "test");
    const auto count = [&](std::string_view what) {
        std::size_t n = 0;
        for (auto at = made.yaml.find(what); at != std::string::npos;
             at = made.yaml.find(what, at + 1))
            ++n;
        return n;
    };
    BOOST_TEST(count("type: forward") == 4U);
    BOOST_TEST(count("type: ipset") == 1U);
    BOOST_TEST(count("type: static") == 0U);
    BOOST_TEST(count("exec: \"black_hole 0.0.0.0 short_circuit\"") == 1U);
    BOOST_TEST(count("matches:") < 12U);
}

// Random domains: the first rule that fits, and the only one that fits, are of the longest domain.
BOOST_AUTO_TEST_CASE(rules_choose_the_longest_domain) {
    std::mt19937 source(45);  // NOLINT: the same each time
    const auto random = [&] { return static_cast<unsigned>(source()); };
    const auto name = [&](unsigned most) {
        std::string out = "z";
        for (unsigned i = random() % (most + 1); i > 0; --i)
            out.insert(0, std::string(1, static_cast<char>('a' + random() % 2)) + ".");
        return out;
    };
    const auto is_in = [](const std::string& text, const std::vector<std::string>& domains) {
        return std::ranges::any_of(domains, [&](const std::string& d) {
            return d.empty() || text == d || text.ends_with("." + d);
        });
    };
    for (int round = 0; round < 300; ++round) {
        std::map<std::string, std::size_t> actions;
        for (unsigned i = random() % 8; i > 0; --i)
            actions[random() % 8 == 0 ? "" : name(4)] = random() % 3;
        const auto rules = longest_first(actions);
        for (int i = 0; i < 40; ++i) {
            const std::string text = name(6);
            const auto own = actions.find(text);
            const auto* const right = own != actions.end() ? &*own : above(actions, text);
            std::vector<std::size_t> first, exact;
            for (const DomainRule& rule : rules) {
                if (!is_in(text, rule.within)) continue;
                if (first.empty()) first.push_back(rule.action);
                if (!is_in(text, rule.except)) exact.push_back(rule.action);
            }
            std::vector<std::size_t> wanted;
            if (right != nullptr) wanted.push_back(right->second);
            BOOST_REQUIRE(first == wanted);
            BOOST_REQUIRE(exact == wanted);
        }
    }
}

}  // namespace
