// The lines of the log that wait for a reader: bounded, in the order of their arrival.
//
// Room is for kLines lines of kLineBytes. Errors, lines of the audit, and the last lines before an
// end each have more room, which others cannot take. A line without room is lost and counted; the
// next line that fits knows how many were lost before it. Memory grows by chunks of 64 KiB as lines
// wait. Has no lock, no clock and no thread.
#pragma once

#include <spdlog/common.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace steer::ops {

enum class LineKind : std::uint8_t { ordinary, error, audit, last };

class LogQueue {
    struct Record;

  public:
    static constexpr std::size_t kLines = 100'000,
                                 kReservedLines = 5'000;  // reserved: of each kind
    static constexpr std::size_t kLineBytes = 200;
    static constexpr std::size_t kChunkBytes = 64 << 10;

    struct Line {
        spdlog::log_clock::time_point time;
        spdlog::level::level_enum level = spdlog::level::info;
        std::string_view text;
        std::uint64_t lost_before =
            0;                        // lines that had no room between this one and the one before
        bool changes_output = false;  // no line: from here on, lines go to the next output
    };

    // A chunk of lines, on its way to the reader. Its room is taken until release().
    class Batch {
      public:
        // Calls `f(line)` for each; returns their number, without changes of the output.
        template <class F>
        std::size_t for_each(F f) const;

      private:
        friend class LogQueue;
        [[nodiscard]] Line at(std::size_t& offset) const;
        std::unique_ptr<std::byte[]> bytes_;
        std::size_t used_ = 0;
        std::array<std::size_t, 4> charged_{};  // bytes, of the common room and of each reserve
    };

    // False: it is lost. Text of more than half a chunk is cut.
    bool push(const Line& line, LineKind kind);
    // Always has room.
    void push_change_of_output();
    // The oldest lines; no value: none wait.
    std::optional<Batch> take();
    void release(Batch batch);
    // Lines that were lost behind the last one; they are not reported again.
    std::uint64_t take_lost();

    [[nodiscard]] bool is_empty() const { return chunks_.empty(); }

  private:
    bool append(const Line& line, std::size_t room, std::size_t charge);

    std::deque<Batch> chunks_;
    std::unique_ptr<std::byte[]> spare_;
    std::array<std::size_t, 4> used_{};  // bytes, as in Batch::charged_
    std::uint64_t lost_ = 0;
};

template <class F>
std::size_t LogQueue::Batch::for_each(F f) const {
    std::size_t count = 0;
    for (std::size_t offset = 0; offset < used_;) {
        const Line line = at(offset);
        if (!line.changes_output) ++count;
        f(line);
    }
    return count;
}

}  // namespace steer::ops
