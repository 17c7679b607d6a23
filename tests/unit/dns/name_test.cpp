#include "dataplane/dns/name.h"

#include <boost/test/unit_test.hpp>
#include <random>

#include "dataplane/dns/query.h"
#include "support/dns_message.h"
#include "support/guarded_page.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::wire_name;

BOOST_AUTO_TEST_SUITE(name)

BOOST_AUTO_TEST_CASE(the_length_of_a_name_is_found) {
    BOOST_TEST(plain_name_length(Bytes{0}) == 1U);
    BOOST_TEST(plain_name_length(wire_name("www.example.com")) == 17U);
    BOOST_TEST(plain_name_length(Bytes{}) == 0U);
    BOOST_TEST(!is_plain_name(Bytes{}));
    BOOST_TEST(is_plain_name(Bytes{0}));
    BOOST_TEST(!is_plain_name(Bytes{0, 0}));
    BOOST_TEST(plain_name_length(Bytes{3, 'w', 'w'}) == 0U);
    BOOST_TEST(plain_name_length(Bytes{1, 'w'}) == 0U);
    BOOST_TEST(plain_name_length(Bytes{0xc0, 12}) == 0U);
    BOOST_TEST(plain_name_length(Bytes{64, 0}) == 0U);
    const Bytes after_it = {0, 1, 2, 3};
    BOOST_TEST(plain_name_length(after_it) == 1U);
}

BOOST_AUTO_TEST_CASE(the_longest_name_has_255_bytes) {
    Bytes name;
    for (int i = 0; i < 127; ++i) {
        name.push_back(1);
        name.push_back('a');
    }
    name.push_back(0);
    BOOST_TEST(plain_name_length(name) == 255U);
    name.insert(name.end() - 1, {1, 'a'});
    BOOST_TEST(plain_name_length(name) == 0U);
}

BOOST_AUTO_TEST_CASE(names_are_compared_without_case) {
    BOOST_TEST(same_name(wire_name("WWW.eXample.com"), wire_name("www.example.COM")));
    BOOST_TEST(!same_name(wire_name("www.example.com"), wire_name("www.example.net")));
    BOOST_TEST(!same_name(wire_name("a.b"), wire_name("a.b.c")));
    BOOST_TEST(!same_name(wire_name("a@"), wire_name("a`")));
    BOOST_TEST(!same_name(wire_name("a["), wire_name("a{")));
}

BOOST_AUTO_TEST_CASE(fast_lower_case_equals_the_naive_one) {
    std::mt19937 random{7};
    for (std::size_t n = 0; n <= 256; ++n) {
        Bytes from(n);
        for (auto& b : from)
            b = static_cast<std::uint8_t>(random());
        Bytes expected = from;
        for (auto& b : expected) {
            if (b >= 'A' && b <= 'Z') b = static_cast<std::uint8_t>(b + 32);
        }
        Bytes to(n);
        lower_case(from.data(), to.data(), n);
        BOOST_TEST(to == expected, "length " << n);
        lower_case(from.data(), from.data(), n);
        BOOST_TEST(from == expected, "in place, length " << n);
    }
}

