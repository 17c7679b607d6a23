#include "control/streams/listen/proxy_header.h"

#include <algorithm>
#include <array>

#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

constexpr std::array<std::uint8_t, 12> kSignature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                  0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::uint8_t kLocal = 0x20, kProxy = 0x21;  // version 2 and the command
constexpr std::uint8_t kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21;
constexpr std::size_t kTcp4Bytes = 12, kTcp6Bytes = 36;  // both addresses and ports

}  // namespace

std::optional<std::size_t> proxy_header_length(
    std::span<const std::uint8_t, kProxyFixedBytes> fixed) {
    if (!std::equal(kSignature.begin(), kSignature.end(), fixed.begin())) return std::nullopt;
    if (fixed[12] != kLocal && fixed[12] != kProxy) return std::nullopt;
    const std::size_t length = kProxyFixedBytes + dns::load_be16(&fixed[14]);
    if (length > kProxyMostBytes) return std::nullopt;
    return length;
}

std::optional<ProxiedClient> read_proxy_header(std::span<const std::uint8_t> header) {
    const std::uint8_t family = header[13];
    const auto rest = header.subspan(kProxyFixedBytes);
    if (header[12] == kLocal || family == kUnspecified) return ProxiedClient{};
    if (family == kTcp4 && rest.size() >= kTcp4Bytes)
        return ProxiedClient{true, IpAddress::from_v4(rest.data()), dns::load_be16(&rest[8])};
    if (family == kTcp6 && rest.size() >= kTcp6Bytes)
        return ProxiedClient{true, IpAddress::from_v6(rest.data()), dns::load_be16(&rest[32])};
    return std::nullopt;
}

}  // namespace steer::stream
