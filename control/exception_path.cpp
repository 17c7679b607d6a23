#include "control/exception_path.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <bit>

namespace steer {
namespace {

constexpr unsigned kAroundIp = 14 + 2 * 4;  // Ethernet and two tags

// A ring holds what a TCP sender may have under way to one connection (6 MiB is the most that Linux lets a receiver
// offer by itself), so that a burst of it is not lost while the other side does not run. Queues share that, but each
// has some.
constexpr unsigned kRingBytes = 8U << 20;
constexpr unsigned kLeastSlots = 512;

unsigned slots_for(unsigned frame_bytes, unsigned queues) {
    return std::max(kLeastSlots, std::bit_floor(kRingBytes / queues / frame_bytes));
}

// The settings' rates are those of the dataplane, kind by kind.
#define STEER_SAME_RATE(name, label, rate, text) \
    static_assert(config::ExceptionRates{}.name == (rate));
STEER_EXCEPTION_KINDS(STEER_SAME_RATE)
#undef STEER_SAME_RATE

ExceptionRates rates_of(const config::ExceptionRates& settings) {
    return {
#define STEER_ONE_RATE(name, label, rate, text) settings.name,
        STEER_EXCEPTION_KINDS(STEER_ONE_RATE)
#undef STEER_ONE_RATE
    };
}

}  // namespace

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::open(const std::string& interface,
                                                           const config::PortSettings& port,
                                                           const Port& first, unsigned queues) {
    // What the kernel sends must fit an mbuf of the port in one piece.
    const unsigned room = rte_pktmbuf_data_room_size(first.pool()) - RTE_PKTMBUF_HEADROOM;
    const unsigned mtu = std::min<unsigned>(first.mtu(), room - kAroundIp);
    kernel::ExceptionDeviceOptions options{.name = interface, .mac = first.mac(), .mtu = mtu};
    for (const auto& address : port.interface_addresses)
        options.addresses.push_back({address.ip, address.length});
    auto device = kernel::ExceptionDevice::make(options);
    if (!device) return device.error();
    const unsigned frame_bytes = mtu + kAroundIp;
    auto link =
        std::make_shared<ExceptionLink>(ExceptionOptions{.queues = queues,
                                                         .frame_bytes = frame_bytes,
                                                         .slots = slots_for(frame_bytes, queues),
                                                         .kernel_slots = slots_for(frame_bytes, 1),
                                                         .rates = rates_of(port.exception_rates)});
    std::unique_ptr<ExceptionPath> path(
        new ExceptionPath(std::move(*device), std::move(link), first));
    path->follow_link();
    return path;
}

void ExceptionPath::follow_link() {
    const bool up = wire_.link_is_up();
    if (up != carrier_) device_->set_carrier(up);
    carrier_ = up;
}

Result<void> ExceptionPath::make_again() {
    if (auto done = device_->make_again(); !done) return done;
    carrier_ = true;
    follow_link();
    made_.fetch_add(1, std::memory_order_release);
    return {};
}

Ports ExceptionPath::add_to(Ports queues) {
    Ports out;
    for (unsigned q = 0; q < queues.size(); ++q) {
        out.push_back(
            add_exception_path(std::move(queues[q]), device_->if_index(), link_, q, clock_));
    }
    return out;
}

}  // namespace steer
