#include "dataplane/policy/tag_sets.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "dataplane/policy/name_memo.h"

namespace steer {
namespace {

matchers::TagBits bits(std::uint64_t a, std::uint64_t b = 0) {
    return {.words = {a, b, 0, 0}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tag_sets)

BOOST_AUTO_TEST_CASE(the_same_bits_have_the_same_id) {
    TagSets sets;
    const auto none = sets.intern(bits(0));
    const auto one = sets.intern(bits(1));
    BOOST_CHECK(none != 0 && one != 0 && none != one);
    BOOST_CHECK_EQUAL(sets.intern(bits(1)), one);
    BOOST_CHECK(*sets.find(one) == bits(1));
    BOOST_CHECK(*sets.find(none) == bits(0));
}

BOOST_AUTO_TEST_CASE(an_unknown_id_is_not_found) {
    TagSets sets;
    const auto one = sets.intern(bits(1));
    BOOST_CHECK(sets.find(0) == nullptr);
    BOOST_CHECK(sets.find(TagSets::kCapacity + 1) == nullptr);
    BOOST_CHECK(sets.find(UINT32_MAX) == nullptr);
    BOOST_CHECK(sets.find(one == 1 ? 2 : 1) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_full_table_gives_no_more_ids_and_keeps_the_old_ones) {
    TagSets sets;
    std::vector<std::uint32_t> ids;
    for (std::uint64_t i = 0; i < 2 * TagSets::kCapacity; ++i)
        ids.push_back(sets.intern(bits(i, ~i)));
    unsigned without = 0;
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == 0) {
            ++without;
        } else {
            BOOST_REQUIRE(*sets.find(ids[i]) == bits(i, ~i));
        }
    }
    BOOST_CHECK_GE(without, TagSets::kCapacity);
}

BOOST_AUTO_TEST_CASE(several_threads_get_the_same_ids) {
    TagSets sets;
    constexpr unsigned kThreads = 4, kSets = 500;
    std::vector<std::vector<std::uint32_t>> ids(kThreads, std::vector<std::uint32_t>(kSets));
    std::atomic<unsigned> ready{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            ++ready;
            while (ready < kThreads)
                std::this_thread::yield();
            for (unsigned i = 0; i < kSets; ++i)
                ids[t][i] = sets.intern(bits(i));
        });
    }
    for (auto& t : threads)
        t.join();
    for (unsigned i = 0; i < kSets; ++i) {
        const auto id = sets.intern(bits(i));
        BOOST_REQUIRE(id != 0 && *sets.find(id) == bits(i));
        for (unsigned t = 0; t < kThreads; ++t)
            BOOST_REQUIRE(ids[t][i] == 0 || *sets.find(ids[t][i]) == bits(i));
    }
}

BOOST_AUTO_TEST_CASE(a_memo_is_valid_for_one_generation) {
    NameMemo memo;
    const cache::Key name{.low = 12345, .high = 6},
        twin{.low = 12345 + NameMemo::kSlots, .high = 7};  // in its slot
    BOOST_CHECK_EQUAL(memo.find(name, 1), 0U);
    BOOST_CHECK_EQUAL(memo.find({}, 0), 0U);
    memo.put(name, 1, 9);
    BOOST_CHECK_EQUAL(memo.find(name, 1), 9U);
    BOOST_CHECK_EQUAL(memo.find(name, 2), 0U);
    BOOST_CHECK_EQUAL(memo.find(twin, 1), 0U);
    memo.put(twin, 1, 8);  // takes the slot
    BOOST_CHECK_EQUAL(memo.find(name, 1), 0U);
    BOOST_CHECK_EQUAL(memo.find(twin, 1), 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
