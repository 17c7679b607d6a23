// Whether files are still what was read of them.
#include "control/host/process/file_stamps.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

using steer::FileStamps;

BOOST_AUTO_TEST_SUITE(file_stamps)

BOOST_AUTO_TEST_CASE(a_change_after_the_reading_is_seen) {
    const steer::test::TempFolder folder;
    const std::string list = folder.write("list", "one\n"), other = folder.write("other", "x\n");
    FileStamps stamps;
    BOOST_TEST(!stamps.hold({list}));
    // Written in this tick: what is read has to wait, or it might lack a write that leaves the times as they are.
    if (!stamps.take({list, other})) BOOST_TEST_MESSAGE("a slow machine: the tick was over");
    FileStamps::wait_for_tick();
    BOOST_TEST(stamps.hold({list, other}));
    BOOST_TEST(stamps.hold({}));
    std::ofstream(list, std::ios::in) << "two\n";  // in place, as many bytes
    BOOST_TEST(!stamps.hold({list, other}));
    BOOST_TEST(stamps.hold({other}));
    FileStamps::wait_for_tick();
    BOOST_TEST(!stamps.take({list}));
    folder.write("list", "two\n");  // renamed over it
    BOOST_TEST(!stamps.hold({list}));
    BOOST_TEST(!stamps.hold({other}));  // was not taken
}

BOOST_AUTO_TEST_CASE(created_and_removed_files_are_changes) {
    const steer::test::TempFolder folder;
    const std::string list = folder / "list";
    FileStamps stamps;
    BOOST_TEST(!stamps.take({list}));
    BOOST_TEST(stamps.hold({list}));
    folder.write("list", "one\n");
    BOOST_TEST(!stamps.hold({list}));
    FileStamps::wait_for_tick();
    stamps.take({list});
    std::filesystem::remove(list);
    BOOST_TEST(!stamps.hold({list}));
}

BOOST_AUTO_TEST_CASE(a_changed_symbolic_link_is_a_change) {
    const steer::test::TempFolder folder;
    folder.write("a", "one\n");
    folder.write("b", "one\n");
    const std::string link = folder / "link";
    std::filesystem::create_symlink("a", link);
    FileStamps stamps;
    stamps.take({link});
    BOOST_TEST(stamps.hold({link}));
    std::filesystem::remove(link);
    std::filesystem::create_symlink("b", link);
    BOOST_TEST(!stamps.hold({link}));
}

BOOST_AUTO_TEST_SUITE_END()
