#include "dataplane/port/ethdev.h"

#include <net/if.h>
#include <rte_bus_vdev.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace steer {
namespace {

// Configured and started; stopped and closed by the last of its queues.
struct Device {
    std::uint16_t id = 0;
    std::string vdev;  // to be removed with it; "": EAL's own
    bool started = false;

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

struct FreePool {
    void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};
using Pool = std::unique_ptr<rte_mempool, FreePool>;

class EthdevPort final : public Port {
  public:
    EthdevPort(std::shared_ptr<Device> device, std::uint16_t queue, Pool pool,
               const EthdevOptions& options)
        : pool_(std::move(pool)), device_(std::move(device)), queue_(queue) {
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

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return rte_eth_rx_burst(device_->id, queue_, out, n);
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        return rte_eth_tx_burst(device_->id, queue_, packets, n);
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return pool_.get(); }

  private:
    Pool pool_;  // goes after the device, whose rings hold its mbufs
    std::shared_ptr<Device> device_;
    std::uint16_t queue_;
};

Error refusal(const Device& device, const std::string& what, int code) {
    return Error{name_of(device) + ": " + what + ": " + std::strerror(std::abs(code))};
}

Pool make_pool(const Device& device, std::uint16_t queue, unsigned mbufs) {
    // The name is what DPDK knows a pool by; a device may be closed and opened again.
    static std::atomic<unsigned> serial{0};
    const std::string name = "port" + std::to_string(device.id) + "q" + std::to_string(queue) +
                             "n" + std::to_string(serial.fetch_add(1));
    constexpr unsigned kMbufCache = 256;
    return Pool(rte_pktmbuf_pool_create(name.c_str(), mbufs, std::min(kMbufCache, mbufs / 2), 0,
                                        RTE_MBUF_DEFAULT_BUF_SIZE,
                                        rte_eth_dev_socket_id(device.id)));
}

Result<void> configure(Device& device, const EthdevOptions& options, std::vector<Pool>& pools) {
    rte_eth_dev_info info{};
    if (const int e = rte_eth_dev_info_get(device.id, &info); e != 0) {
        return refusal(device, "does not say what it can do", e);
    }
    if (options.queues > std::min(info.max_rx_queues, info.max_tx_queues)) {
        return Error{name_of(device) + " has " +
                     std::to_string(std::min(info.max_rx_queues, info.max_tx_queues)) +
                     " queues and `queues` is " + std::to_string(options.queues) + "; lower it"};
    }
    rte_eth_conf conf{};
    if (const int e = rte_eth_dev_configure(device.id, options.queues, options.queues, &conf);
        e != 0) {
        return refusal(device, "cannot be configured", e);
    }
    std::uint16_t rx_size = options.descriptors;
    std::uint16_t tx_size = options.descriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(device.id, &rx_size, &tx_size);
    const int found_socket = rte_eth_dev_socket_id(device.id);
    const unsigned socket = found_socket < 0 ? 0U : static_cast<unsigned>(found_socket);
    for (std::uint16_t q = 0; q < options.queues; ++q) {
        Pool& pool = pools.emplace_back(make_pool(device, q, options.mbufs));
        if (pool == nullptr) return refusal(device, "no memory for its packets", rte_errno);
        if (const int e =
                rte_eth_rx_queue_setup(device.id, q, rx_size, socket, nullptr, pool.get());
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

Result<Ports> open_device(std::shared_ptr<Device> device, const EthdevOptions& options) {
    std::vector<Pool> pools;
    if (const Result<void> done = configure(*device, options, pools); !done) {
        device.reset();  // before the pools that its queues point to
        return done.error();
    }
    Ports ports;
    for (std::uint16_t q = 0; q < options.queues; ++q) {
        ports.push_back(std::make_unique<EthdevPort>(device, q, std::move(pools[q]), options));
    }
    return ports;
}

// The value of `key=` in a devargs string.
std::string argument(const std::string& arguments, const std::string& key) {
    for (std::size_t at = 0; at < arguments.size();) {
        const std::size_t end = std::min(arguments.find(',', at), arguments.size());
        const std::string one = arguments.substr(at, end - at);
        if (one.starts_with(key + "=")) return one.substr(key.size() + 1);
        at = end + 1;
    }
    return {};
}

}  // namespace

Result<Ports> open_ethdev(std::uint16_t ethdev_id, const EthdevOptions& options) {
    if (rte_eth_dev_is_valid_port(ethdev_id) == 0) {
        return Error{"there is no DPDK port " + std::to_string(ethdev_id)};
    }
    auto device = std::make_shared<Device>();
    device->id = ethdev_id;
    return open_device(std::move(device), options);
}

Result<Ports> open_vdev(const std::string& driver, const std::string& arguments,
                        EthdevOptions options) {
    static std::atomic<unsigned> serial{0};
    const std::string name = driver + "_steer" + std::to_string(serial.fetch_add(1));
    if (const int e = rte_vdev_init(name.c_str(), arguments.c_str()); e != 0) {
        return Error{"DPDK device " + driver + " with \"" + arguments +
                     "\" cannot be made: " + std::strerror(std::abs(e))};
    }
    auto device = std::make_shared<Device>();
    if (const int e = rte_eth_dev_get_port_by_name(name.c_str(), &device->id); e != 0) {
        rte_vdev_uninit(name.c_str());
        return Error{driver + " is not a DPDK network device"};
    }
    device->vdev = name;
    if (driver == "net_tap") {
        // What a local socket sends through a tap may carry only the pseudo-header's sum.
        options.partial_checksums = true;
        if (options.interface.empty()) options.interface = argument(arguments, "iface");
    }
    return open_device(std::move(device), options);
}

}  // namespace steer
