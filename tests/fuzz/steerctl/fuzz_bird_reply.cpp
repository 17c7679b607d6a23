// Replies of BIRD: whole and in pieces they are read alike.
//
// The first byte is the length of the pieces; then the bytes of a reply.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "bird_reply.h"
#include "fuzz/require.h"

using steerctl::BirdReader;
using steerctl::BirdReply;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > BirdReader::kMaxBytes) return 0;
    const std::size_t piece = std::max<std::size_t>(data[0], 1);
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);  // NOLINT

    BirdReply whole, pieced;
    const auto state = BirdReader().take(bytes, whole);
    BirdReader reader;
    auto state_of_pieces = BirdReader::State::incomplete;
    for (std::size_t at = 0; at < bytes.size() && state_of_pieces == BirdReader::State::incomplete;
         at += piece)
        state_of_pieces = reader.take(bytes.substr(at, piece), pieced);
    REQUIRE(state == state_of_pieces);
    REQUIRE(whole.code == pieced.code && whole.lines == pieced.lines);
    REQUIRE(whole.code >= 0 && whole.code <= 9999);
    std::size_t length = 0;
    for (const auto& line : whole.lines) {
        REQUIRE(line.find('\n') == line.npos);
        length += line.size();
    }
    REQUIRE(length <= bytes.size());
    return 0;
}
