// Whole configurations through load(). The head of each file has the expected messages, one line a
// sentence:
//   # error LINE: TEXT            about the configuration itself
//   # warning FILE:LINE: TEXT     about a file that it names
// and nothing else may be reported. `<types of rows>` stands for the plugin types that write rows on routers. A new mistake is a
// new file in bad/, not new C++.
#include "control/config/load.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "control/config/foreign_file.h"
#include "control/config/lists/list_source.h"
#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "support/temp_folder.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = STEER_SOURCE_ROOT;

std::string content_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

LoadOptions test_options() {
    LoadOptions options;
    options.environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "STEER_TEST_PASSWORD") return "secret";
        if (name == "STEER_TEST_UPSTREAM") return "192.0.2.1";
        if (name == "STEER_TEST_NUMBER") return "4096";
        if (name == "STEER_TEST_TRUE") return "true";
        return std::nullopt;
    };
    return options;
}

void erase_all(std::string& text, const std::string& part) {
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part))
        text.erase(at, part.size());
}

// The form in the head of a file: without folders.
std::string as_written(const std::string& kind, const Error& error, const fs::path& of) {
    std::string text = error.text;
    for (const char* folder : {"bad", "good"})
        erase_all(text, (kRoot / "tests/unit/config" / folder / "").string());
    const std::string file = error.file == of ? "" : fs::path(error.file).filename().string() + ":";
    return "# " + kind + " " + file + std::to_string(error.line) + ": " + text;
}

std::vector<std::string> expected_of(const fs::path& path) {
    std::vector<std::string> out;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("# error ") && !line.starts_with("# warning ")) break;
        constexpr std::string_view kTypes = "<types of rows>";
        if (const auto at = line.find(kTypes); at != std::string::npos)
            line.replace(at, kTypes.size(), names_of(Sink::router));
        out.push_back(line);
    }
    return out;
}

void check_file(const fs::path& path) {
    BOOST_TEST_CONTEXT(path.filename()) {
        const LoadOutcome outcome = load(path, test_options());
        std::vector<std::string> reported;
        for (const Error& e : outcome.errors)
            reported.push_back(as_written("error", e, path));
        for (const Error& w : outcome.warnings)
            reported.push_back(as_written("warning", w, path));
        BOOST_TEST(reported == expected_of(path), boost::test_tools::per_element());
    }
}

std::vector<fs::path> files_in(const char* folder) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(kRoot / "tests/unit/config" / folder)) {
        if (entry.path().extension() == ".yaml") out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    BOOST_TEST_REQUIRE(!out.empty());
    return out;
}

// The first plugin with this tag.
const Plugin& plugin(const Settings& settings, const std::string& tag) {
    const auto at = std::find_if(settings.plugins.begin(), settings.plugins.end(),
                                 [&](const Plugin& p) { return p.tag == tag; });
    BOOST_TEST_REQUIRE((at != settings.plugins.end()));
    return *at;
}

BOOST_AUTO_TEST_CASE(bad_files_are_refused_with_exactly_these_sentences) {
    for (const auto& path : files_in("bad")) {
        check_file(path);
        BOOST_TEST(!load(path, test_options()).ok(), path);
    }
}

BOOST_AUTO_TEST_CASE(good_files_load_with_exactly_these_warnings) {
    for (const auto& path : files_in("good")) {
        check_file(path);
        BOOST_TEST(load(path, test_options()).ok(), path);
    }
}

