// The compiler of policy: configuration in, program listing and tables out. The listings stand in
// build_programs/: a configuration whose head is the expected program, so that a new shape is a new
// text file.
#include "control/program/build/build.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/config/load.h"
#include "control/config/plugin_type.h"
#include "control/program/build/build_steps.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::build {
namespace {

namespace fs = std::filesystem;
const fs::path kPrograms = fs::path(STEER_SOURCE_ROOT) / "tests/unit/control/build_programs";
const fs::path kWarnings = fs::path(STEER_SOURCE_ROOT) / "tests/unit/control/build_warnings";

config::Settings settings_of(const std::string& text) {
    auto outcome = config::load_text(text, "test.yaml");
    for (const Error& e : outcome.errors)
        BOOST_TEST_MESSAGE(e.sentence());
    BOOST_TEST_REQUIRE(outcome.ok());
    return std::move(outcome.settings);
}

Built build_of(const std::string& text, const Surroundings& surroundings = {}) {
    Registry registry;
    return build(settings_of(text), surroundings, registry);
}

IpAddress address(const char* text) {
    return IpAddress::parse(text).value();
}

// The lines after "# program" up to the first that is no comment.
std::string expected_listing(const fs::path& path) {
    std::ifstream in(path);
    std::string out;
    bool inside = false;
    for (std::string line; std::getline(in, line) && line.starts_with('#');) {
        if (inside) out += line.substr(std::min<std::size_t>(line.size(), 2)) + "\n";
        inside = inside || line == "# program";
    }
    return out;
}

constexpr const char* kForward =
    "  - { tag: fwd, type: forward, args: { upstreams: [{ addr: 192.0.2.1 }] } }\n";

std::string with_main(const std::string& rules, const std::string& more = {}) {
    return std::string("plugins:\n") + kForward + more +
           "  - tag: main\n    type: sequence\n    args:\n" + rules;
}

const std::string kList =
    "address: '198.51.100.1:8728', username: u, password: p, address_list4: v4, address_list6: v6";

BOOST_AUTO_TEST_SUITE(building)

BOOST_AUTO_TEST_CASE(a_shown_line_has_no_secrets) {
    BOOST_TEST(shown_line("  - { tag: f, tsig: { name: k, secret: \"aGk=\" }, password: p }") ==
               "{ tag: f, tsig: { name: k, secret: \"***\" }, password: *** }");
    BOOST_TEST(shown_line("api_secret: abc, token=def") == "api_secret: ***, token=***");
}

BOOST_AUTO_TEST_CASE(programs_equal_their_expected_dumps) {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(kPrograms)) {
        BOOST_TEST_CONTEXT(entry.path().filename()) {
            const auto outcome = config::load(entry.path());
            for (const Error& e : outcome.errors)
                BOOST_TEST_MESSAGE(e.sentence());
            BOOST_TEST_REQUIRE(outcome.ok());
            Registry registry;
            const Built built = build(outcome.settings, {}, registry);
            BOOST_TEST_REQUIRE(built.ok());
            std::ostringstream listing;
            dump_program(*built.snapshot, listing);
            BOOST_TEST(listing.str() == expected_listing(entry.path()));
            ++files;
        }
    }
    BOOST_TEST(files >= 6U);
}

