// What the engine needs of the machine, and its folders.
#define BOOST_TEST_MODULE recursion_machine
#include "control/program/engine/machine.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <string>

#include "control/program/engine/folders.h"
#include "root_keys.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recursion;
using std::chrono::sys_seconds;

namespace {

// As the engine keeps them.
std::string kept(std::string_view key, unsigned tag) {
    return std::string(key) + " ;{id = " + std::to_string(tag) +
           " (ksk), size = 2048b} ;;state=2 [  VALID  ]\n";
}
const std::string kOldKey = kept(test::kFormerRootKey, 20326);
const std::string kNewKey = kept(test::kRootKeyRecord, 38696);
constexpr sys_seconds kNow{std::chrono::seconds(1'796'000'000)};

std::string success(std::chrono::hours before) {
    const auto at = (kNow - before).time_since_epoch();
    return ";;last_success: " + std::to_string(std::chrono::seconds(at).count()) + " ;;then\n";
}

bool has_package() {
    return ::access(std::string(kRootKey).c_str(), R_OK) == 0;
}
boost::test_tools::assertion_result package_is_there(boost::unit_test::test_unit_id) {
    return has_package();
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_interface_without_an_address_is_an_error) {
    config::Recursion settings;
    settings.outgoing_interface = {"steer-none0", 3};
    const auto none = with_addresses(settings);
    BOOST_REQUIRE(!none);
    BOOST_TEST(none.error().text.find("steer-none0") != std::string::npos);
    settings.outgoing_interface.value = "lo";
    const auto found = with_addresses(settings);
    BOOST_REQUIRE(found);
    BOOST_TEST(!found->outgoing.empty());
    settings.outgoing_interface.value.clear();
    BOOST_TEST(with_addresses(settings)->outgoing.empty());
}

BOOST_AUTO_TEST_CASE(the_roots_keys_are_judged_by_their_file) {
    const test::TempFolder folder;
    const auto problem = [&folder](const std::string& text) {
        return root_key_problem(folder.write("root.key", text), kNow);
    };
    BOOST_TEST(problem(kOldKey).find("38696") != std::string::npos);
    BOOST_TEST(problem(kOldKey + kNewKey).empty());
    using std::chrono::hours;
    BOOST_TEST(problem(success(hours(24)) + kNewKey).empty());
    BOOST_TEST(problem(success(hours(24 * 40)) + kNewKey).find("not confirmed") !=
               std::string::npos);
    BOOST_TEST(root_key_problem(folder / "none", kNow).empty());
}

BOOST_AUTO_TEST_CASE(a_clock_before_the_files_of_the_system_is_wrong,
                     *boost::unit_test::precondition(package_is_there)) {
    BOOST_TEST(!clock_problem(sys_seconds(std::chrono::seconds(1'000))).empty());
    BOOST_TEST(
        clock_problem(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()))
            .empty());
}

// Of an anchor that is torn or lacks a key of the package; one that is whole stays.
BOOST_AUTO_TEST_CASE(an_anchor_is_made_again_if_it_lacks_a_key,
                     *boost::unit_test::precondition(package_is_there)) {
    const test::TempFolder folder;
    const std::string state = folder / "engine";
    const EngineUser self{::geteuid(), ::getegid(), false};
    BOOST_REQUIRE(make_folders(state, self));
    const auto anchor = [&folder] { return folder.read("engine/0/root.key"); };
    const std::string package = anchor();
    BOOST_TEST(root_keys_of(package).valid.size() >= 1U);
    // The last one was written before the package was.
    const std::string two = kOldKey + kNewKey;
    for (const std::string& bad : {std::string(), package.substr(0, 30), package.substr(0, 200),
                                   two.substr(0, kOldKey.size() + 90), kOldKey}) {
        const auto path = folder.write("engine/0/root.key", bad);
        if (bad == kOldKey)
            std::filesystem::last_write_time(path, std::filesystem::file_time_type::min());
        BOOST_REQUIRE(make_folders(state, self));
        BOOST_TEST(anchor() == package, bad);
    }
    // Of a time after the package's: a key that is not in use any more has left it.
    folder.write("engine/0/root.key", kNewKey);
    BOOST_REQUIRE(make_folders(state, self));
    BOOST_TEST(anchor() == kNewKey);
    const std::string own = kOldKey + kNewKey + "; of the engine\n";
    folder.write("engine/0/root.key", own);
    BOOST_REQUIRE(make_folders(state, self));
    BOOST_TEST(anchor() == own);
    // What it follows elsewhere is not read.
    std::filesystem::remove(folder / "engine/0/root.key");
    std::filesystem::create_symlink(folder.write("other", own), folder / "engine/0/root.key");
    BOOST_REQUIRE(make_folders(state, self));
    BOOST_TEST(anchor() == package);
    BOOST_TEST(folder.read("other") == own);
}

boost::test_tools::assertion_result root_has_package(boost::unit_test::test_unit_id) {
    return ::geteuid() == 0 && has_package();
}

// A file of root with the keys, to which the engine's user made a second name in its own folder.
BOOST_AUTO_TEST_CASE(a_file_of_root_that_stands_for_the_anchor_keeps_its_owner,
                     *boost::unit_test::precondition(root_has_package)) {
    const test::TempFolder folder;
    const std::string state = folder / "engine";
    const EngineUser engine{12'345, 12'345, true};
    const auto owner = [](const std::string& path) {
        struct stat is {};
        BOOST_REQUIRE(::lstat(path.c_str(), &is) == 0);
        return is.st_uid;
    };
    BOOST_REQUIRE(make_folders(state, engine));
    const std::string anchor = folder / "engine/0/root.key";
    BOOST_TEST(owner(anchor) == engine.uid);
    const std::string of_root = folder.write("of_root", kOldKey + kNewKey);
    std::filesystem::remove(anchor);
    std::filesystem::create_hard_link(of_root, anchor);
    BOOST_REQUIRE(make_folders(state, engine));
    BOOST_TEST(owner(of_root) == 0U);
    BOOST_TEST(owner(anchor) == engine.uid);
    BOOST_TEST(folder.read("engine/0/root.key") == kOldKey + kNewKey);

    // The lawful neighbours: its own file is the same file afterwards; a file of an earlier start,
    // which had another user, becomes the engine's with its keys.
    const auto inode = [&anchor] {
        struct stat is {};
        return ::lstat(anchor.c_str(), &is) == 0 ? is.st_ino : 0;
    };
    const auto before = inode();
    BOOST_REQUIRE(make_folders(state, engine));
    BOOST_TEST(inode() == before);
    BOOST_REQUIRE(make_folders(state, EngineUser{12'346, 12'346, true}));
    BOOST_TEST(owner(anchor) == 12'346U);
    BOOST_TEST(folder.read("engine/0/root.key") == kOldKey + kNewKey);

    // A folder that is a link is refused, and what it leads to stays.
    std::filesystem::create_directory(folder / "elsewhere");
    std::filesystem::remove_all(folder / "engine/1");
    std::filesystem::create_directory_symlink(folder / "elsewhere", folder / "engine/1");
    BOOST_TEST(!make_folders(state, engine));
    BOOST_TEST(owner(folder / "elsewhere") == 0U);
}
