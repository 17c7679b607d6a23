#include "dataplane/port/ethdev.h"

#include <net/if.h>
#include <rte_bus_vdev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

#include "dataplane/base/memory_node.h"
#include "dataplane/port/descriptor.h"
#include "dataplane/port/dpdk_log.h"
#include "dataplane/port/mbuf_pool.h"
#include "dataplane/port/memif_socket.h"

namespace steer {
namespace {

// The fields for RSS: a client's flow stays with one worker.
constexpr std::uint64_t kRss = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
                               RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
                               RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
constexpr std::uint64_t kChecksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

// Configured and started; the last of its queues stops and closes it, and then frees its pools, whose mbufs its rings
// (and those of other devices, see EthdevOptions::pools) held.
struct Device {
    std::uint16_t id = 0;
    std::string vdev;  // to be removed with it; "": EAL's own
    bool started = false;
    std::atomic<bool> interrupted = false;  // at least once, at any queue
    bool may_interrupt = false;             // configured so; whether its queues can, they find out
    std::string description;
    std::vector<MbufPool> pools;  // its own

    ~Device() {
        if (started) rte_eth_dev_stop(id);
        if (vdev.empty()) {
            rte_eth_dev_close(id);
        } else {
            rte_vdev_uninit(vdev.c_str());
        }
    }
};

std::string name_of(const Device& device) {
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    rte_eth_dev_get_name_by_port(device.id, name.data());
    return name.data();
}

class EthdevPort final : public Port {
  public:
    EthdevPort(std::shared_ptr<Device> device, std::uint16_t queue, rte_mempool* pool,
               const EthdevOptions& options)
        : device_(std::move(device)),
          pool_(pool),
          queue_(queue),
          follows_link_(options.follows_link) {
        name_ = options.interface.empty() ? name_of(*device_) : options.interface;
        rte_ether_addr mac{};
        rte_eth_macaddr_get(device_->id, &mac);
        std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
        if_index_ = options.interface.empty()
                        ? 0
                        : static_cast<int>(if_nametoindex(options.interface.c_str()));
        partial_checksums_ = options.partial_checksums;
        rte_eth_dev_get_mtu(device_->id, &mtu_);
    }
    ~EthdevPort() override { end_interrupts(); }

    // At set-up. Returns false if the driver has no receive interrupts for this queue.
    bool begin_interrupts();
    void end_interrupts() noexcept;

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return rte_eth_rx_burst(device_->id, queue_, out, n);
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        return rte_eth_tx_burst(device_->id, queue_, packets, n);
    }
    [[nodiscard]] int wake_fd() const noexcept override { return interrupts_.get(); }
    void arm() noexcept override {
        if (interrupts_.get() >= 0) rte_eth_dev_rx_intr_enable(device_->id, queue_);
    }
    void disarm() noexcept override {
        if (interrupts_.get() >= 0) rte_eth_dev_rx_intr_disable(device_->id, queue_);
    }
    // DPDK reads the interrupt's own descriptor in the way of its kind.
    void woken(int /*fd*/) noexcept override {
        rte_epoll_event event{};
        rte_epoll_wait(interrupts_.get(), &event, 1, 0);
        if (!wakes()) device_->interrupted.store(true, std::memory_order_relaxed);
    }
    [[nodiscard]] bool wakes() const noexcept override {
        return device_->interrupted.load(std::memory_order_relaxed);
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return pool_; }
    [[nodiscard]] bool link_is_up() const noexcept override {
        rte_eth_link link{};
        return !follows_link_ || rte_eth_link_get_nowait(device_->id, &link) != 0 ||
               link.link_status == RTE_ETH_LINK_UP;
    }
    [[nodiscard]] PortLosses losses() const noexcept override {
        rte_eth_stats stats{};
        if (queue_ != 0 || rte_eth_stats_get(device_->id, &stats) != 0) return {};
        return {stats.imissed, stats.rx_nombuf, stats.ierrors, stats.oerrors};
    }
    [[nodiscard]] const Device& device() const noexcept { return *device_; }

