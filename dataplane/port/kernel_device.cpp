#include "dataplane/port/kernel_device.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace steer {
namespace {

// One ioctl on an interface, through any socket.
class DeviceQuestion {
  public:
    explicit DeviceQuestion(const std::string& name)
        : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        name.copy(request_.ifr_name, IFNAMSIZ - 1);
    }
    ~DeviceQuestion() {
        if (fd_ >= 0) close(fd_);
    }
    DeviceQuestion(const DeviceQuestion&) = delete;
    DeviceQuestion& operator=(const DeviceQuestion&) = delete;

    bool ask(unsigned long what) { return ioctl(fd_, what, &request_) == 0; }
    template <class Command>
    bool ask_ethtool(Command& command) {
        request_.ifr_data = reinterpret_cast<char*>(&command);
        return ask(SIOCETHTOOL);
    }
    [[nodiscard]] const ifreq& reply() const { return request_; }

  private:
    ifreq request_{};
    int fd_;
};

std::string interface_names() {
    std::string names;
    struct if_nameindex* all = if_nameindex();
    for (auto* one = all; one != nullptr && one->if_index != 0; ++one) {
        names += (names.empty() ? "" : ", ") + std::string(one->if_name);
    }
    if (all != nullptr) if_freenameindex(all);
    return names;
}

}  // namespace

std::string KernelDevice::set_queues_command(unsigned n) const {
    const std::string count = std::to_string(n);
    return "ethtool -L " + name +
           (combined_channels ? " combined " + count : " rx " + count + " tx " + count);
}

bool has_interface(int if_index) {
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(static_cast<unsigned>(if_index), name.data()) != nullptr ||
           errno != ENXIO;
}

Result<KernelDevice> find_kernel_device(const std::string& name) {
    KernelDevice device;
    device.name = name;
    device.if_index = static_cast<int>(if_nametoindex(name.c_str()));
    if (device.if_index == 0) {
        return Error{"there is no interface " + name + " here (there are: " + interface_names() +
                     ")"};
    }
    DeviceQuestion question(name);
    if (!question.ask(SIOCGIFHWADDR)) return Error{name + ": " + std::strerror(errno)};
    if (question.reply().ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        return Error{name + " is not an Ethernet interface; serve it with `driver: socket`"};
    }
    std::copy_n(reinterpret_cast<const std::uint8_t*>(question.reply().ifr_hwaddr.sa_data),
                device.mac.size(), device.mac.begin());
    if (!question.ask(SIOCGIFMTU)) return Error{name + ": " + std::strerror(errno)};
    device.mtu = static_cast<unsigned>(question.reply().ifr_mtu);

    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    if (question.ask_ethtool(channels)) {
        device.combined_channels = channels.combined_count != 0;
        device.rx_queues = std::max(1U, channels.combined_count + channels.rx_count);
    }
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    if (question.ask_ethtool(driver)) device.driver = driver.driver;
    return device;
}

bool strips_vlan_tags(const std::string& name) {
    ethtool_value flags{ETHTOOL_GFLAGS, 0};
    return DeviceQuestion(name).ask_ethtool(flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

bool set_vlan_stripping(const std::string& name, bool on) {
    DeviceQuestion question(name);
    ethtool_value flags{ETHTOOL_GFLAGS, 0};
    if (!question.ask_ethtool(flags)) return !on;  // no such feature: nothing strips tags
    constexpr std::uint32_t kRxVlan = ETH_FLAG_RXVLAN;
    flags.cmd = ETHTOOL_SFLAGS;
    flags.data = on ? flags.data | kRxVlan : flags.data & ~kRxVlan;
    question.ask_ethtool(flags);
    return strips_vlan_tags(name) == on;
}

}  // namespace steer
