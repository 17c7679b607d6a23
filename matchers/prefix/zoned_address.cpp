#include "matchers/prefix/zoned_address.h"

#include <algorithm>

namespace steer {

std::optional<ZonedAddress> parse_zoned(std::string_view text) {
    constexpr std::size_t kLongestZone = 15;  // IFNAMSIZ without the final zero
    const auto percent = text.find('%');
    const auto address = IpAddress::parse(text.substr(0, percent));
    if (!address) return std::nullopt;
    if (percent == std::string_view::npos) return ZonedAddress{*address, {}};
    const std::string_view zone = text.substr(percent + 1);
    const bool is_name =
        !zone.empty() && zone.size() <= kLongestZone &&
        std::all_of(zone.begin(), zone.end(), [](char c) {
            return c > ' ' && c <= '~' && c != '/' && c != ':' && c != '%' && c != ']';
        });
    if (!address->is_link_local() || !is_name) return std::nullopt;
    return ZonedAddress{*address, std::string(zone)};
}

}  // namespace steer
