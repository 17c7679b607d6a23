// Options of the connection: asked for in a query's OPT, given in a response's.
#include <boost/test/unit_test.hpp>

#include "control/streams/base/edns_options.h"
#include "dataplane/dns/wire.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::give_options;
using stream::kMaxOptionBytes;
using stream::options_asked;

namespace {

Bytes with_opt(Bytes message, const Bytes& options = {}) {
    dns::store_be16(&message[10], 1);
    message.insert(message.end(), {0, 0, 41, 4, 208, 0, 0, 0, 0});
    message.push_back(static_cast<std::uint8_t>(options.size() >> 8));
    message.push_back(static_cast<std::uint8_t>(options.size()));
    message.insert(message.end(), options.begin(), options.end());
    return message;
}

Bytes given(Bytes response, const stream::OptionsGiven& what, std::size_t room = kMaxOptionBytes) {
    const std::size_t length = response.size();
    response.resize(length + room);
    response.resize(give_options(response, length, what));
    return response;
}

const Bytes kPadding{0, 12, 0, 3, 0, 0, 0}, kKeepalive{0, 11, 0, 0};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_edns_options)

BOOST_AUTO_TEST_CASE(padding_and_keepalive_are_found_in_a_query) {
    const Bytes query = make_query(1, "n.example");
    BOOST_TEST((!options_asked(query).padding && !options_asked(query).keepalive));
    BOOST_TEST(!options_asked(with_opt(query)).padding);
    BOOST_TEST(options_asked(with_opt(query, kPadding)).padding);
    BOOST_TEST(!options_asked(with_opt(query, kPadding)).keepalive);
    BOOST_TEST(options_asked(with_opt(query, kKeepalive)).keepalive);
    Bytes both = kPadding;
    both.insert(both.end(), kKeepalive.begin(), kKeepalive.end());
    BOOST_TEST(options_asked(with_opt(query, both)).padding);
    BOOST_TEST(options_asked(with_opt(query, both)).keepalive);
}

BOOST_AUTO_TEST_CASE(no_byte_behind_a_truncated_query_is_read) {
    const Bytes query = with_opt(make_query(1, "n.example"), kPadding);
    for (std::size_t n = 0; n < query.size(); ++n) {
        const Bytes cut(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(n));
        BOOST_TEST(!options_asked(cut).padding);
    }
    BOOST_TEST(!options_asked(with_opt(make_query(1, "n.example"), {0, 12, 0, 9, 0})).padding);
}

BOOST_AUTO_TEST_CASE(padding_fills_a_block) {
    const Bytes query = make_query(1, "n.example");
    for (unsigned answers : {0U, 1U, 25U, 26U, 27U, 28U, 60U}) {
        const Bytes plain = with_opt(make_response(query, answers));
        const Bytes padded = given(plain, {.padding = true});
        BOOST_TEST(padded.size() % 468 == 0U);
        BOOST_TEST(padded.size() >= plain.size() + 4);
        BOOST_TEST(padded.size() < plain.size() + 4 + 468);
        const std::size_t rdata_length = plain.size() - 2;
        BOOST_TEST(dns::load_be16(&padded[rdata_length]) == padded.size() - plain.size());
        BOOST_TEST(options_asked(padded).padding);
        BOOST_TEST(std::equal(plain.begin(), plain.end() - 2, padded.begin()));
    }
}

BOOST_AUTO_TEST_CASE(queries_are_padded_to_blocks_of_128_bytes) {
    for (const std::string& name :
         std::vector<std::string>{"n.example", "a-name-that-is-longer-than-that.example",
                                  std::string(60, 'x') + "." + std::string(60, 'y') + ".example"}) {
        const Bytes query = with_opt(make_query(7, name));
        std::vector<std::uint8_t> room;
        const auto padded = stream::pad_query(query, room);
        BOOST_TEST(padded.size() % 128 == 0U);
        BOOST_TEST(padded.size() < query.size() + 4 + 128);
        BOOST_TEST(options_asked(padded).padding);
        BOOST_TEST(std::equal(query.begin(), query.end() - 2, padded.begin()));
    }
    std::vector<std::uint8_t> room;
    for (const Bytes& query :
         {make_query(7, "n.example"), with_opt(make_query(7, "n.example"), kPadding)})
        BOOST_TEST(std::ranges::equal(stream::pad_query(query, room), query));
}

BOOST_AUTO_TEST_CASE(keepalive_is_in_tenths_of_a_second) {
    const Bytes plain = with_opt(make_response(make_query(1, "n.example"), 1), {0, 15, 0, 2, 0, 0});
    const Bytes out = given(plain, {.keepalive = 10s});
    BOOST_REQUIRE(out.size() == plain.size() + 6);
    const Bytes option(out.end() - 6, out.end());
    BOOST_TEST((option == Bytes{0, 11, 0, 2, 0, 100}));
    BOOST_TEST((given(plain, {.keepalive = 10h}).back() == 0xff));
    BOOST_TEST(given(plain, {.padding = true, .keepalive = 10s}).size() == 468U);
}

BOOST_AUTO_TEST_CASE(no_option_is_added_where_it_does_not_fit) {
    const Bytes response = make_response(make_query(1, "n.example"), 1);
    BOOST_TEST((given(response, {.padding = true, .keepalive = 10s}) == response));
    const Bytes plain = with_opt(response);
    BOOST_TEST((given(plain, {.padding = true, .keepalive = 10s}, 5) == plain));
    BOOST_TEST((given(plain, {.padding = true, .keepalive = 10s}, 6).size() == plain.size() + 6));
    Bytes behind = with_opt(response);
    behind.push_back(0);
    BOOST_TEST((given(behind, {.padding = true}) == behind));
    Bytes longest = make_response(make_query(1, "n.example"), 4090);
    longest = with_opt(std::move(longest));
    BOOST_REQUIRE(longest.size() < 65535U);
    BOOST_TEST((given(longest, {.padding = true}).size() <= 65535U));
}

BOOST_AUTO_TEST_SUITE_END()