BOOST_AUTO_TEST_CASE(every_sentence_is_one_line_and_names_its_file) {
    for (const auto& path : files_in("bad")) {
        for (const Error& e : load(path, test_options()).errors) {
            BOOST_TEST(e.text.find('\n') == std::string::npos);
            BOOST_TEST(!e.file.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_examples_load) {
    for (const auto& entry : fs::directory_iterator(kRoot / "configs")) {
        if (entry.path().extension() != ".yaml") continue;
        const LoadOutcome outcome = load(entry.path());
        BOOST_TEST(outcome.ok(), entry.path());
        BOOST_TEST(!outcome.settings.entries.empty());
    }
}

BOOST_AUTO_TEST_CASE(the_minimal_example_has_the_expected_settings) {
    const Settings settings = load(kRoot / "configs/minimal.yaml").settings;
    BOOST_TEST(settings.plugins.size() == 5U);
    const auto& list = std::get<RouterRows>(plugin(settings, "ros_address_list_policy").args);
    BOOST_TEST(list.async);
    BOOST_TEST(list.comment_prefix == "forgedns");
    BOOST_TEST(
        (list.min_ttl == std::chrono::seconds(60) && list.max_ttl == std::chrono::seconds(1800)));
    BOOST_TEST((list.extra_time == std::chrono::seconds(30) && !list.fixed_ttl));
    const Router& router = settings.routers.at(list.routers.at(0));
    BOOST_TEST(router.name == "172.16.1.1:8728");
    BOOST_TEST(router.username == "api-user");
    BOOST_TEST((router.password == "secret"));
    BOOST_TEST(!router.tls);
    const auto& set = std::get<DomainSet>(plugin(settings, "policy_domains").args);
    BOOST_TEST_REQUIRE(set.steps.size() == 1U);
    const auto& rules = set.steps[0].rules;
    BOOST_TEST_REQUIRE(rules.size() == 2U);
    BOOST_TEST(rules[1].rule.text == "media.example");
    BOOST_TEST(rules[1].line == 15);
    const auto& sequence = std::get<Sequence>(plugin(settings, "seq_main").args);
    BOOST_TEST_REQUIRE(sequence.rules.size() == 2U);
    BOOST_TEST(settings.plugin(sequence.rules[0].matches.at(0).plugin).tag ==
               "match_policy_domain");
    BOOST_TEST(settings.plugin(sequence.rules[1].plugin).tag == "forward_main");
}

BOOST_AUTO_TEST_CASE(lists_with_the_same_access_share_a_router) {
    BOOST_TEST(load(kRoot / "configs/multi_egress.yaml").settings.routers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(every_setting_is_read) {
    const Settings s = load(kRoot / "tests/unit/config/good/all.yaml", test_options()).settings;
    BOOST_TEST((s.log.level == LogLevel::warn));
    BOOST_TEST_REQUIRE(s.dataplane.ports.size() == 3U);
    BOOST_TEST((s.dataplane.ports[0].driver == Driver::af_xdp &&
                s.dataplane.ports[2].driver == Driver::pcap));
    BOOST_TEST(s.dataplane.ports[0].queues == 2U);
    BOOST_TEST(s.dataplane.ports[0].addresses.at(1).to_string() == "2001:db8::53");
    BOOST_TEST(s.dataplane.workers == 2U);
    BOOST_TEST(s.dataplane.cores.at(1) == 3U);
    BOOST_TEST(s.dataplane.memory_bytes == 512U << 20);
    BOOST_TEST((s.dataplane.idle == IdleMode::spin));
    BOOST_TEST(s.dataplane.first_upstream_port == 20000);
    BOOST_TEST((s.dataplane.random_case == RandomCase::always));
    BOOST_TEST(s.dataplane.max_in_flight == 0x400U);
    BOOST_TEST(s.dataplane.max_parked_per_client == 100U);
    BOOST_TEST(s.dataplane.suffix_percent == 10U);
    BOOST_TEST((s.dataplane.over_quota == OverQuota::servfail));
    BOOST_TEST(s.dataplane.allow.value().size() == 2U);
    BOOST_TEST(!s.control.http.has_value());
    BOOST_TEST((s.routers.at(0).password == "secret"));
    BOOST_TEST(s.routers.at(0).port == 8729);
    BOOST_TEST(s.routers.at(0).tls_pin.size() == 64U);
    BOOST_TEST(s.routers.at(1).port == 1234);
    BOOST_TEST((s.routers.at(1).password == "secret"));
    BOOST_TEST(s.routers.at(0).cpu_percent == 30U);
    BOOST_TEST(s.routers.at(1).cpu_percent == 45U);
    BOOST_TEST((s.routers.at(0).scripts == RouterScripts::when_possible));
    BOOST_TEST((s.routers.at(1).scripts == RouterScripts::off));

    BOOST_TEST(s.mdns.interfaces == (std::vector<std::string>{"eth0", "eth0.20"}),
               boost::test_tools::per_element());
    BOOST_TEST(s.mdns.services == (std::vector<std::string>{"\4_ipp\4_tcp", "\4_osc\4_udp"}),
               boost::test_tools::per_element());
    BOOST_TEST((!s.mdns.v4 && s.mdns.v6));

    BOOST_TEST(s.fleet.name == "pop1");
    BOOST_TEST(s.fleet.box == "dns1");
    BOOST_TEST((s.fleet.sentinels ==
                std::vector<FleetEndpoint>{{.path = {}, .host = "192.0.2.11", .port = 26379},
                                           {.path = {}, .host = "2001:db8::12", .port = 26380}}));
    BOOST_TEST(s.fleet.master == "shared");
    BOOST_TEST((s.fleet.password == "secret"));
    BOOST_TEST((s.fleet.tls.enabled && s.fleet.tls.pin.size() == 64U));
    BOOST_TEST(s.fleet.tls.server_name == "redis.example");
    BOOST_TEST(s.fleet.lease.count() == 1000);
    BOOST_TEST(!s.fleet.share_tickets);

    const auto& forward = std::get<Forward>(plugin(s, "fwd").args);
    BOOST_TEST_REQUIRE(forward.upstreams.size() == 5U);
    const std::vector<std::string> addresses{"192.0.2.1", "2001:db8::2", "192.0.2.3", "2001:db8::4",
                                             "2001:db8::5"};
    const std::vector<std::uint16_t> ports{5353, 54, 53, 55, 53};
    for (std::size_t i = 0; i < ports.size(); ++i) {
        BOOST_TEST(forward.upstreams[i].address.value().to_string() == addresses[i]);
        BOOST_TEST(forward.upstreams[i].port == ports[i]);
    }
    BOOST_TEST((forward.upstreams[0].timeout == Milliseconds(250) &&
                forward.total_timeout == Milliseconds(3000)));

    const auto& cache = std::get<Cache>(plugin(s, "cache_main").args);
    BOOST_TEST((cache.size == 64U << 20 && cache.size_in_bytes && cache.short_circuit &&
                !cache.cache_negative));
    const auto& list = std::get<RouterRows>(plugin(s, "list1").args);
    BOOST_TEST((list.on_timeout == OnTimeoutMode::servfail &&
                list.on_full == OnFullMode::servfail &&
                list.missing_family == MissingFamilyMode::nodata));
    BOOST_TEST((!s.routers[0].repair_connections && s.routers[1].repair_connections));
    BOOST_TEST((list.shared == SharedMode::skip && list.shared_above == 5U));
    BOOST_TEST((list.multi_writer && list.cleanup_on_shutdown && !list.async));
    BOOST_TEST((list.on_manual_change == ManualChangeMode::respect));
    BOOST_TEST(list.never_claim.value().size() == 1U);
    BOOST_TEST(list.persistent.size() == 4U);
    BOOST_TEST((std::get<RouterRows>(plugin(s, "list2").args).fixed_ttl == Milliseconds(0)));

    const auto& main = std::get<Sequence>(plugin(s, "main").args);
    BOOST_TEST_REQUIRE(main.rules.size() == 15U);
    BOOST_TEST(main.rules[1].matches.size() == 3U);
    BOOST_TEST((!main.rules[1].matches[0].negate && main.rules[1].matches[1].negate));
    BOOST_TEST(main.rules[4].marks == (std::vector<std::uint32_t>{1, 2, 16}),
               boost::test_tools::per_element());
    BOOST_TEST(int{main.rules[6].rcode} == 3);
    BOOST_TEST(int{main.rules[7].rcode} == 5);
    BOOST_TEST(std::get<DebugPrint>(s.plugin(main.rules[8].plugin).args).msg == "a text");
    const Plugin& in_place = s.plugin(main.rules[11].plugin);
    BOOST_TEST((in_place.in_place && in_place.tag == "main[12]"));
    BOOST_TEST(std::get<Forward>(in_place.args).concurrent == 2U);
    BOOST_TEST(std::get<Forward>(in_place.args).short_circuit);
    BOOST_TEST(s.plugin(s.entries.front()).tag == "main");
}

BOOST_AUTO_TEST_CASE(an_upstream_uses_its_own_options_or_those_of_the_forward) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/upstreams.yaml", test_options()).settings;
    const auto& up = std::get<Forward>(plugin(s, "fwd").args).upstreams;
    BOOST_TEST_REQUIRE(up.size() == 12U);
    BOOST_TEST((up[0].scheme == UpstreamScheme::tcp && up[0].port == 53 && !up[0].pipeline));
    BOOST_TEST((up[0].reach.so_mark == 3 && up[0].reach.bootstrap->port == 5353));
    BOOST_TEST((up[0].reach.socks5->host == "192.0.2.9" && up[0].reach.socks5->port == 1080));
    BOOST_TEST((up[1].scheme == UpstreamScheme::tls && up[1].port == 853 && !up[1].address));
    BOOST_TEST((up[1].host == "dns.example" && up[1].reach.family == AddressFamily::v6));
    BOOST_TEST((up[1].reach.so_mark == 7 && up[1].reach.device == "eth1"));
    BOOST_TEST(up[1].reach.bootstrap->address.to_string() == "192.0.2.53");
    BOOST_TEST((up[2].pipeline && up[2].port == 8853 && up[2].host == "dns.example"));
    BOOST_TEST(up[2].address.value().to_string() == "192.0.2.3");
    const Socks5Settings& proxy = up[2].reach.socks5.value();
    BOOST_TEST((proxy.user == "me" && proxy.password == "pass:word"));
    BOOST_TEST((proxy.host == "proxy.example" && proxy.port == 1081));
    BOOST_TEST((up[3].pipeline && up[3].port == 54 && up[3].idle_timeout == Milliseconds(30'000)));
    BOOST_TEST((up[3].max_conns == 2 && up[3].min_conns == 1));
    BOOST_TEST((up[4].insecure_skip_verify && up[4].pipeline));
    BOOST_TEST_REQUIRE(up[5].pins.size() == 2U);
    BOOST_TEST(
        (up[5].pins[0][0] == 1 && up[5].pins[0][31] == 32 && up[5].pins[0] == up[5].pins[1]));
    BOOST_TEST((up[6].scheme == UpstreamScheme::udp && up[6].reach.socks5->port == 1080));
    BOOST_TEST((up[8].scheme == UpstreamScheme::quic && up[8].port == 853));
    BOOST_TEST((up[8].fallback == UpstreamScheme::tls && !up[9].fallback));
    BOOST_TEST((up[9].scheme == UpstreamScheme::quic && up[9].port == 8853));
    BOOST_TEST((up[9].early_data && !up[8].early_data));
    BOOST_TEST((up[10].scheme == UpstreamScheme::h3 && up[10].port == 8443));
    BOOST_TEST((up[10].path == "/x" && up[10].fallback == UpstreamScheme::https));
    BOOST_TEST((up[11].scheme == UpstreamScheme::h3 && up[11].port == 443));
    BOOST_TEST(up[11].path == "/dns-query");
    for (const UpstreamSettings& upstream : up)  // a mark, or a proxy
        BOOST_TEST(!upstream.is_plain());
    const auto& main = std::get<Sequence>(plugin(s, "main").args);
    const auto& quick = std::get<Forward>(s.plugin(main.rules[1].plugin).args).upstreams;
    BOOST_TEST((quick.size() == 2U && quick[0].scheme == UpstreamScheme::tls && !quick[1].address));
}

BOOST_AUTO_TEST_CASE(empty_text_declines_the_default_outbound_profile) {
    const std::string profiles =
        "network: { outbound: { default: far, profiles: { far: { proxy: { socks5: "
        "'192.0.2.9:1080' }, resolver: { nameservers: [192.0.2.53] } }, near: { proxy: { socks5: "
        "'192.0.2.8' } } } } }\n";
    const auto reached = [&](const std::string& of_forward, const std::string& of_upstream) {
        const auto loaded = load_text(
            profiles + "plugins:\n  - tag: main\n    type: sequence\n    args: [{ exec: $fwd }]\n" +
                "  - tag: fwd\n    type: forward\n    args: { " + of_forward +
                "upstreams: [{ addr: 192.0.2.1" + of_upstream + " }] }\n",
            "test.yaml", test_options());
        for (const Error& error : loaded.errors)
            BOOST_ERROR(error.sentence());
        const auto& reach =
            std::get<Forward>(plugin(loaded.settings, "fwd").args).upstreams.at(0).reach;
        return (reach.socks5 ? reach.socks5->host : "none") + " " +
               (reach.bootstrap ? "resolver" : "none");
    };
    BOOST_TEST(reached("", "") == "192.0.2.9 resolver");
    BOOST_TEST(reached("", ", socks5: ''") == "none resolver");
    BOOST_TEST(reached("socks5: '', ", "") == "none resolver");
    BOOST_TEST(reached("bootstrap: '', ", "") == "192.0.2.9 none");
    BOOST_TEST(reached("", ", bootstrap: '', socks5: ''") == "none none");
    BOOST_TEST(reached("socks5: 192.0.2.7, ", ", socks5: ''") == "none resolver");
    BOOST_TEST(reached("socks5: '', ", ", socks5: 192.0.2.7") == "192.0.2.7 resolver");
    // A profile that the upstream names is no default.
    BOOST_TEST(reached("socks5: '', ", ", outbound: near") == "192.0.2.8 none");
    BOOST_TEST(reached("", ", outbound: near, socks5: ''") == "none none");
}

BOOST_AUTO_TEST_CASE(good_lines_of_a_persistent_file_are_used) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/persistent_lines.yaml", test_options()).settings;
    const auto& rows = std::get<RouterRows>(plugin(s, "list").args).persistent;
    BOOST_TEST_REQUIRE(rows.size() == 2U);
    BOOST_TEST((rows[0].prefix.to_string() == "192.0.2.77/32" && rows[0].line == 2));
    BOOST_TEST((rows[1].prefix.to_string() == "198.51.100.0/24" && rows[1].line == 6));
}

BOOST_AUTO_TEST_CASE(placeholders_give_numbers_booleans_and_text) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/placeholders.yaml", test_options()).settings;
    BOOST_TEST(s.dataplane.workers == 2U);
    const auto& cache = std::get<Cache>(plugin(s, "c").args);
    BOOST_TEST((cache.size == 4096 && !cache.size_in_bytes && cache.short_circuit));
    BOOST_TEST(std::get<DebugPrint>(plugin(s, "q").args).msg ==
               "4096 of ${qname}, ${HOME}, $${STEER_TEST_NUMBER}, ${unclosed");
}

BOOST_AUTO_TEST_CASE(included_plugins_come_first_and_know_their_files) {
    const Settings s = load(kRoot / "tests/unit/config/good/include.yaml", test_options()).settings;
    BOOST_TEST_REQUIRE(s.plugins.size() >= 3U);
    BOOST_TEST(s.plugins[0].tag == "far");
    BOOST_TEST(s.plugins[1].tag == "near");
    BOOST_TEST(s.plugins[2].tag == "main");
    BOOST_TEST((s.log.level == LogLevel::info));  // an included file brings plugins alone
    const Error far = s.error(s.plugins[0].line, "x"), near = s.error(s.plugins[1].line, "x"),
                main = s.error(s.plugins[2].line, "x");
    BOOST_TEST((far.file.ends_with("good/include/more/far.yaml") && far.line == 2));
    BOOST_TEST((near.file.ends_with("good/include/sets.yaml") && near.line == 5));
    BOOST_TEST((main.file == s.file && main.line > 2));
}

BOOST_AUTO_TEST_CASE(geosite_is_a_set_of_the_selected_rules) {
    const Settings s = load(kRoot / "tests/unit/config/good/geosite.yaml", test_options()).settings;
    const auto& some = std::get<DomainSet>(plugin(s, "some").args).steps.at(0).rules;
    BOOST_TEST_REQUIRE(some.size() == 2U);
    BOOST_TEST(some[0].rule.text == "ads.cn.example");
    BOOST_TEST(some[1].rule.text == "geo.example");
    BOOST_TEST(s.files.at(some[1].file).ends_with("lists/geosite.dat"));
    BOOST_TEST(rules_of(plugin(s, "all")) == 5U);
}

BOOST_AUTO_TEST_CASE(geoip_is_a_set_of_addresses) {
    const Settings s = load(kRoot / "tests/unit/config/good/geoip.yaml", test_options()).settings;
    const auto& cn = std::get<IpSet>(plugin(s, "cn").args).prefixes;
    BOOST_TEST_REQUIRE(cn.size() == 2U);
    BOOST_TEST(cn[0].to_string() == "192.0.2.0/24");
    BOOST_TEST(cn[1].to_string() == "2001:db8::/32");
    BOOST_TEST(std::get<IpSet>(plugin(s, "here").args).prefixes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(adguard_rules_become_steps_by_priority) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/adguard_rule.yaml", test_options()).settings;
    const auto& steps = std::get<DomainSet>(plugin(s, "ads").args).steps;
    BOOST_TEST_REQUIRE(steps.size() == 5U);  // important, exception, plain, by type, with denyallow
    BOOST_TEST((steps[0].in && steps[0].rules.at(0).rule.text == "more.ads.example"));
    BOOST_TEST((!steps[1].in && steps[1].rules.at(0).line == 4));
    BOOST_TEST((steps[2].rules.size() == 1 && steps[2].rules[0].rule.text == "ads.example"));
    BOOST_TEST((steps[3].types == std::vector<std::uint16_t>{28}));
    BOOST_TEST(steps[4].unless.at(0).rule.text == "a.wide.example");
}

BOOST_AUTO_TEST_CASE(a_domain_set_has_the_steps_of_its_lists) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/domain_set_adguard.yaml", test_options()).settings;
    const auto& steps = std::get<DomainSet>(plugin(s, "ads").args).steps;
    BOOST_TEST_REQUIRE(steps.size() == 4U);  // important, exceptions of both files, plain, by type
    BOOST_TEST((steps[0].in && steps[0].rules.at(0).rule.text == "bad.good.ads.example"));
    BOOST_TEST((!steps[1].in && steps[1].rules.size() == 2U));
    BOOST_TEST((steps[2].in && steps[2].rules.size() == 4U));  // without the one of the badfilter
    BOOST_TEST(steps[2].rules.at(0).rule.text == "own.example");
    BOOST_TEST((steps[3].types == std::vector<std::uint16_t>{28}));
    // A set without negation has one step.
    BOOST_TEST(std::get<DomainSet>(plugin(s, "plain").args).steps.size() == 1U);
}

BOOST_AUTO_TEST_CASE(rules_of_files_know_their_lines) {
    const Settings s = load(kRoot / "tests/unit/config/good/all.yaml", test_options()).settings;
    const auto& rules = std::get<DomainSet>(plugin(s, "policy").args).steps.at(0).rules;
    BOOST_TEST_REQUIRE(rules.size() ==
                       8U);  // five inline; of six lines of the file two are bad and one is empty
    BOOST_TEST(s.files.at(rules[5].file).ends_with("bad/lists/some_bad.txt"));
    BOOST_TEST(rules[6].line == 4);
    BOOST_TEST(rules[7].rule.text == "also.good.example");
}

BOOST_AUTO_TEST_CASE(defaults_are_those_of_the_reference) {
    const Settings s = load(kRoot / "configs/minimal.yaml").settings;
    BOOST_TEST(s.control.http.value().to_string() == "127.0.0.1:9153");
    BOOST_TEST(s.control.socket == "/run/steerdns/control.sock");
    BOOST_TEST(s.dataplane.workers == 1U);
    BOOST_TEST(s.dataplane.first_upstream_port == 10240);
    BOOST_TEST(s.dataplane.last_upstream_port == 26623);
    BOOST_TEST(s.dataplane.max_parked == 65536U);
    BOOST_TEST((s.dataplane.idle == IdleMode::adaptive && s.dataplane.ports.empty() &&
                !s.dataplane.allow));
}

BOOST_AUTO_TEST_CASE(a_missing_configuration_is_one_sentence) {
    const LoadOutcome outcome = load("/not/there.yaml");
    BOOST_TEST_REQUIRE(outcome.errors.size() == 1U);
    BOOST_TEST(outcome.errors[0].sentence() ==
               "/not/there.yaml: the configuration cannot be read: No such file or directory");
}

BOOST_AUTO_TEST_CASE(both_names_of_the_warning_level_are_read) {
    for (const char* const level : {"warn", "warning", "Warning"}) {
        const LoadOutcome outcome = load_text("log: { level: " + std::string(level) +
                                                  " }\nplugins: [ { tag: m, type: sequence, args: "
                                                  "[ { exec: forward 192.0.2.1 } ] } ]\n",
                                              "text", test_options());
        BOOST_TEST(outcome.errors.empty());
        BOOST_TEST((outcome.settings.log.level == LogLevel::warn));
    }
}

BOOST_AUTO_TEST_CASE(paths_start_from_the_base_folder_that_was_given) {
    LoadOptions options = test_options();
    options.base_dir = kRoot / "tests/unit/config/bad/lists";
    const LoadOutcome outcome = load_text(
        "plugins:\n"
        "  - { tag: s, type: domain_set, args: { files: [some_bad.txt] } }\n"
        "  - { tag: main, type: sequence, args: [{ matches: qname $s, exec: reject }, { exec: "
        "forward 192.0.2.1 }] }\n",
        "text", options);
    BOOST_TEST(outcome.ok());
    BOOST_TEST(outcome.settings.files.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_page_is_on_by_one_word_and_has_a_certificate_of_its_own) {
    const auto rpc_of = [](const std::string& http) {
        const LoadOutcome outcome =
            load_text("control:\n  http: " + http +
                          "\nplugins:\n  - { tag: "
                          "main, type: sequence, args: [ { exec: reject } ] }\n",
                      "page.yaml");
        BOOST_TEST(outcome.errors.empty(), http);
        return outcome.settings.control.rpc;
    };
    const auto on = rpc_of("on");
    BOOST_REQUIRE(on.has_value());
    BOOST_TEST((on->listen.any() && on->listen.port == 9154));
    BOOST_TEST((on->own_certificate && on->has_password));
    BOOST_TEST(on->folder == "/var/lib/steerdns/page");
    BOOST_TEST(!rpc_of("off").has_value());
    BOOST_TEST(!rpc_of("127.0.0.1:9153").has_value());
    // Passwords do not cross the network in the clear; a loopback address has none to cross.
    BOOST_TEST(rpc_of("{ listen: ':9154' }")->own_certificate);
    BOOST_TEST(!rpc_of("{ listen: '127.0.0.1:9154' }")->has_tls());
    BOOST_TEST(!rpc_of("{}")->has_tls());
    BOOST_TEST(rpc_of("{ tls: own }")->own_certificate);
    BOOST_TEST(rpc_of("{ tls: { client_ca: ca.pem } }")->own_certificate);
    BOOST_TEST(!rpc_of("{ tls: { certificate: a.pem, key: a.key } }")->own_certificate);
}

BOOST_AUTO_TEST_CASE(two_tokens_of_http_have_different_secrets) {
    const steer::test::TempFolder folder;
    const auto errors = [&](const std::string& first, const std::string& second) {
        std::string tokens;
        for (const auto& [name, secret] : {std::pair{"a", first}, {"b", second}}) {
            const std::string file = (folder.path / name).string();
            std::ofstream(file) << secret << "\n";
            ::chmod(file.c_str(), 0600);
            tokens += "      - { name: " + std::string(name) + ", role: read, token_file: " + file +
                      " }\n";
        }
        const LoadOutcome outcome = load_text("control:\n  http:\n    tokens:\n" + tokens +
                                                  "plugins:\n  - { tag: main, type: sequence, "
                                                  "args: [ { exec: forward 192.0.2.1 } ] }\n",
                                              "text", test_options());
        return outcome.errors.empty() ? std::string{} : outcome.errors[0].text;
    };
    BOOST_TEST(errors("0123456789abcdef", "0123456789abcdee") == "");
    BOOST_TEST(errors("0123456789abcdef",
                      "\xef\xbb\xbf"
                      "0123456789abcdef") != "");
    BOOST_TEST(errors("0123456789abcdef", "0123456789abcdef") ==
               "token 2 of 'tokens' of 'http' of 'control' has the secret of token \"a\": make "
               "another with `openssl rand -hex 32`");
}

// Editors of Windows write one; the password has none.
BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_no_part_of_a_password) {
    const steer::test::TempFolder folder;
    LoadOptions options;
    options.base_dir = folder.path.string();
    folder.write("password", "\xef\xbb\xbf\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c \r\n");
    const LoadOutcome outcome = load_text(
        "routers: { edge: { address: 192.0.2.1, username: api, password_file: password } }\n"
        "plugins:\n"
        "  - { tag: main, type: sequence, args: [ { exec: forward 192.0.2.1 } ] }\n",
        "text", options);
    BOOST_TEST_REQUIRE(outcome.ok());
    BOOST_TEST_REQUIRE(outcome.settings.routers.size() == 1U);
    BOOST_TEST((outcome.settings.routers[0].password ==
                "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c "));
}

// Also for a key with the word in its name.
BOOST_AUTO_TEST_CASE(secret_is_found_in_the_output_of_tsig_keygen_and_keymgr) {
    const std::string secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const steer::test::TempFolder folder;
    LoadOptions options;
    options.base_dir = folder.path.string();
    for (const auto& [before, after] :
         {std::pair{"", "\n"},
          {"# the secret from ns1\nkey k { secret \"", "\"; };\n"},
          {"key k {\r\n\talgorithm hmac-sha256;\r\n\tsecret\r\n\t\"", "\";\r\n};\n"},
          {"key \"secret\" {\n\talgorithm hmac-sha256;\n\tsecret \"", "\";\n};\n"},
          {"key my-secret-key { algorithm hmac-sha256; secret ", "; };\n"},
          {"# hmac-sha256:secret:c2hvcnQ=\nkey:\n  - id: secret\n    algorithm: hmac-sha256\n"
           "    secret: ",
           "\n"}}) {
        std::string text(before);
        text += secret;
        text += after;
        folder.write("key", text);
        const LoadOutcome outcome = load_text(
            "plugins:\n"
            "  - { tag: z, type: secondary, args: { zone: rpz.example, primaries: [192.0.2.1], "
            "tsig: { name: key, secret_file: key } } }\n"
            "  - { tag: main, type: sequence, args: [ { exec: forward 192.0.2.1 } ] }\n",
            "text", options);
        BOOST_TEST_REQUIRE(outcome.ok());
        const auto& zone = std::get<Secondary>(outcome.settings.plugins.at(0).args);
        BOOST_TEST((zone.tsig->secret == "0123456789abcdef0123456789abcdef"), text);
        BOOST_TEST(std::ranges::none_of(outcome.warnings, [](const Error& warning) {
            return warning.text.find("can be guessed") != std::string::npos;
        }));
    }
}

BOOST_AUTO_TEST_CASE(a_short_secret_of_a_key_is_reported) {
    const LoadOutcome outcome = load_text(
        "plugins:\n"
        "  - { tag: z, type: secondary, args: { zone: rpz.example, primaries: [192.0.2.1], "
        "tsig: { name: key, secret: c2hvcnQ= } } }\n"
        "  - { tag: main, type: sequence, args: [ { exec: forward 192.0.2.1 } ] }\n",
        "text", test_options());
    BOOST_TEST_REQUIRE(outcome.ok());
    BOOST_TEST(std::ranges::any_of(outcome.warnings, [](const Error& warning) {
        return warning.line == 2 && warning.text.find("has 5 bytes") != std::string::npos;
    }));
}

BOOST_AUTO_TEST_CASE(a_forward_with_tags_uses_only_upstreams_with_these_tags) {
    const std::string text =
        "plugins:\n"
        "  - { tag: main, type: sequence, args: [{ matches: qtype A, exec: $fwd b c }, { exec: "
        "$fwd "
        "}] }\n"
        "  - tag: fwd\n"
        "    type: forward\n"
        "    args: { concurrent: 2, upstreams: [{ tag: a, addr: 192.0.2.1 }, { tag: b, addr: "
        "192.0.2.2 }, { tag: c, addr: 192.0.2.3 }] }\n";
    const LoadOutcome outcome = load_text(text, "text", test_options());
    BOOST_TEST_REQUIRE(outcome.ok());
    BOOST_TEST(outcome.warnings.empty());
    const auto& main = std::get<Sequence>(plugin(outcome.settings, "main").args);
    const auto& picked = std::get<Forward>(outcome.settings.plugin(main.rules[0].plugin).args);
    BOOST_TEST_REQUIRE(picked.upstreams.size() == 2U);
    BOOST_TEST(picked.upstreams[0].tag == "b");
    BOOST_TEST(picked.upstreams[1].tag == "c");
    BOOST_TEST(picked.concurrent == 2U);
    const auto& whole = std::get<Forward>(outcome.settings.plugin(main.rules[1].plugin).args);
    BOOST_TEST(whole.upstreams.size() == 3U);

    std::string wrong = text;
    wrong.replace(wrong.find("b c }"), 3, "b x");
    const LoadOutcome refused = load_text(wrong, "text", test_options());
    BOOST_TEST_REQUIRE(refused.errors.size() == 1U);
    BOOST_TEST(refused.errors[0].sentence() == "text:2: '$fwd' has no upstream with the tag \"x\"");
}

BOOST_AUTO_TEST_CASE(names_of_a_newer_version_are_distinguished_from_other_errors) {
    const auto has_unknown_names = [](const std::string& first, const std::string& rule) {
        const LoadOutcome outcome =
            load_text(first + "plugins:\n  - { tag: main, type: sequence, args: [" + rule + "] }\n",
                      "text", test_options());
        BOOST_TEST(!outcome.ok());
        return outcome.has_unknown_names;
    };
    BOOST_TEST(has_unknown_names("newer: {}\n", "{ exec: reject }"));
    BOOST_TEST(has_unknown_names("log: { newer: 1 }\n", "{ exec: reject }"));
    BOOST_TEST(has_unknown_names("api: { http: { newer: 1 } }\n", "{ exec: reject }"));
    BOOST_TEST(has_unknown_names("", "{ newer: 1, exec: reject }"));
    BOOST_TEST(has_unknown_names("", "{ exec: newer }"));
    BOOST_TEST(has_unknown_names("", "{ matches: newer, exec: reject }"));
    BOOST_TEST(has_unknown_names("", "{ exec: reject }] }\n  - { tag: x, type: newer, args: ["));
    BOOST_TEST(has_unknown_names("", "{ exec: reject }], newer: ["));
    BOOST_TEST(!has_unknown_names("log: { level: loud }\n", "{ exec: reject }"));
    BOOST_TEST(!has_unknown_names("", "{ exec: $newer }"));
}

BOOST_AUTO_TEST_CASE(the_text_of_a_static_record_is_taken_literally) {
    const auto rdata_of_text = [](const std::string& text) {
        const LoadOutcome outcome = load_text(
            "plugins:\n"
            "  - { tag: names, type: static, args: { records: [{ name: a.example, type: TXT, text: "
            "'" +
                text +
                "' }] } }\n"
                "  - { tag: main, type: sequence, args: [{ exec: $names }, { exec: reject }] }\n",
            "text", test_options());
        if (!outcome.ok()) return outcome.errors.front().text;
        const auto& records = std::get<StaticRecords>(plugin(outcome.settings, "names").args);
        const auto& rdata = records.entries.at(0).record.rdata;
        return std::string(rdata.begin(), rdata.end());
    };
    BOOST_TEST(rdata_of_text("a\\b") ==
               "\x03"
               "a\\b");
    BOOST_TEST(rdata_of_text("end\\") ==
               "\x04"
               "end\\");
    BOOST_TEST(rdata_of_text("\\065\"") ==
               "\x05"
               "\\065\"");
    const std::string longer(256, 'x');
    BOOST_TEST(rdata_of_text(longer) == "\xff" + longer.substr(1) + "\x01x");
}

BOOST_AUTO_TEST_CASE(relative_paths_start_from_the_folder_of_the_configuration) {
    const Settings s =
        load(kRoot / "tests/unit/config/good/of_others.yaml", test_options()).settings;
    const std::string folder = (kRoot / "tests/unit/config/good").string();
    BOOST_TEST(s.control.socket == folder + "/control.sock");
    BOOST_TEST(s.control.images == folder + "/images");
    BOOST_TEST(s.control.lists == folder + "/lists");
    BOOST_TEST(s.control.leases == folder + "/leases.json");
    BOOST_TEST(s.control.findings == folder + "/findings.json");
}

BOOST_AUTO_TEST_CASE(a_missing_file_with_a_download_is_no_error_before_the_download) {
    const std::string text =
        "plugins:\n"
        "  - { tag: names, type: domain_set, args: { files: [/nowhere/names.txt] } }\n"
        "  - { tag: bring, type: download, args: { downloads: [{ url: "
        "'http://192.0.2.9/names.txt', "
        "dir: /nowhere }] } }\n"
        "  - { tag: main, type: sequence, args: [{ matches: qname $names, exec: accept }, { exec: "
        "reject }] }\n";
    LoadOptions options = test_options();
    BOOST_TEST(load_text(text, "text", options).ok());
    options.downloads_tried = true;
    const LoadOutcome tried = load_text(text, "text", options);
    BOOST_TEST_REQUIRE(tried.errors.size() == 1U);
    BOOST_TEST(tried.errors[0].line == 2);
    std::string never = text;
    never.insert(never.find("dir: /nowhere"), "filename: other.txt, ");
    options.downloads_tried = false;
    BOOST_TEST(!load_text(never, "text", options).ok());
}

BOOST_AUTO_TEST_CASE(a_plugin_type_is_explained) {
    std::ostringstream out;
    BOOST_TEST(explain_plugin("cache", out).has_value());
    BOOST_TEST(out.str().starts_with("### `cache`\n"));
    BOOST_TEST(out.str().find("| `lazy_cache_ttl` |") != std::string::npos);
    BOOST_TEST(out.str().find("### `", 5) == std::string::npos);  // and no other
    std::ostringstream none;
    BOOST_TEST(explain_plugin("cahe", none).error().text ==
               "there is no plugin type \"cahe\": did you mean 'cache'?");
    BOOST_TEST(explain_plugin("upgrade", none).error().text ==
               "plugin type \"upgrade\" has no effect here: the package manager upgrades this "
               "program; remove it");
    BOOST_TEST(none.str().empty());
}

BOOST_AUTO_TEST_CASE(a_file_of_another_program_is_recognised_behind_any_number_of_comments) {
    std::string comments;
    for (int i = 0; i < 300; ++i)
        comments += "# c\n";
    BOOST_TEST(foreign_file("\xef\xbb\xbf" + comments + "server=192.0.2.1\nfilter-AAAA\n", "f")
                   .starts_with("this is a configuration of dnsmasq"));
    BOOST_TEST(foreign_file(comments + ". {\n", "f").starts_with("this is a Corefile"));
    BOOST_TEST(foreign_file("# 2026 by RouterOS 7.16\n" + comments + "set a=b\n", "f")
                   .starts_with("this is an export of RouterOS"));
    BOOST_TEST(foreign_file(comments + "plugins:\n", "f") == "");
}

BOOST_AUTO_TEST_CASE(the_reference_in_docs_equals_the_tables) {
    std::ostringstream reference;
    write_reference(reference);
    BOOST_TEST(content_of(kRoot / "docs/reference/configuration.md") == reference.str(),
               "docs/reference/configuration.md is old: steerdnsd --config-reference > "
               "docs/reference/configuration.md");
}

}  // namespace
}  // namespace steer::config
