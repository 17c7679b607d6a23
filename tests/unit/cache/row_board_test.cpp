#include "dataplane/event/row_board.h"

#include <rte_lcore.h>
#include <rte_malloc.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <thread>

#include "readers.h"
#include "support/random.h"

using namespace steer;
using steer::test::Reader;
using steer::test::Readers;

namespace {

IpAddress address(unsigned n) {
    const std::uint8_t four[] = {10, static_cast<std::uint8_t>(n >> 16),
                                 static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
    return IpAddress::from_v4(four);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(board)

BOOST_AUTO_TEST_CASE(a_row_is_put_found_and_removed) {
    Readers readers;
    RowBoard board{64, readers.get()};
    BOOST_TEST(board.installed_until(1, address(1), 1) == 0U);
    BOOST_TEST(board.put(1, address(1), 500, 1));
    BOOST_TEST(board.installed_until(1, address(1), 1) == 500U);
    BOOST_TEST(board.installed_until(1, address(1), 2) == 0U);  // another epoch knows nothing
    BOOST_TEST(board.installed_until(2, address(1), 1) == 0U);
    BOOST_TEST(board.installed_until(1, address(2), 1) == 0U);
    BOOST_TEST(board.put(1, address(1), kForever, 2));
    BOOST_TEST(board.installed_until(1, address(1), 2) == kForever);
    BOOST_TEST(board.size() == 1U);
    board.remove(1, address(2));
    BOOST_TEST(board.size() == 1U);
    board.remove(1, address(1));
    BOOST_TEST(board.size() == 0U);
    BOOST_TEST(board.installed_until(1, address(1), 2) == 0U);
}

BOOST_AUTO_TEST_CASE(its_memory_is_what_it_says) {
    const auto allocated = [] {
        rte_malloc_socket_stats stats{};
        BOOST_TEST_REQUIRE(rte_malloc_get_socket_stats(static_cast<int>(rte_socket_id()), &stats) ==
                           0);
        return stats.heap_allocsz_bytes;
    };
    Readers readers;
    for (const unsigned rows : {65'536U, 100'000U, 131'073U}) {
        const std::size_t before = allocated();
        const RowBoard board{rows, readers.get()};
        const std::size_t bytes = allocated() - before;
        BOOST_TEST(bytes <= rows * RowBoard::kBytesPerRow, rows << " rows: " << bytes << " bytes");
        BOOST_TEST(bytes >= rows * RowBoard::kBytesPerRow / 2);
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_stands_gets_old_and_ends) {
    Readers readers;
    RowBoard board{64, readers.get()};
    const std::uint32_t kAll = board.holder(RefusedFor::all, {}, {});
    const auto refusal = [&](ListId list, std::uint32_t now_s) {
        return board.refusal(list, address(1), {}, address(9), now_s);
    };
    BOOST_TEST((board.refuse(1, address(1), kAll, 100) == RowBoard::Marked::fresh));
    BOOST_TEST((refusal(1, 104) == Refusal::stands));
    BOOST_TEST((refusal(1, 105) == Refusal::old));
    BOOST_TEST((refusal(1, 159) == Refusal::old));
    BOOST_TEST((refusal(1, 160) == Refusal::none));
    BOOST_TEST((refusal(2, 100) == Refusal::none));
    BOOST_TEST(board.installed_until(1, address(1), 105) == 0U);  // it is no row
    BOOST_TEST(!board.is_skipped(1, address(1), 100));
    BOOST_TEST((board.refuse(1, address(1), kAll, 110) == RowBoard::Marked::again));
    BOOST_TEST((refusal(1, 114) == Refusal::stands));
    BOOST_TEST(board.drop_refusal(1, address(1), 169) == 170U);
    BOOST_TEST(board.lift_refusal(1, address(1)));
    BOOST_TEST((refusal(1, 114) == Refusal::none));
    BOOST_TEST(!board.lift_refusal(1, address(2)));
    BOOST_TEST(board.drop_refusal(1, address(1), 114) == 0U);
    BOOST_TEST(board.size() == 0U);
    while (board.refuse(1, address(static_cast<unsigned>(board.size())), kAll, 100) !=
           RowBoard::Marked::full) {
    }
    BOOST_TEST(board.size() == 64U);
    board.forget_ended(159, 1000);
    BOOST_TEST(board.size() == 64U);
    board.forget_ended(160, 1000);
    BOOST_TEST(board.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_board_takes_a_row_again_after_a_removal) {
    Readers readers;
    RowBoard board{64, readers.get()};
    unsigned fit = 0;
    while (fit < 1000 && board.put(1, address(fit), 1, 1))
        ++fit;
    BOOST_TEST(fit == 64U);
    BOOST_TEST(board.size() == 64U);
    BOOST_TEST(board.put(1, address(0), 2, 1));  // a known row still changes
    BOOST_TEST(board.installed_until(1, address(0), 1) == 2U);
    for (unsigned round = 0; round < 1000; ++round) {
        board.remove(1, address(round));
        BOOST_REQUIRE(board.put(1, address(round + 64), 1, 1));
    }
    BOOST_TEST(board.size() == 64U);
}

BOOST_AUTO_TEST_CASE(ended_rows_are_forgotten_and_others_stay) {
    Readers readers;
    RowBoard board{64, readers.get()};
    for (unsigned n = 0; n < 30; ++n) {
        BOOST_TEST_REQUIRE(board.put(1, address(n), 10, 1));
        BOOST_TEST_REQUIRE(board.put(1, address(100 + n), n == 0 ? kForever : 12, 1));
    }
    BOOST_TEST_REQUIRE(board.skip(1, address(200), 10));
    board.forget_ended(9, 1000);
    BOOST_TEST(board.size() == 61U);
    // rte_hash moves keys of extended buckets when it removes others: the next sweep meets them.
    board.forget_ended(10, 1000);
    board.forget_ended(10, 1000);
    BOOST_TEST(board.size() == 30U);
    BOOST_TEST(board.installed_until(1, address(3), 1) == 0U);
    BOOST_TEST(board.installed_until(1, address(103), 1) == 12U);
    board.forget_ended(UINT32_MAX - 1, 1000);
    BOOST_TEST(board.size() == 1U);
    BOOST_TEST(board.installed_until(1, address(100), 1) == kForever);
}

BOOST_AUTO_TEST_CASE(a_sweep_of_few_slots_a_turn_reaches_all_rows) {
    Readers readers;
    RowBoard board{1024, readers.get()};
    for (unsigned n = 0; n < 1000; ++n)
        BOOST_TEST_REQUIRE(board.put(1, address(n), 10, 1));
    board.forget_ended(10, 64);
    BOOST_TEST(board.size() >= 936U);
    unsigned turns = 1;
    for (; board.size() > 0 && turns < 100; ++turns)
        board.forget_ended(10, 64);
    BOOST_TEST(board.size() == 0U);
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_map) {
    Readers readers;
    const Reader reader{readers, 0};
    RowBoard board{2000, readers.get()};
    std::map<std::pair<ListId, unsigned>, std::pair<std::uint32_t, std::uint32_t>> rows;
    steer::test::Random random{4};
    for (int round = 0; round < 50000; ++round) {
        const auto list = static_cast<ListId>(random() % 3);
        const unsigned n = random() % 400;
        const auto epoch = 1 + static_cast<std::uint32_t>(random() % 2);
        switch (random() % 4) {
            case 0: {
                const auto until = static_cast<std::uint32_t>(random());
                BOOST_REQUIRE(board.put(list, address(n), until, epoch));
                rows[{list, n}] = {until, epoch};
                break;
            }
            case 1:
                if (random() % 2 != 0) break;
                board.remove(list, address(n));
                rows.erase({list, n});
                break;
            default: {
                const auto row = rows.find({list, n});
                const bool known = row != rows.end() && row->second.second == epoch;
                BOOST_REQUIRE(board.installed_until(list, address(n), epoch) ==
                              (known ? row->second.first : 0));
            }
        }
        BOOST_REQUIRE(board.size() == rows.size());
        if (round % 64 == 0) reader.quiescent();
    }
}

BOOST_AUTO_TEST_CASE(concurrent_readers_see_whole_values) {
    Readers readers;
    RowBoard board{512, readers.get()};
    constexpr unsigned kRows = 100;
    const auto until_of = [](unsigned n, std::uint32_t epoch) { return n * 1000 + epoch; };
    std::atomic<bool> done{false};
    std::atomic<bool> started{false};
    std::atomic<unsigned> faults{0};
    std::atomic<unsigned> hits{0};
    std::thread thread([&] {
        const Reader reader{readers, 0};
        steer::test::Random random{1};
        started = true;
        while (!done.load(std::memory_order_relaxed)) {
            for (int i = 0; i < 32; ++i) {
                const unsigned n = random() % kRows;
                const auto epoch = 1 + static_cast<std::uint32_t>(random() % 8);
                const auto until = board.installed_until(1, address(n), epoch);
                if (until != 0) ++hits;
                if (until != 0 && until != until_of(n, epoch)) ++faults;
            }
            reader.quiescent();
        }
    });
    while (!started.load())
        std::this_thread::yield();
    steer::test::Random random{2};
    for (int i = 0; i < 100000; ++i) {
        const unsigned n = random() % kRows;
        const auto epoch = 1 + static_cast<std::uint32_t>(random() % 8);
        if (random() % 4 == 0) {
            board.remove(1, address(n));
        } else {
            // What was removed keeps its place until the reader was quiescent.
            while (!board.put(1, address(n), until_of(n, epoch), epoch))
                std::this_thread::yield();
        }
    }
    done = true;
    thread.join();
    BOOST_TEST(faults.load() == 0U);
    BOOST_TEST(hits.load() > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
