// Prebuilt answers of a snapshot, stored contiguously. Filled while the snapshot is built, then
// immutable. An answer is valid as long as its snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/dns/answer.h"

namespace steer {

using AnswerRef = std::uint32_t;  // offset in one AnswerStore
inline constexpr AnswerRef kNoAnswer = UINT32_MAX;

class AnswerStore {
  public:
    // `block`: a complete dns::Answer.
    AnswerRef add(std::span<const std::uint8_t> block) {
        const std::size_t at = words_.size();
        words_.resize(at + (block.size() + sizeof(std::uint32_t) - 1) / sizeof(std::uint32_t));
        std::memcpy(&words_[at], block.data(), block.size());
        return static_cast<AnswerRef>(at);
    }
    // The next add() makes the reference invalid.
    [[nodiscard]] const dns::Answer& at(AnswerRef ref) const noexcept {
        return *reinterpret_cast<const dns::Answer*>(&words_[ref]);
    }

  private:
    std::vector<std::uint32_t> words_;  // because answers are aligned to four bytes
};

}  // namespace steer
