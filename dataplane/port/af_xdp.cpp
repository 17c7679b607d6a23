#include "dataplane/port/af_xdp.h"

#include <bpf/bpf.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "dataplane/port/hands.h"
#include "dataplane/port/kernel_device.h"
#include "dataplane/port/umem.h"
#include "dataplane/port/xdp/steer_xdp.h"

#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9  // linux/if_xdp.h, 6.17
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69  // asm-generic/socket.h, 5.11
#define SO_BUSY_POLL_BUDGET 70
#endif

namespace steer {
namespace {

static_assert(kMaxXdpQueues == STEER_XDP_MAX_QUEUES);

constexpr std::uint16_t kBurst = 32;
constexpr unsigned kHeadroom = 256;          // XDP_PACKET_HEADROOM, before every received frame
constexpr unsigned kLargestHeader = 14 + 8;  // Ethernet and two VLAN tags
constexpr std::uint32_t kKernelTxBatch =
    32;  // the least that one sendto() sends, if there are as many

// One receive queue and its socket.
class XskPort final : public Port {
  public:
    XskPort(const KernelDevice& device, std::unique_ptr<Umem> umem) : umem_(std::move(umem)) {
        name_ = device.name;
        mac_ = device.mac;
        if_index_ = device.if_index;
        // A veth's other end is on this host and leaves checksums to a NIC that does not exist.
        partial_checksums_ = device.driver == "veth" || device.driver == "tun";
    }
    ~XskPort() override { close(); }

    // For control. open() while there are no sockets, then join(); from then on the worker uses them.
    Result<void> open(const XdpSteering& steering, unsigned queue, const AfXdpOptions& options);
    void join() noexcept { hands_.put_on(); }
    bool part() noexcept { return hands_.lift(); }
    void close();  // after part()
    [[nodiscard]] PortLosses losses() const noexcept override;
    [[nodiscard]] bool zero_copy() const;
    [[nodiscard]] unsigned frame_bytes() const { return umem_->frame_bytes(); }

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override;
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override;
    void flush() noexcept override;
    [[nodiscard]] int wake_fd() const noexcept override {
        return hands_.are_on() ? xsk_socket__fd(socket_) : -1;
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return umem_->pool(); }

  private:
    Result<void> open_socket(const XdpSteering& steering, unsigned queue,
                             const AfXdpOptions& options);
    void set_up_waking(const AfXdpOptions& options);
    bool fill_at_start(std::uint32_t frames);
    void refill() noexcept;
    void reap() noexcept;
    void kick() noexcept;
    rte_mbuf* sendable(rte_mbuf* packet) noexcept;

