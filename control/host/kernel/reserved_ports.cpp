#include "control/host/kernel/reserved_ports.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace steer::kernel {
namespace {

constexpr const char* kSysctl = "/proc/sys/net/ipv4/ip_local_reserved_ports";

std::string read_whole(int fd) {
    std::string text;
    std::array<char, 4096> chunk;
    off_t at = 0;
    for (;;) {
        const ssize_t n = pread(fd, chunk.data(), chunk.size(), at);
        if (n <= 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(n));
        at += n;
    }
}

// A sysctl takes its value in one write.
bool write_whole(int fd, const std::string& text) {
    return pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

PortBits parse_port_list(const std::string& text) {
    PortBits ports;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        const char* const comma = std::find(at, end, ',');
        std::uint16_t first = 0;
        const auto [rest, bad] = std::from_chars(at, comma, first);
        std::uint16_t last = first;
        const bool range = bad == std::errc{} && rest < comma && *rest == '-';
        if (range && std::from_chars(rest + 1, comma, last).ec != std::errc{}) last = 0;
        if (bad == std::errc{}) {
            for (std::uint32_t port = first; port <= last; ++port)
                ports.set(port);
        }
        at = comma + 1;
    }
    return ports;
}

std::string format_port_list(const PortBits& ports) {
    std::string text;
    for (std::size_t first = ports._Find_first(); first < ports.size();) {
        std::size_t last = first;
        while (last + 1 < ports.size() && ports.test(last + 1))
            ++last;
        text += (text.empty() ? "" : ",") + std::to_string(first);
        if (last != first) text += "-" + std::to_string(last);
        first = ports._Find_next(last);
    }
    return text;
}

Result<std::unique_ptr<ReservedPorts>> ReservedPorts::reserve(std::uint16_t first,
                                                              std::uint16_t last) {
    const std::string range = std::to_string(first) + "-" + std::to_string(last);
    const int fd = open(kSysctl, O_RDWR | O_CLOEXEC);
    const PortBits before = fd < 0 ? PortBits{} : parse_port_list(read_whole(fd));
    const PortBits ours = parse_port_list(range);
    if (fd < 0 || !write_whole(fd, format_port_list(before | ours) + "\n")) {
        const int code = errno;
        if (fd >= 0) close(fd);
        return Error{"upstream ports " + range + " cannot be reserved: " + std::strerror(code) +
                     "; run `sysctl -w net.ipv4.ip_local_reserved_ports=" + range +
                     "` so that no other program is given one of them"};
    }
    return std::unique_ptr<ReservedPorts>(new ReservedPorts(fd, ours & ~before));
}

ReservedPorts::~ReservedPorts() {
    const PortBits now = parse_port_list(read_whole(fd_));
    write_whole(fd_, format_port_list(now & ~added_) + "\n");
    close(fd_);
}

}  // namespace steer::kernel
