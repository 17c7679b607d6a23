// Files that are whole or not there: what is left of a draft, who may read it, what fails.
#include "control/host/process/new_file.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>

#include "support/temp_folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

struct DraftFolder : test::TempFolder {
    const std::string file = *this / "list";
    [[nodiscard]] auto files() const { return std::distance(fs::directory_iterator(path), {}); }
    [[nodiscard]] mode_t mode() const {
        struct stat facts {};
        BOOST_TEST(::stat(file.c_str(), &facts) == 0);
        return facts.st_mode & 07777U;
    }
};

BOOST_FIXTURE_TEST_SUITE(new_file, DraftFolder)

BOOST_AUTO_TEST_CASE(a_new_file_is_written_whole_or_not_at_all) {
    {
        NewFile draft(file);
        BOOST_TEST(draft.write("half"));
        BOOST_TEST(files() == 1);
    }
    BOOST_TEST(files() == 0);
    NewFile draft(file);
    BOOST_TEST(draft.write("who"));
    NewFile moved(std::move(draft));
    BOOST_TEST(moved.write("le"));
    BOOST_TEST(!fs::exists(file));
    BOOST_TEST(moved.replace(NewFile::kForAll));
    BOOST_TEST(read("list") == "whole");
    BOOST_TEST(files() == 1);
}

BOOST_AUTO_TEST_CASE(a_new_file_has_the_requested_mode) {
    NewFile one(file);
    struct stat facts {};
    BOOST_TEST(::stat(one.path().c_str(), &facts) == 0);
    BOOST_TEST((facts.st_mode & 07777U) == NewFile::kForOwner);  // while it is written
    BOOST_TEST(one.replace(NewFile::kForAll));
    BOOST_TEST(mode() == NewFile::kForAll);
    NewFile other(file);
    BOOST_TEST(other.sync(0640));
    BOOST_TEST(other.take_place());
    BOOST_TEST(mode() == 0640U);
}

BOOST_AUTO_TEST_CASE(the_first_failure_is_kept) {
    NewFile nowhere(*this / "deep/list");
    BOOST_TEST(!nowhere.good());
    BOOST_TEST(nowhere.why() == "No such file or directory");
    BOOST_TEST(!nowhere.write("x"));
    BOOST_TEST(!nowhere.replace(NewFile::kForAll));
    BOOST_TEST(nowhere.why() == "No such file or directory");
    BOOST_TEST(nowhere.failure().text.starts_with(
        *this / "deep/list" + " cannot be written: No such file or directory; free some space"));
    make_folder_of(*this / "deep/list");
    BOOST_TEST(NewFile(*this / "deep/list").replace(NewFile::kForAll));
    BOOST_TEST(read("deep/list") == "");
    // A folder is in its place.
    NewFile conflicting(*this / "deep");
    BOOST_TEST(conflicting.good());
    BOOST_TEST(!conflicting.replace(NewFile::kForAll));
    BOOST_TEST(conflicting.why() == "Is a directory");
}

BOOST_AUTO_TEST_CASE(abandoned_drafts_are_removed_and_open_ones_stay) {
    write("new-list-AbCd01", "of one that was killed");
    write("new-list-AbCd012", "no draft");
    write("new-lists-AbCd01", "another's");
    NewFile draft(file);
    BOOST_TEST(draft.write("whole"));
    NewFile::remove_left(file);
    BOOST_TEST(!fs::exists(path / "new-list-AbCd01"));
    BOOST_TEST(files() == 3);
    BOOST_TEST(draft.replace(NewFile::kForAll));
    BOOST_TEST(read("list") == "whole");
    NewFile::remove_left(*this / "nowhere/list");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