    Hands hands_;
    bool polls_device_ = false;
    xsk_ring_cons rx_{}, completed_{};
    xsk_ring_prod tx_{}, fill_{};
    std::unique_ptr<Umem> umem_;
    std::uint32_t fill_owed_ = 0;    // frames that are missing in the kernel's fill ring
    std::uint32_t in_transmit_ = 0;  // frames with the kernel for sending
    bool kick_due_ = false;
    PortLosses losses_of_closed_{};
    xsk_umem* kernel_umem_ = nullptr;
    xsk_socket* socket_ = nullptr;
};

// ---- receive

std::uint16_t XskPort::rx(rte_mbuf** out, std::uint16_t n) noexcept {
    if (!hands_.check()) [[unlikely]]
        return 0;
    std::uint32_t at = 0;
    std::uint32_t got = xsk_ring_cons__peek(&rx_, std::min(n, kBurst), &at);
    if (got == 0 && polls_device_) {
        recvfrom(xsk_socket__fd(socket_), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
        got = xsk_ring_cons__peek(&rx_, std::min(n, kBurst), &at);
    }
    for (std::uint32_t i = 0; i < got; ++i) {
        const xdp_desc* d = xsk_ring_cons__rx_desc(&rx_, at + i);
        rte_mbuf* m = umem_->mbuf_at(d->addr);
        rte_pktmbuf_reset(m);
        Umem::take_from_kernel(m);
        m->data_off = static_cast<std::uint16_t>(umem_->offset_in_frame(d->addr));
        m->data_len = static_cast<std::uint16_t>(d->len);
        m->pkt_len = d->len;
        rte_prefetch0(rte_pktmbuf_mtod(m, void*));
        out[i] = m;
    }
    if (got != 0) {
        xsk_ring_cons__release(&rx_, got);
        fill_owed_ += got;
    }
    if (fill_owed_ >= kBurst || (fill_owed_ != 0 && got == 0)) refill();
    return static_cast<std::uint16_t>(got);
}

// Refills the kernel's fill ring.
void XskPort::refill() noexcept {
    std::array<rte_mbuf*, 2 * kBurst> fresh;
    std::uint32_t n = std::min<std::uint32_t>(fill_owed_, fresh.size());
    void** const objects = reinterpret_cast<void**>(fresh.data());
    if (rte_mempool_get_bulk(umem_->pool(), objects, n) != 0) {
        reap();  // sent frames may be back
        n = 1;
        if (rte_mempool_get_bulk(umem_->pool(), objects, n) != 0) return;
    }
    std::uint32_t at = 0;
    if (xsk_ring_prod__reserve(&fill_, n, &at) != n) {  // never more owed than there is space
        rte_mempool_put_bulk(umem_->pool(), objects, n);
        return;
    }
    for (std::uint32_t i = 0; i < n; ++i) {
        Umem::give_to_kernel(fresh[i]);
        *xsk_ring_prod__fill_addr(&fill_, at + i) = umem_->address_of(fresh[i]);
    }
    xsk_ring_prod__submit(&fill_, n);
    fill_owed_ -= n;
    if (xsk_ring_prod__needs_wakeup(&fill_) != 0) {
        recvfrom(xsk_socket__fd(socket_), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
    }
}

// ---- transmit

// The packet itself if its bytes are in one of our frames without other references; otherwise a copy, and the
// packet is freed; nullptr if there is no free frame.
rte_mbuf* XskPort::sendable(rte_mbuf* packet) noexcept {
    if (packet->pool == umem_->pool() && packet->nb_segs == 1 &&
        rte_mbuf_refcnt_read(packet) == 1) {
        return packet;
    }
    rte_mbuf* copy = rte_pktmbuf_alloc(umem_->pool());
    if (copy == nullptr) return nullptr;
    char* const room = rte_pktmbuf_append(
        copy, static_cast<std::uint16_t>(std::min<std::uint32_t>(packet->pkt_len, UINT16_MAX)));
    if (room == nullptr) {  // larger than a frame: it can never be sent here
        rte_pktmbuf_free(copy);
        return nullptr;
    }
    const void* bytes = rte_pktmbuf_read(packet, 0, packet->pkt_len, room);
    if (bytes != room) std::memcpy(room, bytes, packet->pkt_len);
    rte_pktmbuf_free(packet);
    return copy;
}

std::uint16_t XskPort::tx(rte_mbuf** packets, std::uint16_t n) noexcept {
    if (!hands_.are_on()) [[unlikely]]
        return 0;
    if (in_transmit_ >= kBurst) reap();
    const std::uint32_t room = std::min<std::uint32_t>(n, xsk_prod_nb_free(&tx_, n));
    std::array<rte_mbuf*, kBurst> ready;
    std::uint32_t count = 0;
    while (count < room && count < ready.size()) {
        rte_mbuf* m = sendable(packets[count]);
        if (m == nullptr) break;
        ready[count++] = m;
    }
    if (count == 0) return 0;
    std::uint32_t at = 0;
    xsk_ring_prod__reserve(&tx_, count, &at);
    for (std::uint32_t i = 0; i < count; ++i) {
        Umem::give_to_kernel(ready[i]);
        xdp_desc* d = xsk_ring_prod__tx_desc(&tx_, at + i);
        d->addr = umem_->address_of(ready[i]) + ready[i]->data_off;
        d->len = ready[i]->data_len;
        d->options = 0;
    }
    xsk_ring_prod__submit(&tx_, count);
    in_transmit_ += count;
    kick_due_ = true;
    return static_cast<std::uint16_t>(count);
}

// Returns frames that the kernel has sent to the pool. They were single, unshared mbufs.
void XskPort::reap() noexcept {
    std::uint32_t at = 0;
    while (const std::uint32_t n = xsk_ring_cons__peek(&completed_, kBurst, &at)) {
        std::array<void*, kBurst> sent;
        for (std::uint32_t i = 0; i < n; ++i) {
            rte_mbuf* m = umem_->mbuf_at(*xsk_ring_cons__comp_addr(&completed_, at + i));
            Umem::take_from_kernel(m);
            sent[i] = m;
        }
        rte_mempool_put_bulk(umem_->pool(), sent.data(), n);
        xsk_ring_cons__release(&completed_, n);
        in_transmit_ -= n;
    }
}

// In copy mode one call sends a batch and returns EAGAIN if there is more, so it is called as often as the
// ring has batches. A call that fails for now (EBUSY, no memory) is repeated later.
void XskPort::kick() noexcept {
    const std::uint32_t most = 1 + tx_.size / kKernelTxBatch;
    for (std::uint32_t i = 0; i < most && kick_due_; ++i) {
        if (sendto(xsk_socket__fd(socket_), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) {
            kick_due_ = __atomic_load_n(tx_.consumer, __ATOMIC_ACQUIRE) != *tx_.producer;
        } else if (errno == EAGAIN) {
            reap();  // it also returns this when its completion ring is full
        } else {
            return;
        }
    }
}

void XskPort::flush() noexcept {
    if (!hands_.are_on()) [[unlikely]]
        return;
    if (kick_due_) {
        if (xsk_ring_prod__needs_wakeup(&tx_) != 0) {
            kick();
        } else {
            kick_due_ = false;
        }
    }
    if (in_transmit_ != 0) reap();
}

// ---- set-up

Error refused_socket(const KernelDevice& device, unsigned queue, int code) {
    const std::string start = device.name + " queue " + std::to_string(queue);
    if (code == EPERM || code == EACCES) {
        return Error{start + ": AF_XDP is not permitted; start as root, or with CAP_NET_RAW"};
    }
    if (code == EBUSY) {
        return Error{start + " is bound by another AF_XDP program; end that one first"};
    }
    if (code == ENOBUFS || code == ENOMEM) {
        return Error{
            start + ": no memory for the frames that the kernel is to lock; `ulimit -l unlimited`"};
    }
    return Error{start + " takes no AF_XDP socket: " + std::strerror(code)};
}

// The area is locked memory, charged to us.
void lift_memory_lock_limit() {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);  // without the permission, the present limit may suffice
}

Result<void> XskPort::open_socket(const XdpSteering& steering, unsigned queue,
                                  const AfXdpOptions& options) {
    const KernelDevice device{name_, if_index_, mac_};
    rx_ = completed_ = {};  // libxdp sets only a part of them
    tx_ = fill_ = {};
    xsk_umem_config memory{};
    memory.fill_size = memory.comp_size = options.ring;
    memory.frame_size = umem_->frame_bytes();
    if (const int e = xsk_umem__create(&kernel_umem_, umem_->area(), umem_->bytes(), &fill_,
                                       &completed_, &memory);
        e != 0) {
        return refused_socket(device, queue, -e);
    }
    xsk_socket_config config{};
    config.rx_size = config.tx_size = options.ring;
    config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
    config.bind_flags = XDP_USE_NEED_WAKEUP;
    // A generic program never sees what a driver puts into a zero-copy queue.
    if (steering.mode() == XdpSteering::Mode::generic) config.bind_flags |= XDP_COPY;
    if (const int e =
            xsk_socket__create(&socket_, name_.c_str(), queue, kernel_umem_, &rx_, &tx_, &config);
        e != 0) {
        return refused_socket(device, queue, -e);
    }
    return {};
}

void XskPort::set_up_waking(const AfXdpOptions& options) {
    const int fd = xsk_socket__fd(socket_);
    // In copy mode each packet is charged to the socket until it is sent: allow for a full ring. Kernels
    // before 6.17 send 32 per call and do not know the budget.
    const int send_room = static_cast<int>(options.ring * 4096);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_room, sizeof send_room);
    const std::uint32_t budget = options.ring;
    setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget);
    if (options.busy_poll == 0) return;
    constexpr int kYes = 1;
    constexpr int kPollUs = 20;  // one poll per call; a value above 0 turns it on
    const int packets = static_cast<int>(options.busy_poll);
    setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &kYes, sizeof kYes);
    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &kPollUs, sizeof kPollUs);
    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &packets, sizeof packets);
    polls_device_ = true;
}

