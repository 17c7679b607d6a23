// What steerdnsd and steerdns-quic read of each other, were the other one broken. The first byte
// chooses the channel. What is taken for a message of the main channel is encoded to the same
// bytes; queries and their ends are within the message.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../require.h"
#include "control/streams/quic/quic_messages.h"

namespace {

using namespace steer::quic;

bool is_within(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if ((data[0] & 1) == 0) {
        const auto message = decode_main(bytes);
        if (message) REQUIRE(encode(*message) == bytes);
        return 0;
    }
    const auto message = decode_channel(bytes);
    if (!message) return 0;
    if (const auto* const queries = std::get_if<std::vector<QueryView>>(&*message)) {
        for (const QueryView& query : *queries)
            REQUIRE(is_within(query.server_name, bytes) && is_within(query.message, bytes) &&
                    is_within(query.forwarded_for, bytes));
    } else if (const auto* const ends = std::get_if<std::vector<EndView>>(&*message)) {
        for (const EndView& end : *ends)
            REQUIRE(is_within(end.response, bytes));
    } else if (const auto* const grown = std::get_if<GrownCounts>(&*message)) {
        REQUIRE(encode(*grown) == bytes);
    } else if (const auto* const asks = std::get_if<std::vector<AskView>>(&*message)) {
        for (const AskView& ask : *asks)
            REQUIRE(is_within(ask.message, bytes));
    } else if (const auto* const replies = std::get_if<std::vector<ReplyView>>(&*message)) {
        for (const ReplyView& reply : *replies)
            REQUIRE(is_within(reply.message, bytes));
    } else if (const auto* const opening = std::get_if<UpstreamOpening>(&*message)) {
        REQUIRE(encode(*opening) == bytes);
    } else if (const auto* const ready = std::get_if<UpstreamReady>(&*message)) {
        REQUIRE(encode(*ready) == bytes);
    } else if (const auto* const ended = std::get_if<UpstreamEnded>(&*message)) {
        REQUIRE(encode(*ended) == bytes);
    }
    return 0;
}
