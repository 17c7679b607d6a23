// Joins steerdnsd's `ring` port to a TAP, for packets_e2e.py: preloaded into the shipped program (LD_PRELOAD), it makes
// the net_ring device of two rings, whose other ends a thread here keeps. A ring has no other exit of its process.
//
// The port: `driver: ring, device: tap=NAME`.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr unsigned kSlots = 1024, kMbufs = 4095;
constexpr unsigned kBurst = 32;

struct Bridge {
    rte_ring* to_port;
    rte_ring* from_port;
    rte_mempool* pool;
    int tap;
};

int open_tap(const std::string& name) {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    return fd >= 0 && ::ioctl(fd, TUNSETIFF, &request) == 0 ? fd : -1;
}

bool from_tap(const Bridge& b) {
    rte_mbuf* const m = rte_pktmbuf_alloc(b.pool);
    if (m == nullptr) return false;
    const ssize_t got = ::read(b.tap, rte_pktmbuf_mtod(m, void*), rte_pktmbuf_tailroom(m));
    if (got > 0) {
        m->data_len = static_cast<std::uint16_t>(got);
        m->pkt_len = m->data_len;
        if (rte_ring_enqueue(b.to_port, m) == 0) return true;
    }
    rte_pktmbuf_free(m);
    return got > 0;
}

bool to_tap(const Bridge& b) {
    std::array<void*, kBurst> frames{};
    const unsigned n = rte_ring_dequeue_burst(b.from_port, frames.data(), kBurst, nullptr);
    for (unsigned i = 0; i < n; ++i) {
        auto* const m = static_cast<rte_mbuf*>(frames[i]);
        if (rte_pktmbuf_linearize(m) == 0)
            (void)!::write(b.tap, rte_pktmbuf_mtod(m, const void*), m->data_len);
        rte_pktmbuf_free(m);
    }
    return n != 0;
}

std::atomic<bool> g_end{false};
std::thread g_thread;

void run(const Bridge& b) {
    while (!g_end) {
        const bool busy = from_tap(b);
        if (to_tap(b) || busy) continue;
        pollfd wait{b.tap, POLLIN, 0};
        const timespec most{0, 200'000};
        ::ppoll(&wait, 1, &most, nullptr);
    }
}

// `name` is what the device is to be called: "net_ring_" and the ring's own.
int make_port(const std::string& name, const std::string& tap) {
    const auto ring = [&](const char* suffix) {
        return rte_ring_create(("tap_" + std::string(suffix)).c_str(), kSlots, SOCKET_ID_ANY,
                               RING_F_SP_ENQ | RING_F_SC_DEQ);
    };
    Bridge b{.to_port = ring("in"),
             .from_port = ring("out"),
             .pool = rte_pktmbuf_pool_create("tap", kMbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                             SOCKET_ID_ANY),
             .tap = open_tap(tap)};
    if (b.to_port == nullptr || b.from_port == nullptr || b.pool == nullptr || b.tap < 0) {
        std::fprintf(stderr, "ring_tap: no memory, or no tap %s\n", tap.c_str());
        return -1;
    }
    constexpr std::string_view kPrefix = "net_ring_";
    const int port =
        rte_eth_from_rings(name.substr(kPrefix.size()).c_str(), &b.to_port, 1, &b.from_port, 1, 0);
    if (port < 0) return -1;
    g_thread = std::thread(run, b);
    return 0;
}

template <class Function>
Function dpdks(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int rte_vdev_uninit(const char* name) {
    g_end = true;
    if (g_thread.joinable()) g_thread.join();
    return dpdks<int (*)(const char*)>("rte_vdev_uninit")(name);
}

extern "C" int rte_vdev_init(const char* name, const char* arguments) {
    const std::string_view words = arguments == nullptr ? "" : arguments;
    constexpr std::string_view kTap = "tap=";
    if (words.starts_with(kTap)) return make_port(name, std::string(words.substr(kTap.size())));
    return dpdks<int (*)(const char*, const char*)>("rte_vdev_init")(name, arguments);
}
