#include "dataplane/port/af_packet.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "dataplane/base/memory_node.h"
#include "dataplane/port/descriptor.h"
#include "dataplane/port/hands.h"
#include "dataplane/port/kernel_device.h"
#include "dataplane/port/mbuf_pool.h"

namespace steer {
namespace {

constexpr unsigned kBlockBytes = 1U << 16;
// Before the packet: the ring's own header, and padding up to the next multiple of 16.
constexpr unsigned kRingHeader = 128;
constexpr unsigned kLinkHeader = 14 + 2 * 4;  // Ethernet with two tags
constexpr std::size_t kAddresses = 12;        // of an Ethernet header, before a tag
constexpr std::uint16_t kMaxAtOnce = 32;
// Turns without a packet after which an error of the socket (the interface went down) is read and cleared, so that
// it does not wake the worker forever.
constexpr unsigned kTurnsBetweenErrors = 256;

// Accepts unfragmented UDP over IPv4, UDP over IPv6, and frames with a second tag; a first tag is not in the frame here.
constexpr std::array<sock_filter, 12> kOnlyUdp{{
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),  // type
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),  // fragment's offset, and whether more come
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 6, 0),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),  // protocol
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 5, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 4, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 2),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),  // next header
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, 0),
    BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
}};

// The ring of received frames, shared with the kernel: each frame belongs to one side, by its status.
class ReceiveRing {
  public:
    ReceiveRing() = default;
    ReceiveRing(const ReceiveRing&) = delete;
    ReceiveRing& operator=(const ReceiveRing&) = delete;
    ~ReceiveRing() { unmap(); }

    bool map(int socket, unsigned frame_bytes, unsigned ring_bytes) {
        tpacket_req request{};
        request.tp_block_size = std::max(kBlockBytes, frame_bytes);
        request.tp_block_nr = std::max(1U, ring_bytes / request.tp_block_size);
        request.tp_frame_size = frame_bytes;
        request.tp_frame_nr = request.tp_block_nr * (request.tp_block_size / frame_bytes);
        if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
            return false;
        bytes_ = std::size_t{request.tp_block_size} * request.tp_block_nr;
        void* const at =
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket, 0);
        if (at == MAP_FAILED) return false;
        base_ = static_cast<std::uint8_t*>(at);
        frame_bytes_ = frame_bytes;
        frames_ = request.tp_frame_nr;
        at_ = 0;
        return true;
    }
    void unmap() {
        if (base_ != nullptr) ::munmap(std::exchange(base_, nullptr), bytes_);
    }

    // The next received frame; nullptr: there is none.
    [[nodiscard]] const tpacket2_hdr* front() const {
        auto* const frame =
            reinterpret_cast<tpacket2_hdr*>(base_ + std::size_t{at_} * frame_bytes_);
        const std::atomic_ref<std::uint32_t> status(frame->tp_status);
        return (status.load(std::memory_order_acquire) & TP_STATUS_USER) != 0 ? frame : nullptr;
    }
    // Gives it back to the kernel.
    void pop() {
        auto* const frame =
            reinterpret_cast<tpacket2_hdr*>(base_ + std::size_t{at_} * frame_bytes_);
        std::atomic_ref<std::uint32_t>(frame->tp_status)
            .store(TP_STATUS_KERNEL, std::memory_order_release);
        at_ = at_ + 1 == frames_ ? 0 : at_ + 1;
    }

  private:
    std::uint8_t* base_ = nullptr;
    std::size_t bytes_ = 0;
    unsigned frame_bytes_ = 0, frames_ = 0, at_ = 0;
};

// The frame as it was on the wire: the kernel keeps the first tag beside it. False: no room.
bool copy_frame(const tpacket2_hdr& frame, rte_mbuf& to) {
    const auto* const from = reinterpret_cast<const std::uint8_t*>(&frame) + frame.tp_mac;
    const std::size_t length = frame.tp_snaplen;
    const bool tagged = (frame.tp_status & TP_STATUS_VLAN_VALID) != 0;
    auto* const out = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_append(&to, static_cast<std::uint16_t>(length + (tagged ? 4 : 0))));
    if (out == nullptr || length < kAddresses) return false;
    if (!tagged) {
        std::memcpy(out, from, length);
        return true;
    }
    const bool says_type = (frame.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    const std::array<std::uint16_t, 2> tag{htons(says_type ? frame.tp_vlan_tpid : ETH_P_8021Q),
                                           htons(frame.tp_vlan_tci)};
    std::memcpy(out, from, kAddresses);
    std::memcpy(out + kAddresses, tag.data(), sizeof tag);
    std::memcpy(out + kAddresses + sizeof tag, from + kAddresses, length - kAddresses);
    return true;
}

