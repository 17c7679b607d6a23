// Records of different lengths in a ring of cells (dataplane/base/cell_ring.h), and their views.
#include "dataplane/base/cell_ring.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <deque>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "dataplane/stages/query_record.h"

namespace steer {
namespace {

constexpr unsigned kCells = 64;

// Writes `number` into every byte behind the first two; false: no room.
template <class Ring>
bool push(Ring& ring, unsigned cells, std::uint8_t number) {
    auto* const record = static_cast<std::uint8_t*>(ring.reserve(cells));
    if (record == nullptr) return false;
    std::memset(record + 2, number, cells * CellRing::kCell - 2);
    return true;
}

struct Got {
    std::size_t cells;
    std::uint8_t number;
    bool operator==(const Got&) const = default;
};

// Pushes a record of up to `most` cells, and notes it if there is room.
template <class Ring>
bool push_random(Ring& ring, unsigned most, std::mt19937& random, std::deque<Got>& expected) {
    const auto cells = static_cast<unsigned>(1 + random() % most);
    const auto number = static_cast<std::uint8_t>(random());
    if (!push(ring, cells, number)) return false;
    expected.push_back({cells, number});
    return true;
}

// Calls `between` after each record.
template <class Ring, class Between>
std::vector<Got> pop_all(Ring& ring, Between between) {
    std::vector<Got> got;
    const unsigned n = ring.for_each([&](std::span<const std::uint8_t> record) {
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(record.data()) % CellRing::kCell == 0U);
        for (const std::uint8_t byte : record.subspan(2))
            BOOST_REQUIRE(byte == record[2]);
        got.push_back({record.size() / CellRing::kCell, record[2]});
        between();
    });
    BOOST_TEST(n == got.size());
    return got;
}
std::vector<Got> pop_all(CellRing& ring) {
    return pop_all(ring, [] {});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cell_ring)

BOOST_AUTO_TEST_CASE(records_are_visible_when_published) {
    CellRing ring(kCells);
    BOOST_TEST(push(ring, 3, 1));
    BOOST_TEST(push(ring, 1, 2));
    BOOST_TEST(pop_all(ring).empty());
    ring.publish();
    BOOST_TEST((pop_all(ring) == std::vector<Got>{{3, 1}, {1, 2}}));
    BOOST_TEST(pop_all(ring).empty());
    ring.publish();  // nothing was reserved
    BOOST_TEST(pop_all(ring).empty());
}

BOOST_AUTO_TEST_CASE(a_record_may_change_until_it_is_published) {
    CellRing ring(kCells);
    auto* const record = static_cast<std::uint8_t*>(ring.reserve(1));
    std::memset(record + 2, 1, CellRing::kCell - 2);
    BOOST_TEST(push(ring, 2, 2));
    std::memset(record + 2, 9, CellRing::kCell - 2);
    ring.publish();
    BOOST_TEST((pop_all(ring) == std::vector<Got>{{1, 9}, {2, 2}}));
}

BOOST_AUTO_TEST_CASE(a_full_ring_takes_no_part_of_a_record) {
    CellRing ring(kCells);  // 63 fit
    for (std::uint8_t i = 0; i < 12; ++i)
        BOOST_TEST(push(ring, 5, i));
    BOOST_TEST(!push(ring, 5, 99));
    BOOST_TEST(push(ring, 3, 12));
    BOOST_TEST(!push(ring, 1, 99));
    ring.publish();
    BOOST_TEST(!push(ring, 1, 99));
    ring.publish();
    const auto got = pop_all(ring);
    BOOST_REQUIRE(got.size() == 13U);
    BOOST_TEST((got.back() == Got{3, 12}));
    BOOST_TEST(push(ring, 1, 1));
    BOOST_TEST(ring.reserve(kCells) == nullptr);
    BOOST_TEST(ring.reserve(CellRing::kMaxCells + 1) == nullptr);
}

// Records never cross the end of the ring's memory. Against a plain queue.
BOOST_AUTO_TEST_CASE(random_lengths_arrive_whole_and_in_order) {
    CellRing ring(kCells);
    std::mt19937 random(7);
    std::deque<Got> expected;
    unsigned refused = 0;
    std::size_t waiting = 0;
    for (unsigned round = 0; round < 20'000; ++round) {
        const std::size_t before = expected.size();
        for (auto n = random() % 6; n > 0; --n) {
            refused += push_random(ring, 20, random, expected) ? 0U : 1U;
        }
        ring.publish();
        waiting = std::max(waiting, expected.size() - before);
        if (random() % 3 != 0) continue;
        for (const Got& got : pop_all(ring)) {
            BOOST_REQUIRE(!expected.empty());
            BOOST_REQUIRE((got == expected.front()));
            expected.pop_front();
        }
        BOOST_REQUIRE(expected.empty());
    }
    BOOST_TEST(refused > 100U);
    BOOST_TEST(waiting > 3U);
}

BOOST_AUTO_TEST_CASE(space_is_freed_although_the_reader_throws) {
    CellRing ring(kCells);
    for (unsigned round = 0; round < 20; ++round) {
        BOOST_TEST(push(ring, 30, 1));
        ring.publish();
        BOOST_CHECK_THROW(
            ring.for_each([](std::span<const std::uint8_t>) { throw std::runtime_error("no"); }),
            std::runtime_error);
    }
}

// A few records use the same memory again. More of them wait in the large ring.
BOOST_AUTO_TEST_CASE(a_record_ring_is_small_until_it_is_full) {
    RecordRing ring(kCells);  // the small one holds 15 cells, the large one 63
    std::set<const void*> places;
    for (unsigned i = 0; i < 100; ++i) {
        places.insert(ring.reserve(1));
        ring.publish();
        BOOST_TEST(ring.for_each([](std::span<const std::uint8_t>) {}) == 1U);
    }
    BOOST_TEST(places.size() == 16U);
    for (unsigned i = 0; i < 14 + 62; ++i)  // each keeps a cell
        BOOST_TEST(ring.reserve(1) != nullptr);
    BOOST_TEST(ring.reserve(1) == nullptr);
    ring.publish();
    BOOST_TEST(ring.for_each([](std::span<const std::uint8_t>) {}) == 14U + 62U);
    BOOST_TEST(places.contains(ring.reserve(1)));
}

// When the popper comes to the large ring, the pusher uses the small one again. The popper gets that
// record after all of the large ring.
BOOST_AUTO_TEST_CASE(a_record_ring_returns_to_the_small_one_before_the_large_one_is_empty) {
    RecordRing ring(kCells);
    const void* const first = ring.reserve(1);
    ring.publish();
    (void)ring.for_each([](std::span<const std::uint8_t>) {});
    for (std::uint8_t i = 0; i < 20; ++i)
        BOOST_TEST(push(ring, 1, i));
    ring.publish();
    unsigned read = 0;
    const std::byte* last = nullptr;
    const auto got = pop_all(ring, [&] {
        if (++read != 15) return;  // 14 were in the small one
        last = static_cast<const std::byte*>(ring.reserve(1));
        std::memset(const_cast<std::byte*>(last) + 2, 99, CellRing::kCell - 2);
        ring.publish();
    });
    BOOST_TEST(got.size() == 20U);
    BOOST_TEST(std::abs(last - static_cast<const std::byte*>(first)) < 16 * 64);
    BOOST_TEST((pop_all(ring, [] {}) == std::vector<Got>{{1, 99}}));
}

// The pusher is as fast as the popper, faster or slower, and pushes while the popper is between two
// records. Against a plain queue.
BOOST_AUTO_TEST_CASE(records_of_a_record_ring_arrive_in_order) {
    RecordRing ring(kCells);
    std::mt19937 random(9);
    std::deque<Got> expected;
    unsigned refused = 0, longest = 0;
    const auto push_some = [&](unsigned most) {
        for (auto n = random() % (most + 1); n > 0; --n) {
            refused += push_random(ring, 6, random, expected) ? 0U : 1U;
            if (random() % 2 == 0) ring.publish();
        }
        ring.publish();
    };
    for (unsigned round = 0; round < 20'000; ++round) {
        const unsigned pace = round / 2'000 % 5;  // from none between two records to many
        push_some(4 * pace + 1);
        longest = std::max(longest, static_cast<unsigned>(expected.size()));
        if (random() % 3 == 0) continue;
        const auto got = pop_all(ring, [&] { push_some(pace); });
        for (const Got& one : got) {
            BOOST_REQUIRE(!expected.empty());
            BOOST_REQUIRE((one == expected.front()));
            expected.pop_front();
        }
    }
    BOOST_TEST(refused > 100U);
    BOOST_TEST(longest > 15U);
}

// A pusher that never waits, so both rings are full again and again.
BOOST_AUTO_TEST_CASE(records_of_another_thread_arrive_in_order) {
    RecordRing ring(kCells);
    constexpr std::uint32_t kRecords = 200'000;
    std::jthread pusher([&] {
        std::mt19937 random(10);
        for (std::uint32_t next = 0; next < kRecords;) {
            auto* const record =
                static_cast<std::uint8_t*>(ring.reserve(static_cast<unsigned>(1 + random() % 5)));
            if (record != nullptr) std::memcpy(record + 4, &next, sizeof next);
            next += record != nullptr ? 1 : 0;
            if (record == nullptr || random() % 4 == 0) {
                ring.publish();
                std::this_thread::yield();
            }
        }
        ring.publish();
    });
    std::uint32_t expected = 0, wrong = 0;
    while (expected < kRecords) {
        ring.for_each([&](std::span<const std::uint8_t> record) {
            std::uint32_t number = 0;
            std::memcpy(&number, &record[4], sizeof number);
            wrong += number != expected ? 1 : 0;
            ++expected;
        });
    }
    BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(views_of_query_records_hold_name_and_messages) {
    RecordRing first(kCells), second(kCells);
    QueryRecords records({&first, &second});
    for (RecordRing* const ring : {&first, &second}) {
        auto* const room = static_cast<std::uint8_t*>(ring->reserve(3));
        auto* const head = reinterpret_cast<QueryRecord*>(room);
        head->qname_len = 3;
        head->query_bytes = 19;
        head->response_bytes = 2;
        head->qtype = ring == &first ? 1 : 28;
        std::uint8_t* const messages = room + sizeof(QueryRecord);
        std::memcpy(messages,
                    "HHHHHHHHHHHH\1a\0ttcc"
                    "RR",
                    21);
        ring->publish();
    }
    std::vector<unsigned> types;
    BOOST_TEST(records.for_each([&](const QueryRecordView& record) {
        types.push_back(record.head.qtype);
        BOOST_TEST(record.query.size() == 19U);
        BOOST_TEST(record.response.size() == 2U);
        BOOST_TEST(record.response[0] == 'R');
        BOOST_TEST((record.qname().size() == 3 && record.qname()[1] == 'a'));
    }) == 2U);
    BOOST_TEST((types == std::vector<unsigned>{1, 28}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
