// Which rules hold for a name (control/config/advice/why.h).
#include "control/config/advice/why.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "control/config/advice/effects.h"
#include "control/config/load.h"
#include "dataplane/dns/name.h"
#include "support/temp_folder.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(plugins:
  - { tag: media, type: domain_set, args: { exps: ["keyword:strea", "regexp:^w{3}[.]"], files: [media.txt] } }
  - { tag: all, type: domain_set, args: { sets: [media] } }
  - { tag: ads, type: adguard_rule, args: { files: [ads.txt] } }
  - { tag: names, type: hosts, args: { entries: ["media.example 192.0.2.1"] } }
  - tag: main
    type: sequence
    args:
      - { matches: qname $all, exec: mark 1 }
      - { matches: "qname $ads domain:example", exec: reject }
      - { exec: $names }
      - { exec: forward 192.0.2.1 }
)";

struct ListsFolder : test::TempFolder {
    ListsFolder() {
        write("media.txt",
              "# films\nmedia.example\n\nfull:www.media.example\nfull:other.example\n");
        write("ads.txt",
              "! ads\n||media.example^$denyallow=www.media.example\n@@||cdn.media.example^\n");
        LoadOptions options;
        options.base_dir = path;
        loaded = load_text(kConfig, "text.yaml", options);
        BOOST_REQUIRE(loaded.ok());
    }

    // "FILE:LINE RULE SAYS PLUGIN" a line, without the folder.
    [[nodiscard]] std::string why(const std::string& name) const {
        const auto rules = rules_for(loaded.settings, name);
        if (!rules) return rules.error().text;
        std::string out;
        for (const HoldingRule& r : *rules) {
            out += fs::path(r.file).filename().string() + ":" + std::to_string(r.line) + " " +
                   r.rule + " " + std::string(text_of(r.says)) + " " +
                   name_of(loaded.settings, r.plugin) + "\n";
        }
        return out;
    }

    // "FILE:LINE RULE HITS" a line.
    [[nodiscard]] std::string hits(
        const std::vector<std::pair<std::string, std::uint64_t>>& asked) const {
        std::vector<AskedName> names;
        for (const auto& [name, queries] : asked)
            names.push_back({*dns::name_from_text(name), queries});
        std::string out;
        for (const HoldingRule& r : rules_for(loaded.settings, names)) {
            out += fs::path(r.file).filename().string() + ":" + std::to_string(r.line) + " " +
                   r.rule + " " + std::to_string(r.hits) + "\n";
        }
        return out;
    }

