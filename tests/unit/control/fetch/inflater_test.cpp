#include "control/streams/fetch/inflater.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "packed.h"

using steer::Error;
using steer::Result;
using steer::fetch::Inflater;
using steer::fetch_test::packed;
using Bytes = std::vector<std::uint8_t>;

BOOST_AUTO_TEST_SUITE(inflater)

namespace {

struct Run {
    std::string out;
    bool good = true, whole = false;
};

Run unpack(const Bytes& bytes, std::size_t piece, std::size_t limit = SIZE_MAX) {
    Run run;
    Inflater inflater([&](std::span<const std::uint8_t> some) -> Result<void> {
        if (run.out.size() + some.size() > limit) return Error{"too much"};
        run.out.append(some.begin(), some.end());
        return {};
    });
    for (std::size_t at = 0; run.good && at < bytes.size(); at += piece) {
        const auto part = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
        run.good = inflater.feed(part).has_value();
    }
    run.whole = inflater.is_whole();
    return run;
}

}  // namespace

BOOST_AUTO_TEST_CASE(content_is_inflated_in_pieces_of_any_size) {
    std::string text;
    for (int i = 0; i < 30'000; ++i)
        text += "name" + std::to_string(i) + ".example\n";
    const Bytes bytes = packed(text);
    BOOST_TEST(bytes.size() < text.size() / 4);
    for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{4096}}) {
        const Run run = unpack(bytes, piece);
        BOOST_TEST(run.good);
        BOOST_TEST(run.whole);
        BOOST_TEST((run.out == text));
    }
}

BOOST_AUTO_TEST_CASE(several_gzip_members_are_inflated) {
    Bytes bytes = packed("one\n");
    const Bytes more = packed("two\n");
    bytes.insert(bytes.end(), more.begin(), more.end());
    for (const std::size_t piece : {bytes.size(), std::size_t{1}}) {
        const Run run = unpack(bytes, piece);
        BOOST_TEST(run.whole);
        BOOST_TEST(run.out == "one\ntwo\n");
    }
}

// Sizes around our own buffer's, where an end may fall on its border.
BOOST_AUTO_TEST_CASE(a_member_may_end_at_the_border_of_a_piece) {
    for (const std::size_t size : {0UL, 1UL, 65'535UL, 65'536UL, 65'537UL, 131'072UL}) {
        const std::string text(size, 'x');
        const Run run = unpack(packed(text), 1'000'000);
        BOOST_TEST(run.good);
        BOOST_TEST(run.whole);
        BOOST_TEST(run.out.size() == size);
    }
}

BOOST_AUTO_TEST_CASE(damaged_content_is_refused) {
    const Bytes good = packed("stream.example\nmedia.example\n");
    for (std::size_t cut = 0; cut < good.size(); ++cut)
        BOOST_TEST(!unpack({good.begin(), good.begin() + static_cast<long>(cut)}, 7).whole, cut);
    Bytes wrong_sum = good;
    wrong_sum[wrong_sum.size() - 6] ^= 1;
    BOOST_TEST(!unpack(wrong_sum, 7).good);
    Bytes rest = good;
    rest.insert(rest.end(), {'x', 'y', 'z'});
    BOOST_TEST((!unpack(rest, 1'000).good || !unpack(rest, 1'000).whole));
    const std::string plain = "stream.example\n";
    BOOST_TEST(!unpack({plain.begin(), plain.end()}, 7).good);
}

// A thousandfold: it ends at the limit, not in the memory.
BOOST_AUTO_TEST_CASE(content_that_inflates_beyond_the_limit_is_refused) {
    const Bytes bytes = packed(std::string(std::size_t{64} << 20, '\0'));
    BOOST_TEST(bytes.size() < 100'000U);
    const Run run = unpack(bytes, bytes.size(), 1'000'000);
    BOOST_TEST(!run.good);
    BOOST_TEST(run.out.size() <= 1'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()
