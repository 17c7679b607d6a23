#include "control/runtime/ports/port_survey.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <ostream>

#include "dataplane/port/af_xdp.h"
#include "dataplane/port/attached_program.h"
#include "dataplane/port/folder.h"
#include "dataplane/port/kernel_device.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

unsigned long read_number(const fs::path& file) {
    const std::string word = read_word(file);
    unsigned long value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

bool is_up(const fs::path& interface) {
    const std::string word = read_word(interface / "operstate");
    return word == "up" || word == "unknown";  // the loopback and tunnels report "unknown"
}

std::vector<HugePages> read_huge_pages(const std::string& root) {
    std::vector<HugePages> all;
    const fs::path folder = root + "/sys/kernel/mm/hugepages";
    for (const std::string& name : names_in(folder)) {
        HugePages pages;
        const auto number = name.find_first_of("0123456789");
        if (number == name.npos) continue;
        std::from_chars(name.data() + number, name.data() + name.size(), pages.page_kib);
        pages.total = read_number(folder / name / "nr_hugepages");
        pages.free = read_number(folder / name / "free_hugepages");
        all.push_back(pages);
    }
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.page_kib < b.page_kib; });
    return all;
}

std::string counted(unsigned long n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

// The text about a port with `device: NAME` and no driver.
std::string plan_for(const InterfaceSeen& seen) {
    const std::string device = "device: " + seen.name;
    const std::string sockets = "`" + device + "` serves it by kernel sockets: ";
    if (!seen.live.ethernet) return sockets + "it is not Ethernet";
    if (!seen.live.xdp_program.empty() && seen.live.xdp_program != "steer_xdp") {
        return sockets + "it has the XDP program " + seen.live.xdp_program +
               " of another program (`ip link set dev " + seen.name + " xdp off` removes it)";
    }
    if (seen.mtu > kMaxXdpMtu) {
        return sockets + "AF_XDP takes an MTU of up to " + std::to_string(kMaxXdpMtu);
    }
    if (seen.live.rx_queues > kMaxXdpQueues) {
        return sockets + "AF_XDP takes up to " + std::to_string(kMaxXdpQueues) + " receive queues";
    }
    std::string text = "`" + device + "` serves it by af_xdp";
    if (seen.live.xdp_program == "steer_xdp") return text + " (a SteerDNS serves it now)";
    if (seen.live.strips_vlan) text += ", and turns VLAN stripping off while it has VLANs";
    return text;
}

std::string facts_of(const InterfaceSeen& seen, const HostFacts& host) {
    std::string text = seen.live.driver.empty() ? "" : seen.live.driver + ", ";
    text += std::string(seen.up ? "up" : "down") + ", MTU " + std::to_string(seen.mtu);
    if (seen.live.rx_queues != 0) text += ", " + counted(seen.live.rx_queues, "receive queue");
    if (!seen.live.xdp_program.empty()) text += ", XDP program " + seen.live.xdp_program;
    if (seen.name == host.default_interface) text += ", the default route";
    return text;
}

std::string facts_of(const PciDevice& nic) {
    std::string text = nic.id + ", " + (nic.driver.empty() ? "no driver" : nic.driver);
    for (const std::string& name : nic.interfaces)
        text += " (" + name + ")";
    if (nic.numa_node >= 0) text += ", NUMA node " + std::to_string(nic.numa_node);
    return text +
           (nic.iommu_group.empty() ? ", no IOMMU group" : ", IOMMU group " + nic.iommu_group);
}

std::string plan_for(const PciDevice& nic, const std::string& refusal, const HostFacts& host) {
    const std::string port = "`pci: " + nic.address + "`";
    if (const std::string use = management_path(nic, host); !use.empty())
        return port + " is refused: it is " + use + " (`force: true` takes it all the same)";
    if (refusal.starts_with(nic.address + " "))
        return port + " is refused: it" + refusal.substr(nic.address.size());
    if (!refusal.empty()) return port + " is refused: " + refusal;
    return port + " serves it by DPDK";
}

void write_memory(const PortSurvey& survey, std::ostream& out) {
    out << "memory\n";
    bool any_free = false;
    for (const HugePages& pages : survey.huge_pages) {
        out << "  hugepages of " << pages.page_kib / 1024 << " MiB: " << pages.free << " of "
            << pages.total << " free\n";
        any_free = any_free || pages.free != 0;
    }
    if (survey.huge_pages.empty()) out << "  no hugepages in this kernel\n";
    if (!any_free) {
        out << "  -> it runs without them; `pci` ports need some: `sysctl -w "
               "vm.nr_hugepages=512`\n";
    }
}

void write_missing(const PortSurvey& survey, std::ostream& out) {
    std::vector<std::string> missing;
    if (!survey.root)
        missing.emplace_back(
            "root: a start needs it, and XDP programs of others have no names here");
    if (!survey.tun)
        missing.emplace_back(
            "/dev/net/tun: `tap` ports and the kernel beside a `pci` port need it "
            "(`modprobe tun`)");
    if (!survey.vhost_net)
        missing.emplace_back(
            "/dev/vhost-net: without it the kernel's share of a `pci` port takes a copy and a "
            "thread more (`modprobe vhost-net`)");
    if (!survey.iommu)
        missing.emplace_back(
            "an IOMMU: vfio-pci needs one (`intel_iommu=on` or `amd_iommu=on` on the "
            "kernel's command line); uio_pci_generic does not");
    if (survey.host.default_interface.empty())
        missing.emplace_back("a default route: without it `dataplane.ports` has to name a port");
    if (missing.empty()) return;
    out << "missing\n";
    for (const std::string& line : missing)
        out << "  " << line << "\n";
}

}  // namespace

