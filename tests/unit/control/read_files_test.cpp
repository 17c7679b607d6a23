// Whether files of a configuration were changed since it was read.
#include "control/program/reload/read_files.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

namespace steer {

BOOST_AUTO_TEST_SUITE(read_files)

namespace {

struct World {
    World() {
        settings.file = folder.write("steer.yaml", "plugins:\n");
        settings.opened = {folder.write("list", "a.example\n"), folder.write("learned", "")};
        settings.rule_files.push_back({.tag = "own", .file = folder / "learned", .first = {}});
        FileStamps::wait_for_tick();
    }
    void append(const std::string& file, const std::string& text) const {
        std::ofstream(folder / file, std::ios::app) << text;
    }

    test::TempFolder folder;
    config::Settings settings;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_configuration_and_its_lists_are_compared_and_rule_files_are_not) {
    const World w;
    const ReadFiles read(w.settings);
    BOOST_TEST(read.are_unchanged());
    w.append("learned", "full:a.example\n");
    BOOST_TEST(read.are_unchanged());
    w.append("steer.yaml", "  - half\n");
    BOOST_TEST(!read.are_unchanged());
    const ReadFiles again(w.settings);
    w.append("list", "b.example\n");
    BOOST_TEST(!again.are_unchanged());
}

BOOST_AUTO_TEST_CASE(a_change_during_the_reading_counts_as_a_change_after_it) {
    World w;
    ReadFiles read(w.settings);
    read.begin();
    w.append("list", "b.example\n");
    read.read(w.settings);
    BOOST_TEST(!read.are_unchanged());
    read.begin();
    read.read(w.settings);
    BOOST_TEST(read.are_unchanged());
}

BOOST_AUTO_TEST_CASE(files_found_during_the_reading_count_as_read) {
    World w;
    w.settings.opened.push_back(w.folder / "fetched");
    ReadFiles read(w.settings);
    read.begin();
    w.append("fetched", "c.example\n");
    w.settings.opened.push_back(w.folder.write("included", "log: {}\n"));
    read.read(w.settings);
    BOOST_TEST(read.are_unchanged());
    w.append("included", "x: 1\n");
    BOOST_TEST(!read.are_unchanged());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
