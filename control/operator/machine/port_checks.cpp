// UDP and TCP ports: those of our listeners, and the source ports of our queries.
#include <algorithm>
#include <map>
#include <sstream>
#include <variant>

#include "control/host/kernel/packet_filter.h"
#include "control/host/kernel/reserved_ports.h"
#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"

namespace steer::machine {
namespace {

struct Wanted {
    IpAddress address;
    std::uint16_t port;
    bool udp;
};

// What the configuration's servers listen on; without servers port 53 of the ports' addresses.
std::vector<Wanted> wanted_sockets(const Subject& subject) {
    std::vector<Wanted> out;
    const auto add = [&](const config::Endpoint& listen, bool udp) {
        out.push_back({listen.address, listen.port, udp});
    };
    for (const config::Plugin& plugin : subject.settings.plugins) {
        if (const config::Server* const server = config::server_of(plugin))
            add(server->listen, config::stream_server_of(plugin) == nullptr);
    }
    if (!out.empty()) return out;
    for (const std::string& interface : subject.kernel_interfaces()) {
        for (const IpAddress& address : subject.inspect(interface).addresses)
            for (const bool udp : {true, false})
                out.push_back({address, 53, udp});
    }
    return out;
}

// "dnsmasq.service" of a process, by its control group; empty: it is in none.
std::string unit_of(const Subject& subject, int pid) {
    std::istringstream groups(subject.read("/proc/" + std::to_string(pid) + "/cgroup"));
    for (std::string line; std::getline(groups, line);) {
        std::string last = line.substr(line.rfind('/') + 1);
        if (last.ends_with(".service")) return last;
    }
    return {};
}

// systemd-resolved keeps what else it does and leaves the port.
std::vector<Step> stop_the_stub(const Subject& subject) {
    const std::string restart = " && systemctl restart systemd-resolved";
    Step step = file_step(subject, "/etc/systemd/resolved.conf.d/steerdns.conf",
                          {"[Resolve]", "DNSStubListener=no"});
    std::vector<Step> steps{{step.command + restart, step.undo + restart}};
    if (subject.read("/etc/resolv.conf").find("127.0.0.53") != std::string::npos)
        steps.push_back(
            {"cp -P /etc/resolv.conf /etc/resolv.conf.before-steerdns && ln -sf "
             "/run/systemd/resolve/resolv.conf /etc/resolv.conf",
             "for old in /etc/resolv.conf.before-steerdns; do [ ! -e $old ] && [ ! -L $old ] || "
             "mv -f $old /etc/resolv.conf; done"});
    return steps;
}

}  // namespace

Findings check_taken_ports(const Subject& subject) {
    std::map<int, Finding> by_process;
    bool ours = false;
    for (const Wanted& wanted : wanted_sockets(subject)) {
        const auto owner = subject.owner(wanted.address, wanted.port, wanted.udp);
        if (!owner) continue;
        if (owner->name == "steerdnsd") {
            ours = true;
            continue;
        }
        const auto [at, is_new] = by_process.try_emplace(owner->pid);
        if (!is_new) continue;
        Finding& finding = at->second;
        const std::string unit = unit_of(subject, owner->pid);
        finding.level = Level::problem;
        finding.text = "port " + std::to_string(wanted.port) + " (" + (wanted.udp ? "UDP" : "TCP") +
                       ") is taken by " + owner->name + " (pid " + std::to_string(owner->pid) +
                       (unit.empty() ? "" : ", " + unit) + ")";
        finding.why = "the daemon does not take a port from another process";
        if (unit == "systemd-resolved.service") {
            finding.steps = stop_the_stub(subject);
        } else if (!unit.empty()) {
            finding.steps = {{"systemctl disable --now " + shell_word(unit),
                              "systemctl enable --now " + shell_word(unit)}};
        } else {
            finding.text += ": stop it";
        }
    }
    Findings found;
    for (auto& [pid, finding] : by_process)
        found.push_back(std::move(finding));
    if (found.empty())
        found.push_back({Level::ok,
                         ours ? "SteerDNS has its ports" : "the ports to answer on are free",
                         {},
                         {}});
    return found;
}

Findings check_reserved_ports(const Subject& subject) {
    const auto& dataplane = subject.settings.dataplane;
    const std::string ours = std::to_string(dataplane.first_upstream_port) + "-" +
                             std::to_string(dataplane.last_upstream_port);
    const std::string key = "net.ipv4.ip_local_reserved_ports";
    std::istringstream range(subject.read("/proc/sys/net/ipv4/ip_local_port_range"));
    unsigned first = 0, last = 0;
    range >> first >> last;
    const auto reserved = kernel::parse_port_list(kept_sysctl(subject, key));
    const auto wanted = kernel::parse_port_list(ours);
    const std::string automatic = std::to_string(first) + "-" + std::to_string(last);
    if (first > dataplane.last_upstream_port || last < dataplane.first_upstream_port)
        return {{Level::ok,
                 "upstream ports " + ours +
                     " do not overlap with those that the kernel gives out (" + automatic + ")",
                 {},
                 {}}};
    if ((reserved & wanted) == wanted)
        return {{Level::ok, "upstream ports " + ours + " are reserved", {}, {}}};
    const auto now = kernel::parse_port_list(subject.read(sysctl_path(key)));
    return {
        {Level::advice,
         "the kernel gives out ports " + automatic + ", upstream ports are " + ours +
             "; wanted: reserved from the boot on (the daemon reserves them at its start)",
         "a program that starts earlier may get one, and replies to it would be taken as ours",
         sysctl_steps(subject, "ports", key, kernel::format_port_list(now | reserved | wanted))}};
}

Findings check_firewall(const Subject& subject) {
    const std::string text =
        kernel::bypassed_filters(config::devices_beside_firewall(subject.settings.dataplane.ports,
                                                                 subject.host.default_interface),
                                 subject.input_filters);
    if (text.empty()) return {};
    return {{Level::advice,
             text,
             "these ports take packets before nftables and iptables see them",
             {}}};
}

}  // namespace steer::machine
