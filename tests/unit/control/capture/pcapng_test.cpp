// Blocks of pcapng, byte by byte as the draft has them (draft-ietf-opsawg-pcapng 3 and 4).
#include "control/observe/capture/pcapng.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace std::string_literals;
namespace pcapng = steer::pcapng;

BOOST_AUTO_TEST_SUITE(capture_blocks)

BOOST_AUTO_TEST_CASE(a_section_says_the_byte_order_and_the_program) {
    std::string out;
    pcapng::add_section(out, "steer");
    BOOST_TEST(out ==
               "\x0a\x0d\x0d\x0a\x2c\0\0\0"
               "\x4d\x3c\x2b\x1a\x01\0\0\0"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\x04\0\x05\0steer\0\0\0"
               "\0\0\0\0"
               "\x2c\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(an_interface_is_ethernet_with_a_name_and_nanoseconds) {
    std::string out;
    pcapng::add_interface(out, "eth0", 2048);
    BOOST_TEST(out ==
               "\x01\0\0\0\x28\0\0\0"
               "\x01\0\0\0\0\x08\0\0"
               "\x02\0\x04\0eth0"
               "\x09\0\x01\0\x09\0\0\0"
               "\0\0\0\0"
               "\x28\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(a_packet_has_its_time_both_lengths_padding_and_a_direction) {
    std::string out;
    const std::vector<std::uint8_t> bytes{0xa1, 0xa2, 0xa3, 0xa4, 0xa5};
    pcapng::add_packet(
        out, {.interface = 1, .at_ns = 0x1122334455667788, .length = 300, .is_sent = true}, bytes);
    const std::string sent =
        "\x06\0\0\0\x34\0\0\0"
        "\x01\0\0\0"
        "\x44\x33\x22\x11\x88\x77\x66\x55"
        "\x05\0\0\0\x2c\x01\0\0"
        "\xa1\xa2\xa3\xa4\xa5\0\0\0"
        "\x02\0\x04\0\x02\0\0\0"
        "\0\0\0\0"
        "\x34\0\0\0"s;
    BOOST_TEST(out == sent);
    pcapng::add_packet(
        out, {.interface = 1, .at_ns = 0x1122334455667788, .length = 300, .is_sent = false}, bytes);
    std::string received = sent;
    received[40] = 1;
    BOOST_TEST(out == sent + received);
}

BOOST_AUTO_TEST_CASE(padding_fills_four_bytes_and_not_more) {
    for (std::size_t n = 0; n < 9; ++n) {
        std::string out;
        pcapng::add_packet(out, {}, std::vector<std::uint8_t>(n, 0x5a));
        BOOST_TEST(out.size() == 28 + (n + 3) / 4 * 4 + 12 + 4, n);
    }
}

BOOST_AUTO_TEST_CASE(statistics_have_the_number_of_lost_frames) {
    std::string out;
    pcapng::add_statistics(out, 2, 0x0000000100000002, 0x0102030405060708);
    BOOST_TEST(out ==
               "\x05\0\0\0\x28\0\0\0"
               "\x02\0\0\0"
               "\x01\0\0\0\x02\0\0\0"
               "\x05\0\x08\0\x08\x07\x06\x05\x04\x03\x02\x01"
               "\0\0\0\0"
               "\x28\0\0\0"s);
}

BOOST_AUTO_TEST_SUITE_END()
