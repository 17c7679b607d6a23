// Detects whether files have changed since they were read. It compares their identity, size and
// times (stat(2)) from before the read.
//
// A file's times are from the kernel's coarse clock, so a second write within one tick does not
// change them. (Since Linux 6.13 some are finer, and ahead of that clock by up to a tick or more.)
// take() reports such files. A read after that tick sees every write that the stamp cannot detect.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace steer {

struct FileStamp {
    std::uint64_t device = 0, inode = 0, bytes = 0;  // all 0: the file does not exist
    std::int64_t written_ns = 0, changed_ns = 0;
    bool operator==(const FileStamp&) const = default;
};
// The stamp of the path's target.
FileStamp stamp_of(const std::string& path);

class FileStamps {
  public:
    // Takes the stamps of these files. Returns true if the caller must call wait_for_tick() before
    // reading them.
    bool take(const std::vector<std::string>& files);
    // Takes the stamps of those files that have no stamp yet or were missing.
    void take_missing(const std::vector<std::string>& files);
    // Waits until the coarse clock has passed the present time: some milliseconds.
    static void wait_for_tick();
    // Whether each file has a stamp and is unchanged.
    [[nodiscard]] bool hold(const std::vector<std::string>& files) const;

  private:
    std::map<std::string, FileStamp> stamps_;
};

}  // namespace steer
