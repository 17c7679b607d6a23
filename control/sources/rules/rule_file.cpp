#include "control/sources/rules/rule_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "control/config/reading.h"
#include "control/host/process/new_file.h"
#include "dataplane/port/descriptor.h"

namespace steer::rules {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxWriters = 16;  // that come in between
constexpr std::chrono::milliseconds kPause{10};
constexpr int kMaxPauses = 100;

Error failed(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

std::string first_text(const config::RuleFile& file) {
    std::string text;
    for (const std::string& rule : file.first)
        text.append(rule).append("\n");
    return text;
}

// Changes the target of a link, not the link.
std::string real_path(const std::string& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    return error ? path : real.string();
}

// Nothing: there is no such file.
Result<std::optional<std::string>> content(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error) && !error) return std::optional<std::string>{};
    auto bytes = config::Reading::read_text(path);
    if (!bytes) return Error{path + " cannot be read: " + bytes.error().text};
    return {boost::system::in_place_value, std::optional<std::string>(*std::move(bytes))};
}

Result<NewFile> written(const std::string& path, const std::string& bytes) {
    make_folder_of(path);
    NewFile file(path);
    file.write(bytes);
    struct stat old {};
    const bool there = ::stat(path.c_str(), &old) == 0;
    if (!file.sync(there ? old.st_mode & 07777U : NewFile::kForAll)) return file.failure();
    return file;
}

// A read lease is granted once no process has the file open for writing (fcntl(2)); without permission for leases it continues.
void wait_for_writers(const std::string& path, const Between& between) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return;
    // A process that opens it for writing by another link breaks the lease: by an ignored signal, not by SIGIO,
    // which would end us.
    if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return;
    for (int i = 0; i < kMaxPauses; ++i) {
        if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0 || (errno != EAGAIN && errno != EINTR))
            break;
        between.while_open ? between.while_open() : std::this_thread::sleep_for(kPause);
    }  // (closing the descriptor ends the lease)
}

// Writers of this process change files in a folder one after the other.
class FolderLock {
  public:
    explicit FolderLock(const std::string& path)
        : fd_(::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (fd_.get() >= 0) ::flock(fd_.get(), LOCK_EX);
    }

  private:
    Descriptor fd_;
};

enum class Placed : std::uint8_t { yes, not_there, there, cannot_exchange };

// Exchanges with the file at `path`, or renames if there is none (`fresh`).
Result<Placed> place(const NewFile& file, const std::string& path, bool fresh) {
    const unsigned how = fresh ? RENAME_NOREPLACE : RENAME_EXCHANGE;
    if (::renameat2(AT_FDCWD, file.path().c_str(), AT_FDCWD, path.c_str(), how) == 0)
        return Placed::yes;
    if (errno == EEXIST) return Placed::there;
    if (errno == ENOENT) return Placed::not_there;
    if (errno == EINVAL || errno == ENOSYS) return Placed::cannot_exchange;
    return failed(path + " cannot be written");
}

class Change {
  public:
    Change(const config::RuleFile& file, std::span<const RuleChange> changes,
           const Between& between)
        : file_(file),
          path_(real_path(file.file)),
          changes_(changes),
          between_(between),
          changed_(changes.size()) {}

    Result<std::vector<bool>> make() {
        const FolderLock lock(path_);
        auto there = content(path_);
        if (!there) return there.error();
        base_ = *std::move(there);
        in_place_ = base_;
        for (int i = 0; i < kMaxWriters; ++i) {
            auto done = once();
            if (!done) return left_as_theirs(done.error());
            if (*done) return changed_;
        }
        return left_as_theirs(Error{path_ + " is being written by another process: try again"});
    }

  private:
    // Restores the file that the last exchange took out.
    Error left_as_theirs(Error error) {
        if (theirs_) (void)place(*theirs_, path_, false);
        return error;
    }

