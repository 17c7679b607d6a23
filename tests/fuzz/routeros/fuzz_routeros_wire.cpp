// Bytes as the RouterOS API's framing: any pieces give the same sentences, and what was decoded can
// be encoded.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "routeros/wire.h"

namespace {

using namespace steer::routeros;
using Words = std::vector<std::string>;

std::vector<Words> decode(std::string_view bytes, std::size_t piece, bool& broken) {
    Decoder decoder{{4096, 8192, 64}};
    std::vector<Words> out;
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        decoder.feed(bytes.substr(at, piece));
        while (decoder.next(words) == Decoder::Status::sentence)
            out.emplace_back(words.begin(), words.end());
    }
    broken = !decoder.error().empty();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes{data, data + size};
    bool broken = false, broken_piecewise = false;
    const auto sentences = decode(bytes, bytes.size() + 1, broken);
    if (decode(bytes, 1, broken_piecewise) != sentences || broken != broken_piecewise) std::abort();
    std::string again;
    for (const auto& sentence : sentences) {
        if (sentence.empty()) std::abort();
        for (const auto& word : sentence)
            append_word(again, word);
        append_end(again);
    }
    if (decode(again, 7, broken) != sentences || broken) std::abort();
    return 0;
}