  private:
    std::shared_ptr<Device> device_;
    rte_mempool* pool_;
    Descriptor interrupts_;  // an epoll set with the descriptor of the queue's interrupt
    std::uint16_t queue_;
    bool follows_link_;
};

bool EthdevPort::begin_interrupts() {
    Descriptor set(::epoll_create1(EPOLL_CLOEXEC));
    if (set.get() < 0 ||
        rte_eth_dev_rx_intr_ctl_q(device_->id, queue_, set.get(), RTE_INTR_EVENT_ADD, nullptr) != 0)
        return false;
    interrupts_ = std::move(set);
    if (rte_eth_dev_rx_intr_enable(device_->id, queue_) == 0) {
        rte_eth_dev_rx_intr_disable(device_->id, queue_);
        return true;
    }
    end_interrupts();
    return false;
}

void EthdevPort::end_interrupts() noexcept {
    if (interrupts_.get() < 0) return;
    rte_eth_dev_rx_intr_ctl_q(device_->id, queue_, interrupts_.get(), RTE_INTR_EVENT_DEL, nullptr);
    interrupts_ = {};
}

Error refusal(const Device& device, const std::string& what, int code) {
    return Error{name_of(device) + ": " + what + ": " + std::strerror(std::abs(code))};
}

// Of a NIC its own, which its DMA reaches best; of a virtual device that of who opens it.
int node_of(const Device& device) {
    const int own = device.vdev.empty() ? rte_eth_dev_socket_id(device.id) : kAnyNode;
    return own == kAnyNode ? memory_node() : own;
}

// A frame of the largest size fits one mbuf. Drivers round the room for a frame down to 1 KiB.
std::uint16_t data_room(std::uint16_t mtu) {
    constexpr unsigned kAroundIp = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN;
    constexpr unsigned kUnit = 1024;
    const unsigned room = (mtu + kAroundIp + kUnit - 1) / kUnit * kUnit;
    return static_cast<std::uint16_t>(
        std::max<unsigned>(RTE_MBUF_DEFAULT_BUF_SIZE, RTE_PKTMBUF_HEADROOM + room));
}

MbufPool make_pool(const Device& device, std::uint16_t queue, const EthdevOptions& options) {
    return make_mbuf_pool("port" + std::to_string(device.id) + "q" + std::to_string(queue),
                          options.mbufs, data_room(options.mtu), node_of(device));
}

rte_mempool* pool_of(const Device& device, std::uint16_t queue, const EthdevOptions& options) {
    return options.pools.empty() ? device.pools[queue].get() : options.pools[queue];
}

// By hardware, or by virtio-user.
bool is_virtio(const rte_eth_dev_info& info) {
    return std::string_view(info.driver_name).starts_with("net_virtio");
}

// Checksums that the device verifies. Not for virtio: then its peers would leave checksums partial.
std::uint64_t wanted_checksums(const rte_eth_dev_info& info, const EthdevOptions& options) {
    const bool trusted = !options.partial_checksums && !is_virtio(info);
    return trusted ? info.rx_offload_capa & kChecksums : 0;
}

std::uint64_t rss_of(const rte_eth_dev_info& info) {
    return info.flow_type_rss_offloads & kRss;
}

// Whether packets arrive on more than one queue: by the device's RSS, or by the peer of a virtual device. (e1000 has two
// queues and no RSS: all packets arrive on the first.)
bool spreads(const Device& device, const rte_eth_dev_info& info) {
    return rss_of(info) != 0 || !device.vdev.empty() || is_virtio(info);
}

// The number of queues, or why there are not as many.
Result<std::uint16_t> plan_queues(const Device& device, const rte_eth_dev_info& info,
                                  const EthdevOptions& options) {
    const std::uint16_t most = std::min(info.max_rx_queues, info.max_tx_queues);
    if (options.queues > most) {
        return Error{name_of(device) + " has " + std::to_string(most) + " queues and `queues` is " +
                     std::to_string(options.queues) + "; lower it"};
    }
    if (!spreads(device, info)) {
        if (options.queues <= 1) return 1;
        return Error{name_of(device) + " (" + info.driver_name +
                     ") has no RSS, so all packets arrive on its first queue, and `queues` is " +
                     std::to_string(options.queues) +
                     "; write 1: the worker of that queue gives the others their share"};
    }
    if (options.queues != 0) return options.queues;
    return std::max<std::uint16_t>(1, std::min(most, options.most_queues));
}

Result<void> check_mtu(const Device& device, const rte_eth_dev_info& info, std::uint16_t mtu) {
    if (mtu == 0 || (mtu >= info.min_mtu && mtu <= info.max_mtu)) return {};
    return Error{name_of(device) + " (" + info.driver_name + ") supports an MTU of " +
                 std::to_string(info.min_mtu) + " to " + std::to_string(info.max_mtu) +
                 " and `mtu` is " + std::to_string(mtu)};
}

// A worker reads the tag in the frame.
Result<void> keep_vlan_tags(const Device& device) {
    const int now = rte_eth_dev_get_vlan_offload(device.id);
    if (now < 0 || (now & RTE_ETH_VLAN_STRIP_OFFLOAD) == 0) return {};
    if (rte_eth_dev_set_vlan_offload(device.id, now & ~RTE_ETH_VLAN_STRIP_OFFLOAD) == 0) return {};
    return Error{
        name_of(device) +
        " takes VLAN tags out of the frames and cannot be told not to; turn that off where the "
        "device is made (for a virtual function: `ip link set PF vf N vlan 0` on its host)"};
}

// If the host offers VLAN filtering, DPDK's virtio driver accepts it and receives only VLANs that it asks for. Other
// drivers pass every tag until filtering is on. All tags are let in: a tag that we do not serve goes to the kernel.
bool filters_vlans(const rte_eth_dev_info& info) {
    return is_virtio(info) && (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER) != 0;
}

Result<void> let_in_vlans(const Device& device) {
    constexpr std::uint16_t kMax = RTE_ETHER_MAX_VLAN_ID - 1;  // the last is reserved
    for (std::uint16_t vlan = 0; vlan <= kMax; ++vlan) {
        if (const int e = rte_eth_dev_vlan_filter(device.id, vlan, 1); e != 0)
            return refusal(device, "does not let in VLAN " + std::to_string(vlan), e);
    }
    return {};
}

std::string describe(const rte_eth_dev_info& info, const rte_eth_conf& conf, std::uint16_t queues) {
    std::string text = info.driver_name;
    text += ", " + std::to_string(queues) + (queues == 1 ? " queue" : " queues");
    if (conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) text += " by RSS";
    if (conf.rxmode.mtu != 0) text += ", MTU " + std::to_string(conf.rxmode.mtu);
    const std::uint64_t sums = conf.rxmode.offloads & kChecksums;
    if (sums == kChecksums) return text + ", verifies IPv4 and UDP checksums";
    if (sums == RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) return text + ", verifies IPv4 checksums";
    if (sums == RTE_ETH_RX_OFFLOAD_UDP_CKSUM) return text + ", verifies UDP checksums";
    return text + ", checksums in software";
}

// Configures the device, gives it its queues, and starts it.
Result<void> start(Device& device, const rte_eth_conf& conf, std::uint16_t queues,
                   const EthdevOptions& options) {
    if (const int e = rte_eth_dev_configure(device.id, queues, queues, &conf); e != 0) {
        return refusal(device, "cannot be configured", e);
    }
    if (const Result<void> kept = keep_vlan_tags(device); !kept) return kept.error();
    std::uint16_t rx_size = options.descriptors;
    std::uint16_t tx_size = options.descriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(device.id, &rx_size, &tx_size);
    const int found_socket = node_of(device);
    const unsigned socket = found_socket < 0 ? 0U : static_cast<unsigned>(found_socket);
    for (std::uint16_t q = 0; q < queues; ++q) {
        if (options.pools.empty() && device.pools.size() <= q)
            device.pools.push_back(make_pool(device, q, options));
        rte_mempool* const pool = pool_of(device, q, options);
        if (pool == nullptr) return refusal(device, "no memory for its packets", rte_errno);
        if (const int e = rte_eth_rx_queue_setup(device.id, q, rx_size, socket, nullptr, pool);
            e != 0) {
            return refusal(device, "receive queue " + std::to_string(q), e);
        }
        if (const int e = rte_eth_tx_queue_setup(device.id, q, tx_size, socket, nullptr); e != 0) {
            return refusal(device, "transmit queue " + std::to_string(q), e);
        }
    }
    if (const int e = rte_eth_dev_start(device.id); e != 0) {
        return refusal(device, "does not start", e);
    }
    device.started = true;
    return {};
}

// Returns how many queues it has.
Result<std::uint16_t> configure(Device& device, const EthdevOptions& options) {
    rte_eth_dev_info info{};
    if (const int e = rte_eth_dev_info_get(device.id, &info); e != 0) {
        return refusal(device, "does not say what it can do", e);
    }
    const Result<std::uint16_t> queues = plan_queues(device, info, options);
    if (!queues) return queues.error();
    if (const Result<void> fits = check_mtu(device, info, options.mtu); !fits) return fits.error();
    rte_eth_conf conf{};
    conf.rxmode.mtu = options.mtu;
    conf.rxmode.offloads = wanted_checksums(info, options);
    const bool vlans = filters_vlans(info);
    if (vlans) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
    if (const std::uint64_t rss = rss_of(info); *queues > 1 && rss != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = rss;
    }
    // No capability names receive interrupts: a driver without them refuses here, or its queues do.
    conf.intr_conf.rxq = options.interrupts ? 1 : 0;
    Result<void> started = start(device, conf, *queues, options);
    if (!started && options.interrupts) {
        conf.intr_conf.rxq = 0;
        started = start(device, conf, *queues, options);
    }
    if (!started) return started.error();
    device.may_interrupt = conf.intr_conf.rxq != 0;
    device.description = describe(info, conf, *queues);
    if (vlans) {
        if (const Result<void> done = let_in_vlans(device); !done) return done.error();
    }
    // ND uses multicast; frames that are not for us go to the exception interface or are dropped.
    if (device.vdev.empty() && rte_eth_allmulticast_enable(device.id) != 0)
        rte_eth_promiscuous_enable(device.id);
    return *queues;
}

// Every queue has interrupts, or none.
bool begin_interrupts(std::span<const std::unique_ptr<EthdevPort>> queues) {
    const bool all = std::all_of(queues.begin(), queues.end(),
                                 [](const auto& queue) { return queue->begin_interrupts(); });
    for (const auto& queue : queues)
        if (!all) queue->end_interrupts();
    return all;
}

Result<Ports> open_device(const std::shared_ptr<Device>& device, const EthdevOptions& options) {
    const Result<std::uint16_t> count = configure(*device, options);
    if (!count) return count.error();
    std::vector<std::unique_ptr<EthdevPort>> queues;
    for (std::uint16_t q = 0; q < *count; ++q) {
        queues.push_back(
            std::make_unique<EthdevPort>(device, q, pool_of(*device, q, options), options));
    }
    if (options.interrupts) {
        const bool has_them = device->may_interrupt && begin_interrupts(queues);
        device->description += has_them ? ", receive interrupts" : ", no receive interrupts";
    }
    return Ports(std::make_move_iterator(queues.begin()), std::make_move_iterator(queues.end()));
}

// Whether a driver accepts a device of that name.
bool has_driver(const std::string& vdev) {
    rte_devargs arguments{};
    const bool known = rte_devargs_parse(&arguments, vdev.c_str()) == 0;
    std::free(arguments.data);
    return known;
}

// As Debian names it: net_af_packet is in librte-net-af-packet23.
std::string package_of(std::string driver) {
    if (driver == "net_virtio_user") driver = "net_virtio";
    std::replace(driver.begin(), driver.end(), '_', '-');
    return "librte-" + driver + "23";
}

}  // namespace

