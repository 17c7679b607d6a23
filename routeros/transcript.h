// A conversation with a router as text, for readers without that router: every sentence and reply,
// word for word and in order. A program can parse it:
//
//     # text for people                 only before the first sentence and between sentences
//     > 12 ms                           a sentence to the router, with its time after the first one
//     /ip/firewall/address-list/print   its words, one per line, including the tag
//     ?list=x
//     .tag=7
//                                       an empty line ends it
//     < 15 ms, took 3                   a reply, and its delay after the sentence with that tag
//     !done
//     .tag=7
//
// A backslash, and bytes that are not printable ASCII, are written \xHH. In foreign rows (without
// `own_comment`), address and comment are written ***. No cost while no sentence is sent through
// it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "routeros/trace.h"

namespace steer::routeros {

class Transcript {
  public:
    explicit Transcript(std::string own_comment) : own_comment_(std::move(own_comment)) {}

    // Clears the text.
    void begin(std::string_view title, std::uint64_t now_ms);
    void note(std::string_view text);
    // `encoded`: words with their length prefixes.
    void sent(Tag tag, std::string_view encoded, std::uint64_t now_ms);
    // Adds a reply. Ignores replies to sentences that sent() did not add.
    void received(Tag tag, std::span<const std::string_view> words, std::uint64_t now_ms);

    [[nodiscard]] bool has(Tag tag) const { return sent_ms_.contains(tag); }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    [[nodiscard]] bool is_others(std::span<const std::string_view> words) const;
    void write(std::string_view word);

    std::string own_comment_;
    std::string text_;
    std::uint64_t began_ms_ = 0;
    boost::unordered_flat_map<Tag, std::uint64_t> sent_ms_;
};

}  // namespace steer::routeros
