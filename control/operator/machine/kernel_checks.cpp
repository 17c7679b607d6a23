// The kernel: its version, its modules, and settings of its network stack.
#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"

namespace steer::machine {
namespace {

using config::Driver;

constexpr unsigned kMinMajor = 5,
                   kMinMinor = 10;  // XDP programs attached by a link: 5.9; Debian 11 has 5.10

bool is_loaded(const Subject& subject, const std::string& module) {
    return subject.exists("/sys/module/" + module);
}

bool is_in_tree(const Subject& subject, const std::string& module) {
    const std::string folder = "/lib/modules/" + subject.word("/proc/sys/kernel/osrelease");
    return std::ranges::any_of(
        std::array{"/modules.builtin", "/modules.dep"}, [&](const char* file) {
            return subject.read(folder + file).find("/" + module + ".ko") != std::string::npos;
        });
}

// A device that a module makes: there, or the module to load now and at each boot.
Finding check_device(const Subject& subject, const std::string& device, const std::string& module,
                     Level level, const std::string& why) {
    if (subject.exists(device)) return {Level::ok, device + " is there", {}, {}};
    Finding finding{level, device + " is missing", why, {}};
    if (!is_in_tree(subject, module)) {
        finding.text += ", and this kernel has no module " + module;
        return finding;
    }
    const std::string file = "/etc/modules-load.d/steerdns-" + module + ".conf";
    finding.steps.push_back({"modprobe " + module, "modprobe -r " + module});
    if (!has_lines(subject, file, {module}))
        finding.steps.push_back(file_step(subject, file, {module}));
    return finding;
}

Finding check_module(const Subject& subject, const std::string& module, const std::string& plugin) {
    if (is_loaded(subject, module) || is_in_tree(subject, module))
        return {Level::ok, "the kernel has " + module + ", for `" + plugin + "`", {}, {}};
    return {Level::problem,
            "this kernel has no module " + module + ", which `" + plugin +
                "` needs: take a kernel of the distribution (linux-image-amd64)",
            "its sets cannot be filled",
            {}};
}

// A column of /proc/net/softnet_stat (from 0), summed over CPUs. Hexadecimal.
std::uint64_t softnet(const Subject& subject, unsigned column) {
    std::istringstream lines(subject.read("/proc/net/softnet_stat"));
    std::uint64_t sum = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string word;
        for (unsigned i = 0; i <= column; ++i)
            words >> word;
        std::uint64_t value = 0;
        std::from_chars(word.data(), word.data() + word.size(), value, 16);
        sum += value;
    }
    return sum;
}

// Of one family; the counters of all CPUs together.
struct NeighbourTable {
    std::uint64_t entries = 0, overflows = 0;
};
// The first line has the names of the columns, hexadecimal numbers follow, a line for each CPU.
NeighbourTable neighbour_table(const Subject& subject, const std::string& file) {
    std::istringstream lines(subject.read(file));
    std::string line, word;
    std::getline(lines, line);
    std::vector<std::string> names;
    for (std::istringstream words(line); words >> word;)
        names.push_back(word);
    NeighbourTable out;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        for (std::size_t column = 0; words >> word && column < names.size(); ++column) {
            std::uint64_t value = 0;
            std::from_chars(word.data(), word.data() + word.size(), value, 16);
            if (names[column] == "entries") out.entries = value;  // the same in each line
            if (names[column] == "table_fulls") out.overflows += value;
        }
    }
    return out;
}

bool serves_tcp(const Subject& subject) {
    return !subject.kernel_interfaces().empty() ||
           std::ranges::any_of(subject.settings.plugins, [](const config::Plugin& plugin) {
               return config::stream_server_of(plugin) != nullptr;
           });
}

}  // namespace

Findings check_kernel(const Subject& subject) {
    const std::string release = subject.word("/proc/sys/kernel/osrelease");
    unsigned major = 0, minor = 0;
    const char* const end = release.data() + release.size();
    const auto [dot, bad] = std::from_chars(release.data(), end, major);
    if (bad == std::errc{} && dot < end) std::from_chars(dot + 1, end, minor);
    if (major > kMinMajor || (major == kMinMajor && minor >= kMinMinor))
        return {{Level::ok, "Linux " + release, {}, {}}};
    return {{Level::problem,
             "Linux " + release + ", wanted: 5.10 or later",
             "AF_XDP ports cannot attach their program",
             {}}};
}

