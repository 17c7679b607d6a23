#include "control/host/kernel/arp.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace steer::kernel {
namespace {

constexpr const char* kRoot = "/proc/sys/net/ipv4/";

bool read_number(int fd, int& value) {
    std::array<char, 16> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    return n > 0 && std::from_chars(text.data(), text.data() + n, value).ec == std::errc{};
}

bool write_number(int fd, int value) {
    const std::string text = std::to_string(value) + "\n";
    return ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::vector<ArpKnob> arp_knobs(ArpMode mode, const std::string& interface) {
    const bool asks = mode != ArpMode::disabled && mode != ArpMode::reply_only;
    const std::string conf = "conf/" + interface + "/", neigh = "neigh/" + interface + "/";
    std::vector<ArpKnob> knobs{
        {conf + "arp_ignore", mode == ArpMode::disabled ? 8 : 0},
        {conf + "proxy_arp", mode == ArpMode::proxy_arp ? 1 : 0},
        {conf + "proxy_arp_pvlan", mode == ArpMode::local_proxy_arp ? 1 : 0},
        {neigh + "mcast_solicit", asks ? 3 : 0},
        {neigh + "ucast_solicit", asks ? 3 : 0},
    };
    // Otherwise the kernel would send redirects, and neighbours would bypass us.
    if (mode == ArpMode::local_proxy_arp) knobs.push_back({conf + "send_redirects", 0});
    return knobs;
}

Result<void> ArpSetting::set(const ArpKnob& knob) {
    const std::string path = kRoot + knob.path;
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    int before = 0;
    if (fd < 0 || !read_number(fd, before) || !write_number(fd, knob.value)) {
        const int code = errno;
        if (fd >= 0) ::close(fd);
        return Error{"`arp` cannot be set: " + path + ": " + std::strerror(code) +
                     "; that needs root or CAP_NET_ADMIN and a /proc/sys that may be written"};
    }
    changed_.push_back({fd, before});
    return {};
}

Result<std::unique_ptr<ArpSetting>> ArpSetting::apply(ArpMode mode, const std::string& interface) {
    std::unique_ptr<ArpSetting> setting(new ArpSetting);
    for (const ArpKnob& knob : arp_knobs(mode, interface)) {
        if (auto done = setting->set(knob); !done) return done.error();
    }
    if (mode == ArpMode::proxy_arp || mode == ArpMode::local_proxy_arp) {
        const std::string forwarding = "conf/" + interface + "/forwarding";
        const int fd = ::open((kRoot + forwarding).c_str(), O_RDONLY | O_CLOEXEC);
        int value = 0;
        if (fd >= 0 && read_number(fd, value) && value == 0) {
            setting->warning_ = interface +
                                " does not answer ARP for other hosts while its forwarding is off: "
                                "`sysctl -w net.ipv4.conf." +
                                interface + ".forwarding=1`";
        }
        if (fd >= 0) ::close(fd);
    }
    return setting;
}

ArpSetting::~ArpSetting() {
    for (const Changed& knob : changed_) {
        write_number(knob.fd, knob.before);
        ::close(knob.fd);
    }
}

}  // namespace steer::kernel
