#include "control/host/process/files_as.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <tuple>
#include <utility>

#include "control/host/process/path_parts.h"
#include "dataplane/port/descriptor.h"

namespace steer {
namespace {

constexpr unsigned long long kFileCapabilities =
    1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER;

thread_local FilesAs* in_force = nullptr;  // the innermost of this thread

// The effective capabilities of this thread become `change(effective)`. The system calls: libcap would be linked by all
// that reads files.
template <class Change>
unsigned long long change_effective(const Change& change) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return 0;
    const unsigned long long before =
        data[0].effective | static_cast<unsigned long long>(data[1].effective) << 32U;
    const unsigned long long after = change(before);
    if (after == before) return before;
    data[0].effective = static_cast<unsigned>(after);
    data[1].effective = static_cast<unsigned>(after >> 32U);
    if (::syscall(SYS_capset, &header, data.data()) != 0) std::abort();
    return before;
}

std::pair<uid_t, gid_t> ids_of(const std::string& user) {
    std::array<char, 16'384> room{};
    passwd entry{}, *found = nullptr;
    if (::getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found) != 0 ||
        found == nullptr)
        std::abort();
    return {entry.pw_uid, entry.pw_gid};
}

// With whose permissions this thread opens files.
uid_t files_uid() {
    return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1)));
}

}  // namespace

FilesAs::FilesAs(const std::string& user) : outer_(in_force) {
    if (user.empty() || user == "root") return;
    if (outer_ != nullptr) {  // at any depth
        uid_ = outer_->uid_;
        in_force = this;
        return;
    }
    is_root_ = ::geteuid() == 0;
    if (is_root_) {
        std::tie(uid_, gid_) = ids_of(user);
        // Then this thread was started under another thread's FilesAs, and keeps what it began with.
        if (files_uid() == uid_) return;
        groups_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
        if (::getgroups(static_cast<int>(groups_.size()), groups_.data()) < 0) groups_.clear();
    } else {
        uid_ = ::geteuid();
        lowered_ = kFileCapabilities & change_effective([](auto now) { return now; });
        if (lowered_ == 0) return;
    }
    is_active_ = true;
    in_force = this;
    enter();
}

FilesAs::FilesAs(const std::string& user, std::span<const std::string> sources) : FilesAs(user) {
    if (!is_active_) return;
    may_read_as_root_ = true;
    for (const std::string& source : sources)
        note_source(source);
}

FilesAs::~FilesAs() {
    if (in_force != this) return;
    in_force = outer_;
    if (is_active_) leave();
}

void FilesAs::enter() {
    if (!is_root_) {
        change_effective([this](auto now) { return now & ~lowered_; });
        return;
    }
    // The system calls: those of glibc change all threads.
    (void)::syscall(SYS_setgroups, 0, nullptr);
    ::setfsgid(gid_);
    ::setfsuid(uid_);  // takes the capabilities for files out of the effective set
    if (files_uid() != uid_) std::abort();
}

void FilesAs::leave() {
    if (!is_root_) {
        change_effective([this](auto now) { return now | lowered_; });
        return;
    }
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    (void)::syscall(SYS_setgroups, groups_.size(), groups_.data());
}

// (Threads of a daemon that serves may not call setfsuid(2).)
uid_t FilesAs::uid() {
    return ::geteuid() == 0 ? files_uid() : ::geteuid();
}

void FilesAs::note_source(const std::string& path) {
    if (in_force == nullptr || !in_force->may_read_as_root_) return;
    in_force->may_read_as_root_ = !in_force->can_change(path);
}

bool FilesAs::can_write(int folder, const char* name) {
    enter();
    const bool can = ::faccessat(folder, name, W_OK, AT_EACCESS) == 0;
    leave();
    return can;
}

bool FilesAs::can_exchange(int folder, uid_t owner_of_entry, bool has_other_names) {
    struct stat is {};
    if (::fstat(folder, &is) != 0 || is.st_uid == uid_) return true;
    if (!can_write(folder, ".")) return false;
    // In /tmp, only the owners of an entry and of the folder remove it; others may have linked the file there.
    return (is.st_mode & S_ISVTX) == 0 || owner_of_entry == uid_ || has_other_names;
}

// Walks the path with our own rights, and asks at each part for the user's.
bool FilesAs::can_change(const std::string& path) {
    leave();
    const auto walk = [&] {
        Descriptor at(::open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
        std::vector<std::string> left = parts_of(path);
        unsigned links = 0;
        while (!left.empty()) {
            const std::string part = std::move(left.back());
            left.pop_back();
            const Descriptor folder = std::move(at);
            Descriptor next(::openat(folder.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
            struct stat is {};
            if (next.get() < 0 || ::fstat(next.get(), &is) != 0) return true;
            const bool is_folder = S_ISDIR(is.st_mode);
            if (can_exchange(folder.get(), is.st_uid, !is_folder && is.st_nlink > 1)) return true;
            if (is.st_uid == uid_) return true;
            if (S_ISLNK(is.st_mode)) {
                const std::string target = target_of(next.get());
                if (target.empty() || ++links > kMaxLinksOfPath) return true;
                const auto more = parts_of(target);
                left.insert(left.end(), more.begin(), more.end());
                at =
                    target.starts_with('/')
                        ? Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC))
                        : Descriptor(::openat(folder.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
                continue;
            }
            if (!is_folder) return can_write(folder.get(), part.c_str()) || !left.empty();
            at = std::move(next);
        }
        return false;
    };
    const bool can = walk();
    enter();
    return can;
}

RootToRead::RootToRead(const std::string& path) {
    FilesAs* const files = in_force;
    if (files == nullptr || !files->may_read_as_root_) return;
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0 || files->can_change(path))
        return;
    left_ = files;
    left_->leave();
}

RootToRead::~RootToRead() {
    if (left_ != nullptr) left_->enter();
}

std::string owner_below_root(const std::string& path) {
    std::filesystem::path part;
    for (const auto& next : std::filesystem::absolute(path)) {
        part /= next;
        struct stat is {};
        if (::lstat(part.c_str(), &is) != 0) break;
        if (is.st_uid == 0) continue;
        const passwd* const owner = ::getpwuid(is.st_uid);
        return owner != nullptr ? owner->pw_name : "nobody";
    }
    return {};
}

}  // namespace steer