Findings check_landlock(const Subject& subject) {
    if (subject.has_landlock || !subject.settings.control.landlock) return {};
    return {{Level::advice,
             "the kernel has no Landlock; wanted: `landlock` among its security modules (`lsm=` of "
             "its command line), in Linux 5.13 or later",
             "the daemon can open every file that its user may open",
             {}}};
}

Findings check_modules(const Subject& subject) {
    Findings found;
    const auto& ports = subject.settings.dataplane.ports;
    const bool beside = std::ranges::any_of(ports, [](const auto& p) { return p.beside_kernel(); });
    const bool taps =
        std::ranges::any_of(ports, [](const auto& p) { return p.driver == Driver::tap; });
    if (beside || taps)
        found.push_back(check_device(subject, "/dev/net/tun", "tun", Level::problem,
                                     "the kernel's share of such a port goes through a TAP"));
    if (beside)
        found.push_back(
            check_device(subject, "/dev/vhost-net", "vhost_net", Level::advice,
                         "without it the kernel's share takes a copy and a thread more"));
    bool nft = false, ipset = false;
    for (const config::Plugin& plugin : subject.settings.plugins) {
        const auto* const sets = std::get_if<config::KernelSets>(&plugin.args);
        if (sets == nullptr) continue;
        const auto& one = sets->v4 ? sets->v4 : sets->v6;
        if (!sets->routes) (one && one->table.empty() ? ipset : nft) = true;
    }
    if (nft) found.push_back(check_module(subject, "nf_tables", "nftset"));
    if (ipset) found.push_back(check_module(subject, "ip_set", "ipset"));
    return found;
}

Findings check_bpf(const Subject& subject) {
    if (subject.xdp_interfaces().empty()) return {};
    const std::string key = "net.core.bpf_jit_enable";
    if (!subject.exists(sysctl_path(key))) return {};  // always on
    if (subject.number(sysctl_path(key)).value_or(1) != 0)
        return {{Level::ok, "XDP programs are compiled (" + key + ")", {}, {}}};
    return {{Level::advice, key + " is 0, wanted: 1",
             "the XDP program that finds DNS among all packets is interpreted",
             sysctl_steps(subject, "bpf", key, "1")}};
}

