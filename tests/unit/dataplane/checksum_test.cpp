#include "dataplane/dns/checksum.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "dataplane/stages/frame.h"
#include "support/random.h"
#include "support/udp_frame.h"

namespace steer {
namespace {

// RFC 1071 4.1, word by word.
std::uint16_t naive(const std::vector<std::uint8_t>& bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checksum)

BOOST_AUTO_TEST_CASE(the_fast_checksum_equals_the_plain_one) {
    test::Random random(11);
    for (std::size_t n = 0; n < 200; ++n) {
        std::vector<std::uint8_t> bytes(n);
        for (auto& b : bytes)
            b = static_cast<std::uint8_t>(n % 3 == 0 ? 0xff : random());
        BOOST_REQUIRE_EQUAL(__builtin_bswap16(checksum_fold(checksum_add(0, bytes.data(), n))),
                            naive(bytes));
    }
}

BOOST_AUTO_TEST_CASE(written_headers_have_right_checksums) {
    const std::array<std::uint8_t, 8> tags{0x88, 0xa8, 0x00, 0x05, 0x81, 0x00, 0x20, 0x06};
    for (const char* from : {"192.0.2.1", "2001:db8::1"}) {
        for (const std::size_t tag_bytes : {0U, 4U, 8U}) {
            for (std::uint16_t length = 12; length < 100;
                 length = static_cast<std::uint16_t>(length + 13)) {
                std::vector<std::uint8_t> frame(300);
                const IpAddress a = *IpAddress::parse(from);
                const FrameHeaders h{.to_mac = {2, 1, 1, 1, 1, 1},
                                     .from_mac = {2, 2, 2, 2, 2, 2},
                                     .tags = {tags.data() + (8 - tag_bytes), tag_bytes},
                                     .to = a,
                                     .from = a,
                                     .to_port = 40000,
                                     .from_port = 53};
                write_headers(frame.data() + h.size(), length, h);
                frame.resize(h.size() + length);
                if (tag_bytes == 8) continue;  // the reader knows 802.1Q only
                std::string wrong;
                const auto read = test::read_udp_frame(frame, wrong);
                BOOST_REQUIRE(read);
                BOOST_CHECK_EQUAL(wrong, "");
                BOOST_CHECK_EQUAL(read->payload.size(), length);
                BOOST_CHECK_EQUAL(read->to_port, 40000);
                BOOST_CHECK_EQUAL(read->vlans.size(), tag_bytes / 4);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
