#include "control/host/kernel/hop_table.h"

#include <algorithm>

namespace steer::kernel {
namespace {

// The tags of an interface's packets on a port's device: none, a VLAN, a VLAN in a VLAN.
struct Place {
    const PortDevice* device = nullptr;
    VlanTags vlan;
};

bool wants_own(const PortDevice& device) {
    return device.own_too || (device.addresses.empty() && device.links.empty());
}

bool wants_link(const PortDevice& device, const Link& link) {
    return std::find(device.links.begin(), device.links.end(), link.name) != device.links.end();
}

Place place_of(const Link& link, const Interfaces& interfaces,
               std::span<const PortDevice> devices) {
    VlanTags vlan;
    const Link* at = &link;
    for (int depth = 0; depth < 2 && at != nullptr && at->vlan_parent != 0; ++depth) {
        vlan = {at->vlan_id, vlan.outer};
        at = interfaces.find(at->vlan_parent);
    }
    if (at == nullptr) return {};
    const auto it = std::find_if(devices.begin(), devices.end(), [&](const PortDevice& device) {
        return index_of(device) == at->if_index;
    });
    return it == devices.end() ? Place{} : Place{&*it, vlan};
}

void sort_unique(std::vector<IpAddress>& addresses) {
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

}  // namespace

int vrf_of(int if_index, const Interfaces& interfaces) {
    const Link* const link = interfaces.find(if_index);
    if (link == nullptr) return 0;
    if (link->is_vrf) return if_index;
    const Link* const master = interfaces.find(link->master);
    return master != nullptr && master->is_vrf ? link->master : 0;
}

HopTarget resolve(const IpAddress& upstream, const Route& route, const Interfaces& interfaces,
                  std::span<const PortDevice> devices) {
    HopTarget target;
    NextHop& hop = target.hop;
    if (route.kind == Route::Kind::none) return target;
    hop.via = NextHop::Via::kernel;
    if (route.kind == Route::Kind::local) return target;
    target.vrf = vrf_of(route.if_index, interfaces);
    const Link* link = interfaces.find(route.if_index);
    if (link == nullptr || !link->asks_neighbours) return target;
    const Place place = place_of(*link, interfaces, devices);
    // We send with one tag at most; the kernel sends packets with two.
    if (place.device == nullptr || place.device->sockets || place.device->copies ||
        place.vlan.inner != 0)
        return target;
    // The kernel fills in addresses as the route's family has them; another family has no source there.
    if (!route.source || route.source->is_v4() != upstream.is_v4()) {
        hop.via = NextHop::Via::nothing;
        return target;
    }
    hop.via = NextHop::Via::port;
    hop.tagged = place.vlan.outer != 0;
    hop.vlan_tci = place.vlan.outer;
    hop.if_index = place.device->if_index;
    hop.own_mac = link->mac;
    hop.source = *route.source;
    target.neighbour = NeighbourKey{route.if_index, route.gateway.value_or(upstream)};
    return target;
}

NextHop complete(const HopTarget& target, const Neighbour& neighbour) {
    if (!target.neighbour) return target.hop;
    if (!neighbour.usable()) return {};
    NextHop hop = target.hop;
    hop.peer_mac = neighbour.mac;
    return hop;
}

void find_devices(const Interfaces& interfaces, std::span<PortDevice> devices) {
    for (PortDevice& device : devices) {
        if (device.name.empty() || interfaces.find(index_of(device)) != nullptr) continue;
        const auto named = std::find_if(interfaces.links.begin(), interfaces.links.end(),
                                        [&](const Link& link) { return link.name == device.name; });
        if (named != interfaces.links.end()) device.index_now = named->if_index;
    }
}

std::vector<IpAddress> service_addresses(const Interfaces& interfaces,
                                         std::span<const PortDevice> devices,
                                         const std::function<bool(const IpAddress&)>& is_local) {
    std::vector<IpAddress> all;
    for (const PortDevice& device : devices) {
        std::copy_if(
            device.addresses.begin(), device.addresses.end(), std::back_inserter(all),
            [&](const IpAddress& address) { return device.name.empty() || is_local(address); });
    }
    for (const Address& address : interfaces.addresses) {
        const Link* link = interfaces.find(address.if_index);
        if (link == nullptr) continue;
        const Place place = place_of(*link, interfaces, devices);
        const bool linked = std::any_of(devices.begin(), devices.end(), [&](const PortDevice& d) {
            return wants_link(d, *link) && !address.ip.is_loopback();
        });
        if (linked || (place.device != nullptr && wants_own(*place.device))) {
            all.push_back(address.ip);
        }
    }
    sort_unique(all);
    return all;
}

std::vector<IpAddress> own_addresses(const Interfaces& interfaces) {
    std::vector<IpAddress> all;
    for (const Address& address : interfaces.addresses)
        all.push_back(address.ip);
    sort_unique(all);
    return all;
}

std::vector<IpAddress> broadcast_addresses(const Interfaces& interfaces) {
    constexpr unsigned kBits = 128, kHostBitsOfLink = 1;  // a /31 has no broadcast
    std::vector<IpAddress> all;
    for (const Address& address : interfaces.addresses) {
        if (!address.ip.is_v4() || address.ip.is_loopback()) continue;
        const unsigned host_bits = kBits - address.length;
        if (host_bits <= kHostBitsOfLink) continue;
        IpAddress last = address.ip;
        for (unsigned bit = 0; bit < std::min(host_bits, 32U); ++bit)
            last.bytes[last.bytes.size() - 1 - bit / 8] |= static_cast<std::uint8_t>(1U << bit % 8);
        all.push_back(last);
    }
    sort_unique(all);
    return all;
}

std::vector<DeviceState> device_states(const Interfaces& interfaces,
                                       std::span<const PortDevice> devices) {
    std::vector<DeviceState> states;
    for (const PortDevice& device : devices) {
        const Link* link = interfaces.find(index_of(device));
        if (link == nullptr) continue;
        DeviceState state{.if_index = device.if_index,
                          .name = link->name,
                          .up = link->up,
                          .mac = link->mac,
                          .promiscuous = link->promiscuous};
        for (const Link& other : interfaces.links) {
            const Place place = place_of(other, interfaces, std::span(&device, 1));
            if (place.device == nullptr) continue;
            if (other.vlan_parent != 0) state.vlans.push_back({place.vlan, other.mac});
            if (device.copies) state.copying.push_back(other.if_index);
        }
        for (const Address& address : interfaces.addresses) {
            const Link* on = interfaces.find(address.if_index);
            if (on == nullptr) continue;
            if (place_of(*on, interfaces, std::span(&device, 1)).device == nullptr) continue;
            (on->up ? state.addresses : state.without_link)
                .push_back({device.if_index, on->if_index, on->mac, address.ip});
        }
        std::sort(state.copying.begin(), state.copying.end());
        std::sort(state.vlans.begin(), state.vlans.end());
        states.push_back(std::move(state));
    }
    return states;
}

}  // namespace steer::kernel
