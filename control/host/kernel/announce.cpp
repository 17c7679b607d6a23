#include "control/host/kernel/announce.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "dataplane/dns/checksum.h"

namespace steer::kernel {
namespace {

using namespace std::chrono_literals;

constexpr MacAddress kEverybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr MacAddress kAllNodesMac{0x33, 0x33, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> kAllNodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

struct Manner {
    unsigned times;
    std::chrono::steady_clock::duration apart;
};
Manner manner_of(const IpAddress& address) {
    return address.is_v4() ? Manner{2, 2s} : Manner{3, 1s};
}

template <std::size_t N>
class Writer {
  public:
    explicit Writer(std::array<std::uint8_t, N>& out) : out_(out) {}
    template <class Bytes>
    Writer& bytes(const Bytes& b) {
        std::copy(std::begin(b), std::end(b), out_.begin() + static_cast<std::ptrdiff_t>(at_));
        at_ += std::size(b);
        return *this;
    }
    Writer& be16(std::uint16_t v) {
        out_[at_++] = static_cast<std::uint8_t>(v >> 8);
        out_[at_++] = static_cast<std::uint8_t>(v);
        return *this;
    }

  private:
    std::array<std::uint8_t, N>& out_;
    std::size_t at_ = 0;
};

std::vector<PortAddress> addresses_of(std::span<const DeviceState> devices) {
    std::vector<PortAddress> all;
    for (const DeviceState& device : devices)
        all.insert(all.end(), device.addresses.begin(), device.addresses.end());
    return all;
}

std::span<const std::uint8_t> v4_of(const IpAddress& address) {
    return {address.v4(), 4};
}

}  // namespace

// An announcement is a request for one's own address, which is sender and target (RFC 5227 1.1).
ArpFrame gratuitous_arp(const MacAddress& mac, const IpAddress& address) {
    ArpFrame frame{};
    Writer(frame)
        .bytes(kEverybody)
        .bytes(mac)
        .be16(0x0806)
        .be16(1)
        .be16(0x0800)
        .be16(0x0604)
        .be16(1)
        .bytes(mac)
        .bytes(v4_of(address))
        .bytes(MacAddress{})
        .bytes(v4_of(address));
    return frame;
}

NeighbourAdvertisement unsolicited_advertisement(const MacAddress& mac, const IpAddress& address) {
    NeighbourAdvertisement frame{};
    constexpr std::size_t kIp = 14, kIcmp = kIp + 40;
    constexpr std::uint16_t kIcmpBytes = 32, kIcmp6 = 58, kNextAndHops = kIcmp6 << 8 | 255;
    // Type 136, override: entries that others have are replaced; then the target and its link-layer address.
    Writer(frame)
        .bytes(kAllNodesMac)
        .bytes(mac)
        .be16(0x86dd)
        .be16(0x6000)
        .be16(0)
        .be16(kIcmpBytes)
        .be16(kNextAndHops)
        .bytes(address.bytes)
        .bytes(kAllNodes)
        .be16(136 << 8)
        .be16(0)
        .be16(0x2000)
        .be16(0)
        .bytes(address.bytes)
        .be16(0x0201)
        .bytes(mac);
    // The pseudo-header is the addresses, before the message, and its length and protocol.
    const std::uint64_t sum = checksum_narrow(checksum_add(0, &frame[kIp + 8], 32 + kIcmpBytes)) +
                              checksum_words(kIcmpBytes + kIcmp6);
    const auto field = static_cast<std::uint16_t>(~checksum_fold(sum));
    std::memcpy(&frame[kIcmp + 2], &field, sizeof field);
    return frame;
}

// ---- what and when

void Announcements::follow(std::vector<PortAddress> addresses, Time now) {
    std::sort(addresses.begin(), addresses.end());
    std::erase_if(pending_, [&](const Pending& p) {
        return !std::binary_search(addresses.begin(), addresses.end(), p.address);
    });
    for (const PortAddress& address : addresses) {
        if (!std::binary_search(known_.begin(), known_.end(), address))
            pending_.push_back({address, manner_of(address.ip).times, now});
    }
    known_ = std::move(addresses);
}

void Announcements::assume(std::vector<PortAddress> addresses) {
    std::sort(addresses.begin(), addresses.end());
    known_ = std::move(addresses);
    pending_.clear();
}

std::vector<PortAddress> Announcements::take_due(Time now) {
    std::vector<PortAddress> due;
    for (Pending& p : pending_) {
        if (p.due > now) continue;
        due.push_back(p.address);
        --p.left;
        p.due = now + manner_of(p.address.ip).apart;
    }
    std::erase_if(pending_, [](const Pending& p) { return p.left == 0; });
    return due;
}

std::optional<Announcements::Time> Announcements::next() const {
    std::optional<Time> first;
    for (const Pending& p : pending_)
        first = first ? std::min(*first, p.due) : p.due;
    return first;
}

// ---- on the main thread

Announcer::Announcer(boost::asio::io_context& main_io)
    : timer_(main_io), socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}

Announcer::~Announcer() {
    if (socket_ >= 0) ::close(socket_);
}

void Announcer::follow(std::span<const DeviceState> devices) {
    announcements_.follow(addresses_of(devices), std::chrono::steady_clock::now());
    send_due();
}

void Announcer::assume(std::span<const DeviceState> devices) {
    announcements_.assume(addresses_of(devices));
}

void Announcer::send_due() {
    for (const PortAddress& address : announcements_.take_due(std::chrono::steady_clock::now()))
        send(address);
    const auto next = announcements_.next();
    if (!next) return;
    timer_.expires_at(*next);
    timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) send_due();
    });
}

void Announcer::send(const PortAddress& address) {
    const bool v4 = address.ip.is_v4();
    if (v4 && std::find(quiet_.begin(), quiet_.end(), address.device) != quiet_.end()) return;
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = v4 ? __builtin_bswap16(ETHERTYPE_ARP) : __builtin_bswap16(ETHERTYPE_IPV6);
    to.sll_ifindex = address.if_index;
    to.sll_halen = sizeof(MacAddress);
    const auto send_frame = [&](const auto& frame, Count& sent) {
        std::copy_n(frame.begin(), sizeof(MacAddress), to.sll_addr);
        const auto n = ::sendto(socket_, frame.data(), frame.size(), 0,
                                reinterpret_cast<const sockaddr*>(&to), sizeof to);
        if (n == static_cast<ssize_t>(frame.size())) sent.add();
    };
    if (v4) {
        send_frame(gratuitous_arp(address.mac, address.ip), arp_sent);
    } else {
        send_frame(unsolicited_advertisement(address.mac, address.ip), advertisements_sent);
    }
}

}  // namespace steer::kernel
