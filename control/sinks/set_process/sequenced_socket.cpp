#include "control/sinks/set_process/sequenced_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "control/sinks/set_process/set_messages.h"

namespace steer::sets {
namespace {

constexpr int kSendBuffer = 4 * static_cast<int>(kMaxMessage);  // net.core.wmem_max limits it

SequencedSocket::End end_of(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS)
        return SequencedSocket::End::full;
    return error == EPIPE || error == ECONNRESET ? SequencedSocket::End::closed
                                                 : SequencedSocket::End::broken;
}

}  // namespace

SequencedSocket::SequencedSocket(Descriptor fd)
    : fd_(std::move(fd)), buffer_(kMaxMessage + 1, '\0') {}

std::pair<Descriptor, Descriptor> SequencedSocket::pair() {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) ends = {-1, -1};
    for (const int end : ends) {
        if (end >= 0) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

SequencedSocket::End SequencedSocket::send(std::string_view message, bool waits) const {
    for (;;) {
        const auto sent = ::send(fd_.get(), message.data(), message.size(),
                                 MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT));
        if (sent >= 0) return End::done;
        if (errno != EINTR) return end_of(errno);
    }
}

SequencedSocket::End SequencedSocket::receive(std::string_view& message, bool waits) {
    for (;;) {
        const auto got =
            ::recv(fd_.get(), buffer_.data(), buffer_.size(), waits ? 0 : MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return end_of(errno);
        if (got == 0) return End::closed;  // no message is empty
        if (static_cast<std::size_t>(got) > kMaxMessage) return End::broken;
        message = std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
        return End::done;
    }
}

}  // namespace steer::sets
