#include "routeros/trace.h"

#include <algorithm>
#include <array>

#include "routeros/session.h"
#include "routeros/transcript.h"

namespace steer::routeros {
namespace {

constexpr std::array<std::string_view, 2> kSecrets{"=password=", "=response="};

// Cut between characters, as a comment may be in UTF-8.
void cut(std::string& text) {
    if (text.size() <= kTraceBytes) return;
    std::size_t end = kTraceBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80)
        --end;
    text.resize(end);
    text += "...";
}

std::string readable(std::string_view encoded) {
    Decoder decoder;
    decoder.feed(std::string(encoded) + '\0');
    std::vector<std::string_view> words;
    std::string out;
    if (decoder.next(words) != Decoder::Status::sentence) return out;
    for (const std::string_view word : words) {
        if (!out.empty()) out += ' ';
        const auto* const secret = std::ranges::find_if(
            kSecrets, [word](std::string_view name) { return word.starts_with(name); });
        out += secret == kSecrets.end() ? std::string(word) : std::string(*secret) + "***";
        if (out.size() > kTraceBytes) break;
    }
    cut(out);
    return out;
}

}  // namespace

void Trace::sent(Tag tag, std::string_view encoded) {
    if (sentences_.size() == kTracedSentences) sentences_.pop_front();
    sentences_.push_back(
        {.serial = ++serial_, .sent_ms = now_ms_, .tag = tag, .words = readable(encoded)});
}

// Unfinished entries are the last ones, except a few long ones (listen, a print).
TracedSentence* Trace::find(Tag tag) {
    const auto found = std::find_if(sentences_.rbegin(), sentences_.rend(),
                                    [tag](const TracedSentence& s) { return s.tag == tag; });
    return found == sentences_.rend() ? nullptr : &*found;
}

void Trace::received(Tag tag, std::span<const std::string_view> words) {
    if (transcript_ != nullptr) transcript_->received(tag, words, now_ms_);
}

void Trace::row(Tag tag) {
    if (TracedSentence* const sentence = find(tag)) ++sentence->rows;
}

void Trace::ended(Tag tag, const Ending& ending) {
    TracedSentence* const sentence = find(tag);
    std::string reply = ending.ok && ending.ret.empty() ? "done"
                        : ending.ok                     ? "done ret=" + ending.ret
                                                        : "trap: " + ending.message;
    cut(reply);
    const bool asked_for = transcript_ != nullptr && transcript_->has(tag);
    if (!ending.ok && !asked_for)
        error((sentence == nullptr ? "" : sentence->words + ": ") + ending.message);
    if (sentence == nullptr) return;
    sentence->ended_ms = now_ms_;
    sentence->reply = std::move(reply);
}

void Trace::lost(std::string_view why) {
    for (TracedSentence& sentence : sentences_) {
        if (sentence.ended_ms != 0) continue;
        sentence.ended_ms = now_ms_;
        sentence.reply = why;
    }
}

void Trace::error(std::string_view text) {
    if (errors_.size() == kTracedErrors) errors_.pop_front();
    errors_.push_back({now_ms_, std::string(text)});
    cut(errors_.back().text);
}

std::vector<TracedSentence> Trace::since(std::uint64_t serial) const {
    const auto first =
        std::ranges::find_if(sentences_, [serial](const auto& s) { return s.serial > serial; });
    return {first, sentences_.end()};
}

}  // namespace steer::routeros
