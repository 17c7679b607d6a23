// The bad lines of one file: the first kShown with file and line; further ones are only counted.
// Valid rules that are not supported here (AdGuard's $client) are counted separately, by kind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "matchers/result.h"
#include "matchers/safe_text.h"

namespace steer::matchers {

class BadLines {
  public:
    static constexpr std::size_t kShown = 1000;  // a binary file must not fill the memory

    explicit BadLines(std::string_view file) : file_(file) {}

    void add(Error error, int line) {
        if (++count_ > kShown) return;
        error.file = file_;
        error.line = line;
        errors_.push_back(std::move(error));
    }
    [[nodiscard]] std::size_t count() const { return count_; }

    // A bad line in the form of the list, such as "0.0.0.0 *" among hosts lines. It does not show
    // that the list has another form.
    void add_of_form(Error error, int line) {
        ++of_form_;
        add(std::move(error), line);
    }
    [[nodiscard]] std::size_t of_form() const { return of_form_; }

    // Rules of one unsupported kind, such as "$client".
    struct LeftOut {
        std::string kind;
        std::size_t count = 0;
        int first = 0;  // line
    };
    void leave_out(std::string_view kind, int line) {
        kind = whole_bytes(kind, kLongestKind);
        const auto known = std::find_if(left_out_.begin(), left_out_.end(),
                                        [&](const LeftOut& l) { return l.kind == kind; });
        if (known != left_out_.end()) {
            ++known->count;
            return;
        }
        if (left_out_.size() <= kMaxKinds) {
            const bool is_last = left_out_.size() == kMaxKinds;
            left_out_.push_back({std::string(is_last ? kOtherKinds : kind), 0, line});
        }
        ++left_out_.back().count;
    }
    [[nodiscard]] const std::vector<LeftOut>& left_out() const { return left_out_; }
    [[nodiscard]] std::size_t left_out_count() const {
        std::size_t all = 0;
        for (const LeftOut& l : left_out_)
            all += l.count;
        return all;
    }

    // Counts lines about other things, such as AdGuard's rules about pages.
    void step_over(std::size_t lines) { stepped_over_ += lines; }
    [[nodiscard]] std::size_t stepped_over() const { return stepped_over_; }

    // One Error per bad line. If there are more than kShown, a last one has the number of lines not
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
    static constexpr std::size_t kMaxKinds = 20, kLongestKind = 40;
    static constexpr std::string_view kOtherKinds = "others";

    std::string file_;
    std::vector<Error> errors_;
    std::vector<LeftOut> left_out_;
    std::size_t stepped_over_ = 0;
    std::size_t count_ = 0, of_form_ = 0;
};

}  // namespace steer::matchers
