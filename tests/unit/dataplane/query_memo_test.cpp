#include "dataplane/query_memo.h"

#include <boost/test/unit_test.hpp>

#include <set>

#include "support/random.h"

namespace steer::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_message(Random& random) {
    Bytes message(QueryMemo::kShortest + 2 +
                  random.below(QueryMemo::kLongest - QueryMemo::kShortest + 1));
    for (auto& byte : message)
        byte = static_cast<std::uint8_t>(random.below(256));
    return message;
}

void remember(QueryMemo& memo, const Bytes& message) {
    memo.replace(memo.hash(message.data(), message.size()), message.data(), message.size());
}

bool knows(const QueryMemo& memo, const Bytes& message) {
    const auto* line = memo.find(memo.hash(message.data(), message.size()));
    return line != nullptr && QueryMemo::is_of(*line, message.data(), message.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(query_memo)

BOOST_AUTO_TEST_CASE(a_message_is_known_by_all_of_its_bytes_but_the_id) {
    QueryMemo memo(1);
    Random random(7);
    for (unsigned i = 0; i < 300; ++i) {
        Bytes message = random_message(random);
        BOOST_REQUIRE(QueryMemo::fits(message.size()));
        BOOST_REQUIRE(!knows(memo, message));
        remember(memo, message);
        BOOST_REQUIRE(knows(memo, message));
        message[0] ^= 1;
        message[1] ^= 1;
        BOOST_REQUIRE(knows(memo, message));
        for (std::size_t at = 2; at < message.size(); ++at) {
            message[at] ^= 1;
            // Its own line, compared with what is not its message.
            const auto* line = memo.find(memo.hash(message.data(), message.size()));
            BOOST_REQUIRE(line == nullptr ||
                          !QueryMemo::is_of(*line, message.data(), message.size()));
            message[at] ^= 1;
        }
        message.pop_back();
        BOOST_REQUIRE(!QueryMemo::fits(message.size()) || !knows(memo, message));
    }
}

BOOST_AUTO_TEST_CASE(a_quarter_of_the_lines_is_nearly_all_kept) {
    QueryMemo memo(1);
    Random random(7);
    std::vector<Bytes> messages;
    for (unsigned i = 0; i < QueryMemo::kLines / 4; ++i) {
        messages.push_back(random_message(random));
        remember(memo, messages.back());
    }
    const auto known =
        std::ranges::count_if(messages, [&](const Bytes& m) { return knows(memo, m); });
    BOOST_CHECK_GT(known, static_cast<long>(messages.size() * 97 / 100));
}

BOOST_AUTO_TEST_CASE(it_rests_where_little_is_known_and_wakes_again) {
    QueryMemo memo(1);
    unsigned asked = 0;
    while (memo.awake(32))
        asked += 32;
    BOOST_CHECK_EQUAL(asked, 8192U);
    unsigned rested = 32;
    while (!memo.awake(32))
        rested += 32;
    BOOST_CHECK_EQUAL(rested, 16 * 8192U);
    for (unsigned i = 0; i < 100'000; ++i) {
        BOOST_REQUIRE(memo.awake(32));
        memo.count_known(8);
    }
}

BOOST_AUTO_TEST_CASE(too_short_and_too_long_messages_do_not_fit) {
    BOOST_CHECK(!QueryMemo::fits(QueryMemo::kShortest + 1));
    BOOST_CHECK(QueryMemo::fits(QueryMemo::kShortest + 2));
    BOOST_CHECK(QueryMemo::fits(QueryMemo::kLongest + 2));
    BOOST_CHECK(!QueryMemo::fits(QueryMemo::kLongest + 3));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
