#include "matchers/prefix/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace steer {

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) {
        inet_ntop(AF_INET, v4(), text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    }
    return text.data();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> copy{};
    if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::copy(text.begin(), text.end(), copy.begin());  // of nothing as well
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET, copy.data(), bytes.data()) == 1) return from_v4(bytes.data());
    if (inet_pton(AF_INET6, copy.data(), bytes.data()) == 1) return from_v6(bytes.data());
    return std::nullopt;
}

}  // namespace steer
