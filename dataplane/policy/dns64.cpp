#include "dataplane/policy/dns64.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "dataplane/policy/facts.h"

namespace steer {

bool Dns64::to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept {
    const IpAddress address = IpAddress::from_v4(v4);
    const auto at = std::find_if(prefixes.begin(), prefixes.end(),
                                 [&](const Dns64Prefix& p) { return p.takes(address); });
    if (at == prefixes.end()) return false;
    at->prefix.embed(v4, v6);
    return true;
}

std::optional<IpAddress> behind_pointer(std::span<const Dns64> all,
                                        std::span<const std::uint8_t> name) noexcept {
    const auto address = address_in_name(name);
    if (!address || address->is_v4()) return std::nullopt;
    for (const Dns64& dns64 : all) {
        for (const Dns64Prefix& p : dns64.prefixes) {
            if (!p.prefix.holds(address->bytes.data())) continue;
            std::array<std::uint8_t, 4> v4;
            p.prefix.extract(address->bytes.data(), v4.data());
            return IpAddress::from_v4(v4.data());
        }
    }
    return std::nullopt;
}

std::span<const std::uint8_t> write_pointer(const IpAddress& v4, PointerName& room) noexcept {
    constexpr std::string_view kSuffix("\7in-addr\4arpa\0", 14);
    std::size_t size = 0;
    for (unsigned octet = 4; octet-- > 0;) {
        char* const text = reinterpret_cast<char*>(&room[size + 1]);
        const auto end = std::to_chars(text, text + 3, v4.v4()[octet]).ptr;
        room[size] = static_cast<std::uint8_t>(end - text);
        size += 1U + room[size];
    }
    std::memcpy(&room[size], kSuffix.data(), kSuffix.size());
    return {room.data(), size + kSuffix.size()};
}

}  // namespace steer
