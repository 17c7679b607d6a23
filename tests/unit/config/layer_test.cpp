// The layer managed.yaml over a configuration: what it overrides, and what it may not hold.
#include "control/config/layer.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "control/config/plugin_type.h"
#include "support/temp_folder.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlugins =
    "plugins:\n"
    "  - tag: forward\n"
    "    type: forward\n"
    "    args:\n"
    "      concurrent: 2\n"
    "      upstreams: [{addr: 192.0.2.1}, {addr: 192.0.2.2}]\n"
    "  - tag: main\n"
    "    type: sequence\n"
    "    args: [{exec: $forward}]\n"
    "  - type: udp_server\n"
    "    args: {entry: main, listen: 127.0.0.1:5300}\n";

struct Lab {
    test::TempFolder folder;
    LoadOptions options;

    Lab() {
        options.managed.is_on = true;
        options.environment = [](const std::string&) { return std::nullopt; };
    }
    std::string layer_file() const { return folder / "state/managed.yaml"; }
    LoadOutcome load(std::string_view layer, const std::string& sections = {}) const {
        if (!layer.empty()) folder.write("state/managed.yaml", layer);
        return load_over(sections);
    }
    LoadOutcome load_over(const std::string& sections = {}) const {
        return load_text(
            "control: {managed: " + layer_file() + "}\n" + sections + std::string(kPlugins),
            folder / "steerdns.yaml", options);
    }
};

const Forward& forward_of(const Settings& settings) {
    const auto at = std::ranges::find(settings.plugins, std::string("forward"), &Plugin::tag);
    BOOST_TEST_REQUIRE((at != settings.plugins.end()));
    return std::get<Forward>(at->args);
}

// "LINE: TEXT" of the layer's file; other files by their names.
std::vector<std::string> sentences(const Lab& lab, const std::vector<Error>& errors) {
    std::vector<std::string> out;
    for (const Error& error : errors) {
        std::string text = error.text;
        const std::string folder = lab.folder.path.string();
        for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
            text.replace(at, folder.size(), "");
        out.push_back((error.file == lab.layer_file() ? "" : error.file + ":") +
                      std::to_string(error.line) + ": " + text);
    }
    return out;
}

