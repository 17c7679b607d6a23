#include "routeros/wire.h"

#include <boost/test/unit_test.hpp>
#include <random>

namespace steer::routeros {
namespace {

using Words = std::vector<std::string>;
using namespace std::string_literals;

// Feeds in pieces of `piece` bytes; all complete sentences.
std::vector<Words> decode(std::string_view bytes, std::size_t piece, Decoder& decoder) {
    std::vector<Words> out;
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        decoder.feed(bytes.substr(at, piece));
        while (decoder.next(words) == Decoder::Status::sentence)
            out.emplace_back(words.begin(), words.end());
    }
    return out;
}

std::string encoded(const std::vector<Words>& sentences) {
    std::string bytes;
    for (const auto& sentence : sentences) {
        for (const auto& word : sentence)
            append_word(bytes, word);
        append_end(bytes);
    }
    return bytes;
}

BOOST_AUTO_TEST_SUITE(wire)

BOOST_AUTO_TEST_CASE(lengths_are_written_in_the_shortest_form) {
    const std::pair<std::size_t, std::string> cases[] = {{1, "\x01"s},
                                                         {0x7f, "\x7f"s},
                                                         {0x87, "\x80\x87"s},
                                                         {0x3fff, "\xbf\xff"s},
                                                         {0x4321, "\xc0\x43\x21"s},
                                                         {0x1fffff, "\xdf\xff\xff"s},
                                                         {0x2acdef, "\xe0\x2a\xcd\xef"s},
                                                         {0x10000080, "\xf0\x10\x00\x00\x80"s}};
    for (const auto& [size, prefix] : cases) {
        std::string out;
        append_word(out, std::string(size, 'x'));
        BOOST_TEST(out.size() == size + prefix.size());
        BOOST_TEST(out.substr(0, prefix.size()) == prefix);
    }
}

BOOST_AUTO_TEST_CASE(pieces_of_any_size_give_the_same_sentences) {
    const std::vector<Words> sentences{
        {"!done"}, {"!re", std::string(0x87, 'a'), "=x="}, {std::string(0x4321, 'b')}};
    const auto bytes = encoded(sentences);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 100'000U}) {
        Decoder decoder;
        BOOST_TEST((decode(bytes, piece, decoder) == sentences));
    }
}

BOOST_AUTO_TEST_CASE(lengths_in_a_longer_form_are_read) {
    for (const auto& prefix :
         {"\x05"s, "\x80\x05"s, "\xc0\x00\x05"s, "\xe0\x00\x00\x05"s, "\xf0\x00\x00\x00\x05"s}) {
        Decoder decoder;
        const auto got = decode(prefix + "!done"s + "\0"s, 1, decoder);
        BOOST_TEST((got == std::vector<Words>{{"!done"}}));
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_sentence_may_have_a_longer_form) {
    Decoder decoder;
    const auto got = decode("\x05!done\x80\x00\x03!re\xf0\x00\x00\x00\x00"s, 1, decoder);
    BOOST_TEST((got == std::vector<Words>{{"!done"}, {"!re"}}));
}

BOOST_AUTO_TEST_CASE(empty_sentences_are_skipped) {
    Decoder decoder;
    const auto got = decode("\0\0\x05!done\0\0\0\x03!re\0"s, 100, decoder);
    BOOST_TEST((got == std::vector<Words>{{"!done"}, {"!re"}}));
}

BOOST_AUTO_TEST_CASE(reserved_bytes_end_the_stream) {
    for (const int first : {0xf8, 0xf9, 0xff}) {
        Decoder decoder;
        std::vector<std::string_view> words;
        decoder.feed("\x05!done\0"s + static_cast<char>(first));
        BOOST_TEST((decoder.next(words) == Decoder::Status::sentence));
        BOOST_TEST((decoder.next(words) == Decoder::Status::broken));
        BOOST_TEST(!decoder.error().empty());
        decoder.feed("\x05!done\0"s);
        BOOST_TEST((decoder.next(words) == Decoder::Status::broken));
        decoder.reset();
        decoder.feed("\x05!done\0"s);
        BOOST_TEST((decoder.next(words) == Decoder::Status::sentence));
    }
}

BOOST_AUTO_TEST_CASE(a_length_over_the_limit_is_refused_at_once) {
    const WireLimits limits{100, 150, 4};
    std::vector<std::string_view> words;
    Decoder long_word{limits};
    long_word.feed("\x80\x65"s);
    BOOST_TEST((long_word.next(words) == Decoder::Status::broken));
    Decoder long_sentence{limits};
    long_sentence.feed("\x64"s + std::string(100, 'a') + "\x64"s);
    BOOST_TEST((long_sentence.next(words) == Decoder::Status::broken));
    Decoder many{limits};
    many.feed(
        "\x01"s
        "a\x01"
        "b\x01"
        "c\x01"
        "d\x01"
        "e"s);
    BOOST_TEST((many.next(words) == Decoder::Status::broken));
    Decoder huge;
    huge.feed("\xf7\xff\xff\xff\xff"s);
    BOOST_TEST((huge.next(words) == Decoder::Status::broken));
}

BOOST_AUTO_TEST_CASE(a_long_stream_is_decoded_correctly) {
    std::mt19937 random{7};
    std::vector<Words> sentences;
    for (int i = 0; i < 3000; ++i) {
        Words words(1 + random() % 5);
        for (auto& word : words)
            word.assign(1 + random() % 300, static_cast<char>('a' + random() % 26));
        sentences.push_back(std::move(words));
    }
    Decoder decoder;
    BOOST_TEST((decode(encoded(sentences), 4096, decoder) == sentences));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
