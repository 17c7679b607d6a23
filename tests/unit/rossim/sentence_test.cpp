#include "tools/rossim/sentence.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>

namespace rossim {
namespace {

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values)
        text += static_cast<char>(value);
    return text;
}

std::string prefix_of(std::size_t length) {
    std::string out;
    append_word(out, std::string(length, 'x'));
    return out.substr(0, out.size() - length);
}

BOOST_AUTO_TEST_SUITE(sentence)

BOOST_AUTO_TEST_CASE(lengths_are_written_in_the_shortest_form) {
    BOOST_TEST(prefix_of(1) == bytes({1}));
    BOOST_TEST(prefix_of(0x7F) == bytes({0x7F}));
    BOOST_TEST(prefix_of(0x87) == bytes({0x80, 0x87}));
    BOOST_TEST(prefix_of(0x4321) == bytes({0xC0, 0x43, 0x21}));
    BOOST_TEST(prefix_of(0x2ACDEF) == bytes({0xE0, 0x2A, 0xCD, 0xEF}));
}

BOOST_AUTO_TEST_CASE(every_form_of_length_is_read) {
    for (const std::string& prefix : {bytes({2}), bytes({0x80, 2}), bytes({0xC0, 0, 2}),
                                      bytes({0xE0, 0, 0, 2}), bytes({0xF0, 0, 0, 0, 2})}) {
        WordReader reader(100);
        reader.feed(prefix + "/x" + bytes({0}));
        const auto words = reader.next();
        BOOST_REQUIRE(words.has_value());
        BOOST_TEST(words->at(0) == "/x");
    }
}

BOOST_AUTO_TEST_CASE(sentences_are_read_in_pieces_and_empty_ones_skipped) {
    std::string stream = bytes({0, 0});
    append_word(stream, "/login");
    append_word(stream, "=name=" + std::string(300, 'n'));
    append_word(stream, {});
    stream += bytes({0});
    append_word(stream, "/quit");
    append_word(stream, {});
    WordReader reader(1000);
    std::vector<std::vector<std::string>> sentences;
    for (const char c : stream) {
        reader.feed({&c, 1});
        while (auto words = reader.next())
            sentences.push_back(*words);
    }
    BOOST_REQUIRE(sentences.size() == 2);
    BOOST_TEST(sentences[0].size() == 2U);
    BOOST_TEST(sentences[0][1].size() == 306U);
    BOOST_TEST(sentences[1][0] == "/quit");
}

BOOST_AUTO_TEST_CASE(reading_stops_at_invalid_bytes) {
    WordReader too_long(16);
    too_long.feed(bytes({17}));
    BOOST_TEST(!too_long.next().has_value());
    BOOST_CHECK(too_long.fault() == WordReader::Fault::word_too_long);

    WordReader control(16);
    control.feed(bytes({0xF8, 1, 'a', 0}));
    BOOST_TEST(!control.next().has_value());
    BOOST_CHECK(control.fault() == WordReader::Fault::control_byte);
}

BOOST_AUTO_TEST_CASE(a_sentence_is_split_into_its_parts) {
    const Sentence s = parse_sentence({"/ip/firewall/address-list/add", ".tag=7", "=comment=a=b",
                                       "=list=", "=detail", "?list=x", "?#|"});
    BOOST_TEST(s.menu == "/ip/firewall/address-list");
    BOOST_TEST(s.verb == "add");
    BOOST_TEST(s.tag.value() == "7");
    BOOST_TEST(*s.find("comment") == "a=b");
    BOOST_TEST(s.find("list")->empty());
    BOOST_TEST(s.find("detail")->empty());
    BOOST_TEST((s.find("address") == nullptr));
    BOOST_TEST(s.query == (std::vector<std::string>{"list=x", "#|"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim
