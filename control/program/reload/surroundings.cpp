#include "control/program/reload/surroundings.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <memory>
#include <optional>

namespace steer {
namespace {

std::optional<IpAddress> read_address(const sockaddr* address) {
    if (address == nullptr) return std::nullopt;
    if (address->sa_family == AF_INET) {
        const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
        return IpAddress::from_v4(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr));
    }
    if (address->sa_family == AF_INET6) {
        return IpAddress::from_v6(
            reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr);
    }
    return std::nullopt;
}

std::uint8_t prefix_length(const sockaddr* netmask) {
    unsigned bits = 0;
    if (const auto mask = read_address(netmask)) {
        const bool v4 = netmask->sa_family == AF_INET;
        for (std::size_t i = v4 ? 12 : 0; i < 16; ++i)
            bits += static_cast<unsigned>(std::popcount(mask->bytes[i]));
        if (v4) bits += 96;
    }
    return static_cast<std::uint8_t>(bits);
}

// `length` as its family counts.
void add_network(build::Surroundings& around, const IpAddress& address, int length) {
    if (auto network = matchers::Prefix::parse(address.to_string() + "/" + std::to_string(length)))
        around.own_networks.push_back(*network);
}

}  // namespace

build::Surroundings read_surroundings(const config::Settings& settings) {
    build::Surroundings around;
    around.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::array<char, 256> host_name{};
    if (::gethostname(host_name.data(), host_name.size() - 1) == 0)
        around.host_name = host_name.data();
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) == 0) {
        const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
        for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
            const auto address = read_address(entry->ifa_addr);
            if (!address) continue;
            around.own_addresses.push_back(*address);
            const int length = prefix_length(entry->ifa_netmask);
            add_network(around, *address, address->is_v4() ? length - 96 : length);
        }
    }
    for (const auto& port : settings.dataplane.ports) {
        around.own_addresses.insert(around.own_addresses.end(), port.addresses.begin(),
                                    port.addresses.end());
        // On interfaces that a start makes: they are not there yet.
        for (const auto& address : port.interface_addresses)
            add_network(around, address.ip, address.length);
    }
    return around;
}

}  // namespace steer
