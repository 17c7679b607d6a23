#include "control/host/process/sequenced_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace steer {
namespace {

constexpr std::size_t kMessagesOfRoom = 4;

// Room for the descriptors beside a message.
struct alignas(cmsghdr) DescriptorRoom {
    std::array<char, CMSG_SPACE(sizeof(int) * SequencedSocket::kMaxDescriptors)> bytes{};
};

SequencedSocket::End end_of(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS)
        return SequencedSocket::End::full;
    return error == EPIPE || error == ECONNRESET ? SequencedSocket::End::closed
                                                 : SequencedSocket::End::broken;
}

std::vector<Descriptor> descriptors_of(msghdr& message) {
    std::vector<Descriptor> all;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, reinterpret_cast<const char*>(part) + at, sizeof fd);
            all.emplace_back(fd);
        }
    }
    return all;
}

}  // namespace

SequencedSocket::SequencedSocket(Descriptor fd, std::size_t max_bytes)
    : fd_(std::move(fd)), buffer_(max_bytes + 1, '\0') {}

std::pair<Descriptor, Descriptor> SequencedSocket::pair(std::size_t max_bytes) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) ends = {-1, -1};
    const int room = static_cast<int>(kMessagesOfRoom * max_bytes);  // net.core.wmem_max limits it
    for (const int end : ends) {
        if (end >= 0) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

SequencedSocket::End SequencedSocket::send(std::string_view message, bool waits,
                                           std::span<const int> descriptors) const {
    if (descriptors.size() > kMaxDescriptors) std::abort();
    iovec part{const_cast<char*>(message.data()), message.size()};
    msghdr sent{};
    sent.msg_iov = &part;
    sent.msg_iovlen = 1;
    DescriptorRoom room;
    if (!descriptors.empty()) {
        sent.msg_control = room.bytes.data();
        sent.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const head = CMSG_FIRSTHDR(&sent);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
    }
    for (;;) {
        if (::sendmsg(fd_.get(), &sent, MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT)) >= 0)
            return End::done;
        if (errno != EINTR) return end_of(errno);
    }
}

SequencedSocket::End SequencedSocket::receive(std::string_view& message, bool waits,
                                              std::vector<Descriptor>* descriptors) {
    iovec part{buffer_.data(), buffer_.size()};
    DescriptorRoom room;
    for (;;) {
        msghdr received{};
        received.msg_iov = &part;
        received.msg_iovlen = 1;
        received.msg_control = room.bytes.data();
        received.msg_controllen = room.bytes.size();
        const auto got =
            ::recvmsg(fd_.get(), &received, MSG_CMSG_CLOEXEC | (waits ? 0 : MSG_DONTWAIT));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return end_of(errno);
        auto beside = descriptors_of(received);
        if (got == 0) return End::closed;  // no message is empty
        if (static_cast<std::size_t>(got) >= buffer_.size()) return End::broken;
        message = std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
        if (descriptors != nullptr) *descriptors = std::move(beside);
        return End::done;
    }
}

}  // namespace steer
