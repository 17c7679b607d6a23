// A rule file that others write to as well.
#include "control/sources/rules/rule_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "../fetch/one_server.h"
#include "support/temp_folder.h"

using steer::config::RuleFile;
using steer::rules::Between;
using steer::rules::change_rule_file;
using steer::rules::make_change;
using steer::rules::make_rule_file;
using steer::rules::RuleChange;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(rule_file)

namespace {

struct World {
    World() : file{"blocked", folder / "deep/names.txt", {"first.example"}} {}

    [[nodiscard]] std::string text() const { return folder.read("deep/names.txt"); }
    void write(const std::string& bytes) const {
        std::ofstream(file.file, std::ios::trunc) << bytes;
    }
    // As editors do.
    void replace(const std::string& bytes) const { folder.write("deep/names.txt", bytes); }
    std::vector<bool> change(const std::vector<std::string>& rules, const Between& between = {}) {
        std::vector<RuleChange> changes;
        for (const std::string& rule : rules)
            changes.push_back(make_change(rule[0] == '+', rule.substr(1)).value());
        const auto done = change_rule_file(file, changes, between);
        BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().text));
        BOOST_TEST(std::distance(std::filesystem::directory_iterator(
                                     std::filesystem::path(file.file).parent_path()),
                                 {}) == 1,
                   "nothing is left beside it");
        return *done;
    }

    TempFolder folder;
    RuleFile file;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_rule_file_is_created_once_with_its_first_rules) {
    World world;
    BOOST_TEST(make_rule_file(world.file).value());
    BOOST_TEST(world.text() == "first.example\n");
    world.write("");
    BOOST_TEST(!make_rule_file(world.file).value(), "an empty file is there");
    BOOST_TEST(world.text().empty());
    std::filesystem::remove(world.file.file);
    BOOST_TEST(world.change({"+a.example"}) == std::vector<bool>{true});
    BOOST_TEST(world.text() == "first.example\na.example\n");
}

BOOST_AUTO_TEST_CASE(a_change_without_effect_writes_nothing) {
    World world;
    make_rule_file(world.file).value();
    struct stat before {
    }, after{};
    BOOST_REQUIRE(::stat(world.file.file.c_str(), &before) == 0);
    BOOST_TEST(world.change({"+first.example", "-a.example"}) == (std::vector<bool>{false, false}));
    BOOST_REQUIRE(::stat(world.file.file.c_str(), &after) == 0);
    BOOST_TEST(before.st_ino == after.st_ino);
}

BOOST_AUTO_TEST_CASE(mode_and_symbolic_links_are_kept) {
    World world;
    make_rule_file(world.file).value();
    BOOST_REQUIRE(::chmod(world.file.file.c_str(), 0640) == 0);
    const RuleFile link{"blocked", world.folder / "link.txt", {}};
    std::filesystem::create_symlink(world.file.file, link.file);
    const std::vector<RuleChange> add{make_change(true, "a.example").value()};
    BOOST_TEST(change_rule_file(link, add).value() == std::vector<bool>{true});
    BOOST_TEST(world.text() == "first.example\na.example\n");
    BOOST_TEST(std::filesystem::is_symlink(link.file));
    struct stat is {};
    BOOST_REQUIRE(::stat(world.file.file.c_str(), &is) == 0);
    BOOST_TEST((is.st_mode & 07777U) == 0640U);
}

// Another process replaces the file after it was read.
BOOST_AUTO_TEST_CASE(a_change_by_another_process_is_kept) {
    World world;
    make_rule_file(world.file).value();
    int times = 0;
    Between between;
    between.before_exchange = [&] {
        if (times++ < 3) world.replace("# " + std::to_string(times) + "\ntheirs.example\n");
    };
    BOOST_TEST(world.change({"+a.example"}, between) == std::vector<bool>{true});
    BOOST_TEST(times > 3);
    BOOST_TEST(world.text() == "# 3\ntheirs.example\na.example\n");
}

