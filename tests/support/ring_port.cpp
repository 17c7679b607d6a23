#include "support/ring_port.h"

#include <rte_bus_vdev.h>
#include <rte_debug.h>
#include <rte_eth_ring.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>

#include "dataplane/port/ethdev.h"
#include "support/hand_over.h"

namespace steer::test {
namespace {

constexpr unsigned kRingSize = 1024;

rte_ring* make_ring(const std::string& name) {
    rte_ring* ring = rte_ring_create(name.c_str(), kRingSize, static_cast<int>(rte_socket_id()),
                                     RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) rte_panic("no ring %s\n", name.c_str());
    return ring;
}

void free_all(rte_ring* ring) {
    void* mbuf = nullptr;
    while (rte_ring_dequeue(ring, &mbuf) == 0)
        rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
}

}  // namespace

// The ethdev port on the two rings, with an identity that a test can tell apart.
class RingPort::RingQueuePort final : public Port {
  public:
    RingQueuePort(std::unique_ptr<Port> ethdev, const std::string& name, int if_index,
                  std::uint8_t n)
        : ethdev_(std::move(ethdev)) {
        name_ = name;
        if_index_ = if_index;
        mac_ = {0x02, 0, 0, 0, 0, n};
    }
    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        const std::uint16_t got = ethdev_->rx(out, n);
        to_port.take();
        return got;
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        from_port.give();
        return ethdev_->tx(packets, n);
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return ethdev_->pool(); }

    HandOver to_port, from_port;

  private:
    std::unique_ptr<Port> ethdev_;
};

RingPort::RingPort(const std::string& name, int if_index, unsigned mbufs)
    : device_("net_ring_" + name),
      to_port_(make_ring(name + "_in")),
      from_port_(make_ring(name + "_out")) {
    static std::uint8_t made = 0;
    const int id = rte_eth_from_rings(name.c_str(), &to_port_, 1, &from_port_, 1, rte_socket_id());
    if (id < 0) rte_panic("no ring device %s\n", name.c_str());
    EthdevOptions options;
    options.mbufs = mbufs;
    Result<Ports> opened = open_ethdev(static_cast<std::uint16_t>(id), options);
    if (!opened) rte_panic("%s\n", opened.error().sentence().c_str());
    port_ = std::make_unique<RingQueuePort>(std::move(opened->front()), name, if_index, ++made);
}

RingPort::~RingPort() {
    free_all(to_port_);
    free_all(from_port_);
    port_.reset();
    rte_vdev_uninit(device_.c_str());
    rte_ring_free(to_port_);
    rte_ring_free(from_port_);
}

Port& RingPort::port() {
    return *port_;
}

bool RingPort::send(std::span<const std::uint8_t> frame, std::uint64_t offloads) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(port_->pool());
    if (mbuf == nullptr) return false;
    mbuf->ol_flags = offloads;
    char* const room = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size()));
    if (room != nullptr) {
        std::copy(frame.begin(), frame.end(), reinterpret_cast<std::uint8_t*>(room));
        port_->to_port.give();
        if (rte_ring_enqueue(to_port_, mbuf) == 0) return true;
    }
    rte_pktmbuf_free(mbuf);
    return false;
}

Frame RingPort::receive() {
    void* object = nullptr;
    if (rte_ring_dequeue(from_port_, &object) != 0) return {};
    port_->from_port.take();
    auto* const mbuf = static_cast<rte_mbuf*>(object);
    Frame frame(mbuf->pkt_len);
    const void* bytes = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame.data());
    if (bytes != frame.data())
        std::copy_n(static_cast<const std::uint8_t*>(bytes), frame.size(), frame.data());
    rte_pktmbuf_free(mbuf);
    return frame;
}

std::vector<Frame> RingPort::receive_all() {
    std::vector<Frame> frames;
    for (Frame one = receive(); !one.empty(); one = receive())
        frames.push_back(std::move(one));
    return frames;
}

unsigned RingPort::mbufs_in_use() const {
    return rte_mempool_in_use_count(port_->pool());
}

}  // namespace steer::test