// Bypasses the pool's caches: the opening thread's cache is not the worker's.
bool XskPort::fill_at_start(std::uint32_t frames) {
    std::vector<rte_mbuf*> fresh(frames);
    std::uint32_t at = 0;
    if (rte_mempool_generic_get(umem_->pool(), reinterpret_cast<void**>(fresh.data()), frames,
                                nullptr) != 0 ||
        xsk_ring_prod__reserve(&fill_, frames, &at) != frames) {
        return false;
    }
    for (std::uint32_t i = 0; i < frames; ++i) {
        Umem::give_to_kernel(fresh[i]);
        *xsk_ring_prod__fill_addr(&fill_, at + i) = umem_->address_of(fresh[i]);
    }
    xsk_ring_prod__submit(&fill_, frames);
    return true;
}

Result<void> XskPort::open(const XdpSteering& steering, unsigned queue,
                           const AfXdpOptions& options) {
    if (Result<void> done = open_socket(steering, queue, options); !done) {
        close();
        return done;
    }
    set_up_waking(options);
    fill_owed_ = in_transmit_ = 0;
    kick_due_ = false;
    const int fd = xsk_socket__fd(socket_);
    Result<void> done;
    if (!fill_at_start(options.ring)) {
        done = refused_socket({name_, if_index_, mac_}, queue, ENOMEM);
    } else if (bpf_map_update_elem(steering.sockets_fd(), &queue, &fd, BPF_ANY) != 0) {
        done = Error{name_ + " queue " + std::to_string(queue) +
                     " cannot be put into the XDP program's map: " + std::strerror(errno)};
    }
    if (!done) close();
    return done;
}

