// Replies on BIRD's control socket: lines "CODE-TEXT", and continuation lines that begin with a
// blank; a line "CODE TEXT" is the last one. Codes below 8000 are successes, 8xxx and 9xxx
// refusals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace steerctl {

struct BirdReply {
    int code = 0;                    // of the last line
    std::vector<std::string> lines;  // texts without codes; an empty last one is left out
    [[nodiscard]] bool is_good() const { return code < 8000; }
    [[nodiscard]] std::string text() const;  // lines, with commas
};

class BirdReader {
  public:
    static constexpr std::size_t kMaxBytes = 64 * 1024;  // of a reply
    enum class State { incomplete, complete, garbage };

    // Reads bytes as they arrive. After `complete`, `reply` is the reply, and the next call begins
    // another one. Only one command is open at a time, so nothing can follow a reply.
    State take(std::string_view bytes, BirdReply& reply);

  private:
    std::string rest_;
    BirdReply reply_;
    std::size_t taken_ = 0;
};

// Returns `enable "NAME"` or `disable "NAME"` for a name or a pattern with * and ?; empty if it
// contains a byte that BIRD's quotes cannot contain.
std::string bird_command(bool enables, std::string_view protocol);

}  // namespace steerctl
