// DNS responses as JSON (`application/dns-json`), as Google's and Cloudflare's resolvers have it.
//
// Names are full, data has the text form of zone files. The OPT is not a record here: its rcode,
// client subnet and extended errors are `Status`, `edns_client_subnet` and `Comment`. Pure. Every
// name and length of the response is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace steer::stream {

// The records' share of a body. A TXT record with any bytes has five characters a byte, so the
// limit fits all responses but those that point to long names again and again.
inline constexpr std::size_t kMaxJsonRecords = 512 * 1024;
// The rest: the question, and kMaxJsonErrors extended errors.
inline constexpr std::size_t kMaxJsonBody = kMaxJsonRecords + 16 * 1024;
inline constexpr unsigned kMaxJsonErrors = 8;

struct JsonAnswer {
    std::string body;
    bool cut = false;  // records above kMaxJsonRecords were left out; TC says so
};
// No value: the response is malformed.
std::optional<JsonAnswer> json_answer(std::span<const std::uint8_t> response);

}  // namespace steer::stream
