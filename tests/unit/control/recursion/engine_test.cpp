// What is written for the engine, and what is read from it.
#define BOOST_TEST_MODULE recursion
#include "control/program/engine/engine.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "root_keys.h"

using namespace steer;
using namespace steer::recursion;

namespace {

config::Recursion settings() {
    config::Recursion out;
    out.line = 7;
    out.port = 5301;
    out.cache_bytes = std::uint64_t{64} << 20;
    return out;
}

bool has(const EngineConfig& config, std::string_view line) {
    return ("\n" + config.text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

// Of our configuration, for a line of the engine's.
int line_of(const EngineConfig& config, std::string_view text) {
    const auto at = config.text.find(text);
    BOOST_REQUIRE(at != std::string::npos);
    const auto number = std::count(config.text.begin(),
                                   config.text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return config.lines.at(static_cast<std::size_t>(number));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_instance_listens_on_loopback_and_keeps_to_its_folder) {
    const auto config = configuration(settings(), "/var/lib/unbound/steerdns/0", 5302);
    BOOST_TEST(has(config, "  interface: 127.0.0.1@5302"));
    BOOST_TEST(has(config, "  directory: \"/var/lib/unbound/steerdns/0\""));
    BOOST_TEST(has(config, "  control-interface: \"/var/lib/unbound/steerdns/0/control\""));
    BOOST_TEST(has(config, "  auto-trust-anchor-file: \"root.key\""));
    BOOST_TEST(has(config, "  prefetch: no"));
    BOOST_TEST(config.text.find("auth-zone") == std::string::npos);
    const auto lines = std::count(config.text.begin(), config.text.end(), '\n');
    BOOST_TEST(config.lines.size() == static_cast<std::size_t>(lines));
}

BOOST_AUTO_TEST_CASE(each_line_knows_the_one_that_it_is_from) {
    auto wanted = settings();
    wanted.trust_anchors = {{"example.com. DS 1 13 2 ab", 10}, {"/etc/anchors", 11}};
    wanted.negative_trust_anchors = {{"broken.example", 12}};
    wanted.root_zone = 13;
    wanted.stubs = {{"corp.example", 14, {{*IpAddress::parse("127.0.0.1"), 5353}}}};
    wanted.extra = {{"max-udp-size", false, {{"1232"}}, 15},
                    {"forward-zone", true, {}, 16},
                    {"name", false, {{"x"}}, 17}};
    const auto config = configuration(wanted, "/f", 5301);
    // Without `root`, these are all anchors.
    BOOST_TEST(config.text.find("auto-trust-anchor-file") == std::string::npos);
    BOOST_TEST(line_of(config, "trust-anchor: \"example.com. DS") == 10);
    BOOST_TEST(line_of(config, "trust-anchor-file: \"/etc/anchors\"") == 11);
    BOOST_TEST(line_of(config, "domain-insecure: \"broken.example\"") == 12);
    BOOST_TEST(line_of(config, "zonefile: \"root.zone\"") == 13);
    BOOST_TEST(line_of(config, "stub-addr: 127.0.0.1@5353") == 14);
    BOOST_TEST(has(config, "  do-not-query-localhost: no"));
    BOOST_TEST(has(config, "server:\n  max-udp-size: \"1232\"\nforward-zone:\n  name: \"x\""));
    BOOST_TEST(line_of(config, "  name: \"x\"") == 17);
    BOOST_TEST(line_of(config, "verbosity") == 7);
}

BOOST_AUTO_TEST_CASE(its_queries_leave_from_other_ports_than_those_of_the_daemon) {
    auto wanted = settings();
    wanted.first_taken_port = 10240;
    wanted.last_taken_port = 26623;
    BOOST_TEST(has(configuration(wanted, "/f", 5301), "  outgoing-port-avoid: \"10240-26623\""));
    wanted.first_port = 30000;
    wanted.last_port = 40000;
    BOOST_TEST(has(configuration(wanted, "/f", 5301),
                   "  outgoing-port-avoid: \"0-65535\"\n  outgoing-port-permit: "
                   "\"30000-40000\"\n  outgoing-port-avoid: \"10240-26623\""));
}

// Else it denies private reverse zones by itself.
BOOST_AUTO_TEST_CASE(zones_with_servers_of_their_own_are_asked) {
    auto wanted = settings();
    wanted.forwards = {{"10.in-addr.arpa", 9, {{*IpAddress::parse("192.0.2.1"), 53}}}};
    const auto config = configuration(wanted, "/f", 5301);
    BOOST_TEST(has(config, "  local-zone: \"10.in-addr.arpa\" transparent"));
    BOOST_TEST(config.text.find("unblock-lan-zones") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(words_keep_their_quotes) {
    auto wanted = settings();
    wanted.extra = {{"local-zone", false, {{"a b"}, {"static"}}, 9},
                    {"local-data", false, {{R"(a. TXT "x")", '\''}}, 10}};
    const auto config = configuration(wanted, "/f", 5301);
    BOOST_TEST(has(config,
                   "server:\n  local-zone: \"a b\" \"static\"\n  local-data: 'a. TXT "
                   "\"x\"'"));
    BOOST_TEST(line_of(config, "local-data") == 10);
}

BOOST_AUTO_TEST_CASE(without_validation_there_are_no_anchors) {
    auto wanted = settings();
    wanted.validate = config::Validation::no;
    const auto config = configuration(wanted, "/f", 5301);
    BOOST_TEST(has(config, "  module-config: \"iterator\""));
    BOOST_TEST(config.text.find("anchor") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(errors_of_the_check_are_at_our_lines) {
    auto wanted = settings();
    wanted.extra = {{"do-ip6", false, {{"3"}}, 20}};
    const auto config = configuration(wanted, "/f", 5301);
    const auto number = std::to_string(config.lines.size());
    const auto errors =
        errors_of("/proc/self/fd/5:" + number +
                      ": error: unknown keyword 'nonsense'\n/proc/self/fd/5:" + number +
                      ": error: stray ':'\nread /proc/self/fd/5 failed: 2 errors in configuration "
                      "file\n",
                  config);
    BOOST_REQUIRE_EQUAL(errors.size(), 1U);
    BOOST_TEST(errors[0].line == 20);
    BOOST_TEST(errors[0].text == "unknown keyword 'nonsense'");
    const auto whole = errors_of(
        "[1795859890] unbound-checkconf[547:0] fatal error: auto-trust-anchor-file: \"root.key\" "
        "does not exist\n",
        config);
    BOOST_REQUIRE_EQUAL(whole.size(), 1U);
    BOOST_TEST(whole[0].line == 7);
    BOOST_TEST(whole[0].text == "auto-trust-anchor-file: \"root.key\" does not exist");
    // A line that is not there, and text of any kind.
    BOOST_TEST(errors_of("/proc/self/fd/5:9999: error: x\n", config)[0].line == 7);
    BOOST_TEST(errors_of("\x1b[31m\n", config)[0].text.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_of_its_log_have_a_level) {
    const auto failed = log_line(
        "[1700000000] unbound[12:0] info: validation failure <www.a.example. A IN>: no signatures");
    BOOST_REQUIRE(failed.failure.has_value());
    BOOST_TEST((failed.failure->reason == FailureReason::bogus));
    BOOST_TEST(failed.failure->zone == "www.a.example");
    BOOST_TEST(failed.text == "validation failure <www.a.example. A IN>: no signatures");
    BOOST_TEST((log_line("[1] unbound[1:0] error: can't bind socket").level == LineLevel::error));
    BOOST_TEST(log_line("[1] unbound[1:0] error: can't bind socket").text == "can't bind socket");
    BOOST_TEST((log_line("[1] unbound[1:0] notice: init module").level == LineLevel::detail));
    BOOST_TEST((log_line("out of memory").level == LineLevel::info));
    BOOST_TEST(log_line("[").text == "[");
}

BOOST_AUTO_TEST_CASE(a_failure_has_the_zone_where_it_happened) {
    const auto failure = [](std::string_view line) {
        const auto found = log_line("[1] unbound[1:0] info: " + std::string(line)).failure;
        return found ? std::string(kFailureReasons[static_cast<std::size_t>(found->reason)]) + " " +
                           found->zone
                     : "none";
    };
    BOOST_TEST(failure("validation failure <www.expired.example. A IN>: signature expired from "
                       "192.0.2.1 for key expired.example. while building chain of trust") ==
               "bogus expired.example");
    BOOST_TEST(failure("SERVFAIL <www.lame.example. A IN>: all servers for this domain failed, at "
                       "zone lame.example. from 192.0.2.12 got REFUSED") == "silent lame.example");
    BOOST_TEST(failure("SERVFAIL <a.example. A IN>: all servers for this domain failed, at zone . "
                       "no server to query") == "silent .");
    BOOST_TEST(failure("validation failure <a.example. A IN>: signature expired from 192.0.2.9 for "
                       "trust anchor . while building chain of trust") == "bogus .");
    BOOST_TEST(failure("SERVFAIL <a.example. A IN>: exceeded the maximum number of sends") ==
               "other a.example");
    BOOST_TEST(failure("SERVFAIL <") == "other ");
    BOOST_TEST(failure("generate keytag query _ta-4f66. NULL IN") == "none");
}

BOOST_AUTO_TEST_CASE(times_of_recursions_are_counted_by_their_bounds) {
    const auto counts = counts_of(
        "histogram.000000.000000.to.000000.000001=1\nhistogram.000000.000512.to.000000.001024=2\n"
        "histogram.000000.524288.to.000001.000000=4\nhistogram.000008.000000.to.000016.000000=8\n"
        "histogram.=1\nhistogram.1.to.x=16\n");
    BOOST_TEST(counts.recursions_by_time[0] == 19U);
    BOOST_TEST(counts.recursions_by_time[10] == 4U);
    BOOST_TEST(counts.recursions_by_time[kTimeBounds.size()] == 8U);
}

BOOST_AUTO_TEST_CASE(keys_of_the_root_are_read_with_their_state) {
    const std::string former(test::kFormerRootKey), newer(test::kRootKeyRecord);
    const auto keys = root_keys_of(
        "; autotrust trust anchor file\n;;id: . 1\n;;last_success: 1700000000 ;;Tue\n" + former +
        " ;{id = 20326 (ksk), size = 2048b} ;;state=4 [ REVOKED ] ;;count=0\n" + newer +
        " ;{id = 38696 (ksk), size = 2048b} ;;state=1 [ ADDPEND ]\n");
    BOOST_TEST(keys.valid.empty());
    BOOST_TEST(keys.known.size() == 2U);
    BOOST_TEST(keys.success_s.value_or(0) == 1'700'000'000);
    const auto package = root_keys_of(newer + " ; keytag 38696\n" + former + "\n");
    BOOST_TEST(package.valid == (std::vector<unsigned>{38696, 20326}));
    BOOST_TEST(!package.success_s.has_value());
    // Torn in any place.
    for (const std::size_t length : {newer.size() / 2, newer.size() / 2 + 1, std::size_t{20}}) {
        const auto torn = root_keys_of(newer.substr(0, length) + " ; keytag 38696\n");
        BOOST_TEST((torn.known.empty() && torn.is_damaged));
    }
    BOOST_TEST(root_keys_of(". IN DNSK").is_damaged);
    BOOST_TEST(!keys.is_damaged);
}

BOOST_AUTO_TEST_CASE(counts_are_read_by_name) {
    const auto counts = counts_of(
        "thread0.num.queries=3\ntotal.num.queries=42\ntotal.num.recursivereplies=7\n"
        "num.answer.rcode.SERVFAIL=2\nnum.answer.secure=5\nnum.answer.bogus=1\n"
        "mem.cache.rrset=1000\nmem.cache.message=500\ntotal.recursion.time.avg=0.125\n"
        "time.up=12.5\nnonsense\n=\n");
    BOOST_TEST(counts.queries == 42U);
    BOOST_TEST(counts.recursions == 7U);
    BOOST_TEST(counts.servfail == 2U);
    BOOST_TEST(counts.secure == 5U);
    BOOST_TEST(counts.bogus == 1U);
    BOOST_TEST(counts.bytes == 1500U);
    BOOST_TEST(counts.recursion_mean_s == 0.125);
    BOOST_TEST(counts_of("").queries == 0U);
}
