#include "routeros/claims.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

namespace steer::routeros {
namespace {

ClaimKey key(ListId list, unsigned n) {
    Address address = *Address::parse("10.0.0.0");
    address.bytes[14] = static_cast<std::uint8_t>(n >> 8);
    address.bytes[15] = static_cast<std::uint8_t>(n);
    return {list, address};
}

BOOST_AUTO_TEST_SUITE(claims)

BOOST_AUTO_TEST_CASE(a_claim_is_never_shortened) {
    Claims claims;
    claims.raise(key(1, 1), "first.example", 10'000, 60'000, 10);
    claims.raise(key(1, 1), "second.example", 5'000, 20'000, 10);
    const Claim* claim = claims.find(key(1, 1));
    BOOST_REQUIRE(claim);
    BOOST_TEST(claim->until_ms == 10'000U);
    BOOST_TEST(claim->row_until_ms == 60'000U);
    BOOST_TEST(claim->reasons == 2U);
    BOOST_TEST(claim->name() == "first.example");
    claims.promise(key(1, 1), 90'000);
    BOOST_TEST(claim->until_ms == 90'000U);
    BOOST_TEST(claim->row_until_ms == 90'000U);
    claims.promise(key(1, 2), 90'000);
    BOOST_TEST(claims.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_claim_stays_in_place_and_its_slot_is_reused) {
    Claims claims;
    const Claim* first = claims.raise(key(1, 0), "first.example", 10, 10, 5000);
    for (unsigned i = 1; i < 5000; ++i)
        claims.raise(key(1, i), "", 20 + i, 20 + i, 5000);
    BOOST_TEST(claims.find(key(1, 0)) == first);
    BOOST_TEST(first->name() == "first.example");
    const auto ended = claims.expire(10);
    BOOST_REQUIRE(ended);
    BOOST_TEST(ended->name() == "first.example");
    const Claim* second = claims.raise(key(2, 0), "", 30, 0, 1);
    BOOST_TEST(second == first);
    BOOST_TEST(second->name().empty());  // no value of the removed claim is left
    BOOST_TEST(second->reasons == 1U);
    BOOST_TEST(second->row_until_ms == 30U);
    BOOST_TEST(second->permanent);
    BOOST_TEST(second->row_life_s == 0U);
}

BOOST_AUTO_TEST_CASE(removing_a_list_removes_only_its_claims) {
    Claims claims;
    claims.raise(key(1, 0), "one.example", 10, 10, 9);
    claims.raise(key(2, 0), "two.example", 20, 20, 9);
    claims.drop_list(1);
    claims.raise(key(2, 1), "three.example", 30, 30, 9);  // where the first was
    BOOST_TEST(claims.next_expiry_ms() == 20U);
    BOOST_TEST(!claims.expire(19));
    BOOST_TEST(claims.expire(20)->name() == "two.example");
    BOOST_TEST(!claims.expire(29));
    BOOST_TEST(claims.expire(30)->name() == "three.example");
    BOOST_TEST(claims.size() == 0U);
}

BOOST_AUTO_TEST_CASE(the_number_of_claims_per_list_is_limited) {
    Claims claims;
    for (unsigned i = 0; i < 5; ++i)
        BOOST_TEST((claims.raise(key(1, i), "", 10, 10, 3) != nullptr) == (i < 3));
    BOOST_TEST(claims.raise(key(2, 0), "", 10, 10, 3) != nullptr);
    BOOST_TEST(claims.raise(key(1, 0), "", 20, 20, 3) != nullptr);  // there already
    BOOST_TEST(claims.size(1) == 3U);
    BOOST_TEST(claims.expire(10).has_value());
    BOOST_TEST(claims.raise(key(1, 9), "", 30, 30, 3) != nullptr);
}

BOOST_AUTO_TEST_CASE(expiry_agrees_with_a_plain_map) {
    Claims claims;
    std::map<std::pair<ListId, unsigned>, std::uint64_t> model;
    std::mt19937 random{11};
    for (std::uint64_t now = 0; now < 3000; ++now) {
        for (int i = 0; i < 3; ++i) {
            const auto list = static_cast<ListId>(random() % 3);
            const auto n = static_cast<unsigned>(random() % 200);
            const std::uint64_t until = now + 1 + random() % 400;
            claims.raise(key(list, n), "", until, until, 1000);
            auto& known = model[{list, n}];
            known = std::max(known, until);
        }
        if (now % 500 == 499) {
            claims.drop_list(1);
            std::erase_if(model, [](const auto& entry) { return entry.first.first == 1; });
        }
        while (const auto ended = claims.expire(now)) {
            const unsigned n = ended->key.address.bytes[14] * 256U + ended->key.address.bytes[15];
            const auto found = model.find({ended->key.list, n});
            BOOST_REQUIRE(found != model.end());
            BOOST_REQUIRE(found->second <= now);
            model.erase(found);
        }
        for (const auto& [k, until] : model)
            BOOST_REQUIRE(until > now);
        BOOST_REQUIRE(claims.size() == model.size());
        BOOST_REQUIRE(model.empty() || claims.next_expiry_ms() > now);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
