// YAML as it is written: nothing that an input holds becomes more than a text.
#include <boost/test/unit_test.hpp>

#include "tools/import/sheet.h"
#include "tools/import/words.h"

using namespace steer::importing;

namespace {

BOOST_AUTO_TEST_CASE(plain_words_have_no_quotes) {
    for (const char* const plain : {"nas.lan", "5m", "1024", "8192KiB", "eth0.20", "a-b_c", "A"})
        BOOST_TEST(scalar(plain) == plain);
    for (const char* const other : {"", "yes", "No", "null", "~", "192.0.2.1", "::1", "a b", "a: b",
                                    "#x", "$tag", "*a", "&a", "- a", "{a}", "[a]", "1.5", "a."})
        BOOST_TEST(scalar(other) == '"' + std::string(other) + '"');
}

BOOST_AUTO_TEST_CASE(special_characters_are_quoted_and_escaped) {
    BOOST_TEST(scalar("a\"b\\c") == R"("a\"b\\c")");
    BOOST_TEST(scalar("a\nb\x01") == R"("a\x0ab\x01")");
    BOOST_TEST(scalar("${HOME} $${A} $") == R"("$${HOME} $$${A} $")");
    BOOST_TEST(scalar("Caf\xE9") == "\"Caf\xC3\xA9\"");      // Latin-1
    BOOST_TEST(scalar("Caf\xC3\xA9") == "\"Caf\xC3\xA9\"");  // UTF-8
    BOOST_TEST(scalar("\xC2\x85") == R"("\x85")");
    BOOST_TEST(scalar("\xED\xA0\x80").starts_with("\"\xC3\xAD"));  // half of a surrogate: Latin-1
}

BOOST_AUTO_TEST_CASE(a_comment_stays_a_comment) {
    Sheet sheet;
    sheet.open("a:");
    sheet.note("line 7", "first\nplugins: []\r" + std::string(200, 'x') + " last");
    for (const std::string& line : split(sheet.text(), '\n'))
        BOOST_TEST((line == "a:" || line.starts_with("#")), line);
    BOOST_TEST(sheet.noted().size() == 1U);
    BOOST_TEST(sheet.noted().front().place == "line 7");
}

BOOST_AUTO_TEST_CASE(invalid_names_are_found) {
    for (const char* const good : {"a", "a.b.", "_tcp.x", "1.0.0.10.in-addr.arpa", "A-B",
                                   "0/25.2.0.192.IN-ADDR.arpa.", "caf\xC3\xA9"})
        BOOST_TEST(name_error(good) == "", good);
    for (const char* const bad :
         {"",      ".",     "a..b", ".a", "*.a", "a b", "a:53", "a\\b", "caf\xC3", "a\"b",
          "a/b.c", "x.*.y", "*",    "}",  "a!b", "a,b", "a'b",  "a~b",  "a+b",     "a|b"})
        BOOST_TEST(name_error(bad) != "", bad);
    BOOST_TEST(name_error(std::string(64, 'a')) != "");
    std::string longest =
        std::string(63, 'a') + '.' + std::string(63, 'b') + '.' + std::string(63, 'c') + '.';
    BOOST_TEST(name_error(longest + std::string(61, 'd')) == "");
    BOOST_TEST(name_error(longest + std::string(62, 'd')) != "");
}

BOOST_AUTO_TEST_CASE(durations_are_written_with_units) {
    BOOST_TEST(duration_text(0) == "0s");
    BOOST_TEST(duration_text(1500) == "1s500ms");
    BOOST_TEST(duration_text(788'645'000) == "1w2d3h4m5s");
}

}  // namespace
