// The bad lines of one file: the first kShown by file and line, the rest by number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

namespace steer::matchers {

class BadLines {
  public:
    static constexpr std::size_t kShown =
        1000;  // a binary file by mistake must not fill the memory

    explicit BadLines(std::string_view file) : file_(file) {}

    void add(Error error, int line) {
        if (++count_ > kShown) return;
        error.file = file_;
        error.line = line;
        errors_.push_back(std::move(error));
    }
    [[nodiscard]] std::size_t count() const { return count_; }

    // One Error a bad line; if there were more than kShown, a last one that says how many are not
    // shown.
    [[nodiscard]] std::vector<Error> errors() const {
        std::vector<Error> all = errors_;
        if (count_ > kShown) {
            all.push_back({std::to_string(count_ - kShown) +
                               " more bad lines: is this a file of another format?",
                           file_});
        }
        return all;
    }

  private:
    std::string file_;
    std::vector<Error> errors_;
    std::size_t count_ = 0;
};

}  // namespace steer::matchers
