// Earlier texts of the configuration: numbers, order, limit, damage.
#include "control/sources/edit/history.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

namespace fs = std::filesystem;
using steer::edit::History;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(history)

namespace {

struct World {
    TempFolder folder;
    const std::string path = folder / "versions";
    History history{path};

    std::uint64_t keep(const std::string& text) {
        const auto kept = history.keep(text);
        BOOST_REQUIRE_MESSAGE(kept, kept.error().sentence());
        return *kept;
    }
    std::string numbers() {
        std::string out;
        for (const auto& one : history.versions())
            out += std::to_string(one.number) + " ";
        return out;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(without_a_folder_there_are_none, World) {
    BOOST_TEST(history.versions().empty());
    BOOST_TEST(!history.text(1));
    BOOST_TEST(!fs::exists(path));
}

BOOST_FIXTURE_TEST_CASE(versions_count_up_and_the_newest_is_first, World) {
    BOOST_TEST(keep("a: 1\n") == 1U);
    BOOST_TEST(keep("a: 2\n") == 2U);
    BOOST_TEST(numbers() == "2 1 ");
    BOOST_TEST(*history.text(1) == "a: 1\n");
    BOOST_TEST(*history.text(2) == "a: 2\n");
    BOOST_TEST(history.versions().front().bytes == 5U);
}

BOOST_FIXTURE_TEST_CASE(the_same_text_again_is_no_version, World) {
    BOOST_TEST(keep("a: 1\n") == 1U);
    BOOST_TEST(keep("a: 1\n") == 1U);
    BOOST_TEST(keep("a: 2\n") == 2U);
    BOOST_TEST(keep("a: 1\n") == 3U);
}

BOOST_FIXTURE_TEST_CASE(only_the_owner_can_read_them, World) {
    keep("password: secret\n");
    BOOST_TEST(((fs::status(path).permissions() & fs::perms::all) == fs::perms::owner_all));
    const auto file = fs::status(path + "/1.yaml").permissions();
    BOOST_TEST(((file & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none));
}

BOOST_FIXTURE_TEST_CASE(the_oldest_go, World) {
    for (unsigned i = 1; i <= History::kMost + 3; ++i)
        BOOST_TEST(keep(std::to_string(i)) == i);
    const auto all = history.versions();
    BOOST_TEST(all.size() == History::kMost);
    BOOST_TEST(all.front().number == History::kMost + 3);
    BOOST_TEST(all.back().number == 4U);
}

BOOST_FIXTURE_TEST_CASE(other_files_of_the_folder_are_no_versions, World) {
    keep("a: 1\n");
    for (const char* const name : {"notes.txt", "x.yaml", "0.yaml", "2x.yaml", "-3.yaml",
                                   "99999999999999999999999.yaml", ".yaml"})
        std::ofstream(path + "/" + name) << "x";
    BOOST_TEST(numbers() == "1 ");
    BOOST_TEST(keep("a: 2\n") == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_folder_that_cannot_be_made_is_an_error, World) {
    std::ofstream(folder / "versions") << "a file";
    const auto kept = history.keep("a: 1\n");
    BOOST_REQUIRE(!kept);
    BOOST_TEST(kept.error().sentence().find(path) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
