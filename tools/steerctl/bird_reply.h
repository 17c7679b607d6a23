// Replies on BIRD's control socket: lines "CODE-TEXT", continued by lines that begin with a blank; a line "CODE TEXT" is the
// last one. Codes below 8000 are good news, 8xxx and 9xxx refusals.
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

    // Bytes as they come. After `complete`, `reply` is the reply, and the next call begins another one: a reply is asked
    // for by one command at a time, so that nothing can follow it.
    State take(std::string_view bytes, BirdReply& reply);

  private:
    std::string rest_;
    BirdReply reply_;
    std::size_t taken_ = 0;
};

// `enable "NAME"`: a name or a pattern with * and ?; empty: it holds a byte that BIRD's quotes cannot.
std::string bird_command(bool enables, std::string_view protocol);

}  // namespace steerctl
