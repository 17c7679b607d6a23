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

#include "control/host/process/regular_file.h"
#include "control/program/engine/engine.h"
#include "control/program/engine/last_error.h"
#include "dataplane/port/descriptor.h"

namespace steer::recursion {
namespace {

constexpr mode_t kFolderMode = 0770;

// Opened, not followed: what is changed is what was made.
Result<Descriptor> make_folder(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
        return last_error(path + " cannot be made");
    Descriptor made(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
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

// The engine writes newer keys into it (RFC 5011), so one that is there stays, if it is whole. A
// package that is newer than it may have a key that a machine without power has missed.
bool is_anchor_current(const std::string& file, const PackageKey& package) {
    const auto text = read_regular(file, kMostRootKeys, O_NOFOLLOW);
    if (!text || !*text) return false;
    const RootKeys kept = root_keys_of(**text);
    const auto has = [](const std::vector<unsigned>& tags, unsigned tag) {
        return std::ranges::find(tags, tag) != tags.end();
    };
    // The end of a line that is torn had its comment.
    const bool is_torn = std::ranges::any_of(
        kept.unnamed, [&](unsigned tag) { return !has(package.keys.valid, tag); });
    if (kept.valid.empty() || kept.is_damaged || is_torn) return false;
    struct stat found {};
    if (::lstat(file.c_str(), &found) == 0 && found.st_mtim.tv_sec >= package.written_s)
        return true;
    return std::ranges::all_of(package.keys.valid,
                               [&](unsigned tag) { return has(kept.known, tag); });
}

Result<void> write_anchor(const std::string& file, const std::string& keys) {
    const auto refuse = [&file] { return last_error(file + " cannot be written"); };
    (void)::unlink(file.c_str());
    Descriptor to(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (to.get() < 0) return refuse();
    const auto written = ::write(to.get(), keys.data(), keys.size());
    // Also on a full disk, none is better than a part of it.
    if (written == static_cast<ssize_t>(keys.size()) && ::fchmod(to.get(), 0644) == 0) return {};
    const Error error = refuse();
    (void)::unlink(file.c_str());
    return error;
}

Result<AnchorFile> renew(const std::string& file, const PackageKey& package) {
    if (is_anchor_current(file, package)) return AnchorFile::kept;
    struct stat before {};
    const bool was_there = ::lstat(file.c_str(), &before) == 0;
    if (const auto written = write_anchor(file, package.text); !written) return written.error();
    return was_there ? AnchorFile::replaced : AnchorFile::made;
}

std::string anchor_file(const std::string& folder) {
    return folder + "/" + std::string(kAnchorFile);
}

// Of root at the start: the engine owns it, else AppArmor lets it write no newer keys.
Result<void> own_anchor(const std::string& file, const EngineUser& engine) {
    struct stat found {};
    if (::geteuid() != 0) return {};
    if (::lstat(file.c_str(), &found) == 0 && found.st_uid == engine.uid) return {};
    if (::lchown(file.c_str(), engine.uid, engine.gid) != 0)
        return last_error(file + " cannot be given to the engine");
    return {};
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
    std::error_code no_parent;
    std::filesystem::create_directories(std::filesystem::path(state).parent_path(), no_parent);
    if (const auto made = make_folder(state, 0755); !made) return made.error();
    for (unsigned i = 0; i < config::Recursion::kMostInstances; ++i) {
        const std::string path = folder_of(state, i);
        const auto folder = make_folder(path, kFolderMode);
        if (!folder) return folder.error();
        if (::geteuid() == 0 && ::fchown(folder->get(), engine.uid, engine.gid) != 0)
            return last_error(path + " cannot be given to the engine");
        const std::string file = anchor_file(path);
        const auto anchor = renew(file, *package);
        if (!anchor) return anchor.error();
        if (*anchor == AnchorFile::replaced) replaced.push_back(file);
        if (const auto owned = own_anchor(file, engine); !owned) return owned.error();
    }
    return {boost::system::in_place_value, std::move(replaced)};
}

Result<AnchorFile> renew_anchor(const std::string& folder) {
    const auto package = read_package_key();
    if (!package) return package.error();
    return renew(anchor_file(folder), *package);
}

}  // namespace steer::recursion
