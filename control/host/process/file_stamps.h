// Detects whether files changed since they were read, by identity, size and times (stat(2)) taken before reading.
//
// A file's times come from the kernel's coarse clock, so a second write within one tick does not change them.
// (Since Linux 6.13 some are finer, and ahead of that clock by up to a tick or more.) take() reports such files: reading after that tick sees every write that the stamp cannot detect.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace steer {

struct FileStamp {
    std::uint64_t device = 0, inode = 0, bytes = 0;  // all 0: there is no file
    std::int64_t written_ns = 0, changed_ns = 0;
    bool operator==(const FileStamp&) const = default;
};
// Of the path's target.
FileStamp stamp_of(const std::string& path);

class FileStamps {
  public:
    // Takes the stamps of these files. True: call wait_for_tick() before reading them.
    bool take(const std::vector<std::string>& files);
    // Takes the stamps of those files that have none yet, or were missing.
    void take_missing(const std::vector<std::string>& files);
    // Waits until the coarse clock is past this moment: some milliseconds.
    static void wait_for_tick();
    // Whether each of them has a stamp and is unchanged.
    [[nodiscard]] bool hold(const std::vector<std::string>& files) const;

  private:
    std::map<std::string, FileStamp> stamps_;
};

}  // namespace steer
