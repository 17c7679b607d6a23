// Lists that were read again: which are refused, which are logged.
#include "control/config/lists/list_changes.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include "control/config/load.h"
#include "support/temp_folder.h"

using namespace steer::config;

BOOST_AUTO_TEST_SUITE(list_changes)

namespace {

std::string names(int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
        out += "n" + std::to_string(i) + ".example\n";
    return out;
}

struct World {
    // One plugin of each kind, each with a file of its own.
    LoadOutcome load(const std::string& more = {}) {
        folder.write("steer.yaml", R"(
plugins:
  - { tag: names, type: domain_set, args: { files: [ names.txt ])" +
                                       more + R"( } }
  - { tag: nets, type: ip_set, args: { files: [ nets.txt ] } }
  - { tag: guard, type: adguard_rule, args: { files: [ guard.txt ] } }
  - { tag: ads, type: adlist, args: { lists: [ ads.txt ], cname: true } }
  - { tag: known, type: hosts, args: { files: [ known.txt ] } }
  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }
  - tag: main
    type: sequence
    args:
      - { matches: [ qname $names, client_ip $nets, question $guard ], exec: reject }
      - { exec: $ads }
      - { exec: $known }
      - { exec: $up }
)");
        return steer::config::load(folder / "steer.yaml");
    }
    void write(int count) {
        std::string nets, guard, known;
        for (int i = 0; i < count; ++i) {
            nets += "192.0.2." + std::to_string(i) + "\n";
            guard += "||n" + std::to_string(i) + ".example^\n";
            known += "n" + std::to_string(i) + ".example 192.0.2.1\n";
        }
        folder.write("names.txt", names(count));
        folder.write("nets.txt", nets);
        folder.write("guard.txt", guard);
        folder.write("ads.txt", names(count));
        folder.write("known.txt", known);
    }
    steer::test::TempFolder folder;
};

bool has(const std::vector<steer::Error>& all, const std::string& text) {
    return std::any_of(all.begin(), all.end(), [&](const steer::Error& e) {
        return e.sentence().find(text) != std::string::npos;
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(rules_are_counted_for_every_kind_of_list) {
    World world;
    world.write(40);
    const auto loaded = world.load();
    BOOST_TEST_REQUIRE(loaded.ok(), (loaded.ok() ? "" : loaded.errors.front().sentence()));
    const auto& lists = loaded.settings.lists;
    BOOST_TEST_REQUIRE(lists.size() == 5U);
    const char* const owners[] = {"domain_set 'names'", "ip_set 'nets'", "adguard_rule 'guard'",
                                  "adlist 'ads'", "hosts 'known'"};
    for (std::size_t i = 0; i < lists.size(); ++i) {
        BOOST_TEST(lists[i].owner == owners[i]);
        BOOST_TEST(lists[i].rules == 40U, owners[i]);
        BOOST_TEST(lists[i].bad_lines == 0U, owners[i]);
        BOOST_TEST(lists[i].max_shrink == 50U, owners[i]);
        BOOST_TEST(lists[i].loaded);
    }
    BOOST_TEST(list_news({}, lists).size() == 5U);
    BOOST_TEST(list_news(lists, lists).empty());
}

BOOST_AUTO_TEST_CASE(local_lists_of_every_kind_that_were_cut_short_are_refused) {
    World world;
    world.write(40);
    const auto before = world.load();
    world.write(19);
    const auto after = world.load();
    BOOST_TEST_REQUIRE((before.ok() && after.ok()));
    const auto errors = shrunk_lists(before.settings.lists, after.settings.lists);
    BOOST_TEST(errors.size() == 5U);
    BOOST_TEST(has(errors, "of domain_set 'names' is rejected: it has 19 rules and had 40"));
    const auto news = list_news(before.settings.lists, after.settings.lists);
    BOOST_TEST_REQUIRE(news.size() == 5U);
    BOOST_TEST(news[0].find("19 rules (before: 40)") != std::string::npos, news[0]);
    world.write(20);
    BOOST_TEST(shrunk_lists(before.settings.lists, world.load().settings.lists).empty());
    world.folder.write("names.txt", "");
    BOOST_TEST(shrunk_lists(before.settings.lists, world.load().settings.lists).size() == 1U);
    // What the list itself says is what counts.
    const auto allowed = world.load(", max_shrink: 100").settings.lists;
    BOOST_TEST(allowed[0].max_shrink == 100U);
    BOOST_TEST(shrunk_lists(before.settings.lists, allowed).empty());
}

BOOST_AUTO_TEST_CASE(short_lists_and_other_lists_are_not_compared) {
    BOOST_TEST(!shrank_too_much(19, 0, 50));
    BOOST_TEST(shrank_too_much(20, 9, 50));
    BOOST_TEST(!shrank_too_much(20, 10, 50));
    BOOST_TEST(!shrank_too_much(20, 30, 0));
    BOOST_TEST(shrank_too_much(200, 199, 0));
    BOOST_TEST(!shrank_too_much(2'000, 0, 100));
    const ReadList old{.owner = "domain_set 'a'", .source = "a.txt", .file = "a.txt", .rules = 50};
    ReadList other = old;
    other.owner = "domain_set 'b'";
    other.rules = 1;
    other.max_shrink = 50;
    BOOST_TEST(shrunk_lists(std::vector{old}, std::vector{other}).empty());
    other.owner = old.owner;
    BOOST_TEST(shrunk_lists(std::vector{old}, std::vector{other}).size() == 1U);
    other.is_remote = true;
    BOOST_TEST(shrunk_lists(std::vector{old}, std::vector{other}).empty());
}

BOOST_AUTO_TEST_CASE(bad_lines_of_a_file_are_one_warning) {
    World world;
    world.write(40);
    world.folder.write("names.txt", names(40) + "a b\nc d\ne f\ng h\n");
    const auto loaded = world.load();
    BOOST_TEST_REQUIRE(loaded.ok());
    std::size_t of_file = 0;
    for (const auto& warning : loaded.warnings)
        of_file += warning.file.find("names.txt") != std::string::npos ? 1U : 0U;
    BOOST_TEST(of_file == 1U);
    BOOST_TEST(has(loaded.warnings, "this and 3 more invalid lines are skipped: line 42: "));
    BOOST_TEST(loaded.settings.lists[0].bad_lines == 4U);
    std::string bad;
    for (int i = 0; i < 12; ++i)
        bad += "a b\n";
    world.folder.write("names.txt", names(5) + bad);
    const auto mostly = world.load();
    BOOST_TEST(!mostly.ok());
    BOOST_TEST(has(mostly.errors, "12 of the 17 lines of the file"));
}

BOOST_AUTO_TEST_CASE(unsupported_modifiers_are_counted_in_one_warning) {
    World world;
    world.write(40);
    world.folder.write(
        "guard.txt",
        "||a.example^\n||b.example^$client=1.2.3.4\n||c.example^$client=x,important\n"
        "||d.example^$dnsrewrite=1.2.3.4\n||e.example^$third-party\n");
    const auto loaded = world.load();
    BOOST_TEST_REQUIRE(loaded.ok());
    BOOST_TEST(has(loaded.warnings,
                   "unsupported rules are skipped: $client (2, first at line 2), "
                   "$dnsrewrite (1, first at line 4), $third-party (1, first at line 5)"));
    BOOST_TEST(loaded.settings.lists[2].rules == 1U);
    BOOST_TEST(loaded.settings.lists[2].left_out == 4U);
    BOOST_TEST(loaded.settings.lists[2].bad_lines == 0U);
}

BOOST_AUTO_TEST_CASE(a_download_knows_how_its_file_is_read) {
    World world;
    world.write(40);
    world.folder.write("steer.yaml", R"(
plugins:
  - { tag: names, type: domain_set, args: { files: [ names.txt ] } }
  - { tag: bring, type: download, args: { downloads: [ { url: "http://192.0.2.1/names.txt", dir: . } ] } }
  - { tag: main, type: sequence, args: [ { matches: qname $names, exec: reject } ] }
)");
    const auto loaded = load(world.folder / "steer.yaml");
    BOOST_TEST_REQUIRE(loaded.ok(), (loaded.ok() ? "" : loaded.errors.front().sentence()));
    const auto& download = std::get<Download>(loaded.settings.plugin(1).args);
    BOOST_TEST_REQUIRE(download.items.size() == 1U);
    BOOST_TEST_REQUIRE(download.items[0].uses.size() == 1U);
    BOOST_TEST(download.items[0].uses[0].type == "domain_set");
    BOOST_TEST(*download.items[0].uses[0].max_shrink == 50U);
}

BOOST_AUTO_TEST_CASE(urls_without_a_copy_are_not_loaded) {
    World world;
    world.folder.write("steer.yaml", "control: { lists: " + (world.folder / "lists") + R"( }
plugins:
  - { tag: names, type: domain_set, args: { files: [ "http://192.0.2.1/names.txt" ] } }
  - { tag: main, type: sequence, args: [ { matches: qname $names, exec: reject } ] }
)");
    const auto loaded = load(world.folder / "steer.yaml");
    BOOST_TEST_REQUIRE(loaded.ok());
    const auto missing = lists_not_loaded(loaded.settings.lists);
    BOOST_TEST_REQUIRE(missing.size() == 1U);
    BOOST_TEST(missing[0] == "http://192.0.2.1/names.txt");
}

BOOST_AUTO_TEST_SUITE_END()
