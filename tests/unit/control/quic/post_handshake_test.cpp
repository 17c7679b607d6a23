// TLS messages after the handshake: a server's tickets, in pieces of any length, and nothing else.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "control/streams/quic/post_handshake.h"

namespace {

using steer::quic::PostHandshake;

constexpr std::uint8_t kTicket = 4, kKeyUpdate = 24, kCertificateRequest = 13;

void add(std::vector<std::uint8_t>& to, std::uint8_t kind, std::size_t length) {
    to.insert(to.end(), {kind, 0, static_cast<std::uint8_t>(length >> 8),
                         static_cast<std::uint8_t>(length & 0xff)});
    to.insert(to.end(), length, kKeyUpdate);
}

// Whether all pieces of `each` bytes are accepted.
bool are_taken(const std::vector<std::uint8_t>& bytes, std::size_t each) {
    PostHandshake late;
    for (std::span<const std::uint8_t> left(bytes); !left.empty();) {
        const std::size_t length = std::min(each, left.size());
        if (!late.take_tickets(left.first(length))) return false;
        left = left.subspan(length);
    }
    return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(post_handshake)

BOOST_AUTO_TEST_CASE(tickets_are_taken_in_pieces_of_any_length) {
    std::vector<std::uint8_t> bytes;
    for (const std::size_t length : {0U, 1U, 200U, 700U})
        add(bytes, kTicket, length);
    for (std::size_t each = 1; each <= bytes.size(); ++each)
        BOOST_TEST(are_taken(bytes, each), each);
}

BOOST_AUTO_TEST_CASE(another_message_is_refused_at_its_first_byte) {
    for (const std::uint8_t kind : {kKeyUpdate, kCertificateRequest}) {
        std::vector<std::uint8_t> bytes;
        add(bytes, kTicket, 30);
        BOOST_TEST(are_taken(bytes, bytes.size()));
        bytes.push_back(kind);
        for (std::size_t each = 1; each <= bytes.size(); ++each)
            BOOST_TEST(!are_taken(bytes, each), each);
    }
}

BOOST_AUTO_TEST_SUITE_END()
