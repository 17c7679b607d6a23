#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/siphash.h"
#include "support/dns_message.h"
#include "support/guarded_page.h"
#include "support/random.h"

using namespace steer::cache;
using steer::test::Bytes;
using steer::test::wire_name;

namespace {

using Hash = std::array<std::uint8_t, 16>;

Hash bytes_of(std::uint64_t low, std::uint64_t high) {
    Hash h;
    std::memcpy(h.data(), &low, 8);
    std::memcpy(h.data() + 8, &high, 8);
    return h;
}

template <int C, int D>
Hash ours(const Bytes& key, const Bytes& message) {
    std::uint64_t k[2];
    std::memcpy(k, key.data(), 16);
    const auto v = SipHash128<C, D>(k[0], k[1]).finish(message);
    return bytes_of(v.low, v.high);
}

Hash openssl(unsigned c, unsigned d, const Bytes& key, const Bytes& message) {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
    std::size_t size = 16;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
                                     OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
                                     OSSL_PARAM_construct_end()};
    Hash h{};
    BOOST_REQUIRE(EVP_MAC_init(context, key.data(), key.size(), parameters) == 1);
    BOOST_REQUIRE(EVP_MAC_update(context, message.data(), message.size()) == 1);
    BOOST_REQUIRE(EVP_MAC_final(context, h.data(), &size, h.size()) == 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return h;
}

Bytes counting(std::size_t n) {
    Bytes b(n);
    for (std::size_t i = 0; i < n; ++i)
        b[i] = static_cast<std::uint8_t>(i);
    return b;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key)

// The first vectors of the reference implementation (vectors_sip128), SipHash-2-4.
BOOST_AUTO_TEST_CASE(published_vectors_of_the_hash_hold) {
    const Hash expected[] = {{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72,
                              0x14, 0xc7, 0x55, 0x02, 0x93},
                             {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59,
                              0x11, 0x9b, 0x22, 0xfc, 0x45},
                             {0x81, 0x77, 0x22, 0x8d, 0xa4, 0xa4, 0x5d, 0xc7, 0xfc, 0xa3, 0x8b,
                              0xde, 0xf6, 0x0a, 0xff, 0xe4}};
    for (std::size_t n = 0; n < 3; ++n)
        BOOST_TEST((ours<2, 4>(counting(16), counting(n)) == expected[n]));
}

BOOST_AUTO_TEST_CASE(the_hash_equals_that_of_openssl) {
    steer::test::Random random{3};
    for (std::size_t n = 0; n <= 255; ++n) {
        Bytes secret(16);
        Bytes message(n);
        for (auto& b : secret)
            b = static_cast<std::uint8_t>(random());
        for (auto& b : message)
            b = static_cast<std::uint8_t>(random());
        BOOST_TEST((ours<2, 4>(secret, message) == openssl(2, 4, secret, message)), "length " << n);
        BOOST_TEST((ours<1, 3>(secret, message) == openssl(1, 3, secret, message)), "length " << n);
    }
}

BOOST_AUTO_TEST_CASE(a_key_is_the_hash_of_its_parts) {
    const Bytes secret = counting(16);
    const KeyHasher hasher{std::span<const std::uint8_t, 16>(secret)};
    const Bytes name = wire_name("www.example.com");
    Bytes flat{28, 0, 1, 0, 5, 0, 2, 0};
    flat.insert(flat.end(), name.begin(), name.end());
    const Key k = hasher({name, 28, 1, 5, 2});
    BOOST_TEST((bytes_of(k.low, k.high) == openssl(1, 3, secret, flat)));
    const Key of_name = hasher.of_name(name);
    BOOST_TEST((bytes_of(of_name.low, of_name.high) == openssl(1, 3, secret, name)));
}

BOOST_AUTO_TEST_CASE(every_byte_and_the_secret_change_the_spread) {
    Bytes secret = counting(16);
    const KeyHasher hasher{std::span<const std::uint8_t, 16>(secret)};
    secret[0] ^= 1;
    const KeyHasher other{std::span<const std::uint8_t, 16>(secret)};
    std::set<std::uint64_t> seen;
    std::size_t hashed = 0;
    for (std::size_t n = 1; n <= 40; ++n) {
        Bytes bytes = counting(n);
        seen.insert({hasher.spread_of(bytes), other.spread_of(bytes)});
        hashed += 2;
        for (std::uint8_t& byte : bytes) {
            byte ^= 0x80;
            seen.insert(hasher.spread_of(bytes));
            ++hashed;
            byte ^= 0x80;
        }
    }
    BOOST_TEST(seen.size() == hashed);
}

BOOST_AUTO_TEST_CASE(every_part_changes_the_key) {
    const Bytes secret = counting(16);
    const KeyHasher hasher{std::span<const std::uint8_t, 16>(secret)};
    const Bytes a = wire_name("a.example");
    const Bytes b = wire_name("b.example");
    std::set<std::uint64_t> seen;
    for (unsigned i = 0; i < 64; ++i) {
        const auto bit = [i](unsigned n) { return i >> n & 1U; };
        seen.insert(hasher({bit(0) != 0 ? a : b, static_cast<std::uint16_t>(1 + bit(1)),
                            static_cast<std::uint16_t>(1 + bit(2)),
                            static_cast<std::uint16_t>(bit(3)), static_cast<std::uint8_t>(i >> 4)})
                        .low);
    }
    BOOST_TEST(seen.size() == 64U);
}

// Every way of this CPU makes the keys that they are one by one: all lengths, all alignments, any bytes, up to the edges of
// pages beyond which there is no memory.
BOOST_AUTO_TEST_CASE(keys_computed_in_parallel_equal_single_ones) {
    steer::test::Random random(5);
    std::array<std::uint8_t, 16> secret{};
    for (auto& b : secret)
        b = static_cast<std::uint8_t>(random());
    BOOST_TEST_MESSAGE("the widest of this CPU is " << label(widest_key_lanes()));
    for (const KeyLanes lanes : {KeyLanes::scalar, widest_key_lanes()}) {
        const KeyHasher hasher(secret, lanes);
        BOOST_TEST((hasher.lanes() == lanes));
        for (unsigned round = 0; round < 300; ++round) {
            const unsigned n = random.below(36);
            std::vector<Bytes> names(n);
            std::vector<KeyFacts> facts(n);
            for (unsigned i = 0; i < n; ++i) {
                names[i].resize(1 + random.below(round % 2 == 0 ? 40 : 255));
                for (auto& b : names[i])
                    b = static_cast<std::uint8_t>(random());
                facts[i] = {names[i], static_cast<std::uint16_t>(random()), 1, 3,
                            static_cast<std::uint8_t>(random.below(4))};
            }
            std::vector<Key> keys(n);
            hasher.bulk(facts.data(), n, keys.data());
            for (unsigned i = 0; i < n; ++i)
                BOOST_REQUIRE((keys[i] == hasher(facts[i])));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_byte_outside_the_name_is_read) {
    steer::test::Random random(6);
    const steer::test::GuardedPage page;
    for (auto& b : page.bytes())
        b = static_cast<std::uint8_t>(random());
    const std::array<std::uint8_t, 16> secret{1, 2, 3};
    const KeyHasher one_by_one(secret, KeyLanes::scalar), widest(secret, widest_key_lanes());
    constexpr unsigned kNames = 11;
    for (std::size_t length = 0; length <= 255; ++length) {
        std::array<KeyFacts, kNames> facts{};
        for (unsigned i = 0; i < kNames; ++i) {
            // At either edge, and between them at any alignment; the last ones of other lengths.
            const std::size_t size = i < 9 ? length : random.below(256);
            const auto name = i % 3 == 0   ? page.bytes().first(size)
                              : i % 3 == 1 ? page.bytes().last(size)
                                           : page.bytes().subspan(random.below(2048), size);
            facts[i] = {name, static_cast<std::uint16_t>(length), 1, 0, 0};
        }
        std::array<Key, kNames> a{}, b{};
        one_by_one.bulk(facts.data(), kNames, a.data());
        widest.bulk(facts.data(), kNames, b.data());
        for (unsigned i = 0; i < kNames; ++i) {
            BOOST_REQUIRE((a[i] == b[i]));
            BOOST_REQUIRE((a[i] == one_by_one(facts[i])));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_environment_can_choose_scalar_code) {
    BOOST_REQUIRE(setenv("STEERDNS_SIMD", "scalar", 1) == 0);
    BOOST_TEST((chosen_key_lanes() == KeyLanes::scalar));
    BOOST_REQUIRE(unsetenv("STEERDNS_SIMD") == 0);
    BOOST_TEST((chosen_key_lanes() == widest_key_lanes()));
}

BOOST_AUTO_TEST_SUITE_END()
