#include "control/stream/http/http_client.h"

#include <algorithm>
#include <string_view>

namespace steer::stream {

bool HttpReply::is_dns() const {
    constexpr std::string_view kType = "application/dns-message";
    const std::string_view type = std::string_view(content_type).substr(0, kType.size());
    const bool ends = content_type.size() == type.size() || content_type[type.size()] == ';' ||
                      content_type[type.size()] == ' ';
    return status == 200 && ends &&
           std::ranges::equal(type, kType, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

}  // namespace steer::stream
