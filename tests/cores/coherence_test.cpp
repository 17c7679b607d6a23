#define BOOST_TEST_MODULE coherence
#include "cores/coherence.h"

#include <boost/test/unit_test.hpp>

#include "cores/marker.h"

namespace steer::cores {
namespace {

void check(const Needs& n, unsigned shared_writes, unsigned moved, unsigned fetched,
           unsigned cold) {
    BOOST_CHECK_EQUAL(n.shared_writes, shared_writes);
    BOOST_CHECK_EQUAL(n.moved, moved);
    BOOST_CHECK_EQUAL(n.fetched, fetched);
    BOOST_CHECK_EQUAL(n.cold, cold);
}

constexpr bool kRead = false, kWrite = true;

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_of_one_core_never_moves) {
    Coherence c;
    check(c.access(1, 0x1000, kWrite), 0, 0, 0, 1);
    for (const bool how : {kRead, kWrite, kRead})
        check(c.access(1, 0x103f, how), 0, 0, 0, 0);
    check(c.access(2, 0x1040, kWrite), 0, 0, 0, 1);  // the next line
}

BOOST_AUTO_TEST_CASE(a_written_line_moves_to_its_reader_and_its_next_write_is_shared) {
    Coherence c;
    c.access(1, 0, kWrite);
    check(c.access(2, 0, kRead), 0, 1, 0, 0);
    check(c.access(2, 0, kRead), 0, 0, 0, 0);
    check(c.access(3, 0, kRead), 0, 0, 1, 0);   // its writer wrote it back
    check(c.access(1, 0, kWrite), 1, 0, 0, 0);  // it still has it, two others lose it
    check(c.access(3, 0, kWrite), 1, 1, 0, 0);
    check(c.access(3, 0, kWrite), 0, 0, 0, 0);
}

BOOST_AUTO_TEST_CASE(lines_that_are_only_read_are_free_after_the_first_fill) {
    Coherence c;
    check(c.access(1, 64, kRead), 0, 0, 0, 1);
    check(c.access(2, 64, kRead), 0, 0, 1, 0);
    check(c.access(1, 64, kRead), 0, 0, 0, 0);
    check(c.access(2, 64, kWrite), 1, 0, 0, 0);
    check(c.access(1, 64, kRead), 0, 1, 0, 0);
}

BOOST_AUTO_TEST_CASE(markers_are_found_among_instructions) {
    const std::uint8_t marker[8] = {0x0f, 0x1f, 0x84, 0x00, kBegin + 3, 0x00, 0x43, 0x5d};
    BOOST_CHECK_EQUAL(marker_word(marker, 8), kBegin + 3);
    BOOST_CHECK_EQUAL(marker_word(marker, 7), 0U);
    const std::uint8_t nop[8] = {0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0};
    BOOST_CHECK_EQUAL(marker_word(nop, 8), 0U);
}

}  // namespace steer::cores
