#include "control/host/kernel/exception_device.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "control/host/kernel/netlink.h"

namespace steer::kernel {
namespace {

// Holds a burst of a TCP connection until the reading thread runs (a TAP has 1000 by default and drops the rest).
constexpr int kQueueFrames = 4096;

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::copy(name.begin(), name.end(), request.ifr_name);
    return request;
}

Error not_made(const std::string& name, int code) {
    const std::string what = "the exception interface " + name + " cannot be made: ";
    switch (code) {
        case ENOENT:
        case ENXIO:
        case ENODEV:
            return Error{what +
                         "there is no /dev/net/tun (`modprobe tun`; a container is given it "
                         "by its host); without a kernel side: `exception: none`"};
        case EPERM:
        case EACCES:
            return Error{what +
                         "that needs root or CAP_NET_ADMIN; without a kernel side: "
                         "`exception: none`"};
        case EBUSY:
        case EEXIST:
        case EINVAL:
            if (::if_nametoindex(name.c_str()) != 0) {
                return Error{what +
                             "there is an interface of that name; choose another with "
                             "`exception: NAME`"};
            }
            [[fallthrough]];
        default:
            return Error{what + std::strerror(code)};
    }
}

Error not_set(const std::string& name, const std::string& what) {
    return Error{"the exception interface " + name + " does not accept " + what + ": " +
                 std::strerror(errno)};
}

Result<void> add_address(Netlink& netlink, const std::string& name, int if_index,
                         const AddressOnInterface& address) {
    NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    auto& fixed = request.fixed<ifaddrmsg>();
    fixed.ifa_family = family_of(address.ip);
    fixed.ifa_prefixlen = address.length;
    fixed.ifa_index = static_cast<unsigned>(if_index);
    request.put_address(IFA_LOCAL, address.ip);
    request.put_address(IFA_ADDRESS, address.ip);
    const int code = netlink.ask(request, [](const nlmsghdr&) {});
    if (code == 0) return {};
    return Error{name + " does not accept " + address.ip.to_string() + "/" +
                 std::to_string(address.length) + ": " + std::strerror(code) +
                 (code == EACCES && !address.ip.is_v4()
                      ? " (is `sysctl net.ipv6.conf.default.disable_ipv6` 1?)"
                      : "")};
}

Result<void> set_up(const ExceptionDeviceOptions& options, int if_index) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = request_for(options.name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::memcpy(request.ifr_hwaddr.sa_data, options.mac.data(), options.mac.size());
    if (::ioctl(socket.get(), SIOCSIFHWADDR, &request) != 0)
        return not_set(options.name, "the MAC address of its port");
    request = request_for(options.name);
    request.ifr_mtu = static_cast<int>(options.mtu);
    if (::ioctl(socket.get(), SIOCSIFMTU, &request) != 0)
        return not_set(options.name, "an MTU of " + std::to_string(options.mtu));
    request = request_for(options.name);
    request.ifr_qlen = kQueueFrames;
    if (::ioctl(socket.get(), SIOCSIFTXQLEN, &request) != 0)
        return not_set(options.name, "a queue of " + std::to_string(kQueueFrames) + " frames");
    request = request_for(options.name);
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
        return not_set(options.name, "to be set up");
    auto netlink = Netlink::open();
    if (!netlink) return netlink.error();
    for (const auto& address : options.addresses) {
        if (auto done = add_address(**netlink, options.name, if_index, address); !done) return done;
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<ExceptionDevice>> ExceptionDevice::make(
    const ExceptionDeviceOptions& options) {
    std::unique_ptr<ExceptionDevice> device(new ExceptionDevice(options));
    if (auto done = device->attach(); !done) return done.error();
    return device;
}

Result<std::unique_ptr<ExceptionDevice>> ExceptionDevice::adopt(
    const ExceptionDeviceOptions& options) {
    std::unique_ptr<ExceptionDevice> device(new ExceptionDevice(options));
    device->if_index_ = static_cast<int>(::if_nametoindex(options.name.c_str()));
    if (device->if_index_ == 0) return not_made(options.name, errno);
    if (auto done = set_up(options, device->if_index_); !done) return done.error();
    return device;
}

Result<void> ExceptionDevice::check_free(const std::string& name) {
    if (::if_nametoindex(name.c_str()) != 0) return not_made(name, EEXIST);
    return {};
}

bool ExceptionDevice::is_there() const {
    const unsigned found = ::if_nametoindex(name().c_str());
    if (found == 0 && errno != ENODEV) return true;  // no descriptor left to ask with
    return found == static_cast<unsigned>(if_index_);
}

Result<void> ExceptionDevice::attach() {
    const std::string& name = options_.name;
    Descriptor tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (tun.get() < 0) return not_made(name, errno);
    unsigned wanted_index = static_cast<unsigned>(if_index_);
    if (wanted_index != 0 && ::ioctl(tun.get(), TUNSETIFINDEX, &wanted_index) != 0)
        return not_made(name, errno);
    ifreq request = request_for(name);
    // (Its type is signed; IFF_TUN_EXCL: never an existing interface.)
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
    if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) return not_made(name, errno);
    const auto if_index = static_cast<int>(::if_nametoindex(name.c_str()));
    if (auto done = set_up(options_, if_index); !done) return done.error();
    fd_ = std::move(tun);
    if_index_ = if_index;
    return {};
}

Result<void> ExceptionDevice::make_again() {
    if (fd_.get() < 0) {
        return Error{
            "vhost-net serves it again after a restart (with `exception_driver: tap` it is made "
            "again at once)"};
    }
    return attach();
}

// By netlink: virtio-user keeps the descriptors of its TAP to itself. (Kernels before 5.0 know a TAP's carrier always
// there.)
void ExceptionDevice::set_carrier(bool up) const {
    auto netlink = Netlink::open();
    if (!netlink) return;
    NetlinkRequest request(RTM_NEWLINK, 0);
    request.fixed<ifinfomsg>().ifi_index = if_index_;
    const std::uint8_t carrier = up ? 1 : 0;
    request.put_bytes(IFLA_CARRIER, std::span(&carrier, 1));
    (*netlink)->ask(request, [](const nlmsghdr&) {});
}

}  // namespace steer::kernel