class PacketPort final : public Port {
  public:
    explicit PacketPort(const KernelDevice& device) {
        name_ = device.name;
        mac_ = device.mac;
        if_index_ = device.if_index;
        mtu_ = static_cast<std::uint16_t>(device.mtu);
        partial_checksums_ = true;  // a local peer sends them (veth, a virtual machine's bridge)
    }

    // ---- control
    Result<void> make_pool(const KernelDevice& device, const AfPacketOptions& options);
    // While there are no sockets. `group`: shares incoming packets with the other queues of it.
    Result<void> open(const KernelDevice& device, const AfPacketOptions& options,
                      std::optional<std::uint16_t> group);
    void join() noexcept { hands_.put_on(); }
    bool part() noexcept { return hands_.lift(); }
    void close();  // after part()
    [[nodiscard]] bool is_bound() const;
    [[nodiscard]] unsigned most_mtu() const { return frame_bytes_ - kLinkHeader - kRingHeader; }

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override;
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override;
    bool punt(rte_mbuf* packet) noexcept override {
        rte_pktmbuf_free(packet);  // the kernel has its own
        return true;
    }
    [[nodiscard]] int wake_fd() const noexcept override { return hands_.are_on() ? rx_.get() : -1; }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return pool_.get(); }

  private:
    [[nodiscard]] Error refused(const std::string& what) const;

    Hands hands_;
    MbufPool pool_;
    unsigned frame_bytes_ = 0;
    Descriptor rx_, tx_;
    ReceiveRing ring_;
    unsigned idle_turns_ = 0;
};

Error PacketPort::refused(const std::string& what) const {
    const int code = errno;
    if (code == EPERM || code == EACCES) {
        return Error{name_ +
                     " cannot be opened as AF_PACKET: not permitted; start as root, or with "
                     "CAP_NET_RAW"};
    }
    return Error{name_ + ": " + what + ": " + std::strerror(code)};
}

Result<void> PacketPort::make_pool(const KernelDevice& device, const AfPacketOptions& options) {
    frame_bytes_ = std::bit_ceil(device.mtu + kLinkHeader + kRingHeader);
    pool_ = make_mbuf_pool(
        "packet", options.mbufs,
        static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM + std::max(2048U, frame_bytes_)),
        memory_node());
    if (pool_ == nullptr) return Error{name_ + ": no memory for its packets"};
    return {};
}

