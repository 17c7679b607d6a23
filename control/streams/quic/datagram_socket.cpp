#include "control/streams/quic/datagram_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/streams/base/udp_options.h"

namespace steer::quic {
namespace {

using stream::kUdpGro;
using stream::kUdpSegment;

constexpr std::size_t kCalls = 16;  // datagrams, or trains of them, of one call
constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::size_t kMostSegments = 64;  // UDP_MAX_SEGMENTS
constexpr unsigned kEcnMask = 3;

struct alignas(cmsghdr) ControlRoom {
    std::array<char, 128> bytes{};
};

// A thread's buffers.
struct Room {
    std::array<std::array<std::uint8_t, kMostBytes>, kCalls> bytes;
    std::array<stream::SocketAddress, kCalls> from;
    std::array<ControlRoom, kCalls> control;
    std::array<iovec, kCalls> parts;
    std::array<mmsghdr, kCalls> messages;
};

template <class T>
T value_of(const cmsghdr& part) {
    T value{};
    const std::size_t length = part.cmsg_len - CMSG_LEN(0);
    std::memcpy(&value, CMSG_DATA(&part), std::min(sizeof value, length));
    return value;
}

struct Facts {
    unsigned ecn = 0;
    std::size_t each = 0;  // bytes of each datagram; 0: there is one
};

Facts facts_of(msghdr& message) {
    Facts facts;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TOS) {
            facts.ecn = value_of<std::uint8_t>(*part) & kEcnMask;
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_TCLASS) {
            facts.ecn = static_cast<unsigned>(value_of<int>(*part)) & kEcnMask;
        } else if (part->cmsg_level == SOL_UDP && part->cmsg_type == kUdpGro) {
            facts.each = static_cast<std::size_t>(std::max(0, value_of<int>(*part)));
        }
    }
    return facts;
}

template <class T>
void put(msghdr& message, std::size_t& used, int level, int type, const T& value) {
    auto* const part = reinterpret_cast<cmsghdr*>(static_cast<char*>(message.msg_control) + used);
    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(part), &value, sizeof value);
    used += CMSG_SPACE(sizeof value);
}

}  // namespace

int DatagramSocket::read(const Taker& take) {
    static thread_local Room room;
    for (unsigned taken = 0; taken < kMostPerTurn;) {
        for (std::size_t i = 0; i < kCalls; ++i) {
            room.parts[i] = {room.bytes[i].data(), room.bytes[i].size()};
            room.from[i].length = sizeof room.from[i].storage;
            msghdr& one = room.messages[i].msg_hdr;
            one = {};
            one.msg_name = &room.from[i].storage;
            one.msg_namelen = room.from[i].length;
            one.msg_iov = &room.parts[i];
            one.msg_iovlen = 1;
            one.msg_control = room.control[i].bytes.data();
            one.msg_controllen = room.control[i].bytes.size();
        }
        const int got = ::recvmmsg(fd_.get(), room.messages.data(), kCalls, MSG_DONTWAIT, nullptr);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
        if (got == 0) return 0;
        taken += static_cast<unsigned>(got);
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
            msghdr& one = room.messages[i].msg_hdr;
            if ((one.msg_flags & MSG_TRUNC) != 0) continue;
            room.from[i].length = one.msg_namelen;
            const Facts facts = facts_of(one);
            auto left =
                std::span<const std::uint8_t>(room.bytes[i]).first(room.messages[i].msg_len);
            const std::size_t each = facts.each == 0 ? left.size() : facts.each;
            while (!left.empty()) {
                const std::size_t length = std::min(each, left.size());
                take(left.first(length), facts.ecn, room.from[i]);
                left = left.subspan(length);
            }
        }
        if (static_cast<std::size_t>(got) < kCalls) return 0;
    }
    return 0;
}

bool DatagramSocket::send_once(const stream::SocketAddress& remote, unsigned ecn,
                               std::span<const std::uint8_t> bytes, std::size_t each) const {
    iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    ControlRoom control;
    msghdr message{};
    if (!is_connected_) {
        message.msg_name = const_cast<sockaddr*>(remote.get());
        message.msg_namelen = remote.length;
    }
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    std::size_t used = 0;
    if (each < bytes.size())
        put(message, used, SOL_UDP, kUdpSegment, static_cast<std::uint16_t>(each));
    if (ecn != 0) {
        const int mark = static_cast<int>(ecn);
        if (remote.family() == AF_INET) {
            put(message, used, IPPROTO_IP, IP_TOS, mark);
        } else {
            put(message, used, IPPROTO_IPV6, IPV6_TCLASS, mark);
        }
    }
    message.msg_controllen = used;
    if (used == 0) message.msg_control = nullptr;
    // The error of an earlier datagram is not this one's.
    bool may_refuse = is_connected_;
    for (;;) {
        if (::sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
        const bool is_older = errno == ECONNREFUSED && std::exchange(may_refuse, false);
        if (errno != EINTR && !is_older) return false;
    }
}

std::size_t DatagramSocket::send(const stream::SocketAddress& remote, unsigned ecn,
                                 std::span<const std::uint8_t> bytes, std::size_t each) {
    std::size_t lost = 0;
    bool has_segments = has_segments_;
    while (!bytes.empty()) {
        const std::size_t train = has_segments ? std::min(kMostSegments, kMostBytes / each) : 1;
        const auto part =
            bytes.first(std::min(bytes.size(), std::max<std::size_t>(1, train) * each));
        if (!send_once(remote, ecn, part, each)) {
            // EIO: of a device without checksums of its own. EINVAL: of a route with a small MTU.
            if (part.size() > each && (errno == EIO || errno == EINVAL)) {
                has_segments_ = has_segments_ && errno != EIO;
                has_segments = false;
                continue;
            }
            lost += (part.size() + each - 1) / each;
        }
        bytes = bytes.subspan(part.size());
    }
    return lost;
}

}  // namespace steer::quic
