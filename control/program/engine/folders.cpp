#include "control/program/engine/folders.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/host/process/read_fully.h"
#include "control/host/process/regular_file.h"
#include "control/program/engine/engine.h"
#include "control/program/engine/last_error.h"
#include "dataplane/port/descriptor.h"

namespace steer::recursion {
namespace {

constexpr mode_t kFolderMode = 0770;

// The engine owns these folders, and the one around them, so it may exchange an entry between two
// calls. Each entry is therefore opened once, without following a link, and changed by its
// descriptor; a file that was there never gets another owner or mode.

Result<Descriptor> make_folder(int around, const std::string& path, mode_t mode) {
    const std::string name = std::filesystem::path(path).filename();
    if (::mkdirat(around, name.c_str(), mode) != 0 && errno != EEXIST)
        return last_error(path + " cannot be made");
    Descriptor made(
        ::openat(around, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (made.get() < 0 || ::fstat(made.get(), &found) != 0)
        return last_error(path + " cannot be opened");
    // Whatever the umask. Of a folder of an earlier start, which has another owner, root may lack
    // the right to change it.
    if ((found.st_mode & 07777) != mode && ::fchmod(made.get(), mode) != 0)
        return last_error("the mode of " + path + " cannot be changed");
    return {boost::system::in_place_value, std::move(made)};
}

// The root's key as the package has it.
struct PackageKey {
    std::string text;
    RootKeys keys;
    std::time_t written_s = 0;
};

Result<PackageKey> read_package_key() {
    const std::string file(kRootKey);
    auto text = read_regular(file, kMostRootKeys);
    struct stat found {};
    if (!text || !*text || ::stat(file.c_str(), &found) != 0)
        return Error{file + " cannot be read"};
    RootKeys keys = root_keys_of(**text);
    return {boost::system::in_place_value,
            PackageKey{std::move(**text), std::move(keys), found.st_mtim.tv_sec}};
}

// An anchor of an instance's folder.
struct KeptAnchor {
    bool is_there = false;
    std::string text;  // empty: it cannot be used
    struct stat facts {};
};

KeptAnchor read_anchor(int folder) {
    KeptAnchor out;
    const std::string name(kAnchorFile);
    struct stat entry {};
    out.is_there = ::fstatat(folder, name.c_str(), &entry, AT_SYMLINK_NOFOLLOW) == 0;
    const Descriptor file(
        ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 || ::fstat(file.get(), &out.facts) != 0 || !S_ISREG(out.facts.st_mode) ||
        static_cast<std::size_t>(out.facts.st_size) > kMostRootKeys)
        return out;
    out.text.resize(static_cast<std::size_t>(out.facts.st_size));
    if (!read_fully(file.get(), out.text.data(), out.text.size())) out.text.clear();
    return out;
}

// The engine writes newer keys into it (RFC 5011), so one that is there stays, if it is whole. A
// package that is newer than it may have a key that a machine without power has missed.
bool is_current(const KeptAnchor& anchor, const PackageKey& package) {
    if (anchor.text.empty()) return false;
    const RootKeys kept = root_keys_of(anchor.text);
    const auto has = [](const std::vector<unsigned>& tags, unsigned tag) {
        return std::ranges::find(tags, tag) != tags.end();
    };
    // The end of a line that is torn had its comment.
    const bool is_torn = std::ranges::any_of(
        kept.unnamed, [&](unsigned tag) { return !has(package.keys.valid, tag); });
    if (kept.valid.empty() || kept.is_damaged || is_torn) return false;
    if (anchor.facts.st_mtim.tv_sec >= package.written_s) return true;
    return std::ranges::all_of(package.keys.valid,
                               [&](unsigned tag) { return has(kept.known, tag); });
}

// A new file of `owner` (nullptr: of this process).
Result<void> write_anchor(int folder, const std::string& path, const std::string& keys,
                          const EngineUser* owner) {
    const std::string name(kAnchorFile);
    const auto refuse = [&path] { return last_error(path + " cannot be written"); };
    (void)::unlinkat(folder, name.c_str(), 0);
    Descriptor to(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (to.get() < 0) return refuse();
    const auto written = ::write(to.get(), keys.data(), keys.size());
    // Also on a full disk, none is better than a part of it.
    if (written == static_cast<ssize_t>(keys.size()) && ::fchmod(to.get(), 0644) == 0 &&
        (owner == nullptr || ::fchown(to.get(), owner->uid, owner->gid) == 0))
        return {};
    const Error error = refuse();
    (void)::unlinkat(folder, name.c_str(), 0);
    return error;
}

// `owner`: root gives the file to it, else AppArmor lets the engine write no newer keys. nullptr:
// this process is not root.
Result<AnchorFile> renew(int folder, const std::string& path, const PackageKey& package,
                         const EngineUser* owner) {
    const KeptAnchor before = read_anchor(folder);
    const bool stays = is_current(before, package);
    // One with another name beside it may be a file of root.
    const bool is_engines =
        owner == nullptr || (before.facts.st_uid == owner->uid && before.facts.st_nlink == 1);
    if (stays && is_engines) return AnchorFile::kept;
    const auto written = write_anchor(folder, path, stays ? before.text : package.text, owner);
    if (!written) return written.error();
    if (stays) return AnchorFile::kept;
    return before.is_there ? AnchorFile::replaced : AnchorFile::made;
}

std::string anchor_file(const std::string& folder) {
    return folder + "/" + std::string(kAnchorFile);
}

}  // namespace

std::string folder_of(const std::string& state, unsigned number) {
    return state + "/" + std::to_string(number);
}

EngineUser engine_user(const std::string& daemon_user) {
    if (::geteuid() != 0) return {::geteuid(), ::getegid(), false};
    if (const passwd* const own = ::getpwnam(std::string(kUser).c_str()); own != nullptr)
        return {own->pw_uid, own->pw_gid, true};
    const passwd* const daemon = daemon_user.empty() ? nullptr : ::getpwnam(daemon_user.c_str());
    if (daemon == nullptr) return {};
    return {daemon->pw_uid, daemon->pw_gid, false};
}

Result<std::vector<std::string>> make_folders(const std::string& state, const EngineUser& engine) {
    std::vector<std::string> replaced;
    const auto package = read_package_key();
    if (!package) return package.error();
    const bool is_root = ::geteuid() == 0;
    const std::filesystem::path around = std::filesystem::path(state).parent_path();
    std::error_code no_parent;
    std::filesystem::create_directories(around, no_parent);
    const Descriptor parent(::open(around.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto all = make_folder(parent.get(), state, 0755);
    if (!all) return all.error();
    for (unsigned i = 0; i < config::Recursion::kMostInstances; ++i) {
        const std::string path = folder_of(state, i);
        const auto folder = make_folder(all->get(), path, kFolderMode);
        if (!folder) return folder.error();
        if (is_root && ::fchown(folder->get(), engine.uid, engine.gid) != 0)
            return last_error(path + " cannot be given to the engine");
        const std::string file = anchor_file(path);
        const auto anchor = renew(folder->get(), file, *package, is_root ? &engine : nullptr);
        if (!anchor) return anchor.error();
        if (*anchor == AnchorFile::replaced) replaced.push_back(file);
    }
    return {boost::system::in_place_value, std::move(replaced)};
}

Result<AnchorFile> renew_anchor(const std::string& folder) {
    const auto package = read_package_key();
    if (!package) return package.error();
    const Descriptor opened(
        ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (opened.get() < 0) return last_error(folder + " cannot be opened");
    return renew(opened.get(), anchor_file(folder), *package, nullptr);
}

}  // namespace steer::recursion
