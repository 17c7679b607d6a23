// Changing the owner of a path while another process changes its target, and the rights of a started process. Needs root:
// other users cannot change owners.
#define BOOST_TEST_MODULE rights
#include "control/process/rights.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

namespace fs = std::filesystem;
using steer::hand_over;

namespace {

constexpr uid_t kUser = 4711;
constexpr gid_t kGroup = 4712;

struct Folder : steer::test::TempFolder {
    Folder() {
        fs::create_directories(path / "state/lists");
        fs::create_directories(path / "victim/lists");
        std::ofstream(path / "victim/shadow") << "secret";
    }
    [[nodiscard]] uid_t owner(const std::string& name) const {
        struct stat is {};
        BOOST_REQUIRE_EQUAL(::lstat((path / name).c_str(), &is), 0);
        return is.st_uid;
    }
    void link(const std::string& target, const std::string& name, uid_t uid) const {
        fs::create_symlink(path / target, path / name);
        BOOST_REQUIRE_EQUAL(::lchown((path / name).c_str(), uid, uid), 0);
    }
};

boost::test_tools::assertion_result is_root(boost::unit_test::test_unit_id) {
    return ::geteuid() == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handing_over, *boost::unit_test::precondition(is_root))

BOOST_FIXTURE_TEST_CASE(folders_and_files_change_their_owner, Folder) {
    BOOST_TEST(hand_over((path / "state/lists").string(), kUser, kGroup));
    BOOST_TEST(owner("state/lists") == kUser);
    BOOST_TEST(owner("state") == 0U);
    BOOST_TEST(hand_over((path / "state//./lists/../").string(), kUser, kGroup));
    BOOST_TEST(owner("state") == kUser);
    BOOST_TEST(hand_over((path / "victim/shadow").string(), kUser, kGroup));
    BOOST_TEST(owner("victim/shadow") == kUser);
    BOOST_TEST(!hand_over((path / "none").string(), kUser, kGroup));
    BOOST_TEST(errno == ENOENT);
}

BOOST_FIXTURE_TEST_CASE(only_symbolic_links_of_root_are_followed, Folder) {
    link("state", "roots", 0);
    link("victim", "theirs", kUser);
    BOOST_TEST(hand_over((path / "roots/lists").string(), kUser, kGroup));
    BOOST_TEST(owner("state/lists") == kUser);
    for (const char* const name : {"theirs", "theirs/lists", "theirs/shadow"})
        BOOST_TEST(hand_over((path / name).string(), kUser, kGroup));
    BOOST_TEST(owner("victim") == 0U);
    BOOST_TEST(owner("victim/lists") == 0U);
    BOOST_TEST(owner("victim/shadow") == 0U);
    link("loop", "loop", 0);
    BOOST_TEST(!hand_over((path / "loop").string(), kUser, kGroup));
    BOOST_TEST(errno == ELOOP);
}

// The owner of "state" changes its content between two steps of root.
BOOST_FIXTURE_TEST_CASE(a_symbolic_link_that_is_swapped_in_is_not_followed, Folder) {
    BOOST_REQUIRE_EQUAL(::lchown((path / "state").c_str(), kUser, kUser), 0);
    const std::string lists = (path / "state/lists").string();
    for (const std::string when : {"lists", ""}) {
        fs::remove_all(path / "state/lists");
        fs::remove_all(path / "state/moved");
        fs::create_directory(path / "state/lists");
        bool swapped = false;
        BOOST_TEST(hand_over(lists, kUser, kGroup, [&](const std::string& part) {
            if (part != when) return;
            fs::rename(path / "state/lists", path / "state/moved");
            link("victim/lists", "state/lists", kUser);
            swapped = true;
        }));
        BOOST_TEST(swapped);
        BOOST_TEST(owner("victim/lists") == 0U);
    }
    BOOST_TEST(owner("state/moved") == kUser);  // what it had opened
}

// And in the middle of the path.
BOOST_FIXTURE_TEST_CASE(a_swapped_parent_folder_is_not_followed, Folder) {
    bool swapped = false;
    BOOST_TEST(
        hand_over((path / "state/lists").string(), kUser, kGroup, [&](const std::string& part) {
            if (part != "lists") return;
            fs::rename(path / "state", path / "moved");
            link("victim", "state", kUser);
            swapped = true;
        }));
    BOOST_TEST(swapped);
    BOOST_TEST(owner("victim/lists") == 0U);
    BOOST_TEST(owner("moved/lists") == kUser);
}

BOOST_FIXTURE_TEST_CASE(a_file_with_another_hard_link_keeps_its_owner, Folder) {
    fs::create_hard_link(path / "victim/shadow", path / "state/rules.txt");
    BOOST_TEST(hand_over((path / "state/rules.txt").string(), kUser, kGroup));
    BOOST_TEST(owner("victim/shadow") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(the_overflow_user_is_found_by_name_and_number) {
    BOOST_TEST(steer::is_nobody("nobody"));
    BOOST_TEST(!steer::is_nobody("root"));
    BOOST_TEST(!steer::is_nobody("no-such-user"));
}

namespace {

// What `f` returns in a process of its own, whose rights it may change.
template <class F>
int in_child(const F& f) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(f());
    int status = 0;
    BOOST_REQUIRE_EQUAL(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Whether a process that this one starts has exactly these.
bool started_has(const std::string& capabilities) {
    const std::string command =
        "grep -q '^CapEff:[[:space:]]*" + capabilities + "$' /proc/self/status";
    return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): one thread
}

const std::string kNone = "0000000000000000", kNetAdmin = "0000000000001000";

}  // namespace

BOOST_AUTO_TEST_CASE(a_started_process_has_net_admin_only_while_it_is_lent,
                     *boost::unit_test::precondition(is_root)) {
    BOOST_TEST(in_child([] {
                   steer::harden_process();
                   if (!steer::drop_rights("nobody", {})) return 1;
                   if (!started_has(kNone)) return 2;
                   {
                       const steer::LendNetAdmin lent;
                       if (!started_has(kNetAdmin)) return 3;
                   }
                   return started_has(kNone) ? 0 : 4;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(a_single_purpose_process_keeps_only_its_named_capabilities,
                     *boost::unit_test::precondition(is_root)) {
    BOOST_TEST(in_child([] {
                   constexpr int kKept[] = {CAP_NET_ADMIN};
                   steer::keep_only_capabilities(kKept);
                   if (steer::lacking_capabilities().size() != 3) return 1;
                   steer::keep_only_capabilities({});
                   return steer::lacking_capabilities().size() == 4 ? 0 : 2;
               }) == 0);
}