Result<Ports> open_ethdev(std::uint16_t ethdev_id, const EthdevOptions& options) {
    if (rte_eth_dev_is_valid_port(ethdev_id) == 0) {
        return Error{"there is no DPDK port " + std::to_string(ethdev_id)};
    }
    auto device = std::make_shared<Device>();
    device->id = ethdev_id;
    DpdkLog log;
    auto ports = open_device(device, options);
    if (!ports) return Error{ports.error().text + log.in_brackets()};
    return ports;
}

Result<std::uint16_t> find_ethdev(const std::string& name) {
    std::uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
        return Error{"DPDK has no network device " + name};
    }
    return id;
}

Result<Ports> open_vdev(const std::string& driver, const std::string& arguments,
                        EthdevOptions options) {
    static std::atomic<unsigned> serial{0};
    const std::string name = driver + "_steer" + std::to_string(serial.fetch_add(1));
    DpdkLog log;
    if (!has_driver(name)) {
        return Error{"DPDK's driver " + driver + " is not installed: `apt-get install " +
                     package_of(driver) + "`"};
    }
    if (const int e = rte_vdev_init(name.c_str(), arguments.c_str()); e != 0) {
        // Drivers return -1 for every error and log the cause.
        const std::string cause = log.last_line();
        return Error{"DPDK device " + driver + " with \"" + arguments +
                     "\" cannot be made: " + (cause.empty() ? std::strerror(std::abs(e)) : cause)};
    }
    auto device = std::make_shared<Device>();
    if (const int e = rte_eth_dev_get_port_by_name(name.c_str(), &device->id); e != 0) {
        rte_vdev_uninit(name.c_str());
        return Error{driver + " is not a DPDK network device"};
    }
    device->vdev = name;
    if (driver == "net_tap") {
        // Packets that a local socket sends through a TAP may carry only the pseudo-header's sum.
        options.partial_checksums = true;
        if (options.interface.empty()) options.interface = device_argument(arguments, "iface");
    }
    if (driver == "net_memif") options.follows_link = true;  // up while its peer is connected
    return open_device(device, options);
}

std::string describe_ethdev(const Port& port) {
    const auto* const mine = dynamic_cast<const EthdevPort*>(&port);
    return mine == nullptr ? std::string{} : mine->device().description;
}

}  // namespace steer
