// NICs: their drivers, and the functions that workers can use on NICs that the kernel drives.
#include <algorithm>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"
#include "dataplane/port/af_xdp.h"
#include "dataplane/port/pci_device.h"

namespace steer::machine {
namespace {

constexpr unsigned kGoodRing = 1024;

std::string sys_device(const std::string& address) {
    return "/sys/bus/pci/devices/" + address;
}

// From whatever driver has it to `driver`, now and at each boot.
std::vector<Step> hand_over(const Subject& subject, const PciDevice& device,
                            const std::string& driver) {
    const std::string path = sys_device(device.address);
    const std::string probe = "echo " + device.address + " > /sys/bus/pci/drivers_probe";
    const std::string unbind = "echo " + device.address + " > " + path + "/driver/unbind";
    const std::string give = "modprobe " + driver + " && echo " + driver + " > " + path +
                             "/driver_override && " +
                             (device.driver.empty() ? "" : unbind + " && ") + probe;
    // If it was never handed over, the kernel keeps it, with its addresses.
    const std::string theirs = "/sys/bus/pci/drivers/" + driver;
    const std::string take = "if [ -e " + theirs + "/" + device.address + " ]; then echo " +
                             device.address + " > " + theirs + "/unbind; fi; echo > " + path +
                             "/driver_override" + (device.driver.empty() ? "" : "; " + probe);
    std::vector<Step> steps{{give, take}};
    const std::string rules = "/etc/udev/rules.d/60-steerdns-" + device.address + ".rules";
    const std::vector<std::string> rule{"ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"" +
                                        device.address + "\", ATTR{driver_override}=\"" + driver +
                                        "\""};
    if (!has_lines(subject, rules, rule)) steps.push_back(file_step(subject, rules, rule));
    const std::string modules = "/etc/modules-load.d/steerdns-" + driver + ".conf";
    if (!has_lines(subject, modules, {driver}))
        steps.push_back(file_step(subject, modules, {driver}));
    return steps;
}

Finding check_one(const Subject& subject, const config::PortSettings& port) {
    const auto device = find_pci_device(port.pci, subject.root);
    if (!device)
        return {
            Level::problem, device.error().text, "the port of the configuration is not there", {}};
    if (const std::string use = subject.management_path(*device); !use.empty() && !port.force)
        return {Level::problem,
                port.pci + " is " + use + ": serve it as `device: " + device->interfaces.front() +
                    "`, or set `force: true` at the port",
                "without that interface this machine cannot be reached",
                {}};
    const auto good = check_for_dpdk(*device, subject.root);
    if (good) return {Level::ok, port.pci + " is bound to " + device->driver, {}, {}};
    Finding finding{Level::problem, good.error().text, "DPDK cannot have the NIC", {}};
    if (device->network && !device->handed_over()) {
        const std::string driver = device->iommu_group.empty() ? "uio_pci_generic" : "vfio-pci";
        finding.text =
            port.pci + " is bound to " +
            (device->driver.empty() ? "no driver" : "the kernel's driver " + device->driver) +
            ", wanted: " + driver;
        finding.steps = hand_over(subject, *device, driver);
    }
    return finding;
}

Finding check_interface(const Subject& subject, const std::string& name) {
    const LiveFacts live = subject.ask(name);
    const InterfaceFacts facts = subject.inspect(name);
    if (!live.ethernet)
        return {Level::problem,
                "there is no Ethernet interface " + name + " (`ip link` lists them)",
                "the port of the configuration is not there",
                {}};
    const auto mtu = subject.number("/sys/class/net/" + name + "/mtu").value_or(0);
    const auto advice = [&](std::string text, Step step) {
        Finding finding{Level::advice,
                        std::move(text),
                        "AF_XDP cannot be used with it: queries take the kernel's sockets",
                        {}};
        finding.steps.push_back(std::move(step));
        return finding;
    };
    if (!live.xdp_program.empty() && live.xdp_program != "steer_xdp")
        return {Level::problem,
                name + " has the XDP program " + live.xdp_program +
                    " of another program: stop that one",
                "an interface has one XDP program",
                {}};
    if (live.rx_queues > kMaxXdpQueues)
        return advice(name + " has " + std::to_string(live.rx_queues) +
                          " receive queues, AF_XDP takes " + std::to_string(kMaxXdpQueues),
                      {"ethtool -L " + name + " combined " + std::to_string(kMaxXdpQueues),
                       "ethtool -L " + name + " combined " + std::to_string(live.rx_queues)});
    if (mtu > kMaxXdpMtu)
        return advice(name + " has MTU " + std::to_string(mtu) + ", AF_XDP takes " +
                          std::to_string(kMaxXdpMtu) +
                          " (lost at a reboot: set it where the interface "
                          "is configured)",
                      {"ip link set dev " + name + " mtu 1500",
                       "ip link set dev " + name + " mtu " + std::to_string(mtu)});
    if (facts.merges_frames)
        return advice(name + " merges received frames (LRO), wanted: off (lost at a reboot)",
                      {"ethtool -K " + name + " lro off", "ethtool -K " + name + " lro on"});
    std::string text = name + ": AF_XDP can be used";
    if (!live.driver.empty()) text += ", driver " + live.driver;
    text +=
        ", " + std::to_string(live.rx_queues) + " receive queue" + (live.rx_queues == 1 ? "" : "s");
    if (live.strips_vlan) text += ", VLAN stripping is turned off while there are VLANs";
    return {Level::ok, text, {}, {}};
}

}  // namespace

Findings check_pci(const Subject& subject) {
    Findings found;
    for (const auto* port : subject.pci_ports())
        found.push_back(check_one(subject, *port));
    return found;
}

Findings check_iommu(const Subject& subject) {
    if (subject.pci_ports().empty()) return {};
    if (!subject.names("/sys/kernel/iommu_groups").empty())
        return {{Level::ok, "the IOMMU is on", {}, {}}};
    const bool amd = subject.read("/proc/cpuinfo").find("AuthenticAMD") != std::string::npos;
    const std::string word = amd ? "amd_iommu=on" : "intel_iommu=on";
    Finding finding{Level::advice,
                    "there is no IOMMU, wanted: `" + word + "` on the kernel's command line",
                    "vfio-pci needs it; with uio_pci_generic the NIC can write to all memory",
                    {}};
    const std::string file = "/etc/default/grub.d/steerdns-iommu.cfg";
    const std::vector<std::string> lines{"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " + word +
                                         " iommu=pt\""};
    finding.needs_reboot = true;
    if (has_lines(subject, file, lines)) {
        finding.text = "the IOMMU is turned on at the next boot (or turn it on in the firmware)";
    } else if (subject.exists("/usr/sbin/update-grub")) {
        Step step = file_step(subject, file, lines);
        finding.steps = {{step.command + " && update-grub", step.undo + " && update-grub"}};
    }
    return {finding};
}

Findings check_xdp(const Subject& subject) {
    const auto interfaces = subject.xdp_interfaces();
    if (interfaces.empty()) return {};
    if (!subject.has_af_xdp)
        return {{Level::advice,
                 "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)",
                 "queries take the kernel's sockets, which are slower",
                 {}}};
    Findings found;
    for (const std::string& name : interfaces)
        found.push_back(check_interface(subject, name));
    return found;
}

Findings check_rings(const Subject& subject) {
    Findings found;
    for (const std::string& name : subject.kernel_interfaces()) {
        const InterfaceFacts facts = subject.inspect(name);
        const unsigned wanted = std::min(facts.most_rx_ring, kGoodRing);
        if (facts.rx_ring == 0 || facts.rx_ring >= wanted) continue;
        const auto command = [&](unsigned n) {
            return "ethtool -G " + name + " rx " + std::to_string(n);
        };
        found.push_back({Level::advice,
                         name + " has a receive ring of " + std::to_string(facts.rx_ring) +
                             ", wanted: " + std::to_string(wanted) + " (lost at a reboot)",
                         "what comes while a worker is away for a moment waits there",
                         {{command(wanted), command(facts.rx_ring)}}});
    }
    return found;
}

}  // namespace steer::machine
