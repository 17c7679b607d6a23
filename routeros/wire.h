// The framing of the RouterOS API: words with a length prefix; an empty word ends a sentence.
//
// The decoder accepts bytes in pieces of any size, and all five prefix sizes, even if a shorter one
// would be enough. It stops permanently at a prefix >= 0xF8 (reserved), a word above `word_bytes`,
// or a sentence above `sentence_bytes` or `words`, because the next sentence cannot be found. Skips
// empty sentences. Cost: each byte is copied once into the buffer; words are views into it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace steer::routeros {

// Appends one word with the shortest prefix; words are at most 2^32 - 1 bytes.
void append_word(std::string& out, std::string_view word);
// Ends the sentence.
inline void append_end(std::string& out) {
    out.push_back('\0');
}

struct WireLimits {
    std::size_t word_bytes = std::size_t{1} << 20;
    std::size_t sentence_bytes = std::size_t{2} << 20;
    std::size_t words = 4096;
};

class Decoder {
  public:
    enum class Status { sentence, more, broken };

    explicit Decoder(WireLimits limits = {}) : limits_(limits) {}

    // Takes bytes; invalidates views from next().
    void feed(std::string_view bytes);
    // The next complete sentence, if there is one.
    Status next(std::vector<std::string_view>& words);
    // Why the decoder has stopped; empty: it has not.
    [[nodiscard]] std::string_view error() const { return error_; }
    void reset();

  private:
    struct Span {
        std::size_t at, size;
    };
    Status broken(std::string_view why);
    bool read_prefix(std::size_t& size, std::size_t& prefix);

    WireLimits limits_;
    std::string buffer_;
    std::size_t begin_ = 0;    // of the sentence being read
    std::size_t at_ = 0;       // of the next word's prefix
    std::vector<Span> spans_;  // words of the sentence being read
    std::string_view error_;
};

}  // namespace steer::routeros
