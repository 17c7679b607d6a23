// A port: receives and sends packets in bursts of mbufs. One Port object is one queue pair and has
// one owner, a worker. A device with several queues has several Port objects.
//
// Backends: AF_XDP (port/af_xdp.h), DPDK ethdev (port/ethdev.h), AF_PACKET (port/af_packet.h). A
// kernel socket is not a port (control/streams).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "dataplane/base/counters.h"
#include "matchers/counter_table.h"

struct rte_mbuf;
struct rte_mempool;

namespace steer {

class Sleeper;

// Packets that the device or the kernel lost before a worker received them, since the port was
// opened.
//    name, what happened
#define STEER_PORT_LOSSES(X)                                           \
    X(ring_full, "received, but the worker was too late")              \
    X(no_buffer, "received, but all mbufs were in use")                \
    X(dropped, "received, but refused by the device (damage, length)") \
    X(not_sent, "accepted by tx(), but refused afterwards")
STEER_COUNTER_STRUCT(PortLosses, kPortLosses, STEER_PORT_LOSSES);

using MacAddress = std::array<std::uint8_t, 6>;

class Port {
  public:
    Port() = default;
    virtual ~Port() = default;
    Port& operator=(const Port&) = delete;

    // Receives up to `n` mbufs, which the caller then owns. `n` <= 32.
    virtual std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept = 0;
    // Accepts as many of the `n` mbufs as possible and returns their number. The caller keeps the
    // others. Mbufs should be from pool(); others are copied.
    virtual std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept = 0;
    // Work after the last tx of a turn (a need-wakeup kick, completions). May make a system call:
    // the port's own wake-up.
    virtual void flush() noexcept {}
    // Passes a packet that is not ours to the kernel and takes ownership of it. Returns false if
    // this port has no path to the kernel; then the caller keeps the mbuf.
    virtual bool punt(rte_mbuf*) noexcept { return false; }
    // While the port is armed, this descriptor is readable when rx() would return packets. -1: there
    // is none, so poll.
    [[nodiscard]] virtual int wake_fd() const noexcept { return -1; }
    // The same for packets of the kernel that flush() would send. -1: there is none, or the
    // kernel's packets wake the worker by set_sleeper().
    [[nodiscard]] virtual int kernel_wake_fd() const noexcept { return -1; }
    // Before a sleep on the descriptors: asks the device for interrupts. Then the caller checks
    // rx() and flush() once more. disarm() after the sleep, or instead of it: no more interrupts.
    virtual void arm() noexcept {}
    virtual void disarm() noexcept {}
    // Whether an interrupt has ever come. Some drivers accept arm() and never interrupt, so until
    // then sleeps have to be short. Any thread.
    [[nodiscard]] virtual bool wakes() const noexcept { return true; }
    // Packets wait for room in the device, so a sleep has to be short.
    [[nodiscard]] virtual bool has_to_send() const noexcept { return false; }
    // This descriptor was readable: takes the interrupt from it.
    virtual void woken(int /*fd*/) noexcept {}
    // One of its descriptors ended a sleep, and the worker found no work then.
    void woken_without_work() noexcept { wakeups_without_work_.add(); }
    [[nodiscard]] std::uint64_t wakeups_without_work() const noexcept {  // any thread
        return wakeups_without_work_.get();
    }
    // The owning worker calls it once before it runs. Other threads wake this sleeper when the port
    // has work for flush().
    virtual void set_sleeper(Sleeper&) noexcept {}

    // Whether the link is up, if the device reports it. Not for workers: it may query the device.
    [[nodiscard]] virtual bool link_is_up() const noexcept { return true; }
    // Losses of this queue. If the device has only totals, the first queue has them. Not for
    // workers.
    [[nodiscard]] virtual PortLosses losses() const noexcept { return {}; }

    // The mbuf pool for the worker's own packets (answers to parked queries, upstream queries).
    [[nodiscard]] virtual rte_mempool* pool() const noexcept = 0;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }  // "eth0", for people
    [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
    // Index of the kernel interface with the same traffic; 0 if there is none (ring, pcap).
    [[nodiscard]] int if_index() const noexcept { return if_index_; }
    // Whether its peers may leave UDP checksums partial (veth, tap). Then a sum equal to the
    // pseudo-header's counts as partial.
    [[nodiscard]] bool partial_checksums() const noexcept { return partial_checksums_; }
    // The largest IP packet on its link.
    [[nodiscard]] std::uint16_t mtu() const noexcept { return mtu_; }

  protected:
    // The port's identity, for a port that wraps this one.
    Port(const Port& other)
        : name_(other.name_),
          mac_(other.mac_),
          if_index_(other.if_index_),
          partial_checksums_(other.partial_checksums_),
          mtu_(other.mtu_) {}
    std::string name_;
    MacAddress mac_{};
    int if_index_ = 0;
    bool partial_checksums_ = false;
    std::uint16_t mtu_ = 1500;

  private:
    Count wakeups_without_work_;
};

}  // namespace steer
