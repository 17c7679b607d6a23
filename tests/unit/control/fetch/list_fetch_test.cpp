// A list from its URL to its file: what replaces the last good copy, and what does not.
#include "control/streams/fetch/list_fetch.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "control/config/lists/list_changes.h"
#include "control/config/lists/list_source.h"
#include "control/config/load.h"
#include "one_server.h"
#include "outcome.h"
#include "support/temp_folder.h"

using namespace steer::fetch;
using namespace steer::fetch_test;
using steer::config::ListUse;
using steer::config::RemoteList;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(list_fetch)

namespace {

struct World {
    World() : server([this](const std::string& request) { return answer(request); }) {}
    OneServer::Reply answer(const std::string& request) const {
        const bool known = !etag.empty() && request.find(etag) != std::string::npos;
        if (known) return {"HTTP/1.1 304 Not Modified\r\n\r\n"};
        return {ok(body, etag.empty() ? "" : "ETag: " + etag + "\r\n")};
    }
    ListOutcome get(std::vector<ListUse> uses, std::uint64_t now_s = 1'000) {
        return fetch_list({server.url(), folder / "list", std::move(uses), false}, {}, now_s, {});
    }
    [[nodiscard]] std::string kept() const { return folder.read("list"); }

    TempFolder folder;
    std::string body = "one.example\n", etag;
    OneServer server;
};

std::string names(int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
        out += "n" + std::to_string(i) + ".example\n";
    return out;
}

const ListUse kNames{"domain_set", "", "", {}}, kPrefixes{"ip_set", "", "", {}},
    kStrict{"domain_set", "rules", "true", {}}, kAdguard{"adguard_rule", "", "", {}},
    kHosts{"hosts", "", "", {}}, kGeosite{"geosite", "", "", {"cn"}};

}  // namespace

BOOST_AUTO_TEST_CASE(a_list_is_fetched_then_unchanged_then_replaced) {
    World world;
    world.etag = "\"v1\"";
    const auto first = world.get({kNames}, 1'000);
    BOOST_TEST((first.outcome == Outcome::fetched), first.why);
    BOOST_TEST(first.changed);
    BOOST_TEST(first.facts.rules == 1U);
    BOOST_TEST(world.kept() == "one.example\n");
    const auto second = world.get({kNames}, 2'000);
    BOOST_TEST((second.outcome == Outcome::unchanged), second.why);
    BOOST_TEST(!second.changed);
    BOOST_TEST(second.facts.fetched_s == 1'000U);
    BOOST_TEST(second.facts.checked_s == 2'000U);
    world.etag = "\"v2\"";
    world.body = "one.example\ntwo.example\n";
    const auto third = world.get({kNames}, 3'000);
    BOOST_TEST(third.changed);
    BOOST_TEST(third.facts.rules == 2U);
    BOOST_TEST(world.kept() == world.body);
}

// A server that knows no ETag sends it all again.
BOOST_AUTO_TEST_CASE(the_same_content_again_is_no_change) {
    World world;
    BOOST_TEST(world.get({kNames}).changed);
    const auto again = world.get({kNames});
    BOOST_TEST((again.outcome == Outcome::unchanged));
    BOOST_TEST(!again.changed);
}

// The ETag does not belong to a copy that was changed or removed since.
BOOST_AUTO_TEST_CASE(a_changed_or_missing_copy_is_fetched_without_its_etag) {
    World world;
    world.etag = "\"v1\"";
    world.get({kNames});
    world.folder.write("list", "other.example\nmore.example\n");
    BOOST_TEST(world.get({kNames}).changed);
    BOOST_TEST(world.kept() == world.body);
    std::filesystem::remove(world.folder / "list");
    BOOST_TEST(world.get({kNames}).changed);
    // As many bytes that are no list: the reader of the configuration reports it.
    world.folder.write("list", std::string(world.body.size(), '\1'));
    const RemoteList damaged{world.server.url(), world.folder / "list", {kNames}, false, true};
    BOOST_TEST(fetch_list(damaged, {}, 1'000, {}).changed);
    BOOST_TEST(world.kept() == world.body);
}

BOOST_AUTO_TEST_CASE(content_that_is_not_a_list_is_refused) {
    World world;
    world.etag = "\"v1\"";
    world.get({kNames});
    const auto refused = [&](const std::string& body, const ListUse& use) {
        world.body = body;
        world.etag = "\"bad\"";
        const auto outcome = world.get({use});
        BOOST_TEST((outcome.outcome == Outcome::no_list), body.substr(0, 50));
        BOOST_TEST(!outcome.why.empty());
        BOOST_TEST(outcome.facts.etag == "\"v1\"", "it is asked for again");
        BOOST_TEST(world.kept() == "one.example\n");
    };
    refused("", kNames);
    refused("# nothing but words\n", kNames);
    refused("<!DOCTYPE html>\n<html><body>Sign in to the hotel's network!</body></html>\n", kNames);
    refused(std::string("\xff\xfe") + "o\0n\0e\0" + std::string(3, '\0'), kNames);
    refused("one.example\nnot a name!\n", kStrict);
    refused("other.example\n", kPrefixes);
    refused("! only a comment\n", kAdguard);
    refused("other.example\n", kHosts);
    refused("other.example\n", kGeosite);
    refused("full:one.example 192.0.2.1\n", kPrefixes);
}

// A page that a server gives with status 200 in place of a list, with lines that could be names.
BOOST_AUTO_TEST_CASE(a_web_page_with_names_in_it_is_refused) {
    std::string page = "<!DOCTYPE html>\n<html>\n";
    for (int i = 0; i < 30; ++i)
        page += "<p>line " + std::to_string(i) + "</p>\n";
    page += "sign.in.example\n</html>\n";
    World world;
    world.body = names(2'000);
    BOOST_TEST((world.get({kNames}).outcome == Outcome::fetched));
    world.body = page;
    for (const ListUse& use : {kNames, kAdguard, ListUse{"adlist", "", "", {}, 0, {}}}) {
        const auto outcome = world.get({use});
        BOOST_TEST((outcome.outcome == Outcome::no_list), use.type);
        BOOST_TEST(outcome.why.find("HTML or XML page") != std::string::npos, outcome.why);
    }
    BOOST_TEST(world.kept() == names(2'000));
}

BOOST_AUTO_TEST_CASE(a_list_with_more_bad_lines_than_good_ones_is_refused) {
    World world;
    world.body = "502 Bad Gateway\nplease try again\nnginx.example\n";
    const auto outcome = world.get({kNames});
    BOOST_TEST((outcome.outcome == Outcome::no_list));
    BOOST_TEST(outcome.why.find("2 of its lines are invalid and 1 valid") != std::string::npos,
               outcome.why);
}

BOOST_AUTO_TEST_CASE(a_list_that_shrinks_by_more_than_max_shrink_is_refused) {
    World world;
    world.body = names(2'000);
    const ListUse half{"domain_set", "", "", {}, 0, 50U}, any{"domain_set", "", "", {}, 0, 100U};
    BOOST_TEST((world.get({half}).outcome == Outcome::fetched));
    world.body = names(999);
    const auto cut = world.get({half});
    BOOST_TEST((cut.outcome == Outcome::shrunk), cut.why);
    BOOST_TEST(cut.why.find("999 rules and had 2000") != std::string::npos, cut.why);
    BOOST_TEST(cut.facts.rules == 2'000U);
    BOOST_TEST(world.kept() == names(2'000));
    BOOST_TEST((world.get({any, half}).outcome == Outcome::shrunk), "the strictest use decides");
    world.body = names(1'000);
    BOOST_TEST((world.get({half}).outcome == Outcome::fetched), "half may go");
    world.body = names(10);
    const auto wanted = fetch_list({world.server.url(), world.folder / "list", {half}, false},
                                   {.any_size = true}, 1'000, {});
    BOOST_TEST((wanted.outcome == Outcome::fetched), wanted.why);
    world.body = names(1);
    BOOST_TEST((world.get({half}).outcome == Outcome::fetched), "a short list may shrink");
    world.body = names(100);
    BOOST_TEST((world.get({any}).outcome == Outcome::fetched));
    world.body = names(1);
    BOOST_TEST((world.get({any}).outcome == Outcome::fetched), "it is allowed to");
}

// An ad list without a format is what its lines are, from fetch to fetch; one that is too long leaves the last copy.
BOOST_AUTO_TEST_CASE(an_ad_list_is_checked_by_its_syntax) {
    const ListUse ads{"adlist", "", "", {}, 3};
    World world;
    world.body = "0.0.0.0 ads.example\n";
    BOOST_TEST((world.get({ads}).outcome == Outcome::fetched));
    world.body = "[Adblock Plus 2.0]\n||ads.example^\n@@||fine.ads.example^\n";
    const auto adguard = world.get({ads});
    BOOST_TEST((adguard.outcome == Outcome::fetched), adguard.why);
    BOOST_TEST(adguard.facts.rules == 2U);
    const std::string before = world.body;
    world.body = "a.example\nb.example\nc.example\nd.example\n";
    const auto longer = world.get({ads});
    BOOST_TEST((longer.outcome == Outcome::no_list));
    BOOST_TEST(longer.why.find("it has 4 names, and 'max_names' allows 3") != std::string::npos,
               longer.why);
    BOOST_TEST(world.kept() == before);
}

// A list that two plugins use has to be good for both.
BOOST_AUTO_TEST_CASE(a_list_with_several_uses_has_to_be_valid_for_each) {
    World world;
    BOOST_TEST((world.get({kNames, kStrict}).outcome == Outcome::fetched));
    world.body = "two.example\nnot a name!\n";
    BOOST_TEST((world.get({kNames, kStrict}).outcome == Outcome::no_list));
    BOOST_TEST((world.get({kNames}).outcome == Outcome::fetched));
}

BOOST_AUTO_TEST_CASE(each_kind_of_list_is_checked_by_its_reader) {
    const auto good = [](const std::string& body, const ListUse& use) {
        World world;
        world.body = body;
        const auto outcome = world.get({use});
        BOOST_TEST((outcome.outcome == Outcome::fetched), outcome.why);
        return outcome.facts.rules;
    };
    BOOST_TEST(good("192.0.2.0/24\n2001:db8::/32\n", kPrefixes) == 2U);
    BOOST_TEST(good("||ads.example^\n@@||good.ads.example^\n", kAdguard) == 2U);
    BOOST_TEST(good("www.example 192.0.2.1\n", kHosts) == 1U);
    BOOST_TEST(good("0.0.0.0 a.example b.example\n", {"domain_set", "hosts", "", {}}) == 2U);
    BOOST_TEST(good("regexp:^ad[0-9]+\n", kNames) == 1U);
}

// The configuration's side: where copies lie, and what without one.
BOOST_AUTO_TEST_CASE(a_configuration_names_its_lists_and_their_uses) {
    const TempFolder folder;
    const std::string text = "control: { lists: " + folder.path.string() + R"( }
plugins:
  - { tag: names, type: domain_set, args: { files: ["http://lists.example/a.txt", "HTTP://lists.example:80/a.txt"] } }
  - { tag: up, type: forward, args: { upstreams: [ { addr: "192.0.2.53:5353" }, { addr: 192.0.2.54 } ] } }
  - { tag: main, type: sequence, args: [ { matches: qname $names, exec: reject }, { exec: $up } ] }
)";
    const auto load = [&] { return steer::config::load_text(text, "steer.yaml"); };
    const auto empty = load();
    BOOST_TEST_REQUIRE(empty.ok());
    BOOST_TEST(empty.warnings.size() == 1U);
    BOOST_TEST(empty.warnings[0].sentence().find("has not been fetched yet") != std::string::npos);
    BOOST_TEST_REQUIRE(empty.settings.remote_lists.size() == 1U);
    const RemoteList& list = empty.settings.remote_lists[0];
    BOOST_TEST(list.url == "http://lists.example/a.txt");
    BOOST_TEST(!list.present);
    BOOST_TEST(list.uses.size() == 1U);
    const FetchOptions options = fetch_options_of(empty.settings);
    BOOST_TEST_REQUIRE(options.resolvers.size() == 2U);
    BOOST_TEST(options.resolvers[0].port == 5353U);
    std::ofstream(list.file) << "one.example\n";
    const auto there = load();
    BOOST_TEST(there.settings.remote_lists[0].present);
    BOOST_TEST(steer::config::rules_of(there.settings.plugins[0]) == 2U);
    BOOST_TEST(there.settings.opened.empty(), "who fetches it says when it is new");
}

// It was good when it was fetched: what damaged it stops no start, and takes no rules from a running daemon.
BOOST_AUTO_TEST_CASE(a_damaged_copy_is_a_warning_at_a_start_and_an_error_of_a_reload) {
    const TempFolder folder;
    const std::string text = "control: { lists: " + folder.path.string() + R"( }
plugins:
  - { tag: names, type: domain_set, args: { files: ["http://lists.example/a.txt"] } }
  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.54 } ] } }
  - { tag: main, type: sequence, args: [ { matches: qname $names, exec: reject }, { exec: $up } ] }
)";
    const auto load = [&] { return steer::config::load_text(text, "steer.yaml"); };
    const std::string file = load().settings.remote_lists.at(0).file;
    folder.write(std::filesystem::path(file).filename(), "one.example\n");
    const auto good = load();
    BOOST_TEST_REQUIRE(good.settings.remote_lists.at(0).present);
    const std::function<void()> kDamages[] = {
        [&] { std::ofstream(file, std::ios::binary) << std::string(12, '\1'); },
        [&] {
            std::filesystem::remove(file);
            std::filesystem::create_directory(file);
        },
        [&] {
            std::filesystem::remove(file);
            BOOST_TEST(::mkfifo(file.c_str(), 0600) == 0);
        }};
    for (const auto& damage : kDamages) {
        damage();
        const auto loaded = load();
        BOOST_TEST_REQUIRE(loaded.ok());
        BOOST_TEST_REQUIRE(loaded.warnings.size() == 1U);
        BOOST_TEST(loaded.warnings[0].sentence().find("cannot be used: ") != std::string::npos);
        const RemoteList& list = loaded.settings.remote_lists.at(0);
        BOOST_TEST(!list.present);
        BOOST_TEST(list.is_damaged);
        BOOST_TEST(!loaded.settings.lists.at(0).loaded);
        const auto refused =
            steer::config::shrunk_lists(good.settings.lists, loaded.settings.lists);
        BOOST_TEST_REQUIRE(refused.size() == 1U);
        BOOST_TEST(refused[0].text.find("is damaged") != std::string::npos);
        BOOST_TEST(
            steer::config::shrunk_lists(loaded.settings.lists, loaded.settings.lists).empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()
