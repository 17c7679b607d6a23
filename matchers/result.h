// A value, or the sentence that explains why there is none; for all set-up code.
//
// An Error's text is for the operator: what happened and what to do. `file` and `line` (1-based; 0
// = none) are the place, if it is in a file. No function on the packet path returns a Result.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace steer {

struct Error {
    std::string text;
    std::string file = {};
    int line = 0;

    // "FILE:LINE: TEXT", without unknown parts.
    [[nodiscard]] std::string sentence() const {
        std::string s;
        if (!file.empty()) s = file + (line > 0 ? ":" + std::to_string(line) : "") + ": ";
        return s + text;
    }
};

[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
    throw std::logic_error("unchecked result: " + e.sentence());
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace steer
