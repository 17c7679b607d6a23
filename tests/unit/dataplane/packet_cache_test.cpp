#include "dataplane/stages/packet_cache.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include "dataplane/dns/checksum.h"
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

namespace {

// A query for a name of one label of any bytes, with `tail` bytes behind the name; and its line's
// head.
Bytes query_of(const Bytes& label, std::size_t tail, Random& random, dns::QueryHead& head) {
    const std::size_t end = dns::kHeaderSize + 1 + label.size() + 1;
    head.question_end = static_cast<std::uint16_t>(end + dns::kTypeAndClass);
    Bytes message(end + tail);
    for (auto& byte : message)
        byte = static_cast<std::uint8_t>(random.below(256));
    message[dns::kHeaderSize] = static_cast<std::uint8_t>(label.size());
    std::copy(label.begin(), label.end(), message.begin() + dns::kHeaderSize + 1);
    message[end - 1] = 0;
    return message;
}

std::uint16_t compared_sum(const Bytes& message) {
    constexpr auto kId = PacketCache::kIdBytes;
    return checksum_fold(checksum_add(0, message.data() + kId, message.size() - kId));
}

}  // namespace

// Against one byte at a time: any bytes in the name, and any length.
BOOST_AUTO_TEST_CASE(only_the_case_of_the_name_is_ignored) {
    PacketCache packet_cache(1);
    Random random(8);
    unsigned longest = 0;
    for (unsigned i = 0; i < 20'000; ++i) {
        Bytes label(1 + random.below(40));
        for (auto& byte : label)
            byte = static_cast<std::uint8_t>(random.below(4) == 0 ? random.below(256)
                                                                  : 'a' + random.below(26));
        const std::size_t tail = random.below(3) == 0 ? 4 : 4 + random.below(23);
        dns::QueryHead head;
        Bytes lower = query_of(label, tail, random, head);
        if (!PacketCache::fits(lower.size())) continue;
        const std::size_t name = dns::kHeaderSize + 1, end = name + label.size();
        Bytes asked = lower;
        for (std::size_t at = name; at < end; ++at) {
            const bool is_upper = lower[at] >= 'A' && lower[at] <= 'Z';
            if (is_upper) lower[at] |= 0x20U;
            const bool is_letter = lower[at] >= 'a' && lower[at] <= 'z';
            if (is_letter && random.below(2) == 0) asked[at] ^= 0x20U;
        }
        const std::uint64_t hash = packet_cache.hash(lower.data(), lower.size());
        auto& line = packet_cache.replace(hash, lower.data(), lower.size());
        line.head = head;
        const auto difference = [&](const Bytes& message) {
            return PacketCache::case_difference(line, message.data(), message.size());
        };
        BOOST_REQUIRE_EQUAL(packet_cache.hash(asked.data(), asked.size()), hash);
        BOOST_REQUIRE(difference(asked));
        BOOST_REQUIRE_EQUAL(checksum_fold(std::uint64_t{compared_sum(lower)} + *difference(asked)),
                            compared_sum(asked));
        longest = std::max(longest, static_cast<unsigned>(asked.size()));
        for (std::size_t at = PacketCache::kIdBytes; at < asked.size(); ++at) {
            Bytes other = asked;
            other[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
            const bool is_letter = lower[at] >= 'a' && lower[at] <= 'z';
            const bool is_same =
                at >= name && at < end && is_letter && (other[at] | 0x20) == lower[at];
            BOOST_REQUIRE_EQUAL(difference(other).has_value(), is_same);
        }
    }
    BOOST_CHECK_EQUAL(longest, PacketCache::kLongest + PacketCache::kIdBytes);
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

// Such as those for TXT and DNSKEY of one name.
BOOST_AUTO_TEST_CASE(a_message_that_is_found_keeps_its_line_from_one_with_the_same_hash) {
    PacketCache packet_cache(1);
    Random random(9);
    dns::QueryHead head;
    const Bytes popular = query_of({'a', 'b', 'c'}, 4, random, head);
    Bytes other = popular;
    other[other.size() - 3] ^= 0x20U;
    const std::uint64_t hash = packet_cache.hash(popular.data(), popular.size());
    BOOST_REQUIRE_EQUAL(packet_cache.hash(other.data(), other.size()), hash);
    packet_cache.replace(hash, popular.data(), popular.size()).head = head;
    for (unsigned i = 0; i < 10; ++i) {
        BOOST_REQUIRE(packet_cache.use(hash) != nullptr);
        packet_cache.replace(hash, other.data(), other.size()).head = head;
        BOOST_CHECK(knows(packet_cache, popular));
    }
    packet_cache.replace(hash, other.data(), other.size()).head = head;
    BOOST_CHECK(knows(packet_cache, other));
    // The same message takes its own line.
    BOOST_REQUIRE(packet_cache.use(hash) != nullptr);
    packet_cache.replace(hash, other.data(), other.size()).head = head;
    BOOST_CHECK(knows(packet_cache, other));
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
