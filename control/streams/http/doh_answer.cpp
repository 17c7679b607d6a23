#include "control/streams/http/doh_answer.h"

#include <algorithm>

#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

constexpr std::size_t kSoaNumbers = 20;

struct Fixed {
    std::uint16_t type = 0;
    std::uint32_t ttl_s = 0;
    std::span<const std::uint8_t> rdata;
};

// The record at `at`, which moves behind it; nothing: cut off.
std::optional<Fixed> next_record(std::span<const std::uint8_t> message, std::size_t& at) {
    at = dns::skip_name(message, at);
    if (at == 0 || message.size() < dns::kRecordFixed || at > message.size() - dns::kRecordFixed)
        return std::nullopt;
    const std::uint8_t* const p = &message[at];
    const std::uint16_t length = dns::load_be16(p + 8);
    const std::uint32_t ttl_s = dns::load_be32(p + 4);
    at += dns::kRecordFixed;
    if (length > message.size() - at) return std::nullopt;
    const Fixed record{dns::load_be16(p), ttl_s >> 31 != 0 ? 0 : ttl_s,
                       message.subspan(at, length)};
    at += length;
    return record;
}

}  // namespace

std::optional<std::uint32_t> freshness_s(std::span<const std::uint8_t> response) {
    if (response.size() < dns::kHeaderSize) return std::nullopt;
    const std::uint16_t flags = dns::load_be16(&response[2]);
    const unsigned rcode = flags & dns::kRcodeMask;
    if ((flags & dns::kTc) != 0 || (rcode != dns::kNoError && rcode != dns::kNxDomain))
        return std::nullopt;
    std::size_t at = dns::kHeaderSize;
    for (unsigned i = dns::load_be16(&response[4]); i > 0; --i) {
        at = dns::skip_name(response, at);
        if (at == 0) return std::nullopt;
        at += dns::kTypeAndClass;
    }
    std::optional<std::uint32_t> least;
    for (unsigned i = dns::load_be16(&response[6]); i > 0; --i) {
        const auto record = next_record(response, at);
        if (!record) return std::nullopt;
        least = std::min(least.value_or(record->ttl_s), record->ttl_s);
    }
    for (unsigned i = dns::load_be16(&response[8]); i > 0; --i) {
        const auto record = next_record(response, at);
        if (!record) return std::nullopt;
        if (record->type != dns::kSoa || record->rdata.size() < kSoaNumbers) continue;
        const std::uint32_t minimum = dns::load_be32(&record->rdata.back() - 3);
        least = std::min({least.value_or(UINT32_MAX), record->ttl_s, minimum});
    }
    return least;
}

}  // namespace steer::stream
