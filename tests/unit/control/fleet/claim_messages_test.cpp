#define BOOST_TEST_MODULE fleet
#include "control/sinks/fleet/claim_messages.h"

#include <boost/test/unit_test.hpp>

namespace steer::fleet {
namespace {

SharedClaim claim(std::string name) {
    SharedClaim one{.list = "policy",
                    .name = std::move(name),
                    .lease_end_ms = 1'700'000'000'123,
                    .row_life_s = 330,
                    .is_urgent = true};
    one.address[15] = 7;
    return one;
}

BOOST_AUTO_TEST_SUITE(claim_messages)

BOOST_AUTO_TEST_CASE(claims_come_back_as_they_were) {
    const std::vector claims{claim("www.example"), claim("")};
    const auto messages = encode_messages("dns1/ab", claims);
    BOOST_REQUIRE(messages.size() == 1U);
    const auto back = decode_message(messages.front());
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->box == "dns1/ab");
    BOOST_TEST((back->claims == claims));
    auto stored = decode_member(encode_member(claims.front()));
    BOOST_REQUIRE(stored.has_value());
    stored->lease_end_ms = claims.front().lease_end_ms;  // its score
    stored->is_urgent = true;
    BOOST_TEST((*stored == claims.front()));
}

BOOST_AUTO_TEST_CASE(many_claims_are_several_messages) {
    const std::vector claims(2'000, claim(std::string(250, 'a')));
    std::size_t count = 0;
    for (const auto& message : encode_messages("dns1", claims)) {
        BOOST_TEST(message.size() <= kMaxMessage);
        count += decode_message(message)->claims.size();
    }
    BOOST_TEST(count == claims.size());
    BOOST_TEST(encode_messages("dns1", {}).empty());
}

BOOST_AUTO_TEST_CASE(damaged_ones_are_refused) {
    const auto message = encode_messages("dns1", {claim("www.example")}).front();
    // Without its record it is a message without claims.
    for (std::size_t length = 0; length < message.size(); ++length) {
        const auto cut = decode_message(message.substr(0, length));
        BOOST_TEST((!cut || cut->claims.empty()));
    }
    std::string other = message;
    other[2] = static_cast<char>(kMessageVersion + 1);
    BOOST_TEST(!decode_message(other));
    const auto member = encode_member(claim("www.example"));
    BOOST_TEST(!decode_member(member.substr(0, member.size() - 1)));
    BOOST_TEST(!decode_member(member + "x"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
