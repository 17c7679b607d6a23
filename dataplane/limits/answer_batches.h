// Answers that pass a limit before its bucket is asked: a few of a key, counted in one word. The
// next answer of the key asks the bucket, and takes their tokens first.
//
// A batch begins for a new key, or after a bucket was seen with tokens for a whole batch. So an
// answer costs its token, but later. Some tokens are never taken: those of a key that asks no more,
// and of a batch that began two seconds ago and whose word another key takes. A batch is at most a
// twentieth of the rate and of the burst, over all threads (LimitPolicy::batched). So a source gets
// at most 5 % more answers, or loses 5 % of its burst.
//
// For one thread. Cost of add(): one word, which prefetch() can fetch earlier. No allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace steer {

class AnswerBatches {
    static constexpr unsigned kCountShift = 12, kCountBits = 20;

  public:
    static constexpr std::uint32_t kMost = (1U << kCountBits) - 2;  // answers of a batch

    // A word: upper half of the key (32) | answers (20) | a second of its use (12).
    using Words = std::array<std::uint64_t, 2>;

    // The size of batches, as part of a word: at least 1 answer.
    struct Most {
        std::uint64_t in_word;
        explicit Most(std::uint32_t answers) : in_word(std::uint64_t{answers} << kCountShift) {}
    };

    class Batch {
      public:
        Batch() = default;  // not to be used before it is assigned
        void prefetch() const noexcept { __builtin_prefetch(words_, 1); }
        // Whether add() would add an answer to a batch that has begun.
        [[nodiscard]] bool has_space(Most most) const noexcept {
            for (const std::uint64_t word : *words_) {
                if (word - tag_ < most.in_word) return true;
            }
            return false;
        }
        // Adds an answer to a batch that has begun. False: it has no space.
        [[nodiscard]] bool add_to_begun(Most most) const noexcept {
            for (std::uint64_t& word : *words_) {
                if (word - tag_ >= most.in_word) continue;
                word += kOne;
                return true;
            }
            return false;
        }
        // Adds an answer. False: it needs a token now.
        [[nodiscard]] bool add(Most most, std::uint32_t now_s) const noexcept {
            return add_to_begun(most) || begin(now_s);
        }
        // Takes the last answer out again, because it was not sent.
        void undo() const noexcept;
        // Ends the batch. Returns the answers whose tokens are missing. Until open(), add() adds
        // nothing, and the key keeps its word as long as it asks.
        [[nodiscard]] std::uint32_t close(std::uint32_t now_s) const noexcept;
        // The key's bucket has tokens for a batch: begins one, if the key still has its word.
        void open(std::uint32_t now_s) const noexcept;
        [[nodiscard]] bool is_none() const noexcept { return tag_ == kNone; }
        // Keys with equal places share their words.
        [[nodiscard]] const Words* place() const noexcept { return words_; }

      private:
        friend AnswerBatches;
        Batch(Words* words, std::uint64_t tag) : words_(words), tag_(tag) {}
        [[nodiscard]] std::uint64_t* find() const noexcept;
        // A batch of one answer, in place of another key's that is old.
        [[nodiscard, gnu::noinline]] bool begin(std::uint32_t now_s) const noexcept;

        Words* words_;       // one of them may be the key's
        std::uint64_t tag_;  // the key's part of it
    };

    // `is_used`: false takes no memory, and words() is nullptr.
    explicit AnswerBatches(bool is_used = true)
        : words_(is_used ? std::make_unique<Words[]>(kPlaces) : nullptr) {}

    [[nodiscard]] Words* words() const noexcept { return words_.get(); }
    // `key`: a keyed hash; one in 2^32 has no batches. `words`: words(), which a loop may keep.
    [[nodiscard]] static Batch of(Words* words, std::uint64_t key) noexcept {
        return {&words[key % kPlaces], key & kTagMask};
    }
    // For an answer without a batch: add() adds nothing.
    [[nodiscard]] static Batch none() noexcept { return {&no_words, kNone}; }

  private:
    static constexpr std::size_t kPlaces = std::size_t{1} << 15;  // 512 KiB
    static constexpr std::uint32_t kOldS = 2;  // another key may take the word of such a batch
    static constexpr std::uint64_t kOne = std::uint64_t{1} << kCountShift;
    static constexpr std::uint64_t kSecondMask = kOne - 1;
    static constexpr std::uint64_t kTagMask = ~std::uint64_t{0} << 32;
    static constexpr std::uint64_t kClosed = ~kTagMask & ~kSecondMask;  // as a count
    static constexpr std::uint64_t kNone = 0;

    std::unique_ptr<Words[]> words_;
    inline static Words no_words{~kNone, ~kNone};  // never written
};

}  // namespace steer
