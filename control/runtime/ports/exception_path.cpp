#include "control/runtime/ports/exception_path.h"

#include <rte_mbuf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace steer {
namespace {

constexpr unsigned kAroundIp = 14 + 2 * 4;  // Ethernet and two tags

// A ring holds the bytes in flight of one TCP connection (Linux offers 6 MiB at most by default), so that a burst is
// not lost while the other side does not run. Queues share this size, and each has a minimum.
constexpr unsigned kRingBytes = 8U << 20;
constexpr unsigned kMinSlots = 512;

unsigned slots_for(unsigned frame_bytes, unsigned queues) {
    return std::max(kMinSlots, std::bit_floor(kRingBytes / queues / frame_bytes));
}

// The settings' rates are those of the dataplane, kind by kind.
#define STEER_SAME_RATE(name, text, rate) static_assert(config::ExceptionRates{}.name == (rate));
STEER_EXCEPTION_KINDS(STEER_SAME_RATE)
#undef STEER_SAME_RATE

ExceptionRates rates_of(const config::ExceptionRates& settings) {
    return {
#define STEER_ONE_RATE(name, text, rate) settings.name,
        STEER_EXCEPTION_KINDS(STEER_ONE_RATE)
#undef STEER_ONE_RATE
    };
}

// Whether a worker can sleep until the port has packets, so that it has to be woken for the kernel's, too.
bool first_wakes(const Ports& queues) {
    return queues.front()->wake_fd() >= 0;
}

constexpr const char* kVhostNet = "/dev/vhost-net";
constexpr unsigned kVhostSlots = 1024;  // frames that wait in a queue, in each direction

bool has_vhost_net() {
    return ::access(kVhostNet, R_OK | W_OK) == 0;
}

}  // namespace

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::open(const std::string& interface,
                                                           const config::PortSettings& port,
                                                           const Ports& queues) {
    const Port& first = *queues.front();
    // What the kernel sends must fit an mbuf of the port in one piece.
    const unsigned room = rte_pktmbuf_data_room_size(first.pool()) - RTE_PKTMBUF_HEADROOM;
    kernel::ExceptionDeviceOptions options{
        .name = interface,
        .mac = first.mac(),
        .mtu = std::min<unsigned>(first.mtu(), room - kAroundIp)};
    for (const auto& address : port.interface_addresses)
        options.addresses.push_back({address.ip, address.length});
    if (auto free = kernel::ExceptionDevice::check_free(interface); !free) return free.error();

    const ExceptionRates rates = rates_of(port.exception_rates);
    using config::ExceptionDriver;
    if (port.exception_driver == ExceptionDriver::vhost) return by_vhost(options, rates, queues);
    if (port.exception_driver == ExceptionDriver::tap || !has_vhost_net())
        return by_rings(options, rates, queues);
    auto vhost = by_vhost(options, rates, queues);
    if (vhost) return vhost;
    auto rings = by_rings(options, rates, queues);
    if (rings) (*rings)->warning_ = vhost.error().text;
    return rings;
}

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::by_rings(
    const kernel::ExceptionDeviceOptions& options, const ExceptionRates& rates,
    const Ports& queues) {
    std::unique_ptr<ExceptionPath> path(new ExceptionPath(*queues.front()));
    auto device = kernel::ExceptionDevice::make(options);
    if (!device) return device.error();
    path->device_ = std::move(*device);
    const auto count = static_cast<unsigned>(queues.size());
    const unsigned frame_bytes = options.mtu + kAroundIp;
    path->link_ =
        std::make_shared<ExceptionLink>(ExceptionOptions{.queues = count,
                                                         .frame_bytes = frame_bytes,
                                                         .slots = slots_for(frame_bytes, count),
                                                         .kernel_slots = slots_for(frame_bytes, 1),
                                                         .rates = rates});
    path->follow_link();
    return path;
}

// virtio-user makes the interface, with a queue for each of the port's.
Result<std::unique_ptr<ExceptionPath>> ExceptionPath::by_vhost(
    const kernel::ExceptionDeviceOptions& options, const ExceptionRates& rates,
    const Ports& queues) {
    const auto refused = [&](const std::string& why) {
        return Error{"the exception interface " + options.name +
                     " cannot be served by vhost-net: " + why +
                     " (`exception_driver: tap` does without)"};
    };
    if (!has_vhost_net()) {
        return refused(std::string(kVhostNet) +
                       (errno == ENOENT ? " is not there: `modprobe vhost-net`"
                                        : " cannot be opened: " + std::string(strerror(errno))));
    }
    EthdevOptions own{.queues = static_cast<std::uint16_t>(queues.size()),
                      .descriptors = kVhostSlots,
                      .interrupts = first_wakes(queues)};
    for (const auto& queue : queues)
        own.pools.push_back(queue->pool());
    std::unique_ptr<ExceptionPath> path(new ExceptionPath(*queues.front()));
    auto kernel = open_vdev("net_virtio_user",
                            "path=" + std::string(kVhostNet) + ",iface=" + options.name +
                                ",queues=" + std::to_string(queues.size()) +
                                ",queue_size=" + std::to_string(kVhostSlots),
                            own);
    if (!kernel) return refused(kernel.error().text);
    path->kernel_queues_ = std::move(*kernel);
    auto device = kernel::ExceptionDevice::adopt(options);
    if (!device) return device.error();
    path->device_ = std::move(*device);
    path->counters_ = std::make_unique<ExceptionCounters>(static_cast<unsigned>(queues.size()));
    path->rates_ = rates;
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
    const int if_index = device_->if_index();
    Ports out;
    for (unsigned q = 0; q < queues.size(); ++q) {
        out.push_back(link_ ? add_exception_path(std::move(queues[q]), if_index, link_, q, clock_)
                            : add_exception_path(std::move(queues[q]), if_index,
                                                 std::move(kernel_queues_[q]), counters_->queue(q),
                                                 rates_, clock_));
    }
    kernel_queues_.clear();
    return out;
}

std::string ExceptionPath::describe() const {
    return device_->name() + (link_ ? ", a TAP" : " by vhost-net");
}

}  // namespace steer
