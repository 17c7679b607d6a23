#include "control/host/process/file_stamps.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>

namespace steer {
namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;

std::int64_t ns_of(const timespec& t) {
    return std::int64_t{t.tv_sec} * kNsPerS + t.tv_nsec;
}

std::int64_t now_ns(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return ns_of(now);
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0) return {};
    return {is.st_dev, is.st_ino, static_cast<std::uint64_t>(is.st_size), ns_of(is.st_mtim),
            ns_of(is.st_ctim)};
}

bool FileStamps::take(const std::vector<std::string>& files) {
    stamps_.clear();
    const std::int64_t now = now_ns(CLOCK_REALTIME_COARSE);
    bool is_of_this_tick = false;
    for (const auto& file : files) {
        const FileStamp stamp = stamp_of(file);
        is_of_this_tick = is_of_this_tick || stamp.changed_ns >= now;
        stamps_.insert_or_assign(file, stamp);
    }
    return is_of_this_tick;
}

void FileStamps::take_missing(const std::vector<std::string>& files) {
    for (const auto& file : files) {
        FileStamp& stamp = stamps_[file];
        if (stamp == FileStamp{}) stamp = stamp_of(file);
    }
}

void FileStamps::wait_for_tick() {
    const std::int64_t now = now_ns(CLOCK_REALTIME);
    while (now_ns(CLOCK_REALTIME_COARSE) <= now) {
        constexpr timespec kPart{0, 1'000'000};
        ::nanosleep(&kPart, nullptr);
    }
}

bool FileStamps::hold(const std::vector<std::string>& files) const {
    return std::all_of(files.begin(), files.end(), [this](const std::string& file) {
        const auto at = stamps_.find(file);
        return at != stamps_.end() && at->second == stamp_of(file);
    });
}

}  // namespace steer
