#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "bench/memif_peer.h"

namespace steer::bench {
namespace {

volatile std::sig_atomic_t g_end = 0;

int open_tap(const std::string& name) {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) != 0)
        fail("the tap " + name + " cannot be made: " + std::strerror(errno));
    return fd;
}

unsigned from_tap(int tap, const MemifPeer& peer) {
    std::array<rte_mbuf*, kBurst> packets{};
    unsigned count = 0;
    while (count < kBurst) {
        rte_mbuf* m = rte_pktmbuf_alloc(peer.pool);
        if (m == nullptr) break;
        const ssize_t got = ::read(tap, rte_pktmbuf_mtod(m, void*), rte_pktmbuf_tailroom(m));
        if (got <= 0) {
            rte_pktmbuf_free(m);
            break;
        }
        m->data_len = static_cast<std::uint16_t>(got);
        m->pkt_len = m->data_len;
        packets[count++] = m;
    }
    const std::uint16_t sent =
        rte_eth_tx_burst(peer.device, 0, packets.data(), static_cast<std::uint16_t>(count));
    if (sent < count) rte_pktmbuf_free_bulk(&packets[sent], count - sent);
    return count;
}

unsigned to_tap(const MemifPeer& peer, int tap) {
    std::array<rte_mbuf*, kBurst> packets{};
    const std::uint16_t count = rte_eth_rx_burst(peer.device, 0, packets.data(), kBurst);
    for (std::uint16_t i = 0; i < count; ++i) {
        rte_mbuf* m = packets[i];
        if (rte_pktmbuf_linearize(m) == 0)
            (void)!::write(tap, rte_pktmbuf_mtod(m, const void*), m->data_len);
        rte_pktmbuf_free(m);
    }
    return count;
}

}  // namespace

int run_bridge(const MemifPeer& peer, const PeerOptions& options) {
    const int tap = open_tap(options.tap);
    std::signal(SIGTERM, [](int) { g_end = 1; });
    connect(peer, options);
    std::puts("ready");
    std::fflush(stdout);
    unsigned idle = 0;
    while (g_end == 0) {
        if (from_tap(tap, peer) + to_tap(peer, tap) != 0) {
            idle = 0;
        } else if (++idle > 100) {  // a memif without interrupts is polled, but not by a whole core
            pollfd wait{tap, POLLIN, 0};
            const timespec most{0, 200'000};
            ::ppoll(&wait, 1, &most, nullptr);
        }
    }
    ::close(tap);
    rte_eth_dev_stop(peer.device);
    rte_eth_dev_close(peer.device);
    return 0;
}

}  // namespace steer::bench
