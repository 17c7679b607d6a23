#include "dataplane/answer/lease_devices.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace steer {
namespace {

std::size_t slot_hash(const IpAddress& address) noexcept {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
    std::uint64_t mixed = (address.high() ^ std::rotl(address.low(), 29)) * kOdd;
    mixed = (mixed ^ mixed >> 32) * kOdd;
    return static_cast<std::size_t>(mixed >> 32);
}

}  // namespace

LeaseDevices::LeaseDevices(std::vector<LeaseDevice> all)
    : all_(std::move(all)), slots_(all_.empty() ? 0 : std::bit_ceil(all_.size() * 2)) {
    for (std::uint32_t i = 0; i < all_.size(); ++i) {
        if (find(all_[i].address) != nullptr) continue;
        std::size_t at = slot_hash(all_[i].address) & (slots_.size() - 1);
        while (slots_[at] != 0)
            at = (at + 1) & (slots_.size() - 1);
        slots_[at] = i + 1;
    }
}

const LeaseDevice* LeaseDevices::find(const IpAddress& address) const noexcept {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = slot_hash(address) & (slots_.size() - 1); slots_[at] != 0;
         at = (at + 1) & (slots_.size() - 1)) {
        const LeaseDevice& device = all_[slots_[at] - 1];
        if (device.address == address) return &device;
    }
    return nullptr;
}

bool DeviceSet::has(const LeaseDevice* lease, std::uint64_t frame_mac) const noexcept {
    if (std::ranges::binary_search(macs, mac_of_client(lease, frame_mac))) return true;
    if (lease == nullptr) return false;
    return std::ranges::binary_search(names, lease->label) ||
           std::ranges::binary_search(names, lease->name) ||
           std::ranges::binary_search(groups, lease->server) ||
           std::ranges::binary_search(groups, lease->comment) ||
           std::ranges::any_of(lease->lists, [this](const std::string& list) {
               return std::ranges::binary_search(groups, list);
           });
}

}  // namespace steer
