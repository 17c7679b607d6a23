#include "control/observe/recorder/rotating_file.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "sample_query.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::kBegin;
using steer::recorder::test::kSecond;

namespace {

struct FileScene {
    FileScene() { settings.file = folder / "queries.json"; }

    RotatingFile file() {
        return RotatingFile(settings, [this](const std::string& s) { logged.push_back(s); });
    }
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path))
            all.insert(entry.path().filename());
        return all;
    }

    steer::test::TempFolder folder;
    config::RecorderJson settings{.max_size = 10, .max_age = std::chrono::hours(1), .max_files = 2};
    std::vector<std::string> logged;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_that_would_be_too_large_is_renamed) {
    FileScene scene;
    auto file = scene.file();
    file.write("12345\n", 1, kBegin);
    file.write("678\n", 1, kBegin);
    BOOST_TEST(scene.folder.read("queries.json") == "12345\n678\n");
    file.write("9\n", 1, kBegin + kSecond);
    BOOST_TEST(scene.folder.read("queries.json") == "9\n");
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-01Z") == "12345\n678\n");
    // Never over another file.
    file.write("1234567890\n", 1, kBegin + kSecond);
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-01Z-2") == "9\n");
    BOOST_TEST(file.written() == 4U);
    BOOST_TEST(file.lost() == 0U);
    BOOST_TEST(scene.logged.empty());
}

BOOST_AUTO_TEST_CASE(a_batch_larger_than_a_file_is_divided_at_the_end_of_a_line) {
    FileScene scene;
    auto file = scene.file();
    file.write("1\n", 1, kBegin);
    file.write("123456\n12\n1234567890123\n12345\n", 4, kBegin);
    BOOST_TEST(scene.folder.read("queries.json") == "12345\n");
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-00Z-2") == "123456\n12\n");
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-00Z-3") == "1234567890123\n");
    BOOST_TEST(file.written() == 5U);
    BOOST_TEST(file.lost() == 0U);
}

BOOST_AUTO_TEST_CASE(files_that_another_program_compressed_count) {
    FileScene scene;
    scene.folder.write("queries.json.2026-11-23T15-00-00Z.gz", "old");
    scene.folder.write("queries.json.2026-11-23T16-00-00Z-2.gz", "newer");
    scene.folder.write("queries.json.2026-11-23T16-00-00Zone", "not ours");
    scene.folder.write("queries.json.2026-11-23T16-00-00Z-4294967295", "not ours");
    auto file = scene.file();
    file.write("12345678\n", 1, kBegin);
    file.write("a\n", 1, kBegin);
    const std::set<std::string> kept{"queries.json", "queries.json.2026-11-23T16-00-00Z-2.gz",
                                     "queries.json.2026-11-23T16-00-00Z-3",
                                     "queries.json.2026-11-23T16-00-00Z-4294967295",
                                     "queries.json.2026-11-23T16-00-00Zone"};
    BOOST_TEST((scene.names() == kept));
}

BOOST_AUTO_TEST_CASE(the_newest_of_one_second_are_kept) {
    FileScene scene;
    auto file = scene.file();
    for (int i = 0; i < 13; ++i)
        file.write("line " + std::to_string(100 + i) + "\n", 1, kBegin);
    BOOST_TEST(scene.names().size() == 3U);
    BOOST_TEST(scene.folder.read("queries.json") == "line 112\n");
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-00Z-12") == "line 111\n");
    BOOST_TEST(scene.folder.read("queries.json.2026-11-23T16-00-00Z-11") == "line 110\n");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_too_old_is_renamed_and_the_oldest_are_removed) {
    FileScene scene;
    scene.folder.write("queries.json.notes", "not ours");
    auto file = scene.file();
    for (int hour = 0; hour < 5; ++hour) {
        file.write("a\n", 1, kBegin + hour * 3600 * kSecond);
        file.write("b\n", 1, kBegin + (hour * 3600 + 3599) * kSecond);
        BOOST_TEST(scene.folder.read("queries.json") == "a\nb\n");
    }
    const std::set<std::string> kept{"queries.json", "queries.json.2026-11-23T19-00-00Z",
                                     "queries.json.2026-11-23T20-00-00Z", "queries.json.notes"};
    BOOST_TEST((scene.names() == kept));
}

BOOST_AUTO_TEST_CASE(a_restart_goes_on_in_the_file) {
    FileScene scene;
    scene.file().write("a\n", 1, kBegin);
    auto file = scene.file();
    file.write("b\n", 1, kBegin);
    BOOST_TEST(scene.folder.read("queries.json") == "a\nb\n");
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_reported_once_and_tried_again) {
    FileScene scene;
    scene.settings.file = scene.folder / "later/queries.json";
    auto file = scene.file();
    file.write("a\n", 1, kBegin);
    file.write("b\n", 1, kBegin + RotatingFile::kRetryS * kSecond);
    BOOST_TEST(file.lost() == 2U);
    BOOST_REQUIRE(scene.logged.size() == 1U);
    BOOST_TEST(scene.logged[0] ==
               "queries are not written to \"" + scene.settings.file +
                   "\": No such file or directory; name a file in a folder that the "
                   "daemon's user can write to, such as /var/lib/steerdns");
    std::filesystem::create_directory(scene.folder / "later");
    file.write("c\n", 1, kBegin + RotatingFile::kRetryS * kSecond + 1);  // not yet
    file.write("d\n", 1, kBegin + 2 * RotatingFile::kRetryS * kSecond);
    BOOST_TEST(scene.folder.read("later/queries.json") == "d\n");
    BOOST_TEST(file.lost() == 3U);
    BOOST_TEST(file.error() == "");
    BOOST_TEST(scene.logged.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_link_or_a_device_is_refused) {
    FileScene scene;
    std::filesystem::create_symlink("/dev/null", scene.settings.file);
    auto file = scene.file();
    file.write("a\n", 1, kBegin);
    BOOST_TEST(file.lost() == 1U);
    scene.settings.file = "/dev/null";
    auto device = scene.file();
    device.write("a\n", 1, kBegin);
    BOOST_TEST(scene.logged.back() ==
               "queries are not written to \"/dev/null\": it is not a regular file; name another");
}

// A limit on the size of files, in place of a full disk.
BOOST_AUTO_TEST_CASE(a_write_that_fails_leaves_no_half_line) {
    FileScene scene;
    scene.settings.max_size = 1 << 20;
    auto file = scene.file();
    file.write("12345\n", 1, kBegin);
    auto* const before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    const rlimit few{.rlim_cur = 10, .rlim_max = old.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &few);
    file.write("6789abcdef\nghi\n", 2, kBegin);
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, before);
    BOOST_TEST(scene.folder.read("queries.json") == "12345\n");
    BOOST_TEST(file.lost() == 2U);
    BOOST_TEST(file.error() == "queries are not written to \"" + scene.settings.file +
                                   "\": File too large; make room on its disk");
    file.write("again\n", 1, kBegin + RotatingFile::kRetryS * kSecond);
    BOOST_TEST(scene.folder.read("queries.json") == "12345\nagain\n");
}
