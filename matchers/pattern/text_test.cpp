#include "matchers/pattern/text_test.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "matchers/pattern/compiler.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

constexpr unsigned kTestFlags = HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY;

int on_first_match(unsigned /*id*/, unsigned long long /*from*/, unsigned long long /*to*/,
                   unsigned /*flags*/, void* found) {
    *static_cast<bool*>(found) = true;
    return 1;  // one match is enough
}

Error refusal(const std::vector<std::string>& words, const Compiled& made) {
    const std::size_t word = made.which.value_or(0);
    return {"the regexp " + quoted(words[word]) + " cannot be compiled: " + made.why +
            "; write it without look-around and back-references"};
}

}  // namespace

void TextTest::FreeScratch::operator()(hs_scratch* scratch) const noexcept {
    hs_free_scratch(scratch);
}

Result<TextTest> TextTest::build(TextOperation operation, std::vector<std::string> words) {
    TextTest test;
    test.operation_ = operation;
    test.words_ = std::move(words);
    if (operation != TextOperation::regexp) return {std::move(test)};
    std::vector<Expression> expressions;
    for (const std::string& word : test.words_) {
        if (word.find('\0') != std::string::npos)
            return Error{"the regexp " + quoted(word) +
                         " holds a NUL byte: remove it, or write \\x00"};
        expressions.push_back({word, kTestFlags, static_cast<unsigned>(expressions.size())});
    }
    auto made = pattern_compiler().compile(expressions);
    if (made.database == nullptr) return refusal(test.words_, made);
    test.database_ = std::move(made.database);
    return {std::move(test)};
}

Result<void> TextTest::prepare(unsigned threads) {
    if (operation_ != TextOperation::regexp) return {};
    while (scratches_.size() < threads) {
        hs_scratch_t* scratch = nullptr;
        if (hs_alloc_scratch(database_.get(), &scratch) != HS_SUCCESS)
            return Error{"no memory to match regexps: use fewer, or give the process more memory"};
        scratches_.emplace_back(scratch);
    }
    return {};
}

bool TextTest::holds(std::string_view text, unsigned thread) const noexcept {
    const auto any = [&](auto&& compare) {
        return std::any_of(words_.begin(), words_.end(), compare);
    };
    switch (operation_) {
        case TextOperation::eq:
            return any([&](const std::string& word) { return text == word; });
        case TextOperation::prefix:
            return any([&](const std::string& word) { return text.starts_with(word); });
        case TextOperation::suffix:
            return any([&](const std::string& word) { return text.ends_with(word); });
        case TextOperation::contains:
            return any(
                [&](const std::string& word) { return text.find(word) != std::string_view::npos; });
        case TextOperation::zl:
            return text.empty();
        case TextOperation::regexp:
            break;
    }
    const char* const bytes = text.empty() ? "" : text.data();  // Hyperscan does not accept nullptr
    bool found = false;
    const auto status = hs_scan(database_.get(), bytes, static_cast<unsigned>(text.size()), 0,
                                scratches_[thread].get(), on_first_match, &found);
    if (status != HS_SUCCESS && status != HS_SCAN_TERMINATED) {
        std::fprintf(stderr, "text test: scan refused (%d): scratch in use by another thread\n",
                     status);
        std::abort();
    }
    return found;
}

std::string expression_of(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const auto byte = static_cast<unsigned char>(c);
        if (plain) {
            out += c;
        } else {
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

}  // namespace steer::matchers
