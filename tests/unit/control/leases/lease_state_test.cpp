// Leases in a file, over a restart.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>

#include "control/sources/leases/lease_state.h"
#include "support/temp_folder.h"

namespace steer::leases {
namespace {

namespace fs = std::filesystem;

struct Folder : test::TempFolder {
    const std::string file = *this / "leases.json";
};

BOOST_FIXTURE_TEST_SUITE(lease_state, Folder)

BOOST_AUTO_TEST_CASE(kept_leases_are_read_again) {
    const ByRouter all{{"edge1",
                        {{2, false, true, "192.168.88.2", "00:1d:aa:00:00:02", "laptop", "dhcp1",
                          "kids", "slow,night", true},
                         {0x1d, true, false, "fd00::2", "00:1d:aa:00:00:02", "", "dhcp6"}}},
                       {"edge2", {}}};
    BOOST_REQUIRE(save_leases(file, state_text(all)).has_value());
    const auto known = load_leases(file);
    BOOST_REQUIRE(known.has_value());
    BOOST_TEST((*known == ByRouter{{"edge1", all.at("edge1")}}));
    BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_host_name_that_is_not_text_is_left_out) {
    const ByRouter all{{"edge1", {{2, false, false, "192.168.88.2", "", "x\xff\n", "dhcp1"}}}};
    BOOST_REQUIRE(save_leases(file, state_text(all)).has_value());
    BOOST_TEST(load_leases(file)->at("edge1")[0].host_name.empty());
}

BOOST_AUTO_TEST_CASE(a_comment_in_another_alphabet_is_kept) {
    const ByRouter all{{"edge1",
                        {{2, false, false, "192.168.88.2", "", "laptop", "dhcp1",
                          "k\xc3\xbc"
                          "che"}}}};
    BOOST_REQUIRE(save_leases(file, state_text(all)).has_value());
    BOOST_TEST((*load_leases(file) == all));
}

BOOST_AUTO_TEST_CASE(missing_and_damaged_files_give_no_leases) {
    BOOST_TEST(load_leases(file)->empty());
    for (const std::string bad : {"", "no JSON", "[]", "{\"edge1\": "}) {
        write("leases.json", bad);
        const auto known = load_leases(file);
        BOOST_REQUIRE_MESSAGE(!known, bad);
        BOOST_TEST(known.error().text.find("it is ignored") != std::string::npos);
    }
    write("leases.json", R"({"a": 1, "b": [2, {"address": 3}, {"address": "192.0.2.1"}]})");
    const auto known = load_leases(file);
    BOOST_REQUIRE(known.has_value());
    BOOST_TEST(known->at("b").size() == 2U);
    BOOST_TEST(known->at("b")[1].address == "192.0.2.1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::leases
