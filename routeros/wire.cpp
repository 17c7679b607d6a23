#include "routeros/wire.h"

#include <cstdint>

namespace steer::routeros {

namespace {

constexpr std::size_t kCompactAbove = std::size_t{64} << 10;

unsigned prefix_size(unsigned first) {
    if (first < 0x80) return 1;
    if (first < 0xc0) return 2;
    if (first < 0xe0) return 3;
    if (first < 0xf0) return 4;
    return 5;
}

}  // namespace

void append_word(std::string& out, std::string_view word) {
    const std::uint64_t size = word.size();
    const auto byte = [&](std::uint64_t value) { out.push_back(static_cast<char>(value & 0xff)); };
    if (size < 0x80) {
        byte(size);
    } else if (size < 0x4000) {
        byte((size >> 8) | 0x80), byte(size);
    } else if (size < 0x200000) {
        byte((size >> 16) | 0xc0), byte(size >> 8), byte(size);
    } else if (size < 0x10000000) {
        byte((size >> 24) | 0xe0), byte(size >> 16), byte(size >> 8), byte(size);
    } else {
        byte(0xf0), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size);
    }
    out.append(word);
}

void Decoder::feed(std::string_view bytes) {
    if (!error_.empty()) return;
    if (begin_ == buffer_.size() || begin_ > kCompactAbove) {
        buffer_.erase(0, begin_);
        for (auto& span : spans_)
            span.at -= begin_;
        at_ -= begin_;
        begin_ = 0;
    }
    buffer_.append(bytes);
}

Decoder::Status Decoder::broken(std::string_view why) {
    error_ = why;
    buffer_.clear();
    spans_.clear();
    begin_ = at_ = 0;
    return Status::broken;
}

// False: incomplete, or broken. `prefix`: bytes of the prefix itself.
bool Decoder::read_prefix(std::size_t& size, std::size_t& prefix) {
    if (at_ >= buffer_.size()) return false;
    const auto byte = [&](std::size_t i) -> std::size_t {
        return static_cast<unsigned char>(buffer_[at_ + i]);
    };
    const std::size_t first = byte(0);
    if (first >= 0xf8) {
        broken("a reserved control byte where a word's length was expected");
        return false;
    }
    prefix = prefix_size(static_cast<unsigned>(first));
    if (buffer_.size() - at_ < prefix) return false;
    constexpr unsigned kMask[] = {0, 0x7f, 0x3f, 0x1f, 0x0f, 0x07};
    size = first & kMask[prefix];
    for (std::size_t i = 1; i < prefix; ++i)
        size = size << 8 | byte(i);
    if (size > limits_.word_bytes) {
        broken("a word that is too long");
        return false;
    }
    return true;
}

Decoder::Status Decoder::next(std::vector<std::string_view>& words) {
    words.clear();
    while (error_.empty()) {
        std::size_t size = 0, prefix = 0;
        if (!read_prefix(size, prefix)) break;
        if (at_ - begin_ + prefix + size > limits_.sentence_bytes) {
            return broken("a sentence that is too long");
        }
        if (buffer_.size() - at_ - prefix < size) break;
        const Span word{at_ + prefix, size};
        at_ = word.at + size;
        if (size > 0) {
            if (spans_.size() == limits_.words) return broken("a sentence of too many words");
            spans_.push_back(word);
            continue;
        }
        begin_ = at_;
        if (spans_.empty()) continue;
        for (const auto& span : spans_) {
            words.push_back(std::string_view{buffer_}.substr(span.at, span.size));
        }
        spans_.clear();
        return Status::sentence;
    }
    return error_.empty() ? Status::more : Status::broken;
}

void Decoder::reset() {
    broken({});
    error_ = {};
}

}  // namespace steer::routeros
