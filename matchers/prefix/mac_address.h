// Ethernet addresses as 48-bit numbers, the first byte highest.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steer {

// The six bytes in frame order.
constexpr std::uint64_t mac_number(const std::uint8_t* six) {
    std::uint64_t number = 0;
    for (unsigned i = 0; i < 6; ++i)
        number = number << 8 | six[i];
    return number;
}

// Parses "00:1d:aa:bb:cc:dd", in either case, also with '-'. No value: not an address, or all
// zeros.
constexpr std::optional<std::uint64_t> parse_mac(std::string_view text) {
    constexpr std::size_t kLength = 17;
    if (text.size() != kLength) return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kLength; ++i) {
        const char c = text[i];
        if (i % 3 == 2) {
            if (c != text[2] || (c != ':' && c != '-')) return std::nullopt;
            continue;
        }
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        number = number << 4 | static_cast<std::uint64_t>(digit);
    }
    return number == 0 ? std::nullopt : std::optional(number);
}

}  // namespace steer
