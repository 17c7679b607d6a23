#include "routeros/transcript.h"

#include <algorithm>
#include <vector>

#include "routeros/wire.h"

namespace steer::routeros {

namespace {
constexpr std::size_t kTranscriptBytes = std::size_t{1} << 20;  // a probe's is about 20 kB
}

void Transcript::begin(std::string_view title, std::uint64_t now_ms) {
    text_.clear();
    sent_ms_.clear();
    began_ms_ = now_ms;
    note(title);
}

void Transcript::note(std::string_view text) {
    text_ += "# ";
    write(text);
}

void Transcript::sent(Tag tag, std::string_view encoded, std::uint64_t now_ms) {
    sent_ms_[tag] = now_ms;
    Decoder decoder;
    decoder.feed(std::string(encoded) + '\0');
    std::vector<std::string_view> words;
    if (decoder.next(words) != Decoder::Status::sentence) return;
    text_ += "> " + std::to_string(now_ms - began_ms_) + " ms\n";
    for (const std::string_view word : words)
        write(word);
    write(".tag=" + std::to_string(tag));
    text_ += '\n';
}

void Transcript::received(Tag tag, std::span<const std::string_view> words, std::uint64_t now_ms) {
    const auto found = sent_ms_.find(tag);
    if (found == sent_ms_.end() || text_.size() > kTranscriptBytes) return;
    text_ += "< " + std::to_string(now_ms - began_ms_) + " ms, took " +
             std::to_string(now_ms - found->second) + "\n";
    const bool others = is_others(words);
    for (const std::string_view word : words) {
        if (others && word.starts_with("=address="))
            write("=address=***");
        else if (others && word.starts_with("=comment="))
            write("=comment=***");
        else
            write(word);
    }
    text_ += '\n';
}

bool Transcript::is_others(std::span<const std::string_view> words) const {
    const bool row = std::ranges::any_of(words, [](auto w) { return w.starts_with("=address="); });
    return row && std::ranges::find(words, "=comment=" + own_comment_) == words.end();
}

void Transcript::write(std::string_view word) {
    if (text_.size() + word.size() > kTranscriptBytes) return;
    constexpr std::string_view kHex = "0123456789abcdef";
    for (const char c : word) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') {
            text_ += c;
            continue;
        }
        text_ += "\\x";
        text_ += kHex[byte >> 4];
        text_ += kHex[byte & 15];
    }
    text_ += '\n';
}

}  // namespace steer::routeros
