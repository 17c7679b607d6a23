// The lines of a text file, counted from 1 as in an editor: without CR LF or LF, and without blanks
// at both ends. A byte order mark is removed at the start of the file, and of a line (concatenated
// files). Returns views; accepts any bytes.
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

// The reason why a whole file cannot be read line by line: it is UTF-16. No value: try it.
std::optional<Error> not_utf8(std::string_view bytes);

// `text` without a comment: empty if it starts with '#', else up to the first '#' after a blank.
std::string_view without_comment(std::string_view text);

}  // namespace steer::matchers
