// Tests a text that is not a name, such as a number or an address. The tests: it equals, begins
// with, ends with, contains or matches one of several words, or it is empty. Case-sensitive.
//
// Regexps are one Hyperscan database, so the cost is linear in the text's length. `.` is any byte,
// and the search is unanchored. holds() allocates nothing and never waits. Any number of threads
// may call it, each with its own number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/pattern/image.h"
#include "matchers/result.h"

namespace steer::matchers {

enum class TextOperation : std::uint8_t { eq, prefix, suffix, contains, regexp, zl };

// Names in the configuration, in the order of the enum.
inline constexpr std::array<std::string_view, 6> kTextOperations{"eq",       "prefix", "suffix",
                                                                 "contains", "regexp", "zl"};
constexpr std::string_view name_of(TextOperation operation) {
    return kTextOperations[static_cast<std::size_t>(operation)];
}

class TextTest {
  public:
    // Needs at least one word, except `zl`, which has none. The Error is about the first regexp
    // that does not compile, or about memory.
    static Result<TextTest> build(TextOperation operation, std::vector<std::string> words);
    // Allocates memory for threads 0..threads-1, which may then call holds().
    Result<void> prepare(unsigned threads);

    // `thread`: a number below the argument of prepare().
    [[nodiscard]] bool holds(std::string_view text, unsigned thread) const noexcept;

    [[nodiscard]] TextOperation operation() const { return operation_; }
    [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

  private:
    struct FreeScratch {
        void operator()(hs_scratch* scratch) const noexcept;
    };

    TextOperation operation_ = TextOperation::zl;
    std::vector<std::string> words_;
    // For regexp only.
    std::unique_ptr<hs_database, FreeDatabase> database_;
    std::vector<std::unique_ptr<hs_scratch, FreeScratch>> scratches_;  // by thread
};

// An expression that matches only this text: every special byte is written as its number.
std::string expression_of(std::string_view text);

}  // namespace steer::matchers
