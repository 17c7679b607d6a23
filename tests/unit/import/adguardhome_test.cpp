// Rules of filter lists as people write them, and the parts of an AdGuardHome.yaml.
#include "tools/import/adguardhome_import.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tools/import/adguardhome_keys.h"
#include "tools/import/blocked_services.h"
#include "tools/import/filter_rule.h"
#include "tools/import/words.h"

using namespace steer::importing;

namespace {

std::string rule_text(std::string_view line) {
    const FilterRule rule = read_filter_rule(line);
    switch (rule.kind) {
        case FilterRule::Kind::nothing:
            return "nothing";
        case FilterRule::Kind::block:
            return "block " + join(rule.rules, " ");
        case FilterRule::Kind::allow:
            return "allow " + join(rule.rules, " ");
        case FilterRule::Kind::answer:
            return "answer " + join(rule.rules, " ") + " " + join(rule.addresses, " ") +
                   rule.executor;
        case FilterRule::Kind::unknown:
            break;
    }
    return "unknown: " + rule.why;
}

Imported import_agh(const std::string& text) {
    return import_adguardhome("dns:\n  bind_hosts: [0.0.0.0]\n" + text, "test",
                              [](const std::string& path) { return path == "/here/list.txt"; });
}

bool holds(const Imported& made, std::string_view text) {
    return made.yaml.find(text) != std::string::npos;
}
std::string notes_of(const Imported& made) {
    std::string out;
    for (const Note& note : made.notes)
        out += note.place + ": " + note.text + "\n";
    return out;
}

BOOST_AUTO_TEST_CASE(rules_that_block_and_allow_are_kept) {
    BOOST_TEST(rule_text("||ads.example^") == "block ||ads.example^");
    BOOST_TEST(rule_text("  ads.example  # here") == "block ads.example");
    BOOST_TEST(rule_text("@@||good.example^$important") == "allow ||good.example^$important");
    BOOST_TEST(rule_text("||x.example^$dnstype=~A|AAAA,denyallow=a.x.example") ==
               "block ||x.example^$dnstype=~A|AAAA,denyallow=a.x.example");
    BOOST_TEST(rule_text("/^ad[0-9]+$/") == "block /^ad[0-9]+$/");
    BOOST_TEST(rule_text("/^a{2}$/$important") == "block /^a{2}$/$important");
    BOOST_TEST(rule_text("||*.track.example^") == "block ||*.track.example^");
    for (const std::string_view line : {"", "! text", "# text", "[Adblock Plus]"})
        BOOST_TEST(rule_text(line) == "nothing");
}

BOOST_AUTO_TEST_CASE(lines_of_hosts_files_block_or_answer) {
    BOOST_TEST(rule_text("0.0.0.0 a.example B.example") == "block a.example b.example");
    BOOST_TEST(rule_text("::1 a.example # text") == "block a.example");
    BOOST_TEST(rule_text("192.0.2.1 nas.example nas") ==
               "answer full:nas.example full:nas 192.0.2.1");
    BOOST_TEST(rule_text("192.0.2.1 a..example").starts_with("unknown: the name 'a..example'"));
}

BOOST_AUTO_TEST_CASE(rewrites_of_rules_become_answers) {
    BOOST_TEST(rule_text("||tv.example^$dnsrewrite=192.0.2.1") ==
               "answer domain:tv.example 192.0.2.1");
    BOOST_TEST(rule_text("|tv.example^$dnsrewrite=NOERROR;AAAA;2001:db8::1") ==
               "answer full:tv.example 2001:db8::1");
    BOOST_TEST(rule_text("||tv.example^$dnsrewrite=REFUSED") ==
               "answer domain:tv.example black_hole refused short_circuit");
    BOOST_TEST(rule_text("/tv/$dnsrewrite=192.0.2.1")
                   .starts_with("unknown: its dnsrewrite is about more"));
    BOOST_TEST(rule_text("||tv.example^$dnsrewrite=other.example")
                   .starts_with("unknown: its dnsrewrite is not"));
}

BOOST_AUTO_TEST_CASE(rules_without_a_counterpart_say_why) {
    BOOST_TEST(
        rule_text("||x.example^$client=Leo").starts_with("unknown: its modifier 'client=Leo'"));
    BOOST_TEST(rule_text("||x.example^$dnstype=NONSENSE").starts_with("unknown: its modifier"));
    BOOST_TEST(rule_text("x.example##.ad") == "unknown: it is about the contents of pages");
    BOOST_TEST(rule_text("||x.example/path^").starts_with("unknown: the name"));
    BOOST_TEST(rule_text("*a*").starts_with("unknown: the pattern '*a*' is too short"));
    BOOST_TEST(
        rule_text("/a(?=b)/").starts_with("unknown: the regular expression cannot be compiled"));
    BOOST_TEST(rule_text("||192.0.2.1^") == "unknown: it is about an address");
    BOOST_TEST(rule_text("two words").starts_with("unknown: it is more than one word"));
}

BOOST_AUTO_TEST_CASE(services_have_lists) {
    BOOST_TEST(service_list("youtube") == "youtube");
    BOOST_TEST(service_list("epic_games") == "epicgames");
    BOOST_TEST(service_list("zhihu") == "zhihu");
    BOOST_TEST(service_list("nonsense").empty());
    BOOST_TEST(service_list("").empty());
}

BOOST_AUTO_TEST_CASE(each_setting_is_listed_once) {
    const auto keys = adguardhome_keys();
    for (const AghKey& key : keys) {
        BOOST_TEST(std::ranges::count_if(keys,
                                         [&](const AghKey& other) {
                                             return other.where == key.where &&
                                                    other.key == key.key;
                                         }) == 1,
                   key.where << " " << key.key);
        BOOST_TEST((key.becomes == AghKey::Becomes::note) == !key.text.empty(), key.key);
    }
}

BOOST_AUTO_TEST_CASE(a_file_without_dns_is_refused) {
    for (const std::string_view text : {"", "a: 1\n", "dns: [1]\n", "plugins:\n  - {tag: a}\n"})
        BOOST_TEST(import_adguardhome(text, "test", [](const std::string&) {
                       return true;
                   }).failure.has_value());
    const Imported wrong = import_agh("  upstream_dns: [\n");
    BOOST_TEST_REQUIRE(wrong.failure.has_value());
    BOOST_TEST(wrong.failure->line > 2);
}

BOOST_AUTO_TEST_CASE(upstreams_of_a_domain_become_zones_the_longest_first) {
    const Imported made = import_agh(
        "  upstream_dns: [192.0.2.1, '[/a.example/b.example/]192.0.2.2', '[/c.a.example/]#', "
        "'[/bad name/]192.0.2.3', "
        "'[/x.example/', '0.0.0.0', 'tls://', 'quic://dns.example']\n");
    const auto first = made.yaml.find("domain:c.a.example");
    const auto second = made.yaml.find("domain:a.example");
    BOOST_TEST((first != std::string::npos && second != std::string::npos && first < second));
    BOOST_TEST(holds(made, "- \"domain:a.example\"\n        - \"domain:b.example\"\n"));
    BOOST_TEST(holds(made, "{ addr: \"quic://dns.example\" }"));
    const std::string notes = notes_of(made);
    for (const std::string_view part :
         {"the domain 'bad name' of an upstream", "expected [/DOMAIN/]SERVER",
          "the upstream '0.0.0.0' is not imported: its address is not that of a server",
          "the upstream 'tls://' is not imported: it has no valid host"})
        BOOST_TEST(notes.find(part) != std::string::npos, part);
}

BOOST_AUTO_TEST_CASE(schedules_become_periods_of_a_time) {
    const Imported made = import_agh(
        "filtering:\n  blocked_services:\n    ids: [youtube]\n    schedule:\n      time_zone: "
        "Europe/Berlin\n"
        "      mon: {start: 18h, end: 20h30m}\n      wed: {start: 18h, end: 20h30m}\n      sun: "
        "{start: 0s, end: 24h}\n"
        "      sat: {start: 22h, end: 24h}\n      fri: {start: 8h, end: 7h}\n");
    BOOST_TEST(holds(made, "timezone: Europe/Berlin"));
    BOOST_TEST(holds(made, "{ start: \"18:00\", end: \"20:30\", weekdays: [mon, wed] }"));
    BOOST_TEST(holds(made, "{ weekdays: [sun] }"));
    BOOST_TEST(holds(made, "{ start: \"22:00\", end: \"00:00\", weekdays: [sat] }"));
    BOOST_TEST(holds(made, "[\"qname $services_1\", \"!$free_1\"]"));
    BOOST_TEST(notes_of(made) ==
               "line 12: the schedule of fri of filtering.blocked_services is not imported: "
               "expected 'start' before 'end', as in 18h and 20h30m\n");
}

BOOST_AUTO_TEST_CASE(equal_groups_share_their_lists) {
    const Imported made = import_agh(
        "  ratelimit: 0\nfilters:\n  - {enabled: true, url: /here/list.txt}\n  - {enabled: true, "
        "url: /gone/list.txt}\nclients:\n  persistent:\n"
        "    - {name: A, ids: [192.0.2.1], use_global_settings: true, use_global_blocked_services: "
        "false}\n"
        "    - {name: B, ids: [192.0.2.2], use_global_settings: true, blocked_services: {ids: "
        "[youtube]}}\n"
        "    - {name: C, ids: [aa-bb-cc-dd-ee-ff], use_global_settings: true, blocked_services: "
        "{ids: [youtube]}}\n");
    BOOST_TEST(std::ranges::count(made.yaml, '$') > 0);
    BOOST_TEST(!holds(made, "ads_"));
    BOOST_TEST(holds(made, "tag: services_b_1"));
    BOOST_TEST(!holds(made, "tag: services_c_1"));
    BOOST_TEST(holds(made, "client_mac aa:bb:cc:dd:ee:ff"));
    BOOST_TEST(notes_of(made).find("the list '/gone/list.txt' is not imported") !=
               std::string::npos);
    BOOST_TEST(notes_of(made).find("the client 'A' has the settings of everyone") !=
               std::string::npos);
}

}  // namespace
