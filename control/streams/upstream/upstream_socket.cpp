#include "control/streams/upstream/upstream_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "control/host/resolver/interface_zone.h"
#include "control/streams/base/socket_address.h"

namespace steer::stream {

int prepare_socket(const StreamContext& context, int socket, const IpAddress& to,
                   std::uint32_t mark, const std::string& device) {
    if (mark != 0 && ::setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
        return errno;
    if (device.empty()) return context.bind_to_vrf(socket, to);
    const std::string name = resolver::interface_name(device);
    if (name.empty()) return ENODEV;
    const int failed = ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                                    static_cast<socklen_t>(name.size()));
    return failed == 0 ? 0 : errno;
}

void guard_datagrams(int socket, bool is_v4) {
    static_assert(IP_PMTUDISC_OMIT == IPV6_PMTUDISC_OMIT);
    const int on = 1, omit = IP_PMTUDISC_OMIT;
    const int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    // A kernel without these options (before 4.4) leaves the socket as it was.
    (void)::setsockopt(socket, level, is_v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &omit,
                       sizeof omit);
    (void)::setsockopt(socket, level, is_v4 ? IP_RECVFRAGSIZE : IPV6_RECVFRAGSIZE, &on, sizeof on);
}

Datagram receive_datagram(int socket, std::span<std::uint8_t> room) {
    iovec piece{room.data(), room.size()};
    alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    Datagram got;
    got.length = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (got.length < 0) {
        got.error = errno;
        return got;
    }
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        // The kernel adds it only to a datagram that it put together.
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVFRAGSIZE) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVFRAGSIZE))
            got.is_fragmented = true;
    }
    return got;
}

ReceivedReply receive_reply(StreamContext& context, int socket) {
    Buffer* const buffer = context.buffers.take(kSmallBuffer);
    std::uint8_t nowhere[1];
    const std::span<std::uint8_t> room = buffer != nullptr ? buffer->room() : std::span{nowhere};
    const Datagram got = receive_datagram(socket, room);
    if (got.length < 0) {
        release(buffer);
        return {got};
    }
    if (buffer == nullptr) {
        context.count(StreamCount::upstream_no_buffer);
        return {got};
    }
    buffer->length = static_cast<std::uint32_t>(
        std::min<std::size_t>(static_cast<std::size_t>(got.length), buffer->capacity));
    return {got, buffer};
}

bool may_be_forged(const IpAddress& upstream) {
    constexpr std::uint8_t kLoopbackNet = 127;
    if (upstream.is_v4()) return upstream.bytes[12] != kLoopbackNet;
    const auto zeros = std::ranges::count(upstream.bytes, std::uint8_t{0});
    return zeros != 15 || upstream.bytes[15] != 1;
}

// Connecting over UDP sends nothing, but searches for the route.
std::optional<IpAddress> source_towards(const StreamContext& context, const IpAddress& to,
                                        std::uint32_t mark, const std::string& device) {
    constexpr std::uint16_t kAnyPort = 53;
    const SocketAddress there(to, kAnyPort);
    const int socket = ::socket(there.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return std::nullopt;
    SocketAddress here;
    const bool found = prepare_socket(context, socket, to, mark, device) == 0 &&
                       ::connect(socket, there.get(), there.length) == 0 &&
                       ::getsockname(socket, here.get(), &here.length) == 0;
    ::close(socket);
    if (!found) return std::nullopt;
    return here.address();
}

}  // namespace steer::stream