void XskPort::close() {
    losses_of_closed_ = losses();
    if (socket_ != nullptr) xsk_socket__delete(std::exchange(socket_, nullptr));
    if (kernel_umem_ != nullptr) xsk_umem__delete(std::exchange(kernel_umem_, nullptr));
    umem_->take_all_from_kernel();
}

// xdp_statistics: drops because of a full ring are not in rx_dropped.
PortLosses XskPort::losses() const noexcept {
    PortLosses all = losses_of_closed_;
    xdp_statistics s{};
    socklen_t size = sizeof s;
    if (socket_ == nullptr ||
        getsockopt(xsk_socket__fd(socket_), SOL_XDP, XDP_STATISTICS, &s, &size) != 0) {
        return all;
    }
    all += {s.rx_ring_full, s.rx_fill_ring_empty_descs, s.rx_dropped, s.tx_invalid_descs};
    return all;
}

bool XskPort::zero_copy() const {
    xdp_options options{};
    socklen_t size = sizeof options;
    return socket_ != nullptr &&
           getsockopt(xsk_socket__fd(socket_), SOL_XDP, XDP_OPTIONS, &options, &size) == 0 &&
           (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

XskPort& xsk(Port& port) {
    return static_cast<XskPort&>(port);
}

Result<KernelDevice> suitable_device(const XdpSteering& steering, const AfXdpOptions& options) {
    Result<KernelDevice> device = find_kernel_device(steering.device());
    if (!device) return device;
    const unsigned asked = options.queues == 0 ? device->rx_queues : options.queues;
    if (asked != device->rx_queues) {
        return Error{device->name + " has " + std::to_string(device->rx_queues) +
                     " receive queues and `queues` is " + std::to_string(asked) +
                     ": what comes in on the others would not be answered; `" +
                     device->set_queues_command(asked) + "` makes them the same"};
    }
    if (device->rx_queues > kMaxXdpQueues) {
        return Error{device->name + " has " + std::to_string(device->rx_queues) +
                     " receive queues, more than " + std::to_string(kMaxXdpQueues) + "; `" +
                     device->set_queues_command(kMaxXdpQueues) + "` makes them fewer"};
    }
    if (device->mtu > kMaxXdpMtu) {
        return Error{device->name + " has an MTU of " + std::to_string(device->mtu) +
                     ", AF_XDP takes up to " + std::to_string(kMaxXdpMtu) + "; `ip link set dev " +
                     device->name + " mtu 1500`, or `driver: socket`"};
    }
    return device;
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_af_xdp(const XdpSteering& steering,
                                                       const AfXdpOptions& options) {
    const Result<KernelDevice> device = suitable_device(steering, options);
    if (!device) return device.error();
    lift_memory_lock_limit();
    // The smallest frame size that holds a packet: 2048 or 4096 bytes.
    const unsigned frame_bytes =
        std::bit_ceil(std::max(2048U, device->mtu + kLargestHeader + kHeadroom));
    static std::atomic<unsigned> serial{0};
    std::vector<std::unique_ptr<Port>> ports;
    for (unsigned queue = 0; queue < device->rx_queues; ++queue) {
        const std::string name =
            "xsk" + std::to_string(serial.fetch_add(1)) + "q" + std::to_string(queue);
        Result<std::unique_ptr<Umem>> umem = Umem::build(name, options.frames, frame_bytes);
        if (!umem) return umem.error();
        auto port = std::make_unique<XskPort>(*device, std::move(*umem));
        if (Result<void> opened = port->open(steering, queue, options); !opened) {
            return opened.error();
        }
        port->join();
        ports.push_back(std::move(port));
    }
    return ports;
}

bool release_af_xdp(std::span<Port* const> ports) {
    bool all = true;
    for (Port* port : ports)
        all = xsk(*port).part() && all;
    if (!all) return false;
    for (Port* port : ports)
        xsk(*port).close();
    return true;
}

Result<void> reopen_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                           const AfXdpOptions& options) {
    AfXdpOptions as_before = options;
    as_before.queues = static_cast<unsigned>(ports.size());
    const Result<KernelDevice> device = suitable_device(steering, as_before);
    if (!device) return device.error();
    if (const unsigned most = largest_mtu(*ports.front()); device->mtu > most) {
        return Error{device->name + " has an MTU of " + std::to_string(device->mtu) +
                     " now, and its frames hold " + std::to_string(most) + "; `ip link set dev " +
                     device->name + " mtu " + std::to_string(most) + "`, or start again"};
    }
    for (unsigned queue = 0; queue < ports.size(); ++queue) {
        if (Result<void> opened = xsk(*ports[queue]).open(steering, queue, options); !opened) {
            for (unsigned i = 0; i < queue; ++i)
                xsk(*ports[i]).close();
            return opened;
        }
    }
    for (Port* port : ports)
        xsk(*port).join();
    return {};
}

std::string describe_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                            const AfXdpOptions& options) {
    const bool native = steering.mode() == XdpSteering::Mode::native;
    const bool zero_copy =
        std::all_of(ports.begin(), ports.end(), [](Port* port) { return xsk(*port).zero_copy(); });
    return std::to_string(ports.size()) + (ports.size() == 1 ? " queue, " : " queues, ") +
           (native ? "native" : "generic") + " XDP" +
           (steering.hold() == XdpSteering::Hold::link ? " by link" : " without a link") +
           (zero_copy ? ", zero copy, " : ", copying, ") +
           (options.busy_poll == 0
                ? "woken when needed"
                : "busy polling with a budget of " + std::to_string(options.busy_poll));
}

unsigned largest_mtu(const Port& port) {
    const auto* xsk = dynamic_cast<const XskPort*>(&port);
    return xsk == nullptr ? UINT16_MAX : xsk->frame_bytes() - kHeadroom - kLargestHeader;
}

}  // namespace steer