    LoadOutcome loaded;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(why_, ListsFolder)

BOOST_AUTO_TEST_CASE(why_names_every_kind_of_rule_with_its_place) {
    BOOST_TEST(why("WWW.media.example.") ==
               "text.yaml:2 regexp:^w{3}[.] in domain_set 'media'\n"
               "media.txt:2 domain:media.example in domain_set 'media'\n"
               "media.txt:4 full:www.media.example in domain_set 'media'\n"
               "ads.txt:2 domain:media.example in adguard_rule 'ads'\n"
               "ads.txt:2 domain:www.media.example not for adguard_rule 'ads'\n"
               "text.yaml:10 domain:example in qname in line 10\n");
    BOOST_TEST(why("x.cdn.media.example") ==
               "media.txt:2 domain:media.example in domain_set 'media'\n"
               "ads.txt:3 domain:cdn.media.example not in adguard_rule 'ads'\n"
               "ads.txt:2 domain:media.example in adguard_rule 'ads'\n"
               "text.yaml:10 domain:example in qname in line 10\n");
    BOOST_TEST(why("upstream.net") == "text.yaml:2 keyword:strea in domain_set 'media'\n");
    BOOST_TEST(why("media.example").find("full:media.example in hosts 'names'") !=
               std::string::npos);
}

// Owners that `+`, `=` or `~` make invalid as host names. The name is read here as in all other methods.
BOOST_AUTO_TEST_CASE(owners_in_zone_files_may_have_any_printable_byte) {
    write("data.zone", "a+b.example. 60 IN A 192.0.2.1\n");
    write("block.zone", "$ORIGIN rpz.example.\n@ SOA ns. a. 1 2 3 4 5\nc=d~e.example CNAME .\n");
    LoadOptions options;
    options.base_dir = path;
    const auto zones = load_text(R"(plugins:
  - { tag: data, type: arbitrary, args: { files: [data.zone] } }
  - { tag: block, type: rpz, args: { zones: [block.zone] } }
  - tag: main
    type: sequence
    args: [ { exec: $data }, { exec: $block }, { exec: forward 192.0.2.1 } ]
)",
                                 "zones.yaml", options);
    for (const Error& e : zones.errors)
        BOOST_TEST_MESSAGE(e.sentence());
    BOOST_REQUIRE(zones.ok());
    for (const char* name : {"a+b.example", "C=d~e.example."}) {
        const auto rules = rules_for(zones.settings, name);
        BOOST_REQUIRE_MESSAGE(rules.has_value(), name);
        BOOST_TEST(rules->size() == 1U, name);
    }
    BOOST_TEST((why("ads..example").find("an empty label") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_rule_or_url_instead_of_a_name_is_answered_with_what_to_write) {
    BOOST_TEST(
        why("https://media.example/") ==
        "a colon in the name \"https://media.example/\": write the name alone, without a port");
    BOOST_TEST(why("||media.example^") ==
               "\"||media.example^\" is in AdGuard's form: write \"media.example\"");
    BOOST_TEST(why("media.example;") ==
               "a semicolon behind the name \"media.example;\": remove it");
    BOOST_TEST(why("*.media.example").find("write \"media.example\"") != std::string::npos);
    BOOST_TEST(why("1/2.0.192.in-addr.arpa").empty());
}

BOOST_AUTO_TEST_CASE(hits_are_counted_for_many_names) {
    BOOST_TEST(hits({{"www.media.example", 3},
                     {"media.example", 10},
                     {"a.stream.net", 100},
                     {"multimedia.example", 1000},
                     {"x\\.media.example", 10000},
                     {"www.stream.org", 100000}}) ==
               "text.yaml:2 keyword:strea 100100\n"
               "text.yaml:2 regexp:^w{3}[.] 100003\n"
               "media.txt:2 domain:media.example 13\n"
               "media.txt:4 full:www.media.example 3\n"
               "ads.txt:2 domain:media.example 13\n"
               "ads.txt:2 domain:www.media.example 3\n"
               "text.yaml:5 full:media.example 10\n"
               "text.yaml:10 domain:example 11013\n");
    BOOST_TEST(hits({}).empty());
    // So many that keywords are not searched for in each.
    std::vector<std::pair<std::string, std::uint64_t>> many;
    for (int i = 0; i < 100; ++i)
        many.emplace_back("n" + std::to_string(i) + ".stream.net", 2);
    BOOST_TEST(hits(many) == "text.yaml:2 keyword:strea 200\n");
}

BOOST_AUTO_TEST_CASE(a_match_in_an_adlist_names_the_adlist) {
    write("hosts.txt", "0.0.0.0 banner.example\n");
    LoadOptions options;
    options.base_dir = path;
    loaded = load_text(
        "plugins:\n"
        "  - tag: banners\n"
        "    type: adlist\n"
        "    args: { lists: [hosts.txt] }\n"
        "  - tag: main\n"
        "    type: sequence\n"
        "    args: [{ exec: $banners }, { exec: reject 3 }]\n",
        "text.yaml", options);
    BOOST_TEST(loaded.ok());
    BOOST_TEST(why("banner.example") == "hosts.txt:1 full:banner.example in adlist 'banners'\n");
}

BOOST_AUTO_TEST_CASE(a_trigger_of_a_policy_zone_holds_below_its_wildcard) {
    write("block.zone",
          "@ SOA a. b. 1 2 3 4 5\n*.evil.example CNAME .\nfine.evil.example CNAME "
          "rpz-passthru.\n");
    LoadOptions options;
    options.base_dir = path;
    loaded = load_text(
        "plugins:\n"
        "  - { tag: policy, type: rpz, args: { zones: [block.zone] } }\n"
        "  - tag: main\n"
        "    type: sequence\n"
        "    args: [{ exec: $policy }, { exec: reject 3 }]\n",
        "text.yaml", options);
    BOOST_TEST(loaded.ok());
    BOOST_TEST(why("fine.evil.example") ==
               "block.zone:2 *.evil.example in rpz 'policy'\n"
               "block.zone:3 fine.evil.example not in rpz 'policy'\n");
    BOOST_TEST(why("evil.example").empty());
}

BOOST_AUTO_TEST_CASE(a_longer_label_does_not_match_and_an_unknown_name_has_no_sets) {
    BOOST_TEST(why("multimedia.example") == "text.yaml:10 domain:example in qname in line 10\n");
    BOOST_TEST(why("example.org").empty());
    BOOST_TEST(why("a..b").find("label") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(effects_are_those_of_rules_that_test_or_execute_the_plugin) {
    const auto shown = [&](const std::string& tag) {
        std::string out;
        for (PluginIndex i = 0; i < loaded.settings.plugins.size(); ++i) {
            if (loaded.settings.plugins[i].tag != tag) continue;
            for (const Effect& e : effects_of(loaded.settings, i))
                out += e.sequence + ":" + std::to_string(e.line) + " " + e.does +
                       (e.negated ? " unless" : "") + (e.with_others ? " with others" : "") + "\n";
        }
        return out;
    };
    BOOST_TEST(shown("media") == "main:9 mark 1\n");  // by the set that includes it
    BOOST_TEST(shown("ads") == "main:10 reject REFUSED\n");
    BOOST_TEST(shown("names") == "main:11 answer from hosts 'names'\n");
}

BOOST_AUTO_TEST_CASE(effects_of_negated_and_combined_matchers_say_so) {
    const auto other = load_text(R"(plugins:
  - { tag: set, type: domain_set, args: { exps: ["a.example"] } }
  - { tag: any, type: any_match, args: ["!qname $set", "client_ip 192.0.2.0/24"] }
  - { tag: ads, type: adlist, args: { lists: [] } }
  - tag: main
    type: sequence
    args:
      - { matches: ["!qname $set", "qtype A"], exec: drop }
      - { matches: $any, exec: accept }
      - { matches: qname $set, exec: goto rest }
  - { tag: rest, type: sequence, args: [ { exec: forward 192.0.2.1 } ] }
  - { tag: udp, type: udp_server, args: { entry: main } }
)",
                                 "other.yaml");
    std::string out;
    for (const Effect& e : effects_of(other.settings, 0))
        out += e.does + (e.negated ? " unless" : "") + (e.with_others ? " with others" : "") + "\n";
    BOOST_TEST(out ==
               "drop: no reply unless with others\n"
               "accept: end with the answer so far unless\n"
               "go to sequence 'rest'\n");
}

// The files may change or break while the configuration is in force.
BOOST_AUTO_TEST_CASE(texts_of_the_configuration_are_read_instead_of_its_file) {
    write("main.yaml", kConfig);
    LoadOptions options;
    options.base_dir = path;
    const auto first = load(*this / "main.yaml", options);
    BOOST_REQUIRE(first.ok());
    BOOST_TEST((first.settings.texts.at(*this / "main.yaml") == kConfig));
    write("main.yaml", "plugins: [");
    BOOST_TEST(!load(*this / "main.yaml", options).ok());
    options.texts = std::make_shared<SourceTexts>(first.settings.texts);
    BOOST_TEST(load(*this / "main.yaml", options).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::config
