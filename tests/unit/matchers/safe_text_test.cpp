// Remote text made safe: what is escaped, what stays, and where it is cut.
#include "matchers/safe_text.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "matchers/quote.h"

using steer::is_safe_text;
using steer::safe_text;

BOOST_AUTO_TEST_SUITE(safe_text_suite)

BOOST_AUTO_TEST_CASE(control_characters_become_hex) {
    BOOST_TEST(safe_text("a\r\nrouter edge2 is away\x1b[2J\x7f") ==
               "a\\x0d\\x0arouter edge2 is away\\x1b[2J\\x7f");
    BOOST_TEST(safe_text(std::string("a\0b", 3)) == "a\\x00b");
}

BOOST_AUTO_TEST_CASE(eight_bit_controls_and_hidden_characters_become_hex) {
    BOOST_TEST(safe_text("\xc2\x9b"
                         "2J") == "\\xc2\\x9b2J");  // CSI of ISO 6429
    BOOST_TEST(safe_text("a\xe2\x80\xae"
                         "b") ==
               "a\\xe2\\x80\\xae"
               "b");  // right-to-left
    BOOST_TEST(safe_text("a\xe2\x80\xa8"
                         "b") ==
               "a\\xe2\\x80\\xa8"
               "b");  // line separator
    BOOST_TEST(safe_text("\xef\xbb\xbf"
                         "a") ==
               "\\xef\\xbb\\xbf"
               "a");  // byte order mark
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_become_hex) {
    BOOST_TEST(safe_text("\xff\xc0\xaf\xed\xa0\x80\xe4\xf4\x90\x80\x80") ==
               "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe4\\xf4\\x90\\x80\\x80");
}

BOOST_AUTO_TEST_CASE(letters_of_other_scripts_and_backslashes_stay) {
    for (const std::string text :
         {"", "plain",
          "K\xc3\xbc"
          "che",
          "\xd0\xb4\xd0\xbe\xd0\xbc", "\xf0\x9f\x98\x80", "a\\x0d", "\xc2\xa0"})
        BOOST_TEST(safe_text(text) == text);
}

BOOST_AUTO_TEST_CASE(long_text_is_cut_at_a_whole_character) {
    BOOST_TEST(safe_text(std::string(200, 'a')) == std::string(200, 'a'));
    BOOST_TEST(safe_text(std::string(201, 'a')) == std::string(197, 'a') + "...");
    BOOST_TEST(safe_text(std::string(3 << 20, '\x1b'), 16) == "\\x1b\\x1b\\x1b...");
    BOOST_TEST(safe_text("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 6) == "\xc3\xa4...");
    BOOST_TEST(safe_text("abcd", 2) == "..");
}

BOOST_AUTO_TEST_CASE(a_cut_never_splits_a_character) {
    const std::string text = "\xd0\xb4\xd0\xbe\xe4\xbe\x8b\xf0\x9f\x98\x80";  // 2, 2, 3 and 4 bytes
    const std::size_t ends[] = {0, 0, 2, 2, 4, 4, 4, 7, 7, 7, 7, 11, 11};
    for (std::size_t most = 0; most < std::size(ends); ++most)
        BOOST_TEST(steer::whole_bytes(text, most).size() == ends[most], most);
    BOOST_TEST(steer::whole_characters(text, 3).size() == 7U);
    BOOST_TEST(steer::whole_characters(text, 9).size() == 11U);
    // Bytes that are not UTF-8 are characters of their own.
    BOOST_TEST(steer::whole_bytes("\xff\xbe\x8b\xff", 3).size() == 3U);
    BOOST_TEST(steer::whole_bytes("a\xe4\xbe", 2).size() == 2U);
    BOOST_TEST(steer::whole_characters("\xff\xbe\x8b\xff", 2).size() == 2U);
}

BOOST_AUTO_TEST_CASE(quoted_text_keeps_letters_of_other_scripts) {
    using steer::matchers::quoted;
    BOOST_TEST(quoted("\xd0\xb4\xd0\xbe\xd0\xbc.\xe4\xbe\x8b") ==
               "\"\xd0\xb4\xd0\xbe\xd0\xbc.\xe4\xbe\x8b\"");
    BOOST_TEST(quoted("a\x1b[2J\xff\xe2\x80\xae") == "\"a\\x1b[2J\\xff\\xe2\\x80\\xae\"");
    std::string longer;
    for (int i = 0; i < 61; ++i)
        longer += "\xe4\xbe\x8b";
    BOOST_TEST(quoted(longer) == "\"" + longer.substr(0, 180) + "...\"");
    BOOST_TEST(quoted(longer.substr(3)) == "\"" + longer.substr(3) + "\"");
    BOOST_TEST(steer::matchers::quoted_path(longer) == "\"" + longer + "\"");
}

BOOST_AUTO_TEST_CASE(any_input_becomes_safe_text_that_stays_the_same) {
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::string text(random() % 40, '\0');
        for (char& c : text) {
            const auto byte = random();
            c = static_cast<char>(byte % 3 == 0 ? byte >> 8U : 0x80U | (byte >> 8U));
        }
        const std::size_t most = random() % 60;
        const std::string out = safe_text(text, most);
        BOOST_REQUIRE(out.size() <= most);
        BOOST_REQUIRE(is_safe_text(out, most));
        BOOST_REQUIRE(safe_text(out, most) == out);
    }
}

BOOST_AUTO_TEST_CASE(json_keeps_its_strings_and_becomes_valid) {
    BOOST_TEST(steer::safe_json("{\"a\":\"\\u001b \xc3\xa4\"}") == "{\"a\":\"\\u001b \xc3\xa4\"}");
    BOOST_TEST(steer::safe_json("[\"\xc2\x9b\x7f\xe2\x80\xae\"]") == "[\"\\u009b\\u007f\\u202e\"]");
    BOOST_TEST(steer::safe_json("[\"a\xff\xe4\"]") == "[\"a\\\\xff\\\\xe4\"]");
}

BOOST_AUTO_TEST_SUITE_END()
