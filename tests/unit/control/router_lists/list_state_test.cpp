// Address lists of routers in a file, over a restart.
#include "control/sources/router_lists/list_state.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "support/temp_folder.h"

namespace steer::router_lists {
namespace {

using routeros::Address;

struct Folder : test::TempFolder {
    const std::string file = *this / "router-lists.json";
};
constexpr Moment kBefore{1'000'000, 1'700'000'000}, kAfter{50'000, 1'700'000'100};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(list_state, Folder)

BOOST_AUTO_TEST_CASE(lists_and_their_ends_survive_a_reboot) {
    ByRouter all;
    KnownLists& known = all["edge1"];
    known.was_read = true;
    known.current_ms = 990'000;
    known.lists.lists["kids"] = {{*Address::parse("192.168.88.10")},
                                 {*Address::parse("192.168.89.0/24"), 1'160'000},
                                 {*Address::parse("fd88::/64")}};
    known.lists.lists["empty"];
    known.lists.servers = {"192.0.2.53", "2001:db8::53"};
    BOOST_REQUIRE(save_lists(file, state_text(all, kBefore)).has_value());
    const auto kept = load_lists(file, kAfter);
    BOOST_REQUIRE_MESSAGE(kept, kept.error().sentence());
    const KnownLists& now = kept->at("edge1");
    BOOST_TEST(now.was_read);
    BOOST_TEST((now.lists.servers == known.lists.servers));
    const auto& kids = now.lists.lists.at("kids");
    BOOST_REQUIRE(kids.size() == 3U);
    BOOST_TEST(kids[0].address.to_string() == "192.168.88.10");
    BOOST_TEST(kids[0].until_ms == 0U);
    BOOST_TEST(kids[1].until_ms == 110'000U);  // 60 s from then on
    BOOST_TEST(kids[2].address.to_string() == "fd88::/64");
    BOOST_TEST(now.lists.lists.at("empty").empty());
    // 110 s old, which is before the boot.
    BOOST_TEST(now.current_ms == 1U);
}

BOOST_AUTO_TEST_CASE(an_end_that_has_passed_stays_in_the_past) {
    ByRouter all;
    all["edge1"].lists.lists["kids"] = {{*Address::parse("192.168.88.10"), 1'001'000}};
    BOOST_REQUIRE(save_lists(file, state_text(all, kBefore)).has_value());
    const auto kept = load_lists(file, kAfter);
    BOOST_TEST(kept->at("edge1").lists.lists.at("kids")[0].until_ms == 1U);
    BOOST_TEST(!kept->at("edge1").was_read);
}

BOOST_AUTO_TEST_CASE(missing_and_damaged_files_give_no_lists) {
    BOOST_TEST(load_lists(file, kAfter)->empty());
    for (const std::string bad : {"", "no JSON", "[]", "{\"edge1\": "}) {
        write("router-lists.json", bad);
        BOOST_TEST(!load_lists(file, kAfter), bad);
    }
    write(
        "router-lists.json",
        R"({"a": 1, "b": {"at": "x", "lists": {"k": [1, ["x", 0], ["10.0.0.1"], ["10.0.0.1", "x"], ["10.0.0.2", 0]], "l": 2}, "servers": [1, "x", "192.0.2.1"]}})");
    const auto kept = load_lists(file, kAfter);
    BOOST_REQUIRE_MESSAGE(kept, kept.error().sentence());
    BOOST_TEST(kept->at("b").lists.lists.at("k").size() == 1U);
    BOOST_TEST(kept->at("b").lists.servers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(servers_are_written_as_resolv_conf) {
    routeros::RouterLists lists;
    BOOST_TEST(servers_text("edge1", lists) == "# DNS servers that router edge1 learned itself.\n");
    lists.servers = {"192.0.2.53", "2001:db8::53"};
    BOOST_TEST(
        servers_text("edge1", lists).ends_with("nameserver 192.0.2.53\nnameserver 2001:db8::53\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::router_lists