void refuses(std::string_view layer, const std::vector<std::string>& expected) {
    const Lab lab;
    BOOST_TEST_CONTEXT(layer) {
        const auto outcome = lab.load(layer);
        BOOST_TEST(sentences(lab, outcome.errors) == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_plugin_is_overridden_by_tag_a_map_by_key_and_a_list_as_a_whole) {
    const Lab lab;
    const auto outcome = lab.load(
        "plugins:\n"
        "  - tag: forward\n"
        "    args:\n"
        "      upstreams: [{addr: 192.0.2.9}]\n");
    BOOST_TEST_REQUIRE(outcome.ok());
    const Settings& settings = outcome.settings;
    const Forward& forward = forward_of(settings);
    BOOST_TEST(forward.upstreams.size() == 1U);
    BOOST_TEST(forward.concurrent == 2U);
    BOOST_TEST(settings.managed.is_used);
    BOOST_TEST_REQUIRE(settings.managed.overrides.size() == 1U);
    const ManagedOverride& one = settings.managed.overrides.front();
    BOOST_TEST(one.path == "plugins.forward.args.upstreams");
    BOOST_TEST(one.replaced.size() == 64U);
    BOOST_TEST(settings.error(one.line, {}).file == lab.layer_file());
    BOOST_TEST(settings.error(one.line, {}).line == 4);
}

BOOST_AUTO_TEST_CASE(another_type_replaces_a_plugin_and_a_new_tag_adds_one) {
    const Lab lab;
    const auto outcome = lab.load(
        "plugins:\n"
        "  - {tag: forward, type: static, args: {records: [{name: a.lan, address: 192.0.2.7}]}}\n"
        "  - {tag: extra, type: cache, args: {size: 1000}}\n");
    BOOST_TEST_REQUIRE(sentences(lab, outcome.errors).empty());
    const auto& plugins = outcome.settings.plugins;
    BOOST_TEST(plugins[0].type == "static");
    BOOST_TEST(plugins[3].tag == "extra");
    BOOST_TEST(outcome.settings.managed.overrides.size() == 2U);
    BOOST_TEST(outcome.settings.managed.overrides[1].replaced.empty());
}

BOOST_AUTO_TEST_CASE(sections_are_overridden_by_key) {
    const Lab lab;
    const std::string sections = "policy: {local_names: forward, rebind: block}\n";
    const auto before = lab.load_over(sections);
    const auto outcome = lab.load("policy: {local_names: nxdomain}\n", sections);
    BOOST_TEST_REQUIRE(outcome.ok());
    BOOST_TEST((outcome.settings.policy.local_names != before.settings.policy.local_names));
    BOOST_TEST((outcome.settings.policy.rebind == before.settings.policy.rebind));
    const auto wrong = lab.load("policy:\n  local_names: 7\n", sections);
    BOOST_TEST_REQUIRE(!wrong.ok());
    BOOST_TEST(wrong.errors.front().file == lab.layer_file());
    BOOST_TEST(wrong.errors.front().line == 2);
}

BOOST_AUTO_TEST_CASE(a_replaced_value_has_the_same_hash_whatever_its_form) {
    Report report("x");
    const auto hash = [&](std::string_view text) { return hash_of(parse_document(text, report)); };
    BOOST_TEST(hash("{a: 1, b: [2, 3]}") == hash("b:\n- 2\n- \"3\"\n# c\na: 1\n"));
    BOOST_TEST(hash("{a: 1}") != hash("{a: 2}"));
    BOOST_TEST(hash("[a, b]") != hash("[ab]"));
    BOOST_TEST(hash("{a: }") != hash("{a: \"\"}"));
}

BOOST_AUTO_TEST_CASE(what_the_layer_may_not_hold_is_refused_by_line) {
    refuses("dataplane: {workers: 1}\n",
            {"1: the section \"dataplane\" may not be in this file, only plugins, routers, policy, "
             "mdns and 'http' of 'control': write it into \"/steerdns.yaml\""});
    refuses("\nlog: {level: debug}\ninclude: [x.yaml]\n",
            {"2: the section \"log\" may not be in this file, only plugins, routers, policy, mdns "
             "and 'http' of 'control': write it into \"/steerdns.yaml\"",
             "3: the section \"include\" may not be in this file, only plugins, routers, policy, "
             "mdns and 'http' of 'control': write it into \"/steerdns.yaml\""});
    refuses("control:\n  http: 127.0.0.1:9153\n  user: root\n",
            {"3: \"user\" of 'control' may not be in this file, only 'http': write it into "
             "\"/steerdns.yaml\""});
    refuses("control: {socket: /run/x}\n",
            {"1: \"socket\" of 'control' may not be in this file, only 'http': write it into "
             "\"/steerdns.yaml\""});
    refuses("plugins:\n  - {tag: a, type: cache}\n  - {tag: a, type: cache}\n  - {type: cache}\n",
            {"3: the tag \"a\" is given twice in this file: use unique tags",
             "4: a plugin in this file needs a 'tag': write that of the plugin that it changes, or "
             "a new one"});
    refuses(
        "plugins:\n  - {tag: forwar, args: {}}\n",
        {"2: the configuration has no plugin \"forwar\" to change: write a 'type' to add one, or "
         "remove this"});
    refuses("plugins: {a: b}\n", {"1: 'plugins': expected a list of plugins, found a map"});
    refuses("- a\n",
            {"1: expected a map with 'plugins', 'routers', 'policy', 'mdns' or 'control', found a "
             "list"});
}

BOOST_AUTO_TEST_CASE(paths_lie_below_the_layers_folder) {
    refuses("plugins:\n  - tag: ads\n    type: domain_set\n    args: {files: [/etc/shadow]}\n",
            {"4: the file \"/etc/shadow\" is outside of /state: put it there, or name it in "
             "\"/steerdns.yaml\""});
    refuses("plugins:\n  - tag: ads\n    type: domain_set\n    args: {files: [../ads.txt]}\n",
            {"4: the file \"../ads.txt\" is outside of /state: put it there, or name it in "
             "\"/steerdns.yaml\""});
    refuses("plugins:\n  - tag: c\n    type: cache\n    args: {dump_file: /etc/cron.d/x}\n",
            {"4: the file \"/etc/cron.d/x\" is outside of /state: put it there, or name it in "
             "\"/steerdns.yaml\""});
    refuses(
        "routers:\n  r1:\n    address: 192.0.2.1\n    username: u\n"
        "    password_file: /etc/shadow\n",
        {"5: the file \"/etc/shadow\" is outside of /state: put it there, or name it in "
         "\"/steerdns.yaml\""});
    const Lab lab;
    lab.folder.write("state/ads.txt", "ads.example\n");
    const auto outcome =
        lab.load("plugins:\n  - {tag: ads, type: domain_set, args: {files: [ads.txt]}}\n");
    BOOST_TEST(outcome.ok());
}

// A path that is new is here, since its row says so. What this list has are texts for others.
BOOST_AUTO_TEST_CASE(no_setting_of_a_plugin_in_the_layer_takes_a_path_outside_of_its_folder) {
    const std::string outside = "/etc/hostname";
    std::vector<std::string> taken;
    unsigned paths = 0;
    for (const PluginType* const type : plugin_types()) {
        // As a list of rules.
        const Lab rules;
        const auto with_rules =
            rules.load("plugins:\n  - {tag: new, type: " + std::string(type->name) +
                       ", args: [\"&" + outside + "\", " + outside + "]}\n");
        BOOST_TEST(std::ranges::count(with_rules.settings.opened, outside) == 0, type->name);
        for (const RowText& row : type->rows()) {
            const std::string name = std::string(type->name) + "." + std::string(row.name);
            const bool is_path = row.kind.find("path") != row.kind.npos;
            paths += is_path ? 1 : 0;
            for (const std::string& value :
                 {outside, "[" + outside + "]", "[{url: " + outside + ", list: " + outside + "}]",
                  "{file: " + outside + "}"}) {
                const Lab lab;
                const auto outcome =
                    lab.load("plugins:\n  - {tag: new, type: " + std::string(type->name) +
                             ", args: {" + std::string(row.name) + ": " + value + "}}\n");
                const bool is_refused =
                    std::ranges::any_of(outcome.errors, [&](const Error& error) {
                        return error.text.find("is outside of") != std::string::npos;
                    });
                if (is_path) BOOST_TEST(is_refused, name + ": " + value);
                BOOST_TEST(std::ranges::count(outcome.settings.opened, outside) == 0, name);
                BOOST_TEST(std::ranges::count(outcome.settings.named, outside) == 0, name);
                const bool is_about_it =
                    is_refused || std::ranges::any_of(outcome.errors, [&](const Error& error) {
                        return error.text.find("'" + std::string(row.name) + "'") !=
                                   std::string::npos ||
                               error.text.find(outside) != std::string::npos;
                    });
                if (!is_about_it && std::ranges::find(taken, name) == taken.end())
                    taken.push_back(name);
            }
        }
    }
    BOOST_TEST(paths > 15U);
    // Names, texts for routers and the kernel, and lists of maps with rows of their own.
    const std::vector<std::string> kTexts{"geoip.selectors",
                                          "geosite.selectors",
                                          "ros_list.list",
                                          "time.periods",
                                          "forward.upstreams",
                                          "recursion.extra",
                                          "ros_address_list.username",
                                          "ros_address_list.password",
                                          "ros_address_list.address_list4",
                                          "ros_address_list.address_list6",
                                          "ros_address_list.comment_prefix",
                                          "ros_route.username",
                                          "ros_route.password",
                                          "ros_route.routing_table",
                                          "ros_route.gateway4",
                                          "ros_route.gateway6",
                                          "ros_route.comment_prefix",
                                          "debug_print.msg",
                                          "query_summary.msg",
                                          "http_server.entries",
                                          "static.records",
                                          "static.cache",
                                          "dhcp_leases.servers",
                                          "zone.forward",
                                          "zone.cache",
                                          "secondary.zone",
                                          "download.downloads",
                                          "cron.jobs",
                                          "ipset.set_name4",
                                          "ipset.set_name6",
                                          "nftset.table_family4",
                                          "nftset.table_name4",
                                          "nftset.set_name4",
                                          "nftset.table_family6",
                                          "nftset.table_name6",
                                          "nftset.set_name6",
                                          "dynamic_domain_set.bootstrap_rules",
                                          "learn_domain.questions",
                                          "learn_domain.timeout"};
    BOOST_TEST(taken == kTexts, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(anchors_of_a_recursion_in_the_layer_lie_below_it) {
    for (const std::string key : {"trust_anchors: [/etc/hostname]", "root_hints: /etc/hostname",
                                  "trust_anchors: [root, /state/../etc/hostname]"}) {
        const Lab lab;
        const auto outcome =
            lab.load("plugins:\n  - {tag: new, type: recursion, args: {" + key + "}}\n");
        BOOST_TEST_REQUIRE(!outcome.ok());
        BOOST_TEST(outcome.errors.front().text.find("is outside of") != std::string::npos, key);
    }
    const Lab lab;
    lab.folder.write("state/keys", "x. DS 1 13 2 ab\n");
    const std::string keys = lab.folder / "state/keys";
    const auto outcome =
        lab.load("plugins:\n  - {tag: new, type: recursion, args: {trust_anchors: [" + keys +
                 ", \"x. DS 1 13 2 ab\"]}}\n");
    BOOST_TEST_REQUIRE(sentences(lab, outcome.errors).empty());
    const auto& plugin = outcome.settings.plugins.back();
    BOOST_TEST(std::get<Forward>(plugin.args).recursion->trust_anchors.front().value == keys);
}

BOOST_AUTO_TEST_CASE(extra_of_a_recursion_in_the_layer_is_left_out_and_that_below_it_stays) {
    const Lab lab;
    const std::string layer =
        "plugins:\n  - {tag: resolve, args: {extra: [\"do-ip6: no\"], cache_size: 8MiB}}\n"
        "  - {tag: other, type: recursion, args: {port: 6000, extra: [\"port: 53\"]}}\n";
    lab.folder.write("state/managed.yaml", layer);
    const auto outcome =
        load_text("control: {managed: " + lab.layer_file() + "}\n" + std::string(kPlugins) +
                      "  - {tag: resolve, type: recursion, args: {instances: 1, "
                      "extra: [\"do-ip6: yes\"]}}\n",
                  lab.folder / "steerdns.yaml", lab.options);
    BOOST_TEST_REQUIRE(sentences(lab, outcome.errors).empty());
    const auto recursion = [&](const std::string& tag) {
        const auto at = std::ranges::find(outcome.settings.plugins, tag, &Plugin::tag);
        return *std::get<Forward>(at->args).recursion;
    };
    BOOST_TEST_REQUIRE(recursion("resolve").extra.size() == 1U);
    BOOST_TEST(recursion("resolve").extra.front().words.front().text == "yes");
    BOOST_TEST(recursion("resolve").cache_bytes == std::uint64_t{8} << 20);
    BOOST_TEST(recursion("other").extra.empty());
    const auto& left_out = outcome.settings.managed.left_out;
    BOOST_TEST_REQUIRE(left_out.size() == 2U);
    BOOST_TEST(left_out[0].starts_with(
        lab.layer_file() +
        ":2: 'extra' of recursion 'resolve' may not be in the layer over the "
        "configuration, and is left out: write it into "));
    BOOST_TEST(sentences(lab, outcome.warnings).size() >= 2U);
}

BOOST_AUTO_TEST_CASE(
    a_password_file_in_the_layer_is_below_it_even_if_the_configuration_has_the_router) {
    const Lab lab;
    const auto outcome = lab.load("routers: {r1: {password_file: /etc/shadow}}\n",
                                  "routers:\n  r1: {address: 192.0.2.1, username: u}\n");
    BOOST_TEST_REQUIRE(!outcome.ok());
    BOOST_TEST(outcome.errors.front().file == lab.layer_file());
    BOOST_TEST(outcome.errors.front().line == 1);
}

BOOST_AUTO_TEST_CASE(links_pipes_and_huge_files_are_not_read) {
    const auto why = [](const Lab& lab) {
        const auto outcome = lab.load_over();
        BOOST_TEST_REQUIRE(!outcome.ok());
        BOOST_TEST(outcome.errors.front().file == lab.layer_file());
        return outcome.errors.front().text;
    };
    {
        const Lab lab;
        lab.folder.write("secret", "plugins: []\n");
        fs::create_directories(lab.folder / "state");
        fs::create_symlink(lab.folder / "secret", lab.layer_file());
        BOOST_TEST(why(lab) ==
                   "the layer over the configuration is not read: it is a link: put "
                   "the file itself there");
    }
    {
        const Lab lab;
        fs::create_directories(lab.folder / "state");
        BOOST_TEST_REQUIRE(::mkfifo(lab.layer_file().c_str(), 0600) == 0);
        BOOST_TEST(why(lab).ends_with("it is not a regular file"));
    }
    {
        const Lab lab;
        lab.folder.write("state/managed.yaml", std::string(kMaxManagedBytes + 1, '#'));
        BOOST_TEST(why(lab).find("it has more than 1048576 bytes") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(without_a_file_and_when_off_there_is_no_layer) {
    const Lab lab;
    const auto none = lab.load_over();
    BOOST_TEST(none.ok());
    BOOST_TEST(!none.settings.managed.is_used);
    BOOST_TEST(none.settings.managed.file == lab.layer_file());
    lab.folder.write("state/managed.yaml", "not: good\n");
    const auto by_page = load_text(kPlugins, lab.folder / "steerdns.yaml", lab.options);
    BOOST_TEST(by_page.settings.managed.file.empty());  // no page
    LoadOptions off = lab.options;
    off.managed.is_on = false;
    const auto no_managed =
        load_text("control: {managed: " + lab.layer_file() + "}\n" + std::string(kPlugins),
                  lab.folder / "steerdns.yaml", off);
    BOOST_TEST(no_managed.ok());
    BOOST_TEST(no_managed.settings.managed.file.empty());
}

BOOST_AUTO_TEST_CASE(the_rights_are_lowered_before_the_file_is_opened_and_until_all_is_read) {
    Lab lab;
    lab.folder.write("state/ads.txt", "ads.example\n");
    bool is_lowered = false;
    std::string asked = "nobody asked";
    lab.options.managed.as_user = [&](const std::string& user) -> Result<std::shared_ptr<void>> {
        asked = user;
        is_lowered = true;
        std::shared_ptr<void> rights(&is_lowered,
                                     [](void* flag) { *static_cast<bool*>(flag) = false; });
        return {boost::system::in_place_value, std::move(rights)};
    };
    BOOST_TEST(lab.load("policy: {}\n").ok());
    BOOST_TEST(asked == "");
    BOOST_TEST(!is_lowered);
    lab.options.managed.as_user = [](const std::string&) -> Result<std::shared_ptr<void>> {
        return Error{"no such user"};
    };
    const auto refused = lab.load("policy: {}\n");
    BOOST_TEST(!refused.ok());
    BOOST_TEST(!refused.settings.managed.is_used);
}

}  // namespace
}  // namespace steer::config
