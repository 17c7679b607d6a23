#include "dataplane/limits/answer_batches.h"

#include <algorithm>

namespace steer {

std::uint64_t* AnswerBatches::Batch::find() const noexcept {
    const auto found = std::ranges::find_if(
        *words_, [&](std::uint64_t word) { return (word & kTagMask) == tag_; });
    return found == words_->end() ? nullptr : &*found;
}

bool AnswerBatches::Batch::begin(std::uint32_t now_s) const noexcept {
    if (is_none() || find() != nullptr) return false;
    const auto old = std::ranges::find_if(
        *words_, [&](std::uint64_t word) { return ((now_s - word) & kSecondMask) >= kOldS; });
    if (old == words_->end()) return false;
    *old = tag_ | kOne | (now_s & kSecondMask);
    return true;
}

void AnswerBatches::Batch::undo() const noexcept {
    std::uint64_t* const word = find();
    if (word == nullptr) return;
    const std::uint64_t count = *word & kClosed;
    if (count != 0 && count != kClosed) *word -= kOne;
}

std::uint32_t AnswerBatches::Batch::close(std::uint32_t now_s) const noexcept {
    std::uint64_t* const word = find();
    if (word == nullptr) return 0;
    const std::uint64_t count = *word & kClosed;
    *word = tag_ | kClosed | (now_s & kSecondMask);
    return count == kClosed ? 0 : static_cast<std::uint32_t>(count >> kCountShift);
}

void AnswerBatches::Batch::open(std::uint32_t now_s) const noexcept {
    if (std::uint64_t* const word = find()) *word = tag_ | (now_s & kSecondMask);
}

}  // namespace steer
