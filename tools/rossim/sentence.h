// RouterOS API words and sentences, read and written according to the description of the protocol
// only.
//
// A word is a length of one to five bytes and that many bytes; a sentence is words and an empty
// word. The reader accepts bytes in pieces of any size and longer length forms than needed. It
// stops permanently at a word that is too long or at a first byte of 0xF8 or more. The writer uses
// the shortest form.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rossim {

class WordReader {
  public:
    enum class Fault { none, word_too_long, control_byte };

    explicit WordReader(std::size_t max_word_bytes) : max_word_bytes_(max_word_bytes) {}

    void feed(std::string_view bytes) { buffer_.append(bytes); }
    // Returns the next whole sentence, skipping empty ones; nothing: more bytes are needed, or
    // fault().
    std::optional<std::vector<std::string>> next();
    Fault fault() const { return fault_; }

  private:
    // Reads one word at at_. Returns false if it is not complete.
    bool read_word(std::string_view& word);
    void drop_read_bytes();

    std::size_t max_word_bytes_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::vector<std::string> words_;
    Fault fault_ = Fault::none;
};

using Attributes = std::vector<std::pair<std::string, std::string>>;

// A sentence of a client: `/menu/verb`, `=name=value` words, `?query` words in order, `.tag=`.
struct Sentence {
    std::string menu;  // "/ip/firewall/address-list"
    std::string verb;  // "add"
    Attributes attributes;
    std::vector<std::string> query;  // without the '?'
    std::optional<std::string> tag;

    const std::string* find(std::string_view name) const;
};

Sentence parse_sentence(const std::vector<std::string>& words);

void append_word(std::string& out, std::string_view word);

// Writes one reply sentence: type, tag, attributes.
class ReplyWriter {
  public:
    ReplyWriter(std::string& out, std::string_view type, const std::optional<std::string>& tag,
                bool tag_last);
    ~ReplyWriter();
    ReplyWriter(const ReplyWriter&) = delete;
    ReplyWriter& operator=(const ReplyWriter&) = delete;

    ReplyWriter& attribute(std::string_view name, std::string_view value);
    ReplyWriter& word(std::string_view bare);

  private:
    void write_tag();

    std::string& out_;
    const std::optional<std::string>& tag_;
    bool tag_last_;
};

}  // namespace rossim
