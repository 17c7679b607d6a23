// A port: where packets come in and go out in bursts of mbufs. One Port object is one queue pair and has one
// owner, a worker; several of a device's queues are several Port objects.
//
// Backends: AF_XDP (port/af_xdp.h), DPDK ethdev (port/ethdev.h). What is not a packet but a kernel socket is
// no port (control/stream).
#pragma once

#include <array>
#include <cstdint>
#include <string>

struct rte_mbuf;
struct rte_mempool;

namespace steer {

class Sleeper;

// Packets that the device or the kernel had, and no worker: counted by them, since the port was opened.
struct PortLosses {
    std::uint64_t ring_full = 0;  // received, and the worker did not come for them in time
    std::uint64_t no_buffer = 0;  // received, and all mbufs were in use
    std::uint64_t dropped = 0;    // received, and refused for reasons of its own (damage, length)
    std::uint64_t not_sent = 0;   // taken by tx(), and refused afterwards

    PortLosses& operator+=(const PortLosses& o) {
        ring_full += o.ring_full;
        no_buffer += o.no_buffer;
        dropped += o.dropped;
        not_sent += o.not_sent;
        return *this;
    }
};

using MacAddress = std::array<std::uint8_t, 6>;

class Port {
  public:
    Port() = default;
    virtual ~Port() = default;
    Port& operator=(const Port&) = delete;

    // Up to `n` received mbufs, owned by the caller. `n` <= 32.
    virtual std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept = 0;
    // Takes as many of the `n` mbufs as it can and returns how many; the rest stay the caller's. They should
    // come from pool(); others are copied.
    virtual std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept = 0;
    // Something to do after a loop's last tx (a need-wakeup kick, completions). May be a system call: the
    // port's own wake-up.
    virtual void flush() noexcept {}
    // Gives a packet that is not ours to the kernel; takes it over. False: this port has no kernel side, and
    // the mbuf stays the caller's.
    virtual bool punt(rte_mbuf*) noexcept { return false; }
    // Readable when rx() would return something, after arm(); -1: there is none, so poll.
    [[nodiscard]] virtual int wake_fd() const noexcept { return -1; }
    // Of the worker that owns this port, told once before it runs: what else may give the port something to
    // do in flush() wakes it.
    virtual void set_sleeper(Sleeper&) noexcept {}

    // Whether its wire is there, as far as the device says. Not for workers: the device may be asked.
    [[nodiscard]] virtual bool link_is_up() const noexcept { return true; }
    // Of this queue; the first queue of a device that does not tell them apart has all. Not for workers either.
    [[nodiscard]] virtual PortLosses losses() const noexcept { return {}; }

    // Where the worker takes mbufs for packets of its own (answers to parked queries, upstream queries).
    [[nodiscard]] virtual rte_mempool* pool() const noexcept = 0;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }  // "eth0", for people
    [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
    // Index of the kernel interface whose traffic this is; 0: none (ring, pcap).
    [[nodiscard]] int if_index() const noexcept { return if_index_; }
    // Its peers may leave UDP checksums partial (veth, tap): a sum equal to the pseudo-header's
    // counts as partial.
    [[nodiscard]] bool partial_checksums() const noexcept { return partial_checksums_; }
    // The largest IP packet of its wire.
    [[nodiscard]] std::uint16_t mtu() const noexcept { return mtu_; }

  protected:
    Port(const Port&) = default;  // who the port is, for one that stands before it
    std::string name_;
    MacAddress mac_{};
    int if_index_ = 0;
    bool partial_checksums_ = false;
    std::uint16_t mtu_ = 1500;
};

}  // namespace steer
