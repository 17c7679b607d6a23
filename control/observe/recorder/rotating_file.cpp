#include "control/observe/recorder/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "control/observe/recorder/json_line.h"
#include "matchers/quote.h"

namespace steer::recorder {
namespace {

namespace fs = std::filesystem;
constexpr mode_t kForOwnerAndGroup = 0640;

// "2026-11-23T17-20-05Z"
std::string suffix_of(std::int64_t now_us) {
    std::string text = time_text(now_us).substr(0, 19);
    std::ranges::replace(text, ':', '-');
    return text + "Z";
}

// As suffix_of() writes it, perhaps with a number.
bool is_suffix(std::string_view text) {
    constexpr std::string_view kForm = "dddd-dd-ddTdd-dd-ddZ";
    if (text.size() < kForm.size()) return false;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return false;
    }
    return true;
}

}  // namespace

RotatingFile::RotatingFile(config::RecorderJson settings, Warn warn)
    : settings_(std::move(settings)), warn_(std::move(warn)) {}

void RotatingFile::fail(std::string what, std::int64_t now_us) {
    retry_us_ = now_us + kRetryS * kMicroseconds;
    fd_ = Descriptor{};
    if (what == error_) return;
    error_ = std::move(what);
    warn_(error_);
}

bool RotatingFile::open(std::int64_t now_us) {
    const int fd = ::open(settings_.file.c_str(),
                          O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                          kForOwnerAndGroup);
    const int error = errno;
    const std::string name = matchers::quoted_path(settings_.file);
    if (fd < 0) {
        fail("queries are not written to " + name + ": " + std::strerror(error) +
                 "; name a file in a folder that the daemon's user can write to, such as "
                 "/var/lib/steerdns",
             now_us);
        return false;
    }
    fd_ = Descriptor(fd);
    struct stat found {};
    if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        fail("queries are not written to " + name + ": it is not a regular file; name another",
             now_us);
        return false;
    }
    (void)::fchmod(fd, kForOwnerAndGroup);  // whatever the umask is
    size_ = static_cast<std::uint64_t>(found.st_size);
    // Of an old file the first line's time is unknown; its last one is not earlier than that.
    since_us_ = size_ == 0
                    ? now_us
                    : std::min(now_us, static_cast<std::int64_t>(found.st_mtime) * kMicroseconds);
    return true;
}

void RotatingFile::rotate(std::int64_t now_us) {
    fd_ = Descriptor{};
    const std::string wished = settings_.file + "." + suffix_of(now_us);
    std::string name = wished;
    std::error_code error;
    for (int n = 2; fs::exists(name, error); ++n)
        name = wished + "-" + std::to_string(n);
    fs::rename(settings_.file, name, error);
    if (error) {
        // It goes on in the same file, and tries again later.
        if (!open(now_us)) return;
        since_us_ = now_us;
        warn_(matchers::quoted_path(settings_.file) + " was not renamed: " + error.message() +
              "; let the daemon's user write to its folder");
        return;
    }
    remove_old();
    (void)open(now_us);
}

void RotatingFile::remove_old() const {
    if (settings_.max_files == 0) return;
    const fs::path path(settings_.file);
    const std::string begin = path.filename().string() + ".";
    std::vector<fs::path> old;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(begin) && is_suffix(std::string_view(name).substr(begin.size())))
            old.push_back(entry.path());
    }
    std::ranges::sort(old);
    for (std::size_t i = 0; i + settings_.max_files < old.size(); ++i)
        fs::remove(old[i], error);
}

bool RotatingFile::put(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd_.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        size_ += static_cast<std::uint64_t>(n);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void RotatingFile::write(std::string_view text, std::uint64_t lines, std::int64_t now_us) {
    if (fd_.get() < 0 && (now_us < retry_us_ || !open(now_us))) {
        lost_ += lines;
        return;
    }
    const bool too_large = size_ > 0 && size_ + text.size() > settings_.max_size;
    const auto max_age_us = std::chrono::microseconds(settings_.max_age).count();
    if (too_large || (size_ > 0 && now_us - since_us_ >= max_age_us)) {
        rotate(now_us);
        if (fd_.get() < 0) {
            lost_ += lines;
            return;
        }
    }
    if (size_ == 0) since_us_ = now_us;
    const std::uint64_t before = size_;
    if (!put(text)) {
        const std::string why = std::strerror(errno);
        // No half lines: the next ones would be unreadable.
        if (::ftruncate(fd_.get(), static_cast<off_t>(before)) == 0) size_ = before;
        lost_ += lines;
        fail("queries are not written to " + matchers::quoted_path(settings_.file) + ": " + why +
                 "; make room on its disk",
             now_us);
        return;
    }
    written_ += lines;
    if (!error_.empty()) {
        error_.clear();
        warn_("queries are written to " + matchers::quoted_path(settings_.file) + " again");
    }
}

}  // namespace steer::recorder