// The same on a file system that cannot exchange files.
BOOST_AUTO_TEST_CASE(a_file_system_without_exchange_is_supported) {
    World world;
    make_rule_file(world.file).value();
    BOOST_REQUIRE(::chmod(world.file.file.c_str(), 0640) == 0);
    Between between{.before_exchange = {}, .while_open = {}, .no_exchange = true};
    BOOST_TEST(world.change({"+a.example"}, between) == std::vector<bool>{true});
    BOOST_TEST(world.text() == "first.example\na.example\n");
    struct stat is {};
    BOOST_REQUIRE(::stat(world.file.file.c_str(), &is) == 0);
    BOOST_TEST((is.st_mode & 07777U) == 0640U);
    int times = 0;
    between.before_exchange = [&] {
        if (times++ < 3) world.replace("# " + std::to_string(times) + "\ntheirs.example\n");
    };
    BOOST_TEST(world.change({"+b.example"}, between) == std::vector<bool>{true});
    BOOST_TEST(world.text() == "# 3\ntheirs.example\nb.example\n");
    std::filesystem::remove(world.file.file);
    BOOST_TEST(world.change({"+c.example"}, between) == std::vector<bool>{true});
    BOOST_TEST(world.text() == "first.example\nc.example\n");
}

// Another process creates the file while it is missing, or removes it.
BOOST_AUTO_TEST_CASE(a_file_that_is_created_or_removed_during_a_change_is_noticed) {
    World world;
    std::filesystem::create_directories(std::filesystem::path(world.file.file).parent_path());
    bool once = false;
    Between between;
    between.before_exchange = [&] {
        if (!std::exchange(once, true)) world.replace("theirs.example\n");
    };
    BOOST_TEST(world.change({"+a.example"}, between) == std::vector<bool>{true});
    BOOST_TEST(world.text() == "theirs.example\na.example\n");
    once = false;
    between.before_exchange = [&] {
        if (!std::exchange(once, true)) std::filesystem::remove(world.file.file);
    };
    world.change({"+b.example"}, between);
    BOOST_TEST(world.text() == "first.example\nb.example\n", "made anew");
}

// `echo theirs.example >>names.txt` that opened the file before the exchange and writes after it.
BOOST_AUTO_TEST_CASE(a_process_with_the_old_file_open_is_waited_for) {
    World world;
    make_rule_file(world.file).value();
    int fd = -1;
    bool waited = false;
    Between between;
    between.before_exchange = [&] {
        if (!waited) fd = ::open(world.file.file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    };
    between.while_open = [&] {
        if (std::exchange(waited, true)) return;
        const std::string line = "theirs.example\n";
        BOOST_REQUIRE(::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
        ::close(fd);
    };
    world.change({"+a.example"}, between);
    BOOST_TEST(waited);
    BOOST_TEST(world.text() == "first.example\ntheirs.example\na.example\n");
}

// Each of two writers finds the rules of both.
BOOST_AUTO_TEST_CASE(two_writers_lose_no_rule) {
    World world;
    make_rule_file(world.file).value();
    constexpr int kEach = 50;
    const auto write = [&](const std::string& name, int& done) {
        for (int i = 0; i < kEach; ++i) {
            const std::vector<RuleChange> add{
                make_change(true, name + std::to_string(i) + ".example").value()};
            done += change_rule_file(world.file, add) ? 1 : 0;
        }
    };
    int theirs = 0, ours = 0;
    std::thread other([&] { write("a", theirs); });
    write("b", ours);
    other.join();
    BOOST_TEST(theirs == kEach);
    BOOST_TEST(ours == kEach);
    const std::string text = world.text();
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1 + 2 * kEach);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_unchanged) {
    World world;
    const RuleFile folder{"blocked", world.folder.path.string(), {}};
    const std::vector<RuleChange> add{make_change(true, "a.example").value()};
    BOOST_TEST(change_rule_file(folder, add).error().text.find("not a regular file") !=
               std::string::npos);
    const RuleFile nowhere{"blocked", "/proc/none/names.txt", {}};
    BOOST_TEST(!make_rule_file(nowhere));
    BOOST_TEST(steer::rules::why_not_writable(nowhere).find("the folder /proc/none") == 0U);
    BOOST_TEST(steer::rules::why_not_writable(world.file).empty() == false);
    make_rule_file(world.file).value();
    BOOST_TEST(steer::rules::why_not_writable(world.file).empty());
}

BOOST_AUTO_TEST_SUITE_END()
