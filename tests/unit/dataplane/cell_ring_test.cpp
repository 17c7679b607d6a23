// Records of different lengths in a ring of cells (dataplane/base/cell_ring.h), and their views.
#include "dataplane/base/cell_ring.h"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <random>
#include <stdexcept>
#include <vector>

#include "dataplane/stages/query_record.h"

namespace steer {
namespace {

constexpr unsigned kCells = 64;

// Writes `number` into every byte behind the first two; false: no room.
bool push(CellRing& ring, unsigned cells, std::uint8_t number) {
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

std::vector<Got> pop_all(CellRing& ring) {
    std::vector<Got> got;
    const unsigned n = ring.for_each([&](std::span<const std::uint8_t> record) {
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(record.data()) % CellRing::kCell == 0U);
        for (const std::uint8_t byte : record.subspan(2))
            BOOST_REQUIRE(byte == record[2]);
        got.push_back({record.size() / CellRing::kCell, record[2]});
    });
    BOOST_TEST(n == got.size());
    return got;
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
            const auto cells = static_cast<unsigned>(1 + random() % 20);
            const auto number = static_cast<std::uint8_t>(random());
            if (push(ring, cells, number)) {
                expected.push_back({cells, number});
            } else {
                ++refused;
            }
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

BOOST_AUTO_TEST_CASE(views_of_query_records_hold_name_and_messages) {
    CellRing first(kCells), second(kCells);
    QueryRecords records({&first, &second});
    for (CellRing* const ring : {&first, &second}) {
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
