#include "dataplane/stages/packet_cache.h"

#include <boost/test/unit_test.hpp>

#include <set>

#include "support/random.h"

namespace steer::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_message(Random& random) {
    Bytes message(PacketCache::kShortest + 2 +
                  random.below(PacketCache::kLongest - PacketCache::kShortest + 1));
    for (auto& byte : message)
        byte = static_cast<std::uint8_t>(random.below(256));
    return message;
}

void remember(PacketCache& packet_cache, const Bytes& message) {
    packet_cache.replace(packet_cache.hash(message.data(), message.size()), message.data(),
                         message.size());
}

bool knows(const PacketCache& packet_cache, const Bytes& message) {
    const auto* line = packet_cache.find(packet_cache.hash(message.data(), message.size()));
    return line != nullptr && PacketCache::is_of(*line, message.data(), message.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(packet_cache)

BOOST_AUTO_TEST_CASE(a_message_is_found_by_all_its_bytes_except_the_id) {
    PacketCache packet_cache(1);
    Random random(7);
    for (unsigned i = 0; i < 300; ++i) {
        Bytes message = random_message(random);
        BOOST_REQUIRE(PacketCache::fits(message.size()));
        BOOST_REQUIRE(!knows(packet_cache, message));
        remember(packet_cache, message);
        BOOST_REQUIRE(knows(packet_cache, message));
        message[0] ^= 1;
        message[1] ^= 1;
        BOOST_REQUIRE(knows(packet_cache, message));
        for (std::size_t at = 2; at < message.size(); ++at) {
            message[at] ^= 1;
            // Its own line, compared with what is not its message.
            const auto* line = packet_cache.find(packet_cache.hash(message.data(), message.size()));
            BOOST_REQUIRE(line == nullptr ||
                          !PacketCache::is_of(*line, message.data(), message.size()));
            message[at] ^= 1;
        }
        message.pop_back();
        BOOST_REQUIRE(!PacketCache::fits(message.size()) || !knows(packet_cache, message));
    }
}

BOOST_AUTO_TEST_CASE(a_quarter_of_the_lines_is_kept_almost_completely) {
    PacketCache packet_cache(1);
    Random random(7);
    std::vector<Bytes> messages;
    for (unsigned i = 0; i < PacketCache::kLines / 4; ++i) {
        messages.push_back(random_message(random));
        remember(packet_cache, messages.back());
    }
    const auto known =
        std::ranges::count_if(messages, [&](const Bytes& m) { return knows(packet_cache, m); });
    BOOST_CHECK_GT(known, static_cast<long>(messages.size() * 97 / 100));
}

BOOST_AUTO_TEST_CASE(rare_messages_do_not_drive_out_popular_ones) {
    PacketCache packet_cache(1);
    Random random(7);
    std::vector<Bytes> popular;
    for (unsigned i = 0; i < 500; ++i) {
        popular.push_back(random_message(random));
        remember(packet_cache, popular.back());
    }
    for (unsigned round = 0; round < 20; ++round) {
        for (const Bytes& message : popular)
            (void)packet_cache.use(packet_cache.hash(message.data(), message.size()));
        for (unsigned i = 0; i < PacketCache::kLines / 16; ++i)
            remember(packet_cache, random_message(random));
    }
    const auto known =
        std::ranges::count_if(popular, [&](const Bytes& m) { return knows(packet_cache, m); });
    BOOST_CHECK_GT(known, 450);
}

BOOST_AUTO_TEST_CASE(the_packet_cache_pauses_at_a_low_hit_rate_and_resumes) {
    PacketCache packet_cache(1);
    unsigned asked = 0;
    while (packet_cache.awake(32))
        asked += 32;
    BOOST_CHECK_EQUAL(asked, 8192U);
    unsigned rested = 32;
    while (!packet_cache.awake(32))
        rested += 32;
    BOOST_CHECK_EQUAL(rested, 16 * 8192U);
    for (unsigned i = 0; i < 100'000; ++i) {
        BOOST_REQUIRE(packet_cache.awake(32));
        packet_cache.count_known(8);
    }
}

BOOST_AUTO_TEST_CASE(too_short_and_too_long_messages_do_not_fit) {
    BOOST_CHECK(!PacketCache::fits(PacketCache::kShortest + 1));
    BOOST_CHECK(PacketCache::fits(PacketCache::kShortest + 2));
    BOOST_CHECK(PacketCache::fits(PacketCache::kLongest + 2));
    BOOST_CHECK(!PacketCache::fits(PacketCache::kLongest + 3));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