LiveFacts ask_kernel(const std::string& interface) {
    LiveFacts facts;
    const auto device = find_kernel_device(interface);
    if (!device) return facts;
    facts.ethernet = true;
    facts.rx_queues = device->rx_queues;
    facts.driver = device->driver;
    facts.xdp_program = attached_xdp_program(device->if_index);
    facts.strips_vlan = strips_vlan_tags(interface);
    return facts;
}

PortSurvey survey_ports(const HostFacts& host, const AskKernel& ask, const std::string& root) {
    PortSurvey survey;
    survey.host = host;
    const fs::path interfaces = root + "/sys/class/net";
    std::error_code failed;
    for (const std::string& name : names_in(interfaces)) {
        if (!fs::is_directory(interfaces / name, failed)) continue;  // bonding_masters
        survey.interfaces.push_back({name, is_up(interfaces / name),
                                     static_cast<unsigned>(read_number(interfaces / name / "mtu")),
                                     ask(name)});
    }
    survey.nics = pci_network_devices(root);
    for (const PciDevice& nic : survey.nics) {
        const auto good = check_for_dpdk(nic, root);
        survey.refusals.push_back(good ? std::string{} : good.error().text);
    }
    survey.huge_pages = read_huge_pages(root);
    survey.tun = fs::exists(root + "/dev/net/tun", failed);
    survey.vhost_net = fs::exists(root + "/dev/vhost-net", failed);
    survey.iommu = !names_in(root + "/sys/kernel/iommu_groups").empty();
    survey.root = ::geteuid() == 0;
    return survey;
}

void write_survey(const PortSurvey& survey, std::ostream& out) {
    out << "interfaces\n";
    for (const InterfaceSeen& seen : survey.interfaces) {
        out << "  " << seen.name << ": " << facts_of(seen, survey.host) << "\n"
            << "  -> " << plan_for(seen)
            << (seen.name == survey.host.default_interface
                    ? "; so it does without `dataplane.ports`"
                    : "")
            << "\n";
    }
    out << "PCI network devices\n";
    if (survey.nics.empty()) out << "  none\n";
    for (std::size_t i = 0; i < survey.nics.size(); ++i) {
        out << "  " << survey.nics[i].address << ": " << facts_of(survey.nics[i]) << "\n"
            << "  -> " << plan_for(survey.nics[i], survey.refusals[i], survey.host) << "\n";
    }
    write_memory(survey, out);
    write_missing(survey, out);
}

}  // namespace steer