    // True: done. False: `base_` is the version that another process wrote.
    Result<bool> once() {
        auto edited = edit_rules(base_ ? *base_ : first_text(file_), changes_);
        if (!edited) return Error{path_ + ": " + edited.error().text};
        for (std::size_t i = 0; i < changed_.size(); ++i)
            changed_[i] = changed_[i] || edited->changed[i];
        if (!edited->any() && base_ && in_place_ == base_) return true;
        auto file = written(path_, edited->bytes);
        if (!file) return file.error();
        if (between_.before_exchange) between_.before_exchange();
        if (between_.no_exchange) return replaced(*file);
        auto placed = place(*file, path_, !in_place_);
        if (!placed) return placed.error();
        if (*placed == Placed::cannot_exchange) return replaced(*file);
        if (*placed != Placed::yes) return again(content(path_));
        sync_folder_of(path_);
        if (!in_place_) return true;
        theirs_ = std::make_unique<NewFile>(*std::move(file));
        wait_for_writers(theirs_->path(), between_);
        auto old = content(theirs_->path());
        if (!old) return old.error();
        if (*old == in_place_) return true;
        in_place_ = edited->bytes;
        base_ = *std::move(old);
        return false;
    }

    Result<bool> again(Result<std::optional<std::string>> now) {
        if (!now) return now.error();
        base_ = *std::move(now);
        in_place_ = base_;
        return false;
    }

    // For file systems without exchange: the closest that rename(2) can do.
    Result<bool> replaced(NewFile& file) {
        auto now = content(path_);
        if (!now) return now.error();
        if (*now != in_place_) return again(std::move(now));
        if (!file.take_place()) return file.failure();
        return true;
    }

    const config::RuleFile& file_;
    const std::string path_;
    const std::span<const RuleChange> changes_;
    const Between& between_;
    std::optional<std::string> base_, in_place_;  // what is changed; what we take to be there
    std::vector<bool> changed_;
    std::unique_ptr<NewFile> theirs_;  // what our last version took the place of
};

}  // namespace

Result<bool> make_rule_file(const config::RuleFile& file) {
    const std::string path = real_path(file.file);
    auto there = content(path);
    if (!there) return there.error();
    if (*there) return false;
    auto made = written(path, first_text(file));
    if (!made) return made.error();
    auto placed = place(*made, path, true);
    if (!placed) return placed.error();
    if (*placed == Placed::cannot_exchange) {
        if (!made->take_place()) return made->failure();
        return true;
    }
    sync_folder_of(path);
    return *placed == Placed::yes;
}

Result<std::vector<bool>> change_rule_file(const config::RuleFile& file,
                                           std::span<const RuleChange> changes,
                                           const Between& between) {
    return Change(file, changes, between).make();
}

std::string why_not_writable(const config::RuleFile& file) {
    const fs::path path = real_path(file.file);
    const std::string folder = path.parent_path().string();
    const std::string of = "of dynamic_domain_set '" + file.tag + "'";
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        return "the folder " + folder + " " + of + " cannot be written to (" +
               std::strerror(errno) +
               "): its rules can be read but not changed; give the folder to the user that "
               "steerdnsd runs as, or name a file in one that is its own";
    std::error_code error;
    if (fs::exists(path, error) && ::access(path.c_str(), R_OK) != 0)
        return "the file " + path.string() + " " + of + " cannot be read (" + std::strerror(errno) +
               "): a reload will fail; make it readable for the user that steerdnsd runs as";
    if (file.origins_file.empty()) return {};
    const std::string beside = fs::absolute(file.origins_file, error).parent_path().string();
    if (::access(beside.c_str(), W_OK | X_OK) != 0)
        return "the folder " + beside + " of 'metadata_path' " + of + " cannot be written to (" +
               std::strerror(errno) +
               "): its rules cannot be changed; give the folder to the user that steerdnsd runs "
               "as, or name a file in one that is its own";
    return {};
}

}  // namespace steer::rules
