// `records` of configuration.replay: a text is queries that can be run, or an error that names its line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "control/observe/replay/captured.h"
#include "dataplane/dns/name.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steer;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = replay::read_captured(text);
    if (!read) {
        REQUIRE(read.error().text.starts_with("line "));
        return 0;
    }
    REQUIRE(read->is_complete && read->queries.size() <= replay::kMostDistinct);
    std::uint64_t sum = 0, last = UINT64_MAX;
    for (const replay::ReplayedQuery& query : read->queries) {
        REQUIRE(query.queries >= 1 && query.queries <= last);
        REQUIRE(dns::plain_name_length(query.name) == query.name.size());
        REQUIRE(query.server && !query.is_masked && query.entry.empty());
        last = query.queries;
        sum += query.queries;
    }
    REQUIRE(sum == read->sum);
    return 0;
}