// At the edges of a page beyond which there is no memory.
BOOST_AUTO_TEST_CASE(no_byte_outside_the_name_is_read) {
    std::mt19937 random{8};
    const steer::test::GuardedPage from, to;
    const auto at = [](std::span<std::uint8_t> page, std::size_t n, bool end) {
        return end ? page.last(n) : page.first(n);
    };
    for (std::size_t n = 0; n <= 255; ++n) {
        for (const bool end : {false, true}) {
            const auto a = at(from.bytes(), n, end), b = at(to.bytes(), n, end);
            for (auto& byte : a)
                byte = static_cast<std::uint8_t>(random());
            lower_case(a.data(), b.data(), n);
            for (std::size_t i = 0; i < n; ++i)
                BOOST_REQUIRE(b[i] == (a[i] >= 'A' && a[i] <= 'Z' ? a[i] + 32 : a[i]));
            BOOST_REQUIRE(same_name(a, b));
            if (n == 0) continue;
            // One bit of one byte, which is not that of a letter's case.
            const std::size_t i = random() % n;
            b[i] ^= 0x80;
            BOOST_REQUIRE(!same_name(a, b));
            // Labels that end with the page: the byte of the next one's length is not there.
            std::fill(a.begin(), a.end(), std::uint8_t{1});
            BOOST_REQUIRE(plain_name_length(a) == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(names_are_written_as_text) {
    BOOST_TEST(name_to_text(Bytes{0}) == ".");
    BOOST_TEST(name_to_text(wire_name("www.Example.com")) == "www.Example.com");
    BOOST_TEST(name_to_text(Bytes{4, 'a', '.', 'b', '\\', 2, 7, 200, 0}) == "a\\.b\\\\.\\007\\200");
    BOOST_TEST((name_from_text("www.example.com") == wire_name("www.example.com")));
    BOOST_TEST((name_from_text("www.example.com.") == wire_name("www.example.com")));
    BOOST_TEST((name_from_text(".") == Bytes{0}));
    BOOST_TEST(
        (name_from_text("a\\.b\\\\.\\007\\200") == Bytes{4, 'a', '.', 'b', '\\', 2, 7, 200, 0}));
    for (const char* bad : {"", "..", "a..b", ".a", "a\\", "a\\1", "a\\12", "a\\256", "a\\12x"}) {
        BOOST_TEST(!name_from_text(bad), bad);
    }
    BOOST_TEST(!name_from_text(std::string(64, 'a')));
    BOOST_TEST(name_from_text(std::string(63, 'a')).has_value());
    std::string longest;
    for (int i = 0; i < 127; ++i)
        longest += "a.";
    BOOST_TEST(name_from_text(longest).has_value());
    BOOST_TEST(!name_from_text(longest + "a"));
}

BOOST_AUTO_TEST_CASE(names_are_parsed_as_written) {
    std::mt19937 random{11};
    for (int round = 0; round < 2000; ++round) {
        Bytes wire;
        for (auto labels = random() % 6; labels > 0 && wire.size() < 180; --labels) {
            const auto length = 1 + random() % 63;
            wire.push_back(static_cast<std::uint8_t>(length));
            for (auto i = length; i > 0; --i)
                wire.push_back(static_cast<std::uint8_t>(random()));
        }
        wire.push_back(0);
        const auto back = name_from_text(name_to_text(wire));
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST(*back == wire);
    }
}

BOOST_AUTO_TEST_CASE(pointers_go_backwards_to_a_name) {
    //            0  1    2    3  4    5  6  7     8  9     10    11
    const Bytes m{1, 'a', 'X', 1, 'b', 0, 9, 0xc0, 3, 1, 'c', 0xc0, 7};
    NameStarts starts;
    Name name;
    bool compressed = true;
    BOOST_TEST(read_name(m, 3, starts, &name, &compressed) == 6U);
    BOOST_TEST(!compressed);
    BOOST_TEST(read_name(m, 7, starts, &name, &compressed) == 9U);
    BOOST_TEST(compressed);
    BOOST_TEST((Bytes(name.bytes().begin(), name.bytes().end()) == Bytes{1, 'b', 0}));
    BOOST_TEST(read_name(m, 9, starts, &name) == 13U);
    BOOST_TEST((Bytes(name.bytes().begin(), name.bytes().end()) == Bytes{1, 'c', 1, 'b', 0}));
}

BOOST_AUTO_TEST_CASE(bad_pointers_are_refused) {
    const auto reads = [](const Bytes& m, std::size_t at,
                          std::initializer_list<std::size_t> allowed) {
        NameStarts starts;
        for (const auto a : allowed)
            starts.allow(a);
        return read_name(m, at, starts, nullptr) != 0;
    };
    BOOST_TEST(!reads({0xc0, 0}, 0, {0}));          // itself
    BOOST_TEST(!reads({0xc0, 2, 0}, 0, {2}));       // forwards
    BOOST_TEST(!reads({1, 'a', 0xc0, 0}, 0, {0}));  // into the labels that it ends
    BOOST_TEST(!reads({0, 0xc0, 0}, 1, {}));        // to what is no name
    BOOST_TEST(reads({0, 0xc0, 0}, 1, {0}));
    BOOST_TEST(!reads({0, 0xc0}, 1, {0}));              // cut off
    BOOST_TEST(!reads({0xc0, 2, 0xc0, 0}, 2, {0, 2}));  // a loop of two
    BOOST_TEST(!reads({0, 0x40, 0}, 1, {0}));           // reserved label types
    BOOST_TEST(!reads({0, 0x80, 0}, 1, {0}));
    BOOST_TEST(!reads({5, 'a'}, 0, {}));
    BOOST_TEST(!reads({}, 0, {}));
}

BOOST_AUTO_TEST_CASE(pointers_cannot_grow_a_name_above_255) {
    Bytes m;
    NameStarts starts;
    std::size_t previous = 0;
    unsigned good = 0;
    for (unsigned i = 0; i < 20; ++i) {
        const std::size_t at = m.size();
        m.push_back(20);
        m.insert(m.end(), 20, 'x');
        if (i == 0) {
            m.push_back(0);
        } else {
            m.push_back(static_cast<std::uint8_t>(0xc0 | previous >> 8));
            m.push_back(static_cast<std::uint8_t>(previous));
        }
        previous = at;
        Name name;
        if (read_name(m, at, starts, &name) == 0) break;
        ++good;
        BOOST_TEST(name.length == 21 * (i + 1) + 1);
    }
    BOOST_TEST(good == 12U);
}

BOOST_AUTO_TEST_SUITE_END()
