#include "control/observe/recorder/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
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

constexpr std::string_view kForm = "dddd-dd-ddTdd-dd-ddZ";

// The order of renames: the time as suffix_of() writes it, and the number of those of one second.
using Rename = std::pair<std::string, unsigned>;
constexpr unsigned kMostInASecond = 1'000'000'000;

// "2026-11-23T17-20-05Z" is the first of its second, "2026-11-23T17-20-05Z-2" the next.
std::optional<Rename> read_suffix(std::string_view text) {
    if (text.size() < kForm.size()) return std::nullopt;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return std::nullopt;
    }
    Rename out{text.substr(0, kForm.size()), 1};
    text.remove_prefix(kForm.size());
    if (text.starts_with('-')) {
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data() + 1, end, out.second);
        if (error != std::errc{} || out.second > kMostInASecond) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    }
    // Another program may have compressed it: FILE.…Z.gz.
    if (!text.empty() && text.front() != '.') return std::nullopt;
    return out;
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
    Rename fresh{suffix_of(now_us), 0};
    // The number goes on from those that are there: the oldest of this second may be removed.
    std::vector<OldFile> old = old_files();
    for (const OldFile& one : old) {
        if (one.renamed.first == fresh.first)
            fresh.second = std::max(fresh.second, one.renamed.second);
    }
    std::string name;
    std::error_code error;
    do {
        ++fresh.second;
        name = settings_.file + "." + fresh.first;
        if (fresh.second > 1) name += "-" + std::to_string(fresh.second);
    } while (fs::exists(name, error));
    fs::rename(settings_.file, name, error);
    if (error) {
        // It goes on in the same file, and tries again later.
        if (!open(now_us)) return;
        since_us_ = now_us;
        warn_(matchers::quoted_path(settings_.file) + " was not renamed: " + error.message() +
              "; let the daemon's user write to its folder");
        return;
    }
    old.push_back({std::move(fresh), name});
    remove_oldest(std::move(old));
    (void)open(now_us);
}

std::vector<RotatingFile::OldFile> RotatingFile::old_files() const {
    const fs::path path(settings_.file);
    const std::string begin = path.filename().string() + ".";
    std::vector<OldFile> old;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(begin)) continue;
        if (auto renamed = read_suffix(std::string_view(name).substr(begin.size())))
            old.push_back({std::move(*renamed), entry.path()});
    }
    return old;
}

void RotatingFile::remove_oldest(std::vector<OldFile> old) const {
    if (settings_.max_files == 0) return;
    std::ranges::sort(old, {}, &OldFile::renamed);
    std::error_code error;
    for (std::size_t i = 0; i + settings_.max_files < old.size(); ++i)
        fs::remove(old[i].path, error);
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
    // What is larger than a file is divided at the end of a line.
    while (text.size() > settings_.max_size) {
        std::size_t end = text.rfind('\n', settings_.max_size - 1);
        if (end == std::string_view::npos) end = text.find('\n');  // a line that is larger itself
        if (end == std::string_view::npos || end + 1 == text.size()) break;
        const std::string_view piece = text.substr(0, end + 1);
        const auto in_piece = static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
        const std::uint64_t counted = std::min(in_piece, lines);
        write_piece(piece, counted, now_us);
        lines -= counted;
        text.remove_prefix(piece.size());
    }
    write_piece(text, lines, now_us);
}

void RotatingFile::write_piece(std::string_view text, std::uint64_t lines, std::int64_t now_us) {
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
