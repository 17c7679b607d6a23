#include "control/host/process/new_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "matchers/quote.h"

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kAnySix = "XXXXXX";

fs::path folder_of(const std::string& file) {
    const fs::path parent = fs::path(file).parent_path();
    return parent.empty() ? "." : parent;
}

std::string start_of_draft(const std::string& file) {
    return "new-" + fs::path(file).filename().string() + "-";
}

// If another process removed the draft before it was locked, it has no name any more.
bool has_a_name(int fd) {
    struct stat facts {};
    return ::fstat(fd, &facts) == 0 && facts.st_nlink > 0;
}

}  // namespace

NewFile::NewFile(const std::string& file) : file_(file) {
    do {
        draft_ = (folder_of(file) / start_of_draft(file)).string() + std::string(kAnySix);
        fd_ = Descriptor(::mkostemp(draft_.data(), O_CLOEXEC));
        if (!done(fd_.get() >= 0)) {
            draft_.clear();
            return;
        }
    } while (::flock(fd_.get(), LOCK_EX) == 0 && !has_a_name(fd_.get()));
}

NewFile::NewFile(NewFile&& other) noexcept
    : file_(std::move(other.file_)),
      draft_(std::exchange(other.draft_, {})),
      fd_(std::move(other.fd_)),
      error_(other.error_) {}

NewFile::~NewFile() {
    if (!draft_.empty()) ::unlink(draft_.c_str());
}

bool NewFile::done(bool well) {
    if (!well && good()) error_ = errno;
    return good();
}

bool NewFile::write(const void* bytes, std::size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    while (good() && size > 0) {
        const ssize_t n = ::write(fd_.get(), at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            error_ = n < 0 ? errno : EIO;
            break;
        }
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return good();
}

bool NewFile::give_group(gid_t group) {
    return fd_.get() >= 0 && ::fchown(fd_.get(), static_cast<uid_t>(-1), group) == 0;
}

bool NewFile::sync(mode_t mode) {
    return good() && done(::fchmod(fd_.get(), mode) == 0 && ::fsync(fd_.get()) == 0);
}

bool NewFile::take_place() {
    if (!good() || !done(::rename(draft_.c_str(), file_.c_str()) == 0)) return false;
    draft_.clear();
    sync_folder_of(file_);
    return true;
}

std::string NewFile::why() const {
    return std::strerror(error_);
}

Error NewFile::failure() const {
    return Error{file_ + " cannot be written: " + why() +
                 "; free some space, and make its folder writable for the user that steerdnsd runs "
                 "as (`user` "
                 "of `control`)"};
}

void NewFile::remove_left(const std::string& file) {
    const std::string start = start_of_draft(file);
    std::error_code error;
    for (fs::directory_iterator at(folder_of(file), error), end; !error && at != end;
         at.increment(error)) {
        const fs::path& path = at->path();
        const std::string name = path.filename().string();
        if (!name.starts_with(start) || name.size() != start.size() + kAnySix.size()) continue;
        const Descriptor left(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (left.get() >= 0 && ::flock(left.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    }
}

void make_folder_of(const std::string& file) {
    std::error_code ignored;
    fs::create_directories(folder_of(file), ignored);
}

void make_private_folder(const std::string& folder) {
    make_folder_of(folder);
    (void)::mkdir(folder.c_str(), S_IRWXU);
}

std::string keep_damaged(const std::string& file) {
    const std::string aside = file + std::string(kDamagedEnd);
    if (::rename(file.c_str(), aside.c_str()) == 0)
        return "it is kept as " + matchers::quoted_path(aside);
    if (errno == ENOENT) return {};
    return "it cannot be renamed (" + std::string(std::strerror(errno)) + "), remove it";
}

void sync_folder_of(const std::string& file) {
    const Descriptor folder(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) ::fsync(folder.get());
}

}  // namespace steer
