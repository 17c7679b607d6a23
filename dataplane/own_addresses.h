// Which addresses and ports are ours: the worker's fast copy of what the table of next hops says.
//
// Nearly every query goes to the same address and comes from none of ours: the last service address
// that matched is compared first, and a filter of 256 bits over the last byte answers most
// questions about sources.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/port/next_hop.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

class OwnAddresses {
  public:
    // `table` stays valid until the next call; nullptr: nothing is ours.
    void use(const NextHopTable* table) {
        table_ = table;
        last_service_ = {};
        filter_ = {};
        if (table == nullptr) return;
        for (const auto& a : table->own_addresses)
            mark(a);
        for (const auto& a : table->service_addresses)
            mark(a);
    }
    [[nodiscard]] const NextHopTable* table() const { return table_; }

    // A frame with those tags (DeviceVlans::tags) that came by a port of that device. Id 0 is a priority and no
    // VLAN (802.1Q).
    [[nodiscard]] bool is_vlan(int if_index, std::uint32_t tags) const {
        if (table_ == nullptr || tags == 0) return true;
        const auto device =
            std::find_if(table_->vlans.begin(), table_->vlans.end(),
                         [if_index](const DeviceVlans& v) { return v.if_index == if_index; });
        return device == table_->vlans.end() ||
               std::find(device->tags.begin(), device->tags.end(), tags) != device->tags.end();
    }

    // A query's destination.
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
    // Any address of this host.
    [[nodiscard]] bool is_own(const IpAddress& address) const {
        const auto last = static_cast<std::uint8_t>(address.low());
        return ((filter_[last / 64] >> (last % 64)) & 1) != 0 && is_in_table(address);
    }

  private:
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
    IpAddress last_service_{};  // :: is never a service address
    std::array<std::uint64_t, 4> filter_{};
};

}  // namespace steer
