// Changing the owner of a path while another process changes its target, and the rights of a started process. Needs root:
// other users cannot change owners.
#define BOOST_TEST_MODULE rights
#include "control/host/process/rights.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <system_error>

#include "control/host/process/files_as.h"
#include "control/host/process/starter.h"
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

BOOST_AUTO_TEST_SUITE(transfer_of_rights, *boost::unit_test::precondition(is_root))

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

// A program that succeeds if it has exactly these capabilities.
steer::Starter::Program expects(const std::string& name, const std::string& capabilities,
                                bool gets_net_admin) {
    return {.name = name,
            .files = {"/bin/sh"},
            .words = {"sh", "-c",
                      "exec grep -q '^CapEff:[[:space:]]*" + capabilities + "$' /proc/self/status"},
            .gets_net_admin = gets_net_admin};
}

// Whether it starts and succeeds.
bool succeeds(steer::Starter& starter, const std::string& name) {
    const pid_t pid = starter.start(name, {});
    int status = -1;
    return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

const std::string kNone = "0000000000000000", kNetAdmin = "0000000000001000";

}  // namespace

BOOST_AUTO_TEST_CASE(a_started_process_has_net_admin_only_if_its_row_says_so,
                     *boost::unit_test::precondition(is_root)) {
    BOOST_TEST(in_child([] {
                   steer::harden_process();
                   steer::Starter starter(
                       {expects("plain", kNone, false), expects("lent", kNetAdmin, true)});
                   steer::use_starter(&starter);
                   if (!succeeds(starter, "plain")) return 1;
                   if (!steer::drop_rights("nobody", {}, {.net_admin = false, .bpf = false}))
                       return 2;
                   if (!succeeds(starter, "plain")) return 3;
                   return succeeds(starter, "lent") ? 0 : 4;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(capabilities_that_no_port_needs_are_dropped,
                     *boost::unit_test::precondition(is_root)) {
    const auto lacking_with = [](steer::KeptCapabilities kept) {
        return in_child([kept] {
            if (!steer::drop_rights("nobody", {}, kept)) return -1;
            return static_cast<int>(steer::lacking_capabilities().size());
        });
    };
    BOOST_TEST(lacking_with({}) == 0);
    BOOST_TEST(lacking_with({.net_admin = true, .bpf = false}) == 1);
    BOOST_TEST(lacking_with({.net_admin = false, .bpf = false}) == 2);
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

BOOST_AUTO_TEST_SUITE(files_of_another_user, *boost::unit_test::precondition(is_root))

BOOST_FIXTURE_TEST_CASE(a_thread_has_the_users_permissions_for_a_while, Folder) {
    const fs::path in_root = path / "victim/made", own = path / "state/made";
    const passwd* const user = ::getpwnam("daemon");  // every Debian has it
    BOOST_TEST_REQUIRE((user != nullptr));
    fs::permissions(path, fs::perms::others_exec | fs::perms::others_read, fs::perm_options::add);
    BOOST_TEST_REQUIRE(::chown((path / "state").c_str(), user->pw_uid, user->pw_gid) == 0);
    const auto can_write = [](const fs::path& file) {
        return std::ofstream(file, std::ios::app).is_open();
    };
    const auto has_override = [] {
        return ::faccessat(AT_FDCWD, "/etc/shadow", R_OK, AT_EACCESS) == 0;
    };
    {
        const steer::FilesAs files("daemon");
        BOOST_TEST(!can_write(in_root));
        BOOST_TEST(can_write(own));
        std::error_code error;
        fs::permissions(path / "victim", fs::perms::owner_all, error);
        BOOST_TEST(error.value() == EPERM, "an image folder that is a link to one of root");
        BOOST_TEST(std::async(std::launch::async, [&] { return !can_write(in_root); }).get(),
                   "a thread started by it inherits them");
        const auto after_an_own_one = [&] {
            { const steer::FilesAs of_thread("daemon"); }
            return !can_write(in_root);
        };
        BOOST_TEST(std::async(std::launch::async, after_an_own_one).get(), "and keeps them");
    }
    BOOST_TEST(can_write(in_root));
    BOOST_TEST(has_override());
    struct stat made {};
    BOOST_TEST_REQUIRE(::stat(own.c_str(), &made) == 0);
    BOOST_TEST(made.st_uid == user->pw_uid);
    BOOST_TEST(made.st_gid == user->pw_gid);
    {
        const steer::FilesAs files("");
        BOOST_TEST(can_write(in_root));
    }
    {
        const steer::FilesAs files("daemon");
        {
            const steer::FilesAs inner("daemon");
            { const steer::FilesAs innermost("daemon"); }
            BOOST_TEST(!can_write(in_root), "at any depth");
        }
        BOOST_TEST(!can_write(in_root), "the end of an inner one changes nothing");
    }
}

namespace {

// Root's folder with the configuration and a secret, and one of the user `daemon`, outside of /tmp.
struct RootsFolder {
    RootsFolder() {
        std::string made = "/run/steerdns-rights-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(made.data()) != nullptr);
        path = made;
        ::chmod(path.c_str(), 0755);
        for (const char* const name : {"roots", "users"})
            fs::create_directory(path / name);
        for (const char* const name : {"roots/config", "roots/secret", "users/config"})
            std::ofstream(path / name) << "a line\n";
        secret = path / "roots/secret";
        ::chmod(secret.c_str(), 0600);
        const passwd* const user = ::getpwnam("daemon");
        BOOST_REQUIRE(user != nullptr);
        uid = user->pw_uid;
        BOOST_REQUIRE(::chown((path / "users").c_str(), uid, 0) == 0);
    }
    ~RootsFolder() { fs::remove_all(path); }
    RootsFolder(const RootsFolder&) = delete;
    RootsFolder& operator=(const RootsFolder&) = delete;

    // With the configuration `source`.
    [[nodiscard]] bool reads(const fs::path& file, const char* source = "roots/config") const {
        const std::string sources[] = {path / source};
        const steer::FilesAs files("daemon", sources);
        return opens(file);
    }
    static bool opens(const fs::path& file) {
        bool is_open = false;
        {
            const steer::RootToRead as_root(file);
            is_open = std::ifstream(file).is_open();
        }
        BOOST_TEST(::faccessat(AT_FDCWD, "/etc/shadow", R_OK, AT_EACCESS) != 0, "in force again");
        return is_open;
    }

    fs::path path, secret;
    uid_t uid = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_file_that_the_user_cannot_have_chosen_is_read_as_root, RootsFolder) {
    BOOST_TEST(reads(secret));
    fs::create_symlink(secret, path / "roots/link");
    fs::create_symlink("../roots/secret", path / "roots/relative");
    BOOST_TEST(reads(path / "roots/link"));
    BOOST_TEST(reads(path / "roots/relative"));
    const steer::FilesAs files("daemon");
    BOOST_TEST(!opens(secret), "no configuration was named");
}

BOOST_FIXTURE_TEST_CASE(a_file_whose_path_the_user_can_change_is_not_read_as_root, RootsFolder) {
    fs::create_symlink(secret, path / "users/link");
    fs::create_symlink("../users/link", path / "roots/link");
    BOOST_REQUIRE(::lchown((path / "users/link").c_str(), 0, 0) == 0);
    BOOST_TEST(!reads(path / "users/link"));
    BOOST_TEST(!reads(path / "roots/link"));
    std::ofstream(path / "users/roots") << "of root";
    ::chmod((path / "users/roots").c_str(), 0600);
    BOOST_TEST(!reads(path / "users/roots"));
    std::ofstream(path / "roots/writable") << "by the user, who may not read it";
    BOOST_REQUIRE(::chown((path / "roots/writable").c_str(), uid, 0) == 0);
    ::chmod((path / "roots/writable").c_str(), 0);
    BOOST_TEST(!reads(path / "roots/writable"));
    // As in /tmp: the user removes no file of root, but a hard link could be the user's.
    ::chmod((path / "roots").c_str(), 01777);
    BOOST_TEST(reads(secret));
    fs::create_hard_link(secret, path / "roots/other");
    BOOST_TEST(!reads(secret));
}

BOOST_FIXTURE_TEST_CASE(a_configuration_that_the_user_can_change_names_no_file_of_root,
                        RootsFolder) {
    BOOST_TEST(!reads(secret, "users/config"));
    const std::string sources[] = {path / "roots/config"};
    const steer::FilesAs files("daemon", sources);
    BOOST_TEST(opens(secret));
    steer::FilesAs::note_source(path / "users/config");  // included
    BOOST_TEST(!opens(secret));
}

// As the package's check before a restart: the user itself, with the capability to read everything.
BOOST_FIXTURE_TEST_CASE(a_process_of_the_user_lowers_its_capabilities, RootsFolder) {
    BOOST_TEST(in_child([this] {
                   constexpr int kKept[] = {CAP_DAC_READ_SEARCH};
                   if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::setresuid(uid, uid, uid) != 0)
                       return 1;
                   const cap_t caps = ::cap_get_proc();
                   constexpr cap_value_t kRead = CAP_DAC_READ_SEARCH;
                   ::cap_set_flag(caps, CAP_EFFECTIVE, 1, &kRead, CAP_SET);
                   if (::cap_set_proc(caps) != 0) return 2;
                   steer::keep_only_capabilities(kKept);
                   const auto opens_it = [this] { return std::ifstream(secret).is_open(); };
                   if (!opens_it()) return 3;
                   const std::string sources[] = {path / "roots/config"};
                   {
                       const steer::FilesAs files("daemon", sources);
                       if (opens_it()) return 4;
                       const steer::RootToRead as_root(secret);
                       if (!opens_it()) return 5;
                   }
                   return opens_it() ? 0 : 6;
               }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_path_is_in_a_folder_by_its_parts) {
    BOOST_TEST(steer::is_at_or_below("/var/lib/steerdns", "/var/lib/steerdns"));
    BOOST_TEST(steer::is_at_or_below("/var/lib/steerdns/a/../b", "/var/lib/steerdns"));
    BOOST_TEST(!steer::is_at_or_below("/var/lib/steerdns/../x", "/var/lib/steerdns"));
    BOOST_TEST(!steer::is_at_or_below("/var/lib/steerdns2", "/var/lib/steerdns"));
    BOOST_TEST(!steer::is_at_or_below("/etc", "/var/lib/steerdns"));
}
