#include "control/sinks/set_process/netlink_socket.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace steer::sets {

void NetlinkSocket::Close::operator()(mnl_socket* socket) const {
    mnl_socket_close(socket);
}

Result<NetlinkSocket> NetlinkSocket::open(int bus, int flags) {
    NetlinkSocket opened;
    opened.socket_.reset(mnl_socket_open2(bus, SOCK_CLOEXEC | flags));
    if (!opened.is_open()) return Error{std::strerror(errno)};
    return {boost::system::in_place_value, std::move(opened)};
}

Result<void> NetlinkSocket::bind(unsigned groups) {
    if (mnl_socket_bind(get(), groups, MNL_SOCKET_AUTOPID) < 0) return Error{std::strerror(errno)};
    return {};
}

void NetlinkSocket::enlarge_receive_buffer(int bytes) {
    (void)::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
}

int NetlinkSocket::fd() const {
    return mnl_socket_get_fd(get());
}

std::uint32_t NetlinkSocket::port() const {
    return mnl_socket_get_portid(get());
}

bool NetlinkSocket::read_waiting(const OnMessage& on_message) {
    alignas(nlmsghdr) std::array<char, 32 * 1024> buffer{};
    bool complete = true;
    for (;;) {
        const auto bytes = mnl_socket_recvfrom(get(), buffer.data(), buffer.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            complete = false;
            continue;
        }
        if (bytes <= 0) return complete;
        int left = static_cast<int>(bytes);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
            on_message(*message);
    }
}

}  // namespace steer::sets