Findings check_packet_budget(const Subject& subject) {
    if (subject.kernel_interfaces().empty()) return {};
    const std::uint64_t seen = softnet(subject, 0), dropped = softnet(subject, 1),
                        squeezed = softnet(subject, 2);
    Findings found;
    const auto advise = [&](const std::string& text, const char* why, const std::string& name,
                            const std::string& key, std::uint64_t least) {
        if (subject.number(sysctl_path(key)).value_or(least) >= least) return;
        found.push_back({Level::advice,
                         text + "; " + key + " is " + subject.word(sysctl_path(key)) +
                             ", wanted: " + std::to_string(least),
                         why, sysctl_steps(subject, name, key, std::to_string(least))});
    };
    // One in 10,000 packets is noise.
    if (squeezed > seen / 10'000) {
        const std::string text = "the kernel stopped receiving " + std::to_string(squeezed) +
                                 " times because its budget was used up";
        constexpr const char* kWhy =
            "packets then wait in the NIC, and are lost when its ring is full";
        advise(text, kWhy, "budget", "net.core.netdev_budget", 600);
        advise(text, kWhy, "budget-time", "net.core.netdev_budget_usecs", 8000);
    }
    if (dropped > seen / 10'000)
        advise("the kernel dropped " + std::to_string(dropped) +
                   " received packets because its queue was full",
               "queries are lost there", "backlog", "net.core.netdev_max_backlog", 10'000);
    if (found.empty())
        found.push_back({Level::ok,
                         "the kernel received " + std::to_string(seen) + " packets, dropped " +
                             std::to_string(dropped),
                         {},
                         {}});
    return found;
}

Findings check_reverse_path(const Subject& subject) {
    if (subject.host.interfaces.size() < 2) return {};
    const auto filter = [&](const std::string& name) {
        return subject.number("/proc/sys/net/ipv4/conf/" + name + "/rp_filter").value_or(0);
    };
    Findings found;
    for (const std::string& name : subject.kernel_interfaces()) {
        if (std::max(filter("all"), filter(name)) != 1) continue;
        found.push_back({Level::advice,
                         name + " drops packets whose sender is reached by another interface "
                                "(rp_filter=1), wanted: 2",
                         "such clients get no answer over TCP, though they get one over UDP",
                         sysctl_steps(subject, "reverse-path-" + name,
                                      "net.ipv4.conf." + name + ".rp_filter", "2")});
    }
    return found;
}

Findings check_connection_tracking(const Subject& subject) {
    const std::string folder = "/proc/sys/net/netfilter/";
    const auto count = subject.number(folder + "nf_conntrack_count");
    const auto most = subject.number(folder + "nf_conntrack_max");
    if (!count || !most || *most == 0) return {};
    const std::string text = "connection tracking has " + std::to_string(*count) + " of " +
                             std::to_string(*most) + " entries";
    if (*count < *most / 5 * 4) return {{Level::ok, text, {}, {}}};
    const std::string wanted = std::to_string(*most * 4);
    return {{Level::problem, text + ", raise the limit to " + wanted,
             "when it is full, the kernel drops new queries over TCP and over its own sockets",
             sysctl_steps(subject, "conntrack", "net.netfilter.nf_conntrack_max", wanted)}};
}

Findings check_accept_queue(const Subject& subject) {
    constexpr std::uint64_t kBacklog = 4096;  // what our listeners ask for
    if (!serves_tcp(subject)) return {};
    const std::string key = "net.core.somaxconn";
    const auto now = subject.number(sysctl_path(key));
    if (!now || *now >= kBacklog) return {};
    return {{Level::advice,
             key + " is " + std::to_string(*now) + ", wanted: " + std::to_string(kBacklog),
             "clients that come back all at once are refused",
             sysctl_steps(subject, "accept-queue", key, std::to_string(kBacklog))}};
}

// When the table is full, the kernel drops packets to neighbours that it does not know yet. `gc_thresh3` is the limit,
// from `gc_thresh2` on entries are removed after 5 s.
Findings check_neighbours(const Subject& subject) {
    constexpr std::uint64_t kFirst =
        4096;  // wanted of gc_thresh1; twice and four times that of the others
    Findings found;
    for (const auto& [family, what, table] :
         {std::tuple{"ipv4", "IPv4", "/proc/net/stat/arp_cache"},
          std::tuple{"ipv6", "IPv6", "/proc/net/stat/ndisc_cache"}}) {
        const std::string folder = "net." + std::string(family) + ".neigh.default.";
        const auto most = subject.number(sysctl_path(folder + "gc_thresh3"));
        if (!most) continue;
        const NeighbourTable seen = neighbour_table(subject, table);
        const std::string text = "the kernel knows " + std::to_string(seen.entries) + " " + what +
                                 " neighbours of at most " + std::to_string(*most);
        // Overflows are counted since boot: a raised limit ends them, and the count stays.
        const bool has_overflowed = seen.overflows > 0 && *most < kFirst * 4;
        const bool is_full = has_overflowed || seen.entries >= *most / 5 * 4;
        if (!is_full) {
            found.push_back({Level::ok, text, {}, {}});
            continue;
        }
        const std::uint64_t wanted = std::max(kFirst, *most);
        Finding finding{seen.overflows > 0 ? Level::problem : Level::advice,
                        text + ", raise the limit to " + std::to_string(wanted * 4),
                        "when the table is full, answers to clients on this machine's networks are "
                        "lost",
                        {}};
        std::uint64_t value = wanted;
        for (const char* const key : {"gc_thresh1", "gc_thresh2", "gc_thresh3"}) {
            const auto steps =
                sysctl_steps(subject, "neighbours-" + std::string(family) + "-" + key, folder + key,
                             std::to_string(value));
            finding.steps.insert(finding.steps.end(), steps.begin(), steps.end());
            value *= 2;
        }
        found.push_back(std::move(finding));
    }
    return found;
}

}  // namespace steer::machine
