// Whether a text is, begins with, ends with, holds or matches one of some words, or is empty: of what is not a name, such
// as a number or an address. Case counts.
//
// Regexps are one Hyperscan database, so that none takes longer than the text is long; `.` is any byte, search is
// unanchored. holds() allocates nothing and waits for nothing; any number of threads may ask, each by a number of its
// own.
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

// As a configuration writes them, in their order.
inline constexpr std::array<std::string_view, 6> kTextOperations{"eq",       "prefix", "suffix",
                                                                 "contains", "regexp", "zl"};
constexpr std::string_view name_of(TextOperation operation) {
    return kTextOperations[static_cast<std::size_t>(operation)];
}

class TextTest {
  public:
    // At least one word, but for `zl`, which takes none. The Error is about the first regexp that cannot be compiled, or
    // about memory.
    static Result<TextTest> build(TextOperation operation, std::vector<std::string> words);
    // Threads 0..threads-1 may ask afterwards. Allocates.
    Result<void> prepare(unsigned threads);

    // `thread`: one that prepare() was told of.
    [[nodiscard]] bool holds(std::string_view text, unsigned thread) const noexcept;

    [[nodiscard]] TextOperation operation() const { return operation_; }
    [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

  private:
    struct FreeScratch {
        void operator()(hs_scratch* scratch) const noexcept;
    };

    TextOperation operation_ = TextOperation::zl;
    std::vector<std::string> words_;
    // Of regexp alone.
    std::unique_ptr<hs_database, FreeDatabase> database_;
    std::vector<std::unique_ptr<hs_scratch, FreeScratch>> scratches_;  // by thread
};

// A text as an expression that is found where the text stands: every byte that could mean something is written by its
// number.
std::string expression_of(std::string_view text);

}  // namespace steer::matchers
