#include "tools/rossim/sentence.h"

#include <cstdint>

namespace rossim {
namespace {

// Bytes of a length that begins with `first`; 0: a control byte.
std::size_t length_bytes(std::uint8_t first) {
    if (first < 0x80) return 1;
    if (first < 0xC0) return 2;
    if (first < 0xE0) return 3;
    if (first < 0xF0) return 4;
    return first < 0xF8 ? 5 : 0;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

constexpr std::uint8_t kLengthBits[] = {0, 0x7F, 0x3F, 0x1F, 0x0F, 0x07};

}  // namespace

bool WordReader::read_word(std::string_view& word) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (rest.empty()) return false;
    const std::size_t prefix = length_bytes(byte_at(rest, 0));
    if (prefix == 0) {
        fault_ = Fault::control_byte;
        return false;
    }
    if (rest.size() < prefix) return false;
    std::uint64_t length = byte_at(rest, 0) & kLengthBits[prefix];
    for (std::size_t i = 1; i < prefix; ++i)
        length = length << 8 | byte_at(rest, i);
    if (length > max_word_bytes_) {
        fault_ = Fault::word_too_long;
        return false;
    }
    if (rest.size() - prefix < length) return false;
    word = rest.substr(prefix, length);
    at_ += prefix + length;
    return true;
}

void WordReader::drop_read_bytes() {
    if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = 0;
    } else if (at_ > 64 * 1024) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
}

std::optional<std::vector<std::string>> WordReader::next() {
    std::string_view word;
    while (fault_ == Fault::none && read_word(word)) {
        if (!word.empty()) {
            words_.emplace_back(word);
        } else if (!words_.empty()) {
            drop_read_bytes();
            return std::exchange(words_, {});
        }
    }
    drop_read_bytes();
    return std::nullopt;
}

const std::string* Sentence::find(std::string_view name) const {
    for (const auto& [key, value] : attributes) {
        if (key == name) return &value;
    }
    return nullptr;
}

Sentence parse_sentence(const std::vector<std::string>& words) {
    Sentence sentence;
    const std::string& path = words.front();
    const std::size_t slash = path.rfind('/');
    sentence.menu = slash == std::string::npos ? "" : path.substr(0, slash);
    sentence.verb = slash == std::string::npos ? path : path.substr(slash + 1);
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word.front() == '=') {
            const std::size_t equal = word.find('=', 1);
            const bool bare = equal == std::string_view::npos;
            sentence.attributes.emplace_back(word.substr(1, bare ? equal : equal - 1),
                                             bare ? std::string_view{} : word.substr(equal + 1));
        } else if (word.front() == '?') {
            sentence.query.emplace_back(word.substr(1));
        } else if (word.starts_with(".tag=")) {
            sentence.tag = word.substr(5);
        }
    }
    return sentence;
}

void append_word(std::string& out, std::string_view word) {
    const std::uint64_t length = word.size();
    const auto put = [&out](std::uint64_t byte) { out.push_back(static_cast<char>(byte & 0xFF)); };
    if (length < 0x80) {
        put(length);
    } else if (length < 0x4000) {
        put(length >> 8 | 0x80);
        put(length);
    } else if (length < 0x200000) {
        put(length >> 16 | 0xC0);
        put(length >> 8);
        put(length);
    } else if (length < 0x10000000) {
        put(length >> 24 | 0xE0);
        put(length >> 16);
        put(length >> 8);
        put(length);
    } else {
        put(0xF0);
        for (int shift = 24; shift >= 0; shift -= 8)
            put(length >> shift);
    }
    out.append(word);
}

ReplyWriter::ReplyWriter(std::string& out, std::string_view type,
                         const std::optional<std::string>& tag, bool tag_last)
    : out_(out), tag_(tag), tag_last_(tag_last) {
    append_word(out_, type);
    if (!tag_last_) write_tag();
}

ReplyWriter::~ReplyWriter() {
    if (tag_last_) write_tag();
    append_word(out_, {});
}

void ReplyWriter::write_tag() {
    if (tag_) append_word(out_, ".tag=" + *tag_);
}

ReplyWriter& ReplyWriter::attribute(std::string_view name, std::string_view value) {
    std::string text;
    text.reserve(name.size() + value.size() + 2);
    text.append("=").append(name).append("=").append(value);
    return word(text);
}

ReplyWriter& ReplyWriter::word(std::string_view bare) {
    append_word(out_, bare);
    return *this;
}

}  // namespace rossim
