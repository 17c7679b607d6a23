// The response to a DNS query over HTTP (RFC 8484), in any version of HTTP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/http/http_response.h"

namespace steer::stream {

inline constexpr std::size_t kMaxHttpContent = 65535;  // of a response: the longest DNS message

inline constexpr std::string_view kDnsMessageType = "application/dns-message";
// The fields of a response that count, in lower case.
inline constexpr std::array<std::string_view, 4> kDohFields{"content-type", "age", "cache-control",
                                                            "retry-after"};

struct DohReply {
    unsigned status = 0;
    std::string content_type;
    std::vector<std::uint8_t> content;
    std::uint32_t age_s = 0;  // in caches on the path (RFC 9111 5.1)
    std::optional<std::uint32_t>
        max_age_s;  // Cache-Control; 0 counts as missing, because it concerns HTTP caches
    std::uint32_t retry_after_s = 0;  // of a 429 or 503 (RFC 9110 10.2.3); 0: none
    // For how long the content may still be used: the rest of max_age_s.
    [[nodiscard]] std::uint32_t fresh_s() const;
    // 425 (RFC 8470 5.2): the upstream did not process the query, because it was early data.
    [[nodiscard]] bool is_too_early() const { return status == 425; }
    // Whether it contains a DNS message.
    [[nodiscard]] bool is_dns() const;
};

// Without its content.
DohReply reply_of(const HttpResponseHead& head);

}  // namespace steer::stream
