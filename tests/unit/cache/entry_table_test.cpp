// The table of a shard against a plain map, with half of the keys in one bucket, which continues in spare ones.
#include "dataplane/cache/entry_table.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "dataplane/cache/cache.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;
using cache::Entry;
using cache::EntryTable;
using cache::TableKey;

namespace {

constexpr unsigned kKeys = 800;

// A key of bucket 0 or another one near it, with few different tags.
TableKey key_of(unsigned i) {
    TableKey key{std::uint64_t{i % 3 + 1} << 33};
    key.place = i % 2 == 0 ? 0 : i << 22;
    return key;
}

struct TableFixture {
    // As a reader does, with what is prefetched first.
    const Entry* find(unsigned i) const {
        const TableKey key = key_of(i);
        const auto& view = table.view();
        const auto* const bucket = view.bucket_of(key);
        const Entry* const wanted = &entries[i];
        const Entry* const first = cache::TableView::candidate(*bucket, key.tag);
        if (first == wanted) return first;
        return view.find(bucket, key.tag, [&](const Entry& e) { return &e == wanted; });
    }

    EntryTable table{64};
    std::vector<Entry> entries{kKeys};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(entry_table, TableFixture)

BOOST_AUTO_TEST_CASE(it_agrees_with_a_map) {
    Random random{7};
    std::map<unsigned, bool> there;
    std::size_t most = 0;
    for (unsigned round = 0; round < 100'000; ++round) {
        const unsigned i = random() % kKeys;
        if (there.contains(i)) {
            BOOST_REQUIRE(find(i) == &entries[i]);
            BOOST_REQUIRE(table.remove(key_of(i).place, &entries[i]));
            there.erase(i);
        } else if (there.size() < 150) {
            BOOST_REQUIRE(table.add(key_of(i), &entries[i]));
            there[i] = true;
        }
        most = std::max(most, there.size());
        const unsigned other = random() % kKeys;
        BOOST_REQUIRE(find(other) == (there.contains(other) ? &entries[other] : nullptr));
    }
    BOOST_TEST(most == 150U);
    BOOST_TEST(!table.remove(key_of(0).place, &entries[0]) == !there.contains(0));
}

BOOST_AUTO_TEST_CASE(a_replaced_entry_is_not_found) {
    BOOST_REQUIRE(table.add(key_of(2), &entries[2]));
    const TableKey key = key_of(2);
    table.replace(key, &entries[2], &entries[3]);
    unsigned seen = 0;
    const Entry* const found = table.find(key, [&](const Entry& e) {
        ++seen;
        return &e == &entries[3];
    });
    BOOST_TEST(found == &entries[3]);
    BOOST_TEST(seen == 1U);
    BOOST_TEST(!table.remove(key.place, &entries[2]));
    BOOST_TEST(table.remove(key.place, &entries[3]));
}

// One bucket and those that continue it; the rest of the table is not touched.
BOOST_AUTO_TEST_CASE(a_full_table_refuses_and_has_room_again_after_a_removal) {
    unsigned added = 0;
    while (added < kKeys / 2 && table.add(key_of(2 * added), &entries[2 * added]))
        ++added;
    BOOST_TEST(added >= cache::Bucket::kWords * 8);
    BOOST_TEST(added < kKeys / 2);
    for (unsigned i = 0; i < added; ++i)
        BOOST_REQUIRE(find(2 * i) == &entries[2 * i]);
    BOOST_TEST(table.remove(0, &entries[2 * 9]));
    BOOST_TEST(table.add(key_of(2 * 9), &entries[2 * 9]));
    BOOST_TEST(find(2 * 9) == &entries[2 * 9]);
    for (unsigned i = 0; i < added; ++i)
        BOOST_REQUIRE(table.remove(0, &entries[2 * i]));
    // All spare buckets are back.
    for (unsigned i = 0; i < added; ++i)
        BOOST_REQUIRE(table.add(key_of(2 * i), &entries[2 * i]));
}

BOOST_AUTO_TEST_SUITE_END()
