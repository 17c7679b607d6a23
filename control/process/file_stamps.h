// Whether files are still what was read of them: their identity, size and times (stat(2)), taken before the reading.
//
// A file's times are those of the kernel's coarse clock, so a write in the very tick of the last one leaves them as they
// are. (Since Linux 6.13 some are finer, and then ahead of that clock, which may lag by more than a tick.) take() says when it saw such a file: what is read after that tick has every write that the stamp cannot tell.
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
// Of what the path leads to.
FileStamp stamp_of(const std::string& path);

class FileStamps {
  public:
    // Of these files, as they are now. True: wait_for_tick() before they are read.
    bool take(const std::vector<std::string>& files);
    // Of those of these files that were not taken yet, or were not there, as they are now.
    void take_missing(const std::vector<std::string>& files);
    // Until the coarse clock is past this moment: some milliseconds.
    static void wait_for_tick();
    // Whether each of them was taken and is as it was then.
    [[nodiscard]] bool hold(const std::vector<std::string>& files) const;

  private:
    std::map<std::string, FileStamp> stamps_;
};

}  // namespace steer
