// Replies of BIRD 2.0.12, whole and in pieces, and what is none.
#include "bird_reply.h"

#include <boost/test/unit_test.hpp>

using namespace steerctl;
using State = BirdReader::State;

BOOST_AUTO_TEST_SUITE(bird_reply)

BOOST_AUTO_TEST_CASE(a_greeting_is_a_reply_of_one_line) {
    BirdReader reader;
    BirdReply reply;
    BOOST_TEST((reader.take("0001 BIRD 2.0.12 ready.\n", reply) == State::complete));
    BOOST_TEST(reply.code == 1);
    BOOST_TEST(reply.text() == "BIRD 2.0.12 ready.");
}

BOOST_AUTO_TEST_CASE(lines_are_joined_up_to_the_last_code) {
    BirdReader reader;
    BirdReply reply;
    BOOST_TEST((reader.take("0009-anycast4: disabled\n anycast6: disabled\n0000 \n", reply) ==
                State::complete));
    BOOST_TEST(reply.code == 0);
    BOOST_TEST(reply.is_good());
    BOOST_TEST(reply.text() == "anycast4: disabled, anycast6: disabled");
}

BOOST_AUTO_TEST_CASE(bytes_may_come_one_by_one_and_replies_one_after_another) {
    BirdReader reader;
    BirdReply reply;
    for (int round = 0; round < 2; ++round) {
        const std::string_view text =
            "0010-anycast4: already enabled\n0011-anycast6: enabled\n0000 \n";
        for (std::size_t i = 0; i + 1 < text.size(); ++i)
            BOOST_REQUIRE((reader.take(text.substr(i, 1), reply) == State::incomplete));
        BOOST_TEST((reader.take("\n", reply) == State::complete));
        BOOST_TEST(reply.lines.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(refusals_are_no_good_news) {
    for (const auto* const text : {"8003 No protocols match\n", "8007 Access denied\n",
                                   "9001 syntax error, unexpected CF_SYM_UNDEFINED\n"}) {
        BirdReader reader;
        BirdReply reply;
        BOOST_TEST((reader.take(text, reply) == State::complete));
        BOOST_TEST(!reply.is_good());
    }
}

BOOST_AUTO_TEST_CASE(garbage_and_endless_replies_are_recognized) {
    BirdReply reply;
    for (const auto* const text : {"hello\n", "\n", "12\n", "00x1 a\n", "{\"jsonrpc\":\"2.0\"}\n"})
        BOOST_TEST((BirdReader().take(text, reply) == State::garbage));
    BirdReader reader;
    const std::string much(BirdReader::kMaxBytes, ' ');
    BOOST_TEST((reader.take(much, reply) == State::incomplete));
    BOOST_TEST((reader.take(" ", reply) == State::garbage));
}

BOOST_AUTO_TEST_CASE(names_are_quoted) {
    BOOST_TEST(bird_command(true, "anycast*") == "enable \"anycast*\"\n");
    BOOST_TEST(bird_command(false, "a b") == "disable \"a b\"\n");
    for (const auto* const bad : {"", "a\"b", "a\nb", "a\tb"})
        BOOST_TEST(bird_command(true, bad).empty());
}

BOOST_AUTO_TEST_SUITE_END()
