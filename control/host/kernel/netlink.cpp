#include "control/host/kernel/netlink.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace steer::kernel {
namespace {

static_assert(AF_INET == 2 && AF_INET6 == 10);

int give(const nlmsghdr* message, void* on_message) {
    (*static_cast<const Netlink::OnMessage*>(on_message))(*message);
    return MNL_CB_OK;
}

Error no_socket(int code) {
    return Error{std::string("a netlink socket cannot be opened: ") + std::strerror(code)};
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags)
    : header_(mnl_nlmsg_put_header(bytes_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
}

void* NetlinkRequest::append_fixed(std::size_t bytes) {
    return mnl_nlmsg_put_extra_header(header_, bytes);
}

void NetlinkRequest::put_bytes(std::uint16_t attribute, std::span<const std::uint8_t> bytes) {
    mnl_attr_put(header_, attribute, bytes.size(), bytes.data());
}

void NetlinkRequest::put_address(std::uint16_t attribute, const IpAddress& address) {
    if (address.is_v4()) {
        mnl_attr_put(header_, attribute, 4, address.v4());
    } else {
        mnl_attr_put(header_, attribute, address.bytes.size(), address.bytes.data());
    }
}

IpAddress address_from(const void* payload, std::size_t bytes) {
    const auto* p = static_cast<const std::uint8_t*>(payload);
    return bytes == 4 ? IpAddress::from_v4(p) : bytes == 16 ? IpAddress::from_v6(p) : IpAddress{};
}

Result<std::unique_ptr<Netlink>> Netlink::open(std::span<const int> groups) {
    mnl_socket* socket =
        mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | (groups.empty() ? 0 : SOCK_NONBLOCK));
    if (socket == nullptr) return no_socket(errno);
    std::unique_ptr<Netlink> netlink(new Netlink(socket));
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return no_socket(errno);
    for (int group : groups) {
        if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
            return no_socket(errno);
        }
    }
    const timeval patience{1, 0};
    setsockopt(netlink->fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return netlink;
}

Netlink::~Netlink() {
    mnl_socket_close(socket_);
}

int Netlink::fd() const {
    return mnl_socket_get_fd(socket_);
}

int Netlink::ask(NetlinkRequest& request, const OnMessage& on_message,
                 const std::function<void()>& begin) {
    constexpr int kTries = 5;
    int result = 0;
    for (int i = 0; i < kTries; ++i) {
        begin();
        request.header().nlmsg_seq = ++sequence_;
        if (mnl_socket_sendto(socket_, &request.header(), request.header().nlmsg_len) < 0) {
            return errno;
        }
        result = receive_reply(sequence_, on_message);
        if (result != EINTR) return result;
    }
    return result;
}

int Netlink::receive_reply(std::uint32_t sequence, const OnMessage& on_message) {
    std::array<char, 32768> buffer;  // a dump's messages come in chunks up to this
    int interrupted = 0;
    for (;;) {
        const ssize_t n = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
        if (n < 0) return errno;
        // The reply to a request that was given up before may come first.
        const auto* first = reinterpret_cast<const nlmsghdr*>(buffer.data());
        if (first->nlmsg_seq != sequence) continue;
        const int go_on =
            mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), sequence,
                       mnl_socket_get_portid(socket_), give, const_cast<OnMessage*>(&on_message));
        if (go_on == MNL_CB_ERROR && errno == EINTR) {
            interrupted = EINTR;  // the table changed during the dump; the rest of it still comes
            if (first->nlmsg_type == NLMSG_DONE) return EINTR;
            continue;
        }
        if (go_on == MNL_CB_ERROR) return errno;
        if (go_on == MNL_CB_STOP) return interrupted;
    }
}

bool Netlink::read_events(const OnMessage& on_message) {
    std::array<char, 32768> buffer;
    bool complete = true;
    for (;;) {
        const ssize_t n = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
        if (n < 0 && errno == ENOBUFS) {
            complete = false;
            continue;
        }
        if (n <= 0) return complete;
        mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), 0, 0, give,
                   const_cast<OnMessage*>(&on_message));
    }
}

}  // namespace steer::kernel
