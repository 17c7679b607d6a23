// A file that is written in large pieces and renamed when it is too large or too old.
//
// A renamed file is FILE.2026-11-23T17-20-05Z, with the time of the rename in UTC, and -2, -3 … when
// several are renamed in a second; it never replaces another file. The newest `max_files` of these
// are kept. A file is larger than `max_size` only if one line is, or if it cannot be renamed. A file
// that cannot be opened or written is tried again after kRetryS; until then lines are lost and
// counted. Writes may block on a slow disk. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/settings/recorder_settings.h"
#include "dataplane/port/descriptor.h"

namespace steer::recorder {

class RotatingFile {
  public:
    static constexpr std::int64_t kRetryS = 5;
    using Warn = std::function<void(const std::string&)>;

    // The first write opens the file. `warn` gets each error once, and again when it has changed.
    RotatingFile(config::RecorderJson settings, Warn warn);

    // Writes `lines` complete lines. `now_us`: since 1970.
    void write(std::string_view text, std::uint64_t lines, std::int64_t now_us);

    [[nodiscard]] std::uint64_t written() const { return written_; }  // lines
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] const std::string& error() const { return error_; }  // empty: none

  private:
    struct OldFile {
        std::pair<std::string, unsigned> renamed;  // time, number within its second
        std::filesystem::path path;
    };

    bool open(std::int64_t now_us);
    void rotate(std::int64_t now_us);
    void write_piece(std::string_view text, std::uint64_t lines, std::int64_t now_us);
    [[nodiscard]] std::vector<OldFile> old_files() const;
    void remove_oldest(std::vector<OldFile> old) const;
    void fail(std::string what, std::int64_t now_us);
    bool put(std::string_view text);

    const config::RecorderJson settings_;
    Warn warn_;
    Descriptor fd_;
    std::uint64_t size_ = 0;
    std::int64_t since_us_ = 0;  // time of its first line
    std::int64_t retry_us_ = 0;  // next attempt
    std::uint64_t written_ = 0, lost_ = 0;
    std::string error_;
};

}  // namespace steer::recorder
