// Frames of a capture file, and the queries that `steerctl replay` makes of them: nothing beyond a frame is read, and the
// daemon takes each line.
//
// The first byte is the link type; then frames, each behind its length in two bytes.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "captured_queries.h"
#include "control/observe/replay/captured.h"
#include "fuzz/require.h"
#include "support/guarded_page.h"

namespace {

using namespace steerctl;
using Bytes = std::span<const std::uint8_t>;

constexpr unsigned kLinkTypes = 4;

// Whether `part` is in `whole`, or empty.
bool is_within(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_frame(LinkType link, Bytes frame) {
    CapturedDatagram datagram;
    const FrameKind kind = read_frame(link, frame, datagram);
    if (kind != FrameKind::dns) return;
    REQUIRE(datagram.source_port == kDnsPort || datagram.destination_port == kDnsPort);
    REQUIRE(datagram.source.is_v4() == datagram.destination.is_v4());
    REQUIRE(is_within(datagram.message, frame));
}

void check_queries(const std::vector<CapturedQuery>& queries, const CaptureCounts& counts) {
    std::uint64_t sum = 0;
    for (const CapturedQuery& query : queries)
        sum += query.queries;
    REQUIRE(sum == counts.queries && counts.answered <= counts.queries);
    const auto records = records_of(queries, SIZE_MAX);
    REQUIRE(records.omitted_distinct == 0);
    const auto read = steer::replay::read_captured(records.lines);
    REQUIRE(read.has_value());
    REQUIRE(read->sum == sum && read->queries.size() == queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
        const steer::replay::ReplayedQuery& one = read->queries[i];
        REQUIRE(one.name == queries[i].name);
        REQUIRE(one.answer.has_value() == queries[i].rcode.has_value());
        REQUIRE(!one.answer || one.answer->records == queries[i].answers);
    }
    const auto half = records_of(queries, records.lines.size() / 2);
    REQUIRE(half.lines.size() <= records.lines.size() / 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const steer::test::GuardedPage page;
    if (size == 0) return 0;
    const auto link = static_cast<LinkType>(data[0] % kLinkTypes);
    CapturedQueries queries;
    Bytes rest(data + 1, size - 1);
    while (rest.size() > 2) {
        const std::size_t wanted = std::size_t{rest[0]} << 8U | rest[1];
        rest = rest.subspan(2);
        const std::size_t length = std::min({wanted, rest.size(), page.bytes().size()});
        const auto room = page.bytes().last(length);  // the next byte is not there
        std::ranges::copy(rest.first(length), room.begin());
        check_frame(link, room);
        queries.add(link, room);
        rest = rest.subspan(length);
    }
    const auto all = queries.take();
    check_queries(all, queries.counts());
    return 0;
}
