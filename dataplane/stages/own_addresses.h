// The addresses and ports that are ours: the worker's fast copy of the table of next hops.
//
// A frame's MAC address costs one comparison of a masked word, also on ports that accept every
// address. Nearly all queries go to the same address, and their sources are not ours. So the last
// matching service address is compared first. A filter of 256 bits over the last byte answers most
// questions about sources.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/port/next_hop.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

class OwnAddresses {
  public:
    // `table` must stay valid until the next call; nullptr: no address is ours.
    void use(const NextHopTable* table) {
        table_ = table;
        last_service_ = {};
        filter_ = {};
        ports_end_ = 1;
        come_by(0);
        if (table == nullptr) return;
        if (!table->dropped_ports.empty()) ports_end_ = table->dropped_ports.back() + 1U;
        for (const auto& a : table->own_addresses)
            mark(a);
        for (const auto& a : table->service_addresses)
            mark(a);
        for (const auto& a : table->broadcast_addresses)
            mark(a);
    }
    [[nodiscard]] const NextHopTable* table() const { return table_; }

    // The next frames are from a port of that device (0: a device that the kernel does not know).
    void come_by(int if_index) {
        device_ = nullptr;
        if (table_ != nullptr) {
            const auto& all = table_->devices;
            const auto it = std::find_if(all.begin(), all.end(), [if_index](const OwnDevice& d) {
                return d.if_index == if_index;
            });
            if (it != all.end()) device_ = &*it;
        }
        mac_ = device_ != nullptr ? word_of(device_->mac.data()) : 0;
        mac_mask_ = device_ != nullptr ? kWholeMac : kGroupBit;
    }
    // Whether the frame is to the device itself. If the kernel does not know the device: to any
    // address that is not a group.
    [[nodiscard]] bool is_own_mac(const std::uint8_t* frame) const {
        return (word_of(frame) & mac_mask_) == mac_;
    }
    // Whether it is to the device's VLAN child with these tags (OwnDevice::Vlan::tags).
    [[nodiscard]] bool is_childs_mac(const std::uint8_t* frame, std::uint32_t tags) const {
        const OwnDevice::Vlan* const child = find_vlan(tags);
        return child != nullptr && std::memcmp(frame, child->mac.data(), child->mac.size()) == 0;
    }
    [[nodiscard]] bool kernel_wants_others() const {
        return device_ != nullptr && device_->promiscuous;
    }
    // Id 0 marks a priority, not a VLAN (802.1Q).
    [[nodiscard]] bool is_vlan(std::uint32_t tags) const {
        return device_ == nullptr || tags == 0 || find_vlan(tags) != nullptr;
    }

    // Whether this is a destination of queries.
    [[nodiscard]] bool is_service(const IpAddress& address, std::uint16_t port) {
        if (table_ == nullptr) return false;
        const auto& ports = table_->service_ports;
        if (std::find(ports.begin(), ports.end(), port) == ports.end()) return false;
        if (address == last_service_) return true;
        if (!std::binary_search(table_->service_addresses.begin(), table_->service_addresses.end(),
                                address)) {
            return false;
        }
        last_service_ = address;
        return true;
    }
    // False: queries may have this source port. True: is_dropped_port() decides.
    [[nodiscard]] bool may_be_dropped_port(std::uint16_t port) const { return port < ports_end_; }
    [[nodiscard]] bool is_dropped_port(std::uint16_t port) const {
        return table_ != nullptr && std::ranges::binary_search(table_->dropped_ports, port);
    }
    // Whether this is any address of this host.
    [[nodiscard]] bool is_own(const IpAddress& address) const {
        return may_be_in_table(address) && is_in_table(address);
    }
    // Whether it is such an address, or the directed broadcast of one of its networks. Queries
    // cannot have such a source.
    [[nodiscard]] bool is_bad_source(const IpAddress& address) const {
        return may_be_in_table(address) && (is_in_table(address) || is_broadcast(address));
    }

  private:
    static constexpr std::uint64_t kWholeMac = 0xffff'ffff'ffff;
    static constexpr std::uint64_t kGroupBit = 1;  // in the first byte, which is the lowest

    static std::uint64_t word_of(const std::uint8_t* mac) {
        std::uint32_t first;
        std::uint16_t last;
        std::memcpy(&first, mac, sizeof first);
        std::memcpy(&last, mac + sizeof first, sizeof last);
        return first | std::uint64_t{last} << 32;
    }
    [[nodiscard]] const OwnDevice::Vlan* find_vlan(std::uint32_t tags) const {
        if (device_ == nullptr) return nullptr;
        const auto& all = device_->vlans;
        const auto it = std::find_if(all.begin(), all.end(),
                                     [tags](const OwnDevice::Vlan& v) { return v.tags == tags; });
        return it == all.end() ? nullptr : &*it;
    }
    [[nodiscard]] bool may_be_in_table(const IpAddress& address) const {
        const auto last = static_cast<std::uint8_t>(address.low());
        return ((filter_[last / 64] >> (last % 64)) & 1) != 0;
    }
    [[nodiscard, gnu::noinline]] bool is_broadcast(const IpAddress& address) const {
        const auto& all = table_->broadcast_addresses;
        return std::binary_search(all.begin(), all.end(), address);
    }
    [[nodiscard, gnu::noinline]] bool is_in_table(const IpAddress& address) const {
        const auto has = [&](const std::vector<IpAddress>& v) {
            return std::binary_search(v.begin(), v.end(), address);
        };
        return has(table_->own_addresses) || has(table_->service_addresses);
    }
    void mark(const IpAddress& a) {
        filter_[a.bytes[15] / 64] |= std::uint64_t{1} << (a.bytes[15] % 64);
    }

    const NextHopTable* table_ = nullptr;
    const OwnDevice* device_ = nullptr;
    std::uint64_t mac_ = 0, mac_mask_ = kGroupBit;
    IpAddress last_service_{};     // :: is never a service address
    std::uint32_t ports_end_ = 1;  // above port 0 and all that are dropped
    std::array<std::uint64_t, 4> filter_{};
};

}  // namespace steer
