#include "dataplane/dns/ecs.h"

#include <array>
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/answer.h"
#include "support/dns_message.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::DnsMessage;

namespace {

Bytes option(const Bytes& data, std::uint8_t code = 8) {
    Bytes o{0, code, 0, static_cast<std::uint8_t>(data.size())};
    o.insert(o.end(), data.begin(), data.end());
    return o;
}

// Of an option with its head.
Bytes read(const Bytes& option) {
    Bytes out(kMaxEcs);
    out.resize(read_ecs(std::span(option).subspan(4), out));
    return out;
}

QueryError query_error(const Bytes& options, unsigned version = 0) {
    const auto m = DnsMessage::query(1, "www.example", 1)
                       .opt(1232, false, 0, static_cast<std::uint8_t>(version), options);
    Query q;
    return parse_query(m.bytes(), q);
}

Query parse(const std::string& name, const Bytes& options) {
    const auto m = DnsMessage::query(1, name, 1).opt(1232, false, 0, 0, options);
    Query q;
    BOOST_REQUIRE((parse_query(m.bytes(), q) == QueryError::none));
    return q;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ecs)

BOOST_AUTO_TEST_CASE(a_subnet_is_read) {
    BOOST_TEST(read(option({0, 1, 24, 0, 192, 0, 2})) == (Bytes{1, 24, 192, 0, 2}));
    BOOST_TEST(read(option({0, 1, 0, 0})) == (Bytes{1, 0}));
    BOOST_TEST(read(option({0, 1, 20, 0, 192, 0, 16})) == (Bytes{1, 20, 192, 0, 16}));
    BOOST_TEST(read(option({0, 2, 48, 0, 0x20, 1, 0xd, 0xb8, 0, 1})) ==
               (Bytes{2, 48, 0x20, 1, 0xd, 0xb8, 0, 1}));
    BOOST_TEST(read(option({0, 0, 0, 0})) == (Bytes{0, 0}));  // no address, no family
}

// RFC 7871 6, 7.2.1; RFC 6891 6.1.2.
BOOST_AUTO_TEST_CASE(malformed_options_are_a_format_error) {
    const std::vector<Bytes> wrong{
        {0},
        {0, 8, 0},
        {0, 8, 0, 9, 0, 1},                    // longer than the OPT
        {0, 65, 0, 1},                         // the same, with an unassigned code
        option({}),                            //
        option({0, 1, 24}),                    //
        option({0, 3, 24, 0, 1, 2, 3}),        // no such family
        option({0, 0, 8, 0, 10}),              // no family, but an address
        option({0, 1, 33, 0, 1, 2, 3, 4, 5}),  // longer than an address
        option({0, 2, 129, 0}),                //
        option({0, 1, 24, 0, 192, 0}),         // too short for its prefix
        option({0, 1, 24, 0, 192, 0, 2, 0}),   // too long
        option({0, 1, 20, 0, 192, 0, 17}),     // bits behind the prefix
        option({0, 1, 24, 24, 192, 0, 2}),     // a scope in a query
    };
    for (const Bytes& o : wrong) {
        BOOST_TEST((query_error(o) == QueryError::bad_option), "option of " << o.size());
        Bytes behind_another = option({1, 2, 3}, 65);
        behind_another.insert(behind_another.end(), o.begin(), o.end());
        BOOST_TEST((query_error(behind_another) == QueryError::bad_option));
        BOOST_TEST((query_error(o, 1) == QueryError::bad_edns_version));
    }
    BOOST_TEST((query_error(option({1, 2, 3}, 65)) == QueryError::none));
    BOOST_TEST(rcode_for(QueryError::bad_option) == kFormErr);
}

// RFC 7873 5.2.2.
BOOST_AUTO_TEST_CASE(cookies_of_a_wrong_length_are_a_format_error) {
    for (std::size_t n = 0; n < 64; ++n) {
        const bool good = n == 8 || (n >= 16 && n <= 40);
        BOOST_TEST((query_error(option(Bytes(n), 10)) ==
                    (good ? QueryError::none : QueryError::bad_option)),
                   "cookie of " << n);
    }
}

BOOST_AUTO_TEST_CASE(a_query_has_the_subnet_option_behind_its_name) {
    const Query q = parse("www.example", option({0, 1, 24, 0, 192, 0, 2}));
    BOOST_TEST(q.name().size() == 13U);
    BOOST_TEST(Bytes(q.ecs().begin(), q.ecs().end()) == (Bytes{1, 24, 192, 0, 2}));
    BOOST_TEST(q.name_and_ecs().size() == 18U);
    Bytes behind_a_cookie = option({1, 2, 3, 4, 5, 6, 7, 8}, 10);
    const Bytes subnet = option({0, 1, 8, 0, 10});
    behind_a_cookie.insert(behind_a_cookie.end(), subnet.begin(), subnet.end());
    const Query behind = parse("www.example", behind_a_cookie);
    BOOST_TEST(Bytes(behind.ecs().begin(), behind.ecs().end()) == (Bytes{1, 8, 10}));
    // A name so long that no key holds both.
    const std::string label(60, 'x');
    const std::string longest = label + "." + label + "." + label + "." + label + ".xxxxx";
    BOOST_TEST(parse(longest, option({0, 1, 24, 0, 192, 0, 2})).edns.ecs_len == 0);
    BOOST_TEST(parse("www.example", {}).edns.ecs_len == 0);
}

BOOST_AUTO_TEST_CASE(a_reply_has_to_be_for_the_requested_subnet) {
    const Bytes asked{1, 24, 192, 0, 2};
    const EcsReply same = read_ecs_reply(option({0, 1, 24, 16, 192, 0, 2}), asked);
    BOOST_TEST(same.matches);
    BOOST_TEST(same.scope == 16);
    const EcsReply none = read_ecs_reply({}, asked);
    BOOST_TEST(none.matches);
    BOOST_TEST(none.scope == 0);
    BOOST_TEST(!read_ecs_reply(option({0, 1, 24, 16, 192, 0, 3}), asked).matches);
    BOOST_TEST(!read_ecs_reply(option({0, 1, 16, 16, 192, 0}), asked).matches);
    BOOST_TEST(!read_ecs_reply(option({0, 1, 24, 16}), asked).matches);
    BOOST_TEST(read_ecs_reply(option({0, 1, 24, 200, 192, 0, 2}), asked).scope == 32);
}

BOOST_AUTO_TEST_CASE(a_subnet_made_from_an_address_has_zero_host_bits) {
    const Bytes v4{203, 0, 113, 255};
    const Bytes v6{0x20, 1,    0xd,  0xb8, 0xff, 0xff, 0xff, 0xff,
                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const auto made = [](const Bytes& address, std::uint8_t length) {
        Bytes out(kMaxEcs);
        out.resize(make_ecs(address, length, out));
        return out;
    };
    BOOST_TEST(made(v4, 24) == (Bytes{1, 24, 203, 0, 113}));
    BOOST_TEST(made(v4, 27) == (Bytes{1, 27, 203, 0, 113, 0xe0}));
    BOOST_TEST(made(v4, 32) == (Bytes{1, 32, 203, 0, 113, 255}));
    BOOST_TEST(made(v4, 0) == (Bytes{1, 0}));
    BOOST_TEST(made(v6, 35) == (Bytes{2, 35, 0x20, 1, 0xd, 0xb8, 0xe0}));
    for (std::uint8_t length = 0; length <= 128; ++length) {
        const Bytes kept = made(v6, length);
        Bytes option(kEcsOptionSize + 16);
        option.resize(write_ecs(option.data(), kept, 0));
        BOOST_TEST(read(option) == kept);  // as RFC 7871 6 has it, or it would be malformed
    }
}

BOOST_AUTO_TEST_CASE(a_subnet_is_written_as_read) {
    const Bytes sent = option({0, 1, 20, 0, 192, 0, 16});
    const Bytes kept = read(sent);
    Bytes out(kEcsOptionSize + 16);
    out.resize(write_ecs(out.data(), kept, 0));
    BOOST_TEST(out == sent);
    out.resize(kEcsOptionSize + 16);
    out.resize(write_ecs(out.data(), kept, 18));
    BOOST_TEST(out == option({0, 1, 20, 18, 192, 0, 16}));
}

BOOST_AUTO_TEST_CASE(a_reply_carries_the_subnet_with_the_scope_of_the_answer) {
    const Query q = parse("www.example", option({0, 1, 24, 0, 192, 0, 2}));
    Bytes message(600);
    const auto asked = DnsMessage::query(1, "www.example", 1);
    std::copy(asked.bytes().begin(), asked.bytes().end(), message.begin());
    Answer answer = empty_answer(kNoError);
    answer.ecs_scope = 16;
    bool truncated = false;
    std::uint64_t sum = 0;
    const ReplyExtras extras{.ecs = q.ecs()};
    message.resize(
        write_reply(message, q, answer, {.ede = Ede::stale, .extras = &extras}, truncated, &sum));
    BOOST_TEST(!truncated);
    const Bytes wanted = option({0, 1, 24, 16, 192, 0, 2});
    BOOST_REQUIRE(message.size() == asked.size() + 11 + 6 + wanted.size());
    BOOST_TEST(Bytes(message.end() - static_cast<std::ptrdiff_t>(wanted.size()), message.end()) ==
               wanted);
    BOOST_TEST(load_be16(&message[asked.size() + 9]) == 6 + wanted.size());
}

BOOST_AUTO_TEST_SUITE_END()
