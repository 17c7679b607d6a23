#include "control/streams/upstream/upstream_socket.h"

#include <sys/socket.h>
#include <unistd.h>

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