// build_warnings/: configurations whose heads are the expected warnings about their programs.
BOOST_AUTO_TEST_CASE(programs_get_exactly_these_warnings) {
    for (const auto& entry : fs::directory_iterator(kWarnings)) {
        if (entry.path().extension() != ".yaml") continue;
        BOOST_TEST_CONTEXT(entry.path().filename()) {
            const auto outcome = config::load(entry.path());
            for (const Error& e : outcome.errors)
                BOOST_TEST_MESSAGE(e.sentence());
            BOOST_TEST_REQUIRE(outcome.ok());
            Registry registry;
            const Built built = build(outcome.settings, {}, registry);
            BOOST_TEST_REQUIRE(built.ok());
            std::vector<std::string> expected, warnings;
            std::ifstream in(entry.path());
            for (std::string line; std::getline(in, line) && line.starts_with("# warning ");)
                expected.push_back(line);
            for (const Error& w : built.warnings)
                warnings.push_back("# warning " + std::to_string(w.line) + ": " + w.text);
            std::ranges::sort(expected);
            std::ranges::sort(warnings);
            BOOST_TEST(warnings == expected, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(names_find_their_masks_through_nested_sets_and_inline_rules) {
    const Built built = build_of(with_main(
        "      - { matches: qname $outer full:one.example, exec: reject }\n      - { matches: "
        "qname $inner, exec: "
        "reject 3 }\n      - exec: $fwd\n",
        "  - { tag: outer, type: domain_set, args: { exps: [outer.example], sets: [inner] } }\n"
        "  - { tag: inner, type: domain_set, args: { exps: ['regexp:^in+er\\.'] } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const Snapshot& s = *built.snapshot;
    BOOST_TEST_REQUIRE(s.tag_masks.size() == 2U);
    // Sets by name, for a flush by tag: outer is inner, too.
    const auto set = [&built](const std::string& tag) {
        const auto at = std::ranges::find(built.sets, tag, &NamedSet::tag);
        return at == built.sets.end() ? matchers::TagBits{} : at->bits;
    };
    BOOST_TEST(set("outer").any_of(set("inner")));
    BOOST_TEST((set("outer") != set("inner")));
    BOOST_TEST((set("nobody") == matchers::TagBits{}));
    matchers::NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(s.names->prepare(scratch).has_value());
    const auto in = [&](const char* name, std::size_t mask) {
        const auto wire = dns::name_from_text(name).value();
        return s.names->match(wire, scratch).any_of(s.tag_masks[mask]);
    };
    BOOST_TEST((in("a.outer.example", 0) && !in("a.outer.example", 1)));
    BOOST_TEST((in("inner.x", 0) && in("inner.x", 1)));
    BOOST_TEST((in("one.example", 0) && !in("a.one.example", 0)));
    BOOST_TEST((!in("other.example", 0) && !in("other.example", 1)));
}

BOOST_AUTO_TEST_CASE(two_caches_do_not_share_a_dump) {
    const std::string two =
        "  - { tag: one, type: cache, args: { dump_file: /tmp/a } }\n"
        "  - { tag: two, type: cache, args: { dump_file: /tmp/a } }\n";
    const std::string rules = "      - exec: $one\n      - exec: $two\n      - exec: $fwd\n";
    const Built built = build_of(with_main(rules, two));
    BOOST_TEST_REQUIRE(built.errors.size() == 1U);
    BOOST_TEST(built.errors[0].text ==
               "caches 'one' and 'two' have the same dump_file: give each one of its own");
}

BOOST_AUTO_TEST_CASE(designated_resolvers_are_the_servers_with_a_certificate) {
    const std::string servers =
        "  - { tag: dot, type: tcp_server, args: { entry: main, listen: '192.0.2.53:853', cert: "
        "/c, "
        "key: /k } }\n"
        "  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ':53' } }\n";
    const std::string name = "policy: { designated_name: Dns.Example. }\n";
    const Built wanted = build_of(with_main("      - exec: $fwd\n", servers) + name);
    BOOST_TEST_REQUIRE(wanted.ok());
    BOOST_TEST_REQUIRE(wanted.snapshot->answer_tables.size() == 1U);
    BOOST_TEST(wanted.snapshot->answer_tables[0].typed.at(0).qtype == dns::kSvcb);
    const Built none = build_of(with_main("      - exec: $fwd\n", "") + name);
    BOOST_TEST_REQUIRE(none.errors.size() == 1U);
    BOOST_TEST(none.errors[0].text.starts_with("'designated_name' of 'policy' needs a server"));
    const Built silent = build_of(with_main("      - exec: $fwd\n", servers));
    BOOST_TEST(silent.snapshot->answer_tables.empty());
}

BOOST_AUTO_TEST_CASE(a_configuration_without_rules_has_no_image) {
    const Built built = build_of(with_main("      - exec: $fwd\n"));
    BOOST_TEST_REQUIRE(built.ok());
    BOOST_TEST((built.snapshot->names == nullptr));
}

BOOST_AUTO_TEST_CASE(private_and_own_networks_are_allowed_by_default) {
    Surroundings around;
    around.own_networks.push_back(matchers::Prefix::parse("203.0.113.0/24").value());
    const Built built = build_of(with_main("      - exec: $fwd\n"), around);
    for (const char* yes :
         {"127.0.0.1", "10.9.8.7", "172.31.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1",
          "100.127.255.254", "203.0.113.9", "::1", "fe80::1", "fd00::1"}) {
        BOOST_TEST(built.snapshot->allow.contains(address(yes)), yes);
    }
    for (const char* no :
         {"203.0.114.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "2001:db8::1", "172.32.0.1"}) {
        BOOST_TEST(!built.snapshot->allow.contains(address(no)), no);
    }
}

BOOST_AUTO_TEST_CASE(allow_replaces_the_default) {
    const Built built =
        build_of("dataplane: { allow: [192.0.2.0/24] }\n" + with_main("      - exec: $fwd\n"));
    BOOST_TEST(built.snapshot->allow.contains(address("192.0.2.9")));
    BOOST_TEST(!built.snapshot->allow.contains(address("127.0.0.1")));
}

BOOST_AUTO_TEST_CASE(special_ranges_and_our_own_addresses_are_never_claimed) {
    Surroundings around;
    around.own_addresses.push_back(address("203.0.113.53"));
    const Built built =
        build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                           "  - { tag: l, type: ros_address_list, args: { " + kList + " } }\n"),
                 around);
    BOOST_TEST_REQUIRE(built.ok());
    const auto& never = built.snapshot->lists.at(0).never_claim;
    for (const char* yes : {"0.0.0.0", "127.0.0.1", "10.0.0.1", "100.64.0.1", "192.168.1.1",
                            "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1",
                            "ff02::1", "203.0.113.53", "198.51.100.1", "192.0.2.1",
                            // IPv6 that is not global, and no prefix of a dns64
                            "64:ff9b::102:304", "4000::1", "::102:304", "1fff::1", "9000::1"}) {
        BOOST_TEST(never.contains(address(yes)), yes);
    }
    for (const char* no : {"203.0.113.7", "1.1.1.1", "2001:db8::7", "2606:4700::1111", "3fff::1"}) {
        BOOST_TEST(!never.contains(address(no)), no);
    }
}

// The list `l` of a box at 203.0.113.53, its router at 192.0.2.1 and its upstream at 198.51.100.1.
matchers::PrefixSet never_of(const std::string& more) {
    Surroundings around;
    around.own_addresses.push_back(address("203.0.113.53"));
    const Built built = build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                                           "  - { tag: l, type: ros_address_list, args: { " +
                                               kList + ", " + more + " } }\n"),
                                 around);
    BOOST_TEST_REQUIRE(built.ok());
    const auto& list = built.snapshot->lists.at(0);
    for (const auto& [id, terms] : built.routers.at(0).terms)
        BOOST_TEST(!terms.may_claim(address("203.0.113.53")) ==
                   list.never_claim.contains(address("203.0.113.53")));
    return list.never_claim;
}

// Two NAT64 that dns64 names, one of them only for lists of IPv4; and the well-known one.
ClaimTerms terms_behind_nat64(const std::string& more) {
    const Built built = build_of(with_main(
        "      - exec: $l\n      - exec: $both\n      - exec: $four\n      - exec: $fwd\n",
        "  - { tag: both, type: dns64, args: { prefix: '2001:db8:64::/96', claim: both } }\n"
        "  - { tag: four, type: dns64, args: { prefix: '2001:db8:65::/96', claim: ipv4 } }\n"
        "  - { tag: l, type: ros_address_list, args: { " +
            kList + more + " } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    return built.routers.at(0).terms.begin()->second;
}

BOOST_AUTO_TEST_CASE(claims_of_other_boxes_are_judged_by_the_address_behind_a_nat64) {
    const ClaimTerms terms = terms_behind_nat64("");
    for (const char* yes :
         {"64:ff9b::cb00:7107", "2001:db8:64::cb00:7107", "203.0.113.7", "2606:4700::1111"})
        BOOST_TEST(terms.may_claim(address(yes)), yes);
    for (const char* no :
         {"64:ff9b::a00:1", "2001:db8:64::a00:1", "2001:db8:64::c633:6401", "10.0.0.1", "fd00::1",
          "2001:db8:65::cb00:7107"})  // the last: this box claims the IPv4 address alone
        BOOST_TEST(!terms.may_claim(address(no)), no);
}

BOOST_AUTO_TEST_CASE(never_claim_names_addresses_in_the_prefix_of_a_nat64_as_they_are_written) {
    const ClaimTerms terms =
        terms_behind_nat64(", never_claim: ['64:ff9b::cb00:7107', '2001:db8:64::cb00:7180/121']");
    for (const char* no : {"64:ff9b::cb00:7107", "2001:db8:64::cb00:7181"})
        BOOST_TEST(!terms.may_claim(address(no)), no);
    for (const char* yes : {"64:ff9b::cb00:7108", "2001:db8:64::cb00:7107", "203.0.113.7"})
        BOOST_TEST(terms.may_claim(address(yes)), yes);
}

BOOST_AUTO_TEST_CASE(addresses_of_this_system_in_the_prefix_of_a_nat64_are_never_claimed) {
    const std::string text = with_main(
        "      - exec: $l\n      - exec: $six\n",
        "  - { tag: six, type: forward, args: { upstreams: [{ addr: '64:ff9b::cb00:7135' }] } }\n"
        "  - { tag: l, type: ros_address_list, args: { " +
            kList + " } }\n");
    Surroundings around;
    around.own_addresses.push_back(address("64:ff9b::cb00:7136"));
    const Built built = build_of(text, around);
    BOOST_TEST_REQUIRE(built.ok());
    const ClaimTerms& terms = built.routers.at(0).terms.begin()->second;
    // The IPv4 address behind it is the same host.
    for (const char* no : {"64:ff9b::cb00:7135", "64:ff9b::cb00:7136", "203.0.113.53"})
        BOOST_TEST(!terms.may_claim(address(no)), no);
    BOOST_TEST(terms.may_claim(address("64:ff9b::cb00:7137")));
}

BOOST_AUTO_TEST_CASE(every_address_that_this_system_needs_is_never_claimed) {
    const Built built =
        build_of(with_main("      - exec: $l\n      - exec: $encrypted\n",
                           "  - { tag: encrypted, type: forward, args: { upstreams: [\n"
                           "      { addr: 'https://203.0.113.20/dns-query' },\n"
                           "      { addr: 'tls://dns.example', bootstrap: '203.0.113.21' },\n"
                           "      { addr: 'tls://203.0.113.22', socks5: '203.0.113.23:1080' }],\n"
                           "      bootstrap: '[2001:db8::24]:53' } }\n"
                           "  - { tag: l, type: ros_address_list, args: { " +
                               kList + " } }\n") +
                 "fleet: { name: pop, sentinels: ['203.0.113.25:26379', '[2001:db8::26]:26379'], "
                 "master: m, password: p }\n");
    BOOST_TEST_REQUIRE(built.ok());
    const auto& never = built.snapshot->lists.at(0).never_claim;
    for (const char* one : {"203.0.113.20", "203.0.113.21", "203.0.113.22", "203.0.113.23",
                            "203.0.113.25", "2001:db8::26"})
        BOOST_TEST(never.contains(address(one)), one);
    const Built redis =
        build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                           "  - { tag: l, type: ros_address_list, args: { " + kList + " } }\n") +
                 "fleet: { name: pop, redis: '203.0.113.27:6379', password: p }\n");
    BOOST_TEST_REQUIRE(redis.ok());
    BOOST_TEST(redis.snapshot->lists.at(0).never_claim.contains(address("203.0.113.27")));
}

BOOST_AUTO_TEST_CASE(never_claim_adds_to_the_default) {
    const auto never = never_of("never_claim: [203.0.113.0/28, 1.1.1.1]");
    for (const char* yes : {"203.0.113.7", "1.1.1.1", "127.0.0.1", "10.0.0.1", "fd00::1",
                            "203.0.113.53", "192.0.2.1", "198.51.100.1"})
        BOOST_TEST(never.contains(address(yes)), yes);
    for (const char* no : {"203.0.113.16", "1.1.1.2", "2001:db8::7"})
        BOOST_TEST(!never.contains(address(no)), no);
}

BOOST_AUTO_TEST_CASE(an_empty_never_claim_leaves_out_the_special_ranges_alone) {
    const auto never = never_of("never_claim: []");
    for (const char* no : {"10.0.0.1", "100.64.0.1", "192.168.1.1", "169.254.1.1", "0.0.0.1",
                           "240.0.0.1", "2002::1"})
        BOOST_TEST(!never.contains(address(no)), no);
    for (const char* yes :
         {"203.0.113.53", "192.0.2.1", "198.51.100.1", "64:ff9b::1", "fd00::1", "0.0.0.0",
          "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"})
        BOOST_TEST(never.contains(address(yes)), yes);
}

BOOST_AUTO_TEST_CASE(an_address_of_this_system_is_claimed_only_if_allow_claim_names_it) {
    for (const char* wide : {"allow_claim: [203.0.113.0/24, 192.0.2.0/31, 198.51.100.0/24]",
                             "never_claim: [], allow_claim: [0.0.0.0/0]"}) {
        const auto never = never_of(wide);
        for (const char* yes : {"203.0.113.53", "192.0.2.1", "198.51.100.1", "127.0.0.1"})
            BOOST_TEST(never.contains(address(yes)), wide << " " << yes);
    }
    const Built built = build_of(with_main(
        "      - exec: $l\n      - exec: $fwd\n",
        "  - { tag: l, type: ros_address_list, args: { " + kList +
            ", allow_claim: [203.0.113.53/32, 192.0.2.0/31, 10.0.0.0/8, '2001:db8::1'] } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    BOOST_TEST((built.routers.at(0).terms.begin()->second.allowed ==
                std::vector<IpAddress>{address("203.0.113.53"), address("2001:db8::1")}));
    const auto never = never_of("allow_claim: [203.0.113.53/32, 192.0.2.1]");
    for (const char* no : {"203.0.113.53", "192.0.2.1"})
        BOOST_TEST(!never.contains(address(no)), no);
    BOOST_TEST(never.contains(address("198.51.100.1")));
}

BOOST_AUTO_TEST_CASE(allow_claim_loses_against_never_claim_and_what_no_server_has) {
    const auto never = never_of(
        "never_claim: [10.1.0.0/16, 203.0.113.53], "
        "allow_claim: [10.0.0.0/8, 203.0.113.53, 127.0.0.1, 0.0.0.0, 224.0.0.0/4, "
        "255.255.255.255, '::1', '::', 'ff00::/8']");
    for (const char* yes : {"10.1.2.3", "203.0.113.53", "127.0.0.1", "0.0.0.0", "224.0.0.1",
                            "255.255.255.255", "::1", "::", "ff02::1"})
        BOOST_TEST(never.contains(address(yes)), yes);
    BOOST_TEST(!never.contains(address("10.2.0.1")));
}

BOOST_AUTO_TEST_CASE(allow_claim_removes_prefixes_from_never_claimed) {
    const Built built = build_of(
        with_main("      - exec: $l\n      - exec: $fwd\n",
                  "  - { tag: l, type: ros_address_list, args: { " + kList +
                      ", allow_claim: [10.9.0.0/16, 'fd00:1::/32', '64:ff9b::/96'] } }\n"));
    const auto& never = built.snapshot->lists.at(0).never_claim;
    for (const char* yes : {"10.8.255.255", "10.10.0.0", "fd00:2::1", "fd00::1", "64:ff9a::1",
                            "64:ff9b:1::1", "192.168.1.1", "fe80::1"})
        BOOST_TEST(never.contains(address(yes)), yes);
    for (const char* no :
         {"10.9.0.0", "10.9.255.255", "fd00:1::1", "64:ff9b::102:304", "203.0.113.7", "1.1.1.1"})
        BOOST_TEST(!never.contains(address(no)), no);
    const Built all = build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                                         "  - { tag: l, type: ros_address_list, args: { " + kList +
                                             ", never_claim: [], allow_claim: ['::/0'] } }\n"));
    const auto& none = all.snapshot->lists.at(0).never_claim;
    BOOST_TEST(none.contains(address("::1")));
    for (const char* no : {"10.0.0.1", "fd00::1", "9000::1", "1.1.1.1"})
        BOOST_TEST(!none.contains(address(no)), no);
}

BOOST_AUTO_TEST_CASE(names_suffixes_and_clients_have_shares_of_max_rows) {
    const Built built =
        build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                           "  - { tag: l, type: ros_address_list, args: { " + kList +
                               ", max_rows: 10000, max_per_suffix: 50%, "
                               "max_addresses: 16 } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const auto& list = built.routers.at(0).config.lists.at(0);
    BOOST_TEST(list.max_per_name == 500U);
    BOOST_TEST(list.max_per_suffix == 5000U);
    BOOST_TEST(list.max_per_client == 2500U);
    BOOST_TEST(built.snapshot->lists.at(0).max_addresses == 16U);
    const Built small = build_of(with_main(
        "      - exec: $l\n      - exec: $fwd\n",
        "  - { tag: l, type: ros_address_list, args: { " + kList + ", max_rows: 100 } }\n"));
    BOOST_TEST(small.routers.at(0).config.lists.at(0).max_per_name == 64U);
}

BOOST_AUTO_TEST_CASE(sets_routes_and_aliases_have_the_same_shares) {
    const Built built = build_of(
        "opnsense:\n  fw1: { address: 192.0.2.9, key: k, secret: s }\n" +
        with_main("      - exec: $fwd\n      - exec: $a\n      - exec: $b\n      - exec: $c\n"
                  "      - exec: ipset inline4,inet,24\n",
                  "  - { tag: a, type: ipset, args: { set_name4: old, max_elements: 10000, "
                  "max_per_suffix: 50%, max_per_client: 100% } }\n"
                  "  - { tag: b, type: bgp_route, args: { table4: 5301, community: '1:2', "
                  "max_routes: 64 } }\n"
                  "  - { tag: c, type: opnsense_alias, args: { router: fw1, alias4: four, "
                  "alias6: four } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    BOOST_TEST_REQUIRE(built.kernel_sets.size() == 3U);
    using routeros::ShareLimits;
    BOOST_TEST((built.kernel_sets[0].shares == ShareLimits{500, 5'000, SIZE_MAX}));
    BOOST_TEST((built.kernel_sets[1].shares == ShareLimits{}));  // a share is at least 64
    BOOST_TEST((built.kernel_sets[2].shares == ShareLimits{2'500, 12'500, 12'500}));
    BOOST_TEST((built.opnsense.at(0).aliases.at(0).shares == ShareLimits{2'500, 12'500, 12'500}));
}

BOOST_AUTO_TEST_CASE(a_list_is_the_same_to_workers_and_to_its_router) {
    const Built built =
        build_of(with_main("      - exec: $l\n      - exec: $fwd\n",
                           "  - { tag: l, type: ros_address_list, args: { " + kList +
                               ", async: false, min_ttl: 30, max_ttl: 30m, extra_time: 20, "
                               "sync_timeout: 2s, on_timeout: drop, on_full: answer, "
                               "cpu_share: 40, scripts: off, comment_prefix: forgedns, persistent: "
                               "{ ips: [203.0.113.1, "
                               "'2001:db8::/32', 203.0.113.1] } } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const PolicyList& list = built.snapshot->lists.at(0);
    BOOST_TEST(
        (list.synchronous && list.has_v4 && list.has_v6 && list.on_timeout == OnTimeout::drop));
    BOOST_TEST((list.on_full == OnFull::answer));
    BOOST_TEST(list.min_ttl_s == 30U);
    BOOST_TEST(list.max_ttl_s == 1800U);
    BOOST_TEST(list.extra_time_s == 20U);
    BOOST_TEST(list.sync_timeout_ms == 2000U);
    BOOST_TEST_REQUIRE(built.routers.size() == 1U);
    const RouterPlan& plan = built.routers[0];
    BOOST_TEST(plan.config.address == "198.51.100.1:8728");
    BOOST_TEST(plan.transport.host == "198.51.100.1");
    BOOST_TEST(plan.config.routine_share == 0.4);
    BOOST_TEST(!plan.config.scripts);
    const auto& kept = plan.config.lists.at(0);
    BOOST_TEST(kept.id == list.id);
    BOOST_TEST(
        (kept.tag == "l" && kept.prefix == "forgedns" && kept.list4 == "v4" && kept.list6 == "v6"));
    BOOST_TEST(kept.max_ttl_s == 1800U);
    BOOST_TEST_REQUIRE(kept.persistent.size() == 2U);
    BOOST_TEST(kept.persistent[0].to_string() == "203.0.113.1");
    BOOST_TEST(kept.persistent[1].to_string() == "2001:db8::/32");
}

BOOST_AUTO_TEST_CASE(clients_are_divided_by_the_routers_that_serve_them) {
    const Built built = build_of(
        "dataplane: { trusted_forwarders: [10.1.255.0/24] }\n"
        "routers:\n"
        "  a: { address: 198.51.100.1, username: u, password: p, serves: [10.1.0.0/16, "
        "'2001:db8:1::/48'] }\n"
        "  b: { address: 198.51.100.2, username: u, password: p, serves: [10.1.128.0/17, "
        "10.2.0.0/16] }\n"
        "  c: { address: 198.51.100.3, username: u, password: p, serves: [10.2.0.0/15] }\n" +
        with_main("      - exec: $l\n      - exec: $fwd\n",
                  "  - { tag: l, type: ros_address_list, args: { routers: [a, b, c], quorum: any, "
                  "address_list4: v4, address_list6: v6 } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const PolicyList& list = built.snapshot->lists.at(0);
    const auto routers_of = [&](const char* client) {
        std::string names;
        for (const RouterPlan& plan : built.routers) {
            for (const auto& kept : plan.config.lists)
                if (kept.id == list.id_for(address(client))) names += plan.config.name;
        }
        return names;
    };
    BOOST_TEST(routers_of("10.1.0.0") == "a");
    BOOST_TEST(routers_of("10.1.127.255") == "a");
    BOOST_TEST(routers_of("10.1.128.0") == "ab");
    BOOST_TEST(routers_of("10.1.254.255") == "ab");
    BOOST_TEST(routers_of("10.1.255.7") == "abc");  // a forwarder
    BOOST_TEST(routers_of("10.2.0.0") == "bc");
    BOOST_TEST(routers_of("10.3.255.255") == "c");
    BOOST_TEST(routers_of("2001:db8:1::7") == "a");
    for (const char* nobodys :
         {"0.0.0.0", "10.0.255.255", "10.4.0.0", "255.255.255.255",
          "::", "2001:db8:2::", "2001:db8:0:ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
        BOOST_TEST(routers_of(nobodys) == "abc", nobodys);
    for (const RouterPlan& plan : built.routers) {
        for (const auto& kept : plan.config.lists)
            BOOST_TEST((kept.tag == "l" && kept.list4 == "v4" && kept.list6 == "v6"));
        for (const auto& [id, quorum] : plan.quorums)
            BOOST_TEST((quorum == config::Quorum::any));
    }
}

BOOST_AUTO_TEST_CASE(a_router_without_serves_serves_all_clients) {
    const Built built = build_of(
        "routers:\n"
        "  a: { address: 198.51.100.1, username: u, password: p, serves: [10.1.0.0/16] }\n"
        "  b: { address: 198.51.100.2, username: u, password: p }\n" +
        with_main(
            "      - exec: $l\n      - exec: $fwd\n",
            "  - { tag: l, type: ros_address_list, args: { routers: [a, b], address_list4: v4, "
            "address_list6: v6 } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const PolicyList& list = built.snapshot->lists.at(0);
    BOOST_TEST(list.id_for(address("10.1.2.3")) == list.id);
    BOOST_TEST(list.id_for(address("10.2.2.3")) != list.id);
    BOOST_TEST(list.id_for(address("10.2.2.3")) == list.id_for(address("2001:db8::1")));
    BOOST_TEST(built.routers.at(0).config.lists.size() == 1U);
    BOOST_TEST(built.routers.at(1).config.lists.size() == 2U);
}

BOOST_AUTO_TEST_CASE(fixed_ttl_and_multi_writer_give_rows_a_constant_lifetime) {
    const std::string kRepaired = kList + ", repair_connections: true";
    const Built built = build_of(with_main(
        "      - exec: $fixed\n      - exec: $forever\n      - exec: $many\n      - exec: $fwd\n",
        "  - { tag: fixed, type: ros_address_list, args: { " + kRepaired + ", fixed_ttl: 1h } }\n" +
            "  - { tag: forever, type: ros_address_list, args: { " + kRepaired +
            ", fixed_ttl: 0 } }\n" + "  - { tag: many, type: ros_address_list, args: { " +
            kRepaired + ", multi_writer: true, on_manual_change: respect, max_ttl: 600 } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    const auto& lists = built.snapshot->lists;
    BOOST_TEST((lists[0].fixed && lists[0].fixed_ttl_s == 3600U));
    BOOST_TEST((lists[1].fixed && lists[1].fixed_ttl_s == 0U));
    BOOST_TEST((!lists[2].fixed && lists[2].min_ttl_s == 630U && lists[2].max_ttl_s == 630U));
    BOOST_TEST(built.routers.at(0).config.lists.size() == 3U);
    BOOST_TEST(built.routers.at(0).config.repair_connections);
    BOOST_TEST(built.routers.at(0).config.lists[0].max_ttl_s == 3600U);
    BOOST_TEST(built.routers.at(0).config.lists[2].max_ttl_s == 630U);
    BOOST_TEST(built.routers.at(0).config.lists[2].multi_writer);
    BOOST_TEST(!built.routers.at(0).config.lists[1].multi_writer);
    BOOST_TEST(built.routers.at(0).config.lists[2].respect_manual_changes);
    BOOST_TEST(!built.routers.at(0).config.lists[1].respect_manual_changes);
}

// RFC 4007 11.2: the zone of a link-local address is the interface that it is reached by.
BOOST_AUTO_TEST_CASE(a_zone_is_the_interface_of_what_is_connected_to) {
    const Built built = build_of(
        "plugins:\n"
        "  - { tag: f, type: forward, args: { upstreams: [ 'fe80::1%eth1', { addr: "
        "'udp://[fe80::1%2]:5353' }, { addr: 'tls://dns.example', dial_addr: '[fe80::3%eth3]:8853' "
        "}, { addr: 'tls://dns.example', bootstrap: 'fe80::4%eth4' }, { addr: 192.0.2.5, socks5: "
        "'[fe80::5%eth5]:1081' } ] } }\n"
        "  - { tag: s, type: static, args: { records: [ { name: a.example, type: FWD, forward_to: "
        "'fe80::6%eth6' } ] } }\n"
        "  - { tag: main, type: sequence, args: [ { exec: $s }, { exec: $f } ] }\n"
        "  - { tag: u, type: udp_server, args: { entry: main, listen: '[fe80::7%eth7]:53' } }\n"
        "  - { tag: v, type: udp_server, args: { entry: main, listen: '[fe80::7%eth8]:53' } }\n");
    BOOST_TEST_REQUIRE(built.ok());
    std::map<std::string, std::string> devices;  // by name
    for (const auto& target : built.channels)
        devices[target->name] = target->device;
    BOOST_TEST(devices.at("fe80::1%eth1") == "eth1");
    BOOST_TEST(devices.at("udp://[fe80::1%2]:5353") == "2");
    BOOST_TEST(devices.at("192.0.2.5") == "eth5");
    BOOST_TEST(devices.at("fe80::6%eth6") == "eth6");
    bool has_dialled = false, has_bootstrap = false;
    for (const auto& target : built.channels) {
        BOOST_TEST((target->host.find('%') == std::string::npos));
        has_dialled |= target->address && target->device == "eth3" && target->port == 8853;
        has_bootstrap |= target->bootstrap && target->bootstrap->device == "eth4" &&
                         target->bootstrap->address.to_string() == "fe80::4" &&
                         target->device.empty();
    }
    BOOST_TEST(has_dialled);
    BOOST_TEST(has_bootstrap);
    BOOST_TEST_REQUIRE(built.listeners.size() == 2U);
    BOOST_TEST(built.listeners[0].endpoint.to_string() == "[fe80::7%eth7]:53");
    BOOST_TEST(built.listeners[1].endpoint.to_string() == "[fe80::7%eth8]:53");
}

BOOST_AUTO_TEST_CASE(caches_forwards_and_listeners_carry_their_settings) {
    const Built built = build_of(
        "plugins:\n"
        "  - { tag: c, type: cache, args: { size: 1MiB, max_negative_ttl: 10, min_positive_ttl: 5, "
        "max_positive_ttl: 1h } }\n"
        "  - { tag: f, type: forward, args: { concurrent: 2, policy: sticky, total_timeout: 900ms, "
        "upstreams: [{ "
        "addr: 192.0.2.1, tag: a, "
        "timeout: 100ms }, { addr: 'udp://192.0.2.1:54' }] } }\n"
        "  - { tag: main, type: sequence, args: [{ exec: $c }, { exec: $f }, { exec: "
        "forward 192.0.2.2 }] }\n"
        "  - { tag: u, type: udp_server, args: { entry: main, listen: '127.0.0.1:5353' } }\n"
        "  - { tag: t, type: tcp_server, args: { entry: main, listen: '127.0.0.1:5353', "
        "idle_timeout: 7 } }\n"
        "  - { tag: v, type: udp_server, args: { entry: main, listen: ':53' } }\n");
    BOOST_TEST_REQUIRE(built.ok());
    const CacheInstance& cache = built.snapshot->caches.at(0);
    BOOST_TEST(
        (cache.size == 2048U && cache.max_negative_ttl_s == 10U && cache.min_positive_ttl_s == 5U));
    BOOST_TEST(cache.max_positive_ttl_s == 3600U);
    BOOST_TEST(built.snapshot->plans[0].cache == 0);
    const UpstreamGroup& group = built.snapshot->groups.at(0);
    BOOST_TEST(
        (group.concurrent == 2 && group.total_timeout_ms == 900U && group.members.size() == 2U));
    BOOST_TEST((group.policy == UpstreamPolicy::sticky));
    BOOST_TEST(group.name == "f");
    BOOST_TEST(built.snapshot->groups.at(1).name.starts_with("line "));
    BOOST_TEST((built.snapshot->upstreams[0].name == "a" &&
                built.snapshot->upstreams[0].timeout_ms == 100U));
    BOOST_TEST(built.snapshot->upstreams[0].id != built.snapshot->upstreams[1].id);
    BOOST_TEST_REQUIRE(built.listeners.size() == 2U);
    BOOST_TEST((built.listeners[0].udp && built.listeners[0].tcp &&
                built.listeners[0].tcp->limits.idle_timeout == config::Milliseconds(7000)));
    BOOST_TEST(
        (built.listeners[1].udp && !built.listeners[1].tcp && built.listeners[1].endpoint.any()));
}

// Single addresses before all of them; a path is a frontend of its own, by the same number after a reload.
BOOST_AUTO_TEST_CASE(each_server_is_a_frontend_that_leads_to_an_entry) {
    const auto config = [](const std::string& of_path, const std::string& more) {
        return with_main("      - exec: $fwd\n",
                         "  - { tag: other, type: sequence, args: [{ exec: $fwd }] }\n"
                         "  - { tag: u, type: udp_server, args: { entry: fwd, listen: ':53' } }\n"
                         "  - { tag: v, type: udp_server, args: { entry: other, listen: "
                         "'192.0.2.53:53' } }\n"
                         "  - { tag: w, type: udp_server, args: { entry: fwd, listen: "
                         "'0.0.0.0:54' } }\n" +
                             more +
                             "  - { tag: h, type: http_server, args: { listen: ':443', entries: "
                             "[{ path: /a, exec: main }, { path: /b, exec: " +
                             of_path + " }] } }\n");
    };
    Registry registry;
    const Built first = build(settings_of(config("other", "")), {}, registry);
    BOOST_TEST_REQUIRE(first.ok());
    BOOST_TEST(first.snapshot->entries.size() == 3U);  // fwd, other, main
    const Frontends& frontends = first.snapshot->frontends;
    BOOST_TEST(+frontends.of_datagram(address("192.0.2.53"), 53) == 1);
    BOOST_TEST(+frontends.of_datagram(address("192.0.2.1"), 53) == 0);
    BOOST_TEST(+frontends.of_datagram(address("2001:db8::1"), 53) == 0);
    // No frontend has this port.
    BOOST_TEST(+frontends.of_datagram(address("2001:db8::1"), 54) == 0);
    const auto numbers = [](const Built& built) {
        return std::ranges::find_if(
                   built.listeners,
                   [](const Listener& l) { return l.tcp && !l.tcp->http.paths.empty(); })
            ->tcp->http.frontends;
    };
    BOOST_TEST_REQUIRE(numbers(first).size() == 2U);
    BOOST_TEST(+frontends.of_stream(numbers(first)[0]) == 2);
    BOOST_TEST(+frontends.of_stream(numbers(first)[1]) == 1);
    BOOST_TEST(+frontends.of_stream(0) == 0);

    const Built second =
        build(settings_of(config("fwd",
                                 "  - { tag: t, type: tcp_server, args: { entry: other, "
                                 "listen: ':53' } }\n")),
              {}, registry);
    BOOST_TEST_REQUIRE(second.ok());
    BOOST_TEST(numbers(second) == numbers(first), boost::test_tools::per_element());
    BOOST_TEST(+second.snapshot->frontends.of_stream(numbers(first)[1]) == 0);
}

BOOST_AUTO_TEST_CASE(without_a_server_everything_is_served_on_port_53) {
    const Built built = build_of(with_main("      - exec: $fwd\n"));
    BOOST_TEST_REQUIRE(built.listeners.size() == 1U);
    const Listener& all = built.listeners[0];
    BOOST_TEST((all.udp && all.tcp && all.endpoint.any() && all.endpoint.port == 53));
}

constexpr const char* kNight =
    "  - { tag: night, type: time, args: { timezone: UTC, periods: [{ start: '22:00', end: '06:00' "
    "}] } }\n";
constexpr const char* kByNight = "      - { matches: $night, exec: reject }\n      - exec: $fwd\n";

std::chrono::sys_seconds at_hour(int hour) {
    return std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + std::chrono::hours(hour);
}

BOOST_AUTO_TEST_CASE(a_program_is_built_for_the_time_of_day) {
    const auto is_night = [](int hour) {
        Surroundings around;
        around.now = at_hour(hour);
        const Built built = build_of(with_main(kByNight, kNight), around);
        BOOST_TEST_REQUIRE(built.ok());
        BOOST_TEST_REQUIRE(built.windows.size() == 1U);
        return built.snapshot->time_tests.at(0).window->is_open();
    };
    BOOST_TEST(is_night(23));
    BOOST_TEST(!is_night(12));
}

BOOST_AUTO_TEST_CASE(all_generations_share_the_window_of_the_same_periods) {
    Registry registry;
    Surroundings around;
    around.now = at_hour(12);
    const Built first = build(settings_of(with_main(kByNight, kNight)), around, registry);
    around.now = at_hour(23);
    const Built second = build(settings_of(with_main(kByNight, kNight)), around, registry);
    const Built other =
        build(settings_of(with_main("      - { matches: 'time 22:00-06:00', exec: reject }\n"
                                    "      - exec: $fwd\n")),
              around, registry);
    BOOST_TEST_REQUIRE((first.ok() && second.ok() && other.ok()));
    const auto window = [](const Built& built) {
        return built.snapshot->time_tests.at(0).window.get();
    };
    BOOST_TEST(window(first) == window(second));
    BOOST_TEST(window(first)->is_open());
    // It has the system's time zone.
    BOOST_TEST(window(first) != window(other));
}

BOOST_AUTO_TEST_CASE(windows_follow_the_clock_by_the_minute_and_when_it_is_set) {
    const Built built = build_of(with_main(kByNight, kNight));
    BOOST_TEST_REQUIRE(built.ok());
    const TimeWindow& night = *built.snapshot->time_tests.at(0).window;
    WindowClock clock;
    clock.follow(built.windows, at_hour(22) - std::chrono::seconds(1));
    BOOST_TEST(!night.is_open());
    clock.update(at_hour(22));
    BOOST_TEST(night.is_open());
    clock.update(at_hour(30) - std::chrono::seconds(1));
    BOOST_TEST(night.is_open());
    clock.update(at_hour(30));
    BOOST_TEST(!night.is_open());
    // The clock is set back, and forward.
    clock.update(at_hour(23));
    BOOST_TEST(night.is_open());
    clock.update(at_hour(12));
    BOOST_TEST(!night.is_open());
    // New periods count at once, in the same minute.
    const Built day = build_of(with_main(
        "      - { matches: $day, exec: reject }\n      - exec: $fwd\n",
        "  - { tag: day, type: time, args: { timezone: UTC, periods: [{ start: '06:00', end: "
        "'22:00' }] } }\n"));
    BOOST_TEST_REQUIRE(day.ok());
    clock.follow(day.windows, at_hour(12));
    BOOST_TEST(day.snapshot->time_tests.at(0).window->is_open());
}

BOOST_AUTO_TEST_CASE(ids_stay_the_same_over_a_reload) {
    Registry registry;
    const std::string list = "  - { tag: l, type: ros_address_list, args: { " + kList + " } }\n";
    const std::string other = "  - { tag: k, type: ros_address_list, args: { " + kList + " } }\n";
    const std::string cache = "  - { tag: c, type: cache }\n";
    const Built first =
        build(settings_of(with_main("      - exec: $l\n      - exec: $c\n      - exec: $fwd\n",
                                    list + cache)),
              {}, registry);
    const Built second =
        build(settings_of(with_main("      - exec: $k\n      - exec: cache\n      - exec: $l\n     "
                                    " - exec: $c\n      - exec: forward "
                                    "192.0.2.9\n      - exec: $fwd\n",
                                    other + list + cache)),
              {}, registry);
    BOOST_TEST_REQUIRE((first.ok() && second.ok()));
    BOOST_TEST(second.snapshot->lists.at(1).id == first.snapshot->lists.at(0).id);
    BOOST_TEST(second.snapshot->lists.at(0).id != first.snapshot->lists.at(0).id);
    BOOST_TEST(second.snapshot->caches.at(1).id == first.snapshot->caches.at(0).id);
    BOOST_TEST(second.snapshot->upstreams.at(1).id == first.snapshot->upstreams.at(0).id);
    BOOST_TEST(second.snapshot->upstreams.at(0).id != first.snapshot->upstreams.at(0).id);
}

BOOST_AUTO_TEST_CASE(the_registry_has_a_limit) {
    Registry registry;
    for (std::size_t i = 0; i < kMaxCaches; ++i)
        BOOST_TEST(registry.cache("c" + std::to_string(i)).has_value());
    const auto one_more = registry.cache("one more");
    BOOST_TEST_REQUIRE(!one_more.has_value());
    BOOST_TEST(one_more.error().text ==
               "more than 64 different caches since the daemon started: restart it");
    BOOST_TEST(registry.cache("c0").value() == 0);
}

// What only the compiler can see is an error with its line.
BOOST_AUTO_TEST_CASE(numbers_above_a_limit_are_refused_with_their_line) {
    std::string rules;
    for (int i = 0; i < 9; ++i)
        rules += "      - exec: query_summary\n";
    const Built deep = build_of(with_main(rules + "      - exec: $fwd\n"));
    BOOST_TEST_REQUIRE(deep.errors.size() == 1U);
    BOOST_TEST((deep.snapshot == nullptr));
    BOOST_TEST(
        deep.errors[0].sentence().starts_with("test.yaml:14: more than 8 executors that wrap"));

    std::string doubling =
        "plugins:\n  - { tag: s0, type: sequence, args: [{ exec: forward 192.0.2.1 }] }\n";
    for (int i = 1; i < 20; ++i) {
        std::ostringstream line;
        line << "  - { tag: s" << i << ", type: sequence, args: [{ exec: $s" << i - 1
             << " }, { exec: $s" << i - 1 << " }] }\n";
        doubling += line.str();
    }
    const Built wide = build_of(doubling);
    BOOST_TEST_REQUIRE(wide.errors.size() == 1U);
    BOOST_TEST(wide.errors[0].text.starts_with("the sequences make a program of more than 65535"));

    std::string lists, open, closed, many_rules;
    for (int i = 0; i < 9; ++i) {
        const std::string n = std::to_string(i);
        std::string sequence = "  - { tag: s";
        sequence.append(n).append(", type: sequence, args: [{ exec: $l").append(n).append(" }");
        lists.append("  - { tag: l")
            .append(n)
            .append(", type: ros_address_list, args: { ")
            .append(kList)
            .append(" } }\n");
        open.append(sequence).append("] }\n");
        closed.append(sequence).append(", { exec: $fwd }, { exec: accept }] }\n");
        many_rules.append("      - { matches: qname d")
            .append(n)
            .append(".example, exec: $s")
            .append(n)
            .append(" }\n");
    }
    const Built nine = build_of(with_main("      - exec: $fwd\n" + many_rules, lists + open));
    BOOST_TEST_REQUIRE(nine.errors.size() == 1U);
    BOOST_TEST(nine.errors[0].text.starts_with(
        "more than 8 " + config::names_of(config::Sink::router) +
        ", opnsense_alias, ipset, nftset and bgp_route can act on one answer"));
    BOOST_TEST(build_of(with_main(many_rules + "      - exec: $fwd\n", lists + closed)).ok());

    // Five that can be inside each other, four of them in what a fallback runs; and four.
    std::string redirects =
        "  - { tag: r, type: redirect, args: { rules: ['a.example b.example'] } }\n"
        "  - { tag: spare, type: fallback, args: { primary: fwd, secondary: unit } }\n";
    const auto unit = [](int n) {
        std::string out = "  - { tag: unit, type: sequence, args: [";
        for (int i = 0; i < n; ++i)
            out += "{ exec: $r }, ";
        return out + "{ exec: $fwd }] }\n";
    };
    const std::string one = "      - exec: $r\n      - exec: $spare\n      - exec: accept\n";
    const Built five = build_of(with_main(one, redirects + unit(4)));
    BOOST_TEST_REQUIRE(five.errors.size() == 1U);
    BOOST_TEST(five.errors[0].text.starts_with(
        "more than 4 executors that change the question are nested"));
    BOOST_TEST(build_of(with_main(one, redirects + unit(3))).ok());

    // Five prefer_ipv4 one after the other in sequences of their own, and inside each other.
    std::string apart, alone, nested;
    for (int n = 0; n < 5; ++n) {
        const std::string tag = "p" + std::to_string(n);
        apart += "      - { matches: qname d" + std::to_string(n) + ".example, exec: jump " + tag +
                 " }\n";
        alone += "  - { tag: " + tag +
                 ", type: sequence, args: [{ exec: prefer_ipv4 }, { exec: $fwd }] }\n";
        nested += "      - exec: prefer_ipv4\n";
    }
    BOOST_TEST(build_of(with_main(apart + "      - exec: $fwd\n", alone)).ok());
    const Built too_deep = build_of(with_main(nested + "      - exec: $fwd\n"));
    BOOST_TEST_REQUIRE(too_deep.errors.size() == 1U);
    BOOST_TEST(too_deep.errors[0].text.starts_with("more than 4 fallback, prefer_ipv4, "));

    std::string marks = "      - exec: mark";
    for (int i = 0; i < 64; ++i)
        marks += " " + std::to_string(i);
    const Built many =
        build_of(with_main(marks + "\n      - exec: mark 64 65\n      - exec: $fwd\n"));
    BOOST_TEST_REQUIRE(many.errors.size() == 1U);
    BOOST_TEST(many.errors[0].text == "more than 64 different marks: use fewer");

    // An ad list that checks answers takes the place of a mark, whichever comes first.
    const auto ads = [](const char* cname) {
        return "  - { tag: ads, type: adlist, args: { lists: [ \"" +
               (kWarnings / "ads.txt").string() + "\" ], cname: " + cname + " } }\n";
    };
    const std::string list = "      - exec: $ads\n", rest = "\n      - exec: $fwd\n";
    BOOST_TEST(build_of(with_main(list + marks + rest, ads("false"))).ok());
    for (const std::string& order : {list + marks + rest, marks + "\n" + list + rest}) {
        const Built full = build_of(with_main(order, ads("true")));
        BOOST_TEST_REQUIRE(full.errors.size() == 1U);
        BOOST_TEST(full.errors[0].text ==
                   "more than 64 different marks and ad lists together: use fewer, or write "
                   "'cname: false' for some ad lists");
    }
}

// A record of an earlier generation has them, too.
BOOST_AUTO_TEST_CASE(marks_that_recorders_select_by_keep_their_bits_over_reloads) {
    Registry registry;
    const auto bits_of = [&registry](const std::string& marks, const std::string& set) {
        const std::string recorder =
            "  - { tag: log, type: query_recorder, args: { json: ./q.json" + marks + " } }\n";
        const auto settings = settings_of(with_main(
            "      - exec: mark " + set + "\n      - exec: $log\n" + "      - exec: $fwd\n",
            recorder));
        const Built built = build(settings, {}, registry);
        BOOST_TEST_REQUIRE(built.ok());
        std::map<std::uint32_t, unsigned> bits;
        std::uint64_t seen = 0;
        for (const MarkNumber& mark : built.snapshot->marks) {
            bits[mark.number] = mark.bit;
            BOOST_TEST((seen >> mark.bit & 1U) == 0U);
            seen |= std::uint64_t{1} << mark.bit;
        }
        return bits;
    };
    const auto first = bits_of(", include_marks: [100], exclude_marks: [101]", "5 6 100");
    BOOST_TEST(first.at(100) == 0U);
    BOOST_TEST(first.at(101) == 1U);
    BOOST_TEST(first.size() == 4U);
    const auto second = bits_of(", include_marks: [4, 101]", "4 5 6 100 101");
    BOOST_TEST(second.at(101) == 1U);
    BOOST_TEST(second.at(4) == 2U);
    BOOST_TEST(second.size() == 5U);
    BOOST_TEST(bits_of("", "5").at(5) == 0U);
}

// What differs in anything but its name is another upstream, with another id.
BOOST_AUTO_TEST_CASE(equal_upstreams_have_the_same_number) {
    const auto forward = [](const std::string& upstreams) {
        return "plugins:\n  - { tag: fwd, type: forward, args: { upstreams: [" + upstreams +
               "] } }\n  - { tag: main, type: sequence, args: [{ exec: $fwd }] }\n";
    };
    const Built built = build_of(forward(
        "192.0.2.1, udp://192.0.2.1:53, tcp://192.0.2.1, { addr: tcp://192.0.2.1, tag: same }, "
        "{ addr: tcp://192.0.2.1, max_conns: 2 }, { addr: 192.0.2.1, so_mark: 1 }, "
        "tls://dns.example, { addr: tls://dns.example, socks5: 'u:p@192.0.2.9' }, "
        "{ addr: tls://dns.example, socks5: 'u:q@192.0.2.9' }"));
    BOOST_TEST_REQUIRE(built.ok());
    std::vector<unsigned> ids;
    for (const Upstream& u : built.snapshot->upstreams)
        ids.push_back(u.id);
    BOOST_TEST(ids == (std::vector<unsigned>{0, 0, 1, 1, 2, 3, 4, 5, 6}),
               boost::test_tools::per_element());
    const auto& up = built.snapshot->upstreams;
    BOOST_TEST((up[0].channel == Channel::none && up[2].channel == Channel::stream));
    BOOST_TEST((up[5].channel == Channel::datagrams && up[6].address == IpAddress{}));
    BOOST_TEST_REQUIRE(built.channels.size() == 7U);
    BOOST_TEST((built.channels[0]->id == 1 && built.channels[0]->name == "tcp://192.0.2.1"));
    BOOST_TEST((built.channels[1]->name == "same" && built.channels[2]->max_conns == 2));
    BOOST_TEST((built.channels[3]->mark == 1 && built.channels[4]->host == "dns.example"));
    BOOST_TEST((built.channels[4]->port == 853 && !built.channels[4]->address));
    BOOST_TEST((built.channels[6]->proxy->password == "q"));
}

// A setting that says where queries leave: no scheme ignores it.
BOOST_AUTO_TEST_CASE(every_scheme_has_the_settings_that_say_where_queries_leave) {
    struct Case {
        std::string_view setting;
        bool (*has)(const stream::UpstreamTarget&);
    };
    const Case cases[] = {
        {"socks5: 192.0.2.9", [](const auto& t) { return t.proxy.has_value(); }},
        {"so_mark: 7", [](const auto& t) { return t.mark == 7; }},
        {"bind_to_device: eth7", [](const auto& t) { return t.device == "eth7"; }},
    };
    for (const auto& [setting, has] : cases) {
        for (const std::string scheme :
             {"udp", "tcp", "tcp+pipeline", "tls", "tls+pipeline", "https", "h3", "quic"}) {
            // Refused, and not asked without the proxy.
            if ((scheme == "quic" || scheme == "h3") && setting.starts_with("socks5")) continue;
            const std::string addr = "addr: '" + scheme + "://192.0.2.1'";
            for (const std::string& args :
                 {"upstreams: [{ " + addr + ", " + std::string(setting) + " }]",
                  std::string(setting) + ", upstreams: [{ " + addr + " }]",
                  std::string(setting) + ", upstreams: ['" + scheme + "://192.0.2.1']"}) {
                BOOST_TEST_CONTEXT(args) {
                    const Built built =
                        build_of("plugins:\n  - { tag: fwd, type: forward, args: { " + args +
                                 " } }\n  - { tag: main, type: sequence, args: [{ exec: $fwd }] "
                                 "}\n");
                    BOOST_TEST_REQUIRE(built.ok());
                    // Asked through `streams`, where sockets have it; not by a worker's own port.
                    const Upstream& up = built.snapshot->upstreams.at(0);
                    BOOST_TEST((up.channel != Channel::none));
                    BOOST_TEST_REQUIRE(built.channels.size() == 1U);
                    BOOST_TEST(has(*built.channels[0]));
                }
            }
        }
    }
}

// A claim's longest lease is also how long the routes of an earlier process stay.
BOOST_AUTO_TEST_CASE(lists_of_routes_become_plans_for_routing_tables) {
    const Built built = build_of(with_main(
        "      - exec: $fwd\n      - exec: $a\n      - exec: $b\n",
        "  - { tag: a, type: bgp_route, args: { table4: 5301, table6: 5302, community: '1:2', "
        "max_ttl: 20m, linger: 2m, flap_interval: 1h, max_routes: 7, ready: all } }\n"
        "  - { tag: b, type: ipset, args: { set_name4: old } }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    BOOST_TEST_REQUIRE(built.kernel_sets.size() == 2U);
    const sets::SetPlan& plan = built.kernel_sets[0];
    BOOST_TEST((plan.ends == sets::SetEnds{.linger_s = 120, .apart_s = 3600, .adopt_s = 1200}));
    BOOST_TEST(plan.max_elements == 7U);
    BOOST_TEST_REQUIRE(plan.families.size() == 2U);
    BOOST_TEST(plan.families[0].set.text() == "IPv4 routes of table 5301");
    BOOST_TEST(plan.families[1].set.text() == "IPv6 routes of table 5302");
    BOOST_TEST((plan.families[0].mask == 32 && plan.families[1].mask == 128));
    BOOST_TEST((built.kernel_sets[1].ends == sets::SetEnds{}));
    BOOST_TEST(
        (built.ready_sets == decltype(built.ready_sets){{plan.list, config::ReadyNeed::all}}));
    BOOST_TEST(built.snapshot->lists[0].max_ttl_s == 1200U);
}

BOOST_AUTO_TEST_CASE(readiness_of_an_opnsense_alias_is_in_the_plans_of_all_its_routers) {
    const Built built = build_of(
        "opnsense:\n"
        "  fw1: { address: 198.51.100.1, key: k, secret: s }\n"
        "  fw2: { address: 198.51.100.2, key: k, secret: s }\n" +
        with_main("      - exec: $a\n      - exec: $b\n      - exec: $fwd\n",
                  "  - { tag: a, type: opnsense_alias, args: { routers: [fw1, fw2], alias4: a, "
                  "alias6: a, ready: any } }\n"
                  "  - { tag: b, type: opnsense_alias, args: { router: fw1, alias4: b, alias6: b "
                  "} }\n"));
    BOOST_TEST_REQUIRE(built.ok());
    BOOST_TEST_REQUIRE(built.opnsense.size() == 2U);
    BOOST_TEST((built.opnsense[0].aliases.at(0).ready == config::ReadyNeed::any));
    BOOST_TEST((built.opnsense[0].aliases.at(1).ready == config::ReadyNeed::off));
    BOOST_TEST((built.opnsense[1].aliases.at(0).ready == config::ReadyNeed::any));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::build
