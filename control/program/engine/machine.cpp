#include "control/program/engine/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/host/kernel/addresses.h"
#include "control/host/kernel/netlink.h"
#include "control/host/process/regular_file.h"
#include "dataplane/port/descriptor.h"

namespace steer::recursion {
namespace {

using std::chrono::days;
using std::chrono::sys_seconds;

// It signs the root since October 2026.
constexpr unsigned kRootKeyTag = 38696, kFormerRootKeyTag = 20326;
// The engine asks for the root's keys each half day.
constexpr days kKeyPatience{15};
// f.root-servers.net. Nothing is sent to it.
constexpr const char* kFarAddress = "2001:500:2f::f";

// Interfaces that are up, and their addresses.
kernel::Interfaces interfaces() {
    const auto netlink = kernel::Netlink::open();
    return netlink ? kernel::read_interfaces(**netlink) : kernel::Interfaces{};
}

}  // namespace

Result<config::Recursion> with_addresses(config::Recursion settings) {
    const std::string& interface = settings.outgoing_interface.value;
    if (!interface.empty()) {
        const kernel::Interfaces all = interfaces();
        for (const kernel::Address& one : all.addresses) {
            const kernel::Link* const link = all.find(one.if_index);
            if (link != nullptr && link->up && link->name == interface && !one.ip.is_link_local())
                settings.outgoing.push_back(one.ip);
        }
        if (settings.outgoing.empty())
            return Error{"the interface " + interface +
                         " of 'outgoing' has no address, or is down; it starts when it has one"};
    }
    return {boost::system::in_place_value, std::move(settings)};
}

std::string clock_problem(sys_seconds now) {
    struct stat found {};
    if (::stat(std::string(kRootKey).c_str(), &found) != 0) return {};
    if (now.time_since_epoch() >= std::chrono::seconds(found.st_mtim.tv_sec)) return {};
    return "the clock of this machine is earlier than its own file " + std::string(kRootKey) +
           ", and signatures are checked by it; set the time, and run a client of NTP";
}

std::string root_key_problem(const std::string& file, sys_seconds now) {
    const auto text = read_regular(file, kMostRootKeys, O_NOFOLLOW);
    if (!text || !*text) return {};
    const RootKeys keys = root_keys_of(**text);
    const auto has = [&keys](unsigned tag) {
        return std::ranges::find(keys.valid, tag) != keys.valid.end();
    };
    if (has(kFormerRootKeyTag) && !has(kRootKeyTag))
        return file + " has the root's key " + std::to_string(kFormerRootKeyTag) + " and not " +
               std::to_string(kRootKeyTag) +
               ", which signs the root now; run 'apt-get install --only-upgrade dns-root-data' and "
               "restart steerdnsd";
    if (keys.success_s &&
        now.time_since_epoch() - std::chrono::seconds(*keys.success_s) > kKeyPatience)
        return "the root's keys were not confirmed for " + std::to_string(kKeyPatience.count()) +
               " days; check the clock, and that the root's servers can be reached";
    return {};
}

std::string ipv6_problem() {
    const auto is_global = [](const kernel::Address& one) {
        return !one.ip.is_v4() && one.ip.high() >> 61 == 1;  // 2000::/3
    };
    if (std::ranges::none_of(interfaces().addresses, is_global)) return {};
    sockaddr_in6 far{};
    far.sin6_family = AF_INET6;
    far.sin6_port = htons(53);
    (void)::inet_pton(AF_INET6, kFarAddress, &far.sin6_addr);
    const Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0 ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&far), sizeof far) == 0)
        return {};
    return "this machine has an IPv6 address and no route for it to the Internet (" +
           std::string(std::strerror(errno)) + "); add a default route, or remove the address";
}

}  // namespace steer::recursion