Result<void> PacketPort::open(const KernelDevice& device, const AfPacketOptions& options,
                              std::optional<std::uint16_t> group) {
    // Protocol 0: no packet is received before bind().
    rx_ = Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    tx_ = Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (rx_.get() < 0 || tx_.get() < 0) return refused("no AF_PACKET socket");
    auto code = kOnlyUdp;
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    const int version = TPACKET_V2, on = 1;
    if (::setsockopt(rx_.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        ::setsockopt(rx_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        ::setsockopt(rx_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0) {
        return refused("its AF_PACKET socket cannot be set up");
    }
    if (!ring_.map(rx_.get(), frame_bytes_, options.ring_bytes))
        return refused("no memory for the ring of its AF_PACKET socket");
    // Sent packets bypass queueing disciplines and are not copied to other listeners.
    (void)::setsockopt(tx_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_ifindex = device.if_index;
    if (::bind(tx_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
        return refused("cannot be bound");
    where.sll_protocol = htons(ETH_P_ALL);
    if (::bind(rx_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
        return refused("cannot be bound");
    const int how = PACKET_FANOUT_HASH << 16 | group.value_or(0);
    if (group && ::setsockopt(rx_.get(), SOL_PACKET, PACKET_FANOUT, &how, sizeof how) != 0)
        return refused("its queues cannot share it (PACKET_FANOUT)");
    return {};
}

void PacketPort::close() {
    ring_.unmap();
    rx_ = Descriptor(-1);
    tx_ = Descriptor(-1);
}

// The kernel takes the index from the sockets of an interface that is removed, also if a new one
// gets the same index.
bool PacketPort::is_bound() const {
    sockaddr_ll where{};
    socklen_t size = sizeof where;
    return ::getsockname(rx_.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0 ||
           where.sll_ifindex > 0;
}

std::uint16_t PacketPort::rx(rte_mbuf** out, std::uint16_t n) noexcept {
    if (!hands_.check()) [[unlikely]]
        return 0;
    std::uint16_t got = 0;
    for (; got < n;) {
        const tpacket2_hdr* const frame = ring_.front();
        if (frame == nullptr) break;
        rte_mbuf* const m = rte_pktmbuf_alloc(pool_.get());
        if (m == nullptr) break;
        if (copy_frame(*frame, *m)) {
            out[got++] = m;
        } else {
            rte_pktmbuf_free(m);
        }
        ring_.pop();
    }
    if (got != 0) {
        idle_turns_ = 0;
    } else if (++idle_turns_ == kTurnsBetweenErrors) {
        idle_turns_ = 0;
        int error = 0;
        socklen_t size = sizeof error;
        (void)::getsockopt(rx_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    return got;
}

std::uint16_t PacketPort::tx(rte_mbuf** packets, std::uint16_t n) noexcept {
    if (!hands_.are_on()) [[unlikely]]
        return 0;
    std::array<mmsghdr, kMaxAtOnce> messages{};
    std::array<iovec, kMaxAtOnce> pieces;
    const std::uint16_t count = std::min(n, kMaxAtOnce);
    for (std::uint16_t i = 0; i < count; ++i) {
        pieces[i] = {rte_pktmbuf_mtod(packets[i], void*), packets[i]->data_len};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(tx_.get(), messages.data(), count, MSG_DONTWAIT);
    if (sent <= 0) return 0;  // the interface is down, or its queue is full
    rte_pktmbuf_free_bulk(packets, static_cast<unsigned>(sent));
    return static_cast<std::uint16_t>(sent);
}

PacketPort& packet_port(Port& port) {
    return dynamic_cast<PacketPort&>(port);
}
const PacketPort& packet_port(const Port& port) {
    return dynamic_cast<const PacketPort&>(port);
}

Result<KernelDevice> suitable_device(const std::string& interface, unsigned most_mtu) {
    Result<KernelDevice> device = find_kernel_device(interface);
    if (device && device->mtu > most_mtu) {
        return Error{interface + " has an MTU of " + std::to_string(device->mtu) +
                     ", its AF_PACKET sockets take up to " + std::to_string(most_mtu) +
                     "; `ip link set dev " + interface + " mtu " +
                     std::to_string(std::min(most_mtu, 1500U)) + "`, or `driver: socket`"};
    }
    return device;
}

// Of all queues of an interface; none for a single one.
std::optional<std::uint16_t> next_group(std::size_t queues) {
    static std::atomic<unsigned> groups{0};
    if (queues == 1) return std::nullopt;
    return static_cast<std::uint16_t>((static_cast<unsigned>(::getpid()) << 4) ^
                                      groups.fetch_add(1));
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_af_packet(const std::string& interface,
                                                          const AfPacketOptions& options) {
    const Result<KernelDevice> device = suitable_device(interface, kMaxPacketMtu);
    if (!device) return device.error();
    if (options.queues > kMaxPacketQueues) {
        return Error{"AF_PACKET takes up to " + std::to_string(kMaxPacketQueues) +
                     " queues and `queues` is " + std::to_string(options.queues) + "; lower it"};
    }
    const auto group = next_group(options.queues);
    std::vector<std::unique_ptr<Port>> ports;
    for (unsigned queue = 0; queue < options.queues; ++queue) {
        auto port = std::make_unique<PacketPort>(*device);
        if (auto made = port->make_pool(*device, options); !made) return made.error();
        if (auto opened = port->open(*device, options, group); !opened) return opened.error();
        port->join();
        ports.push_back(std::move(port));
    }
    return ports;
}

bool is_bound_af_packet(const Port& port) {
    return packet_port(port).is_bound();
}

bool release_af_packet(std::span<Port* const> ports) {
    bool all = true;
    for (Port* port : ports)
        all = packet_port(*port).part() && all;
    if (!all) return false;
    for (Port* port : ports)
        packet_port(*port).close();
    return true;
}

Result<void> reopen_af_packet(const std::string& interface, std::span<Port* const> ports,
                              const AfPacketOptions& options) {
    const Result<KernelDevice> device =
        suitable_device(interface, largest_packet_mtu(*ports.front()));
    if (!device) return device.error();
    const auto group = next_group(ports.size());
    for (Port* port : ports) {
        if (auto opened = packet_port(*port).open(*device, options, group); !opened) {
            for (Port* one : ports)
                packet_port(*one).close();
            return opened;
        }
    }
    for (Port* port : ports)
        packet_port(*port).join();
    return {};
}

unsigned largest_packet_mtu(const Port& port) {
    return packet_port(port).most_mtu();
}

}  // namespace steer
