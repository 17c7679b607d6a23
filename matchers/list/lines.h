// The lines of a text file, counted from 1 as in an editor: without CR LF or LF, without blanks
// at either end, without a byte order mark at the start of a file (or of a line, in concatenated files). Bytes in,
// views out; any bytes are accepted.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

struct Line {
    std::string_view text;
    int number;
};

class Lines {
  public:
    explicit Lines(std::string_view bytes);
    std::optional<Line> next();

  private:
    std::string_view rest_;
    int number_ = 0;
    bool at_end_;
};

// Why a whole file cannot be read line by line: it is UTF-16. No value: try it.
std::optional<Error> not_utf8(std::string_view bytes);

// `text` without a comment: empty if it starts with '#', else up to the first '#' after a blank.
std::string_view without_comment(std::string_view text);

}  // namespace steer::matchers
