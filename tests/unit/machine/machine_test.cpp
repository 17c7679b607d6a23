// What `steerctl setup` finds on made-up machines (a folder in place of /), and what it does.
#define BOOST_TEST_MODULE machine
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "control/config/load.h"
#include "control/operator/machine/apply.h"
#include "control/operator/machine/checks.h"
#include "control/operator/machine/report.h"
#include "control/operator/machine/steps.h"
#include "control/operator/machine/unit.h"
#include "support/temp_folder.h"

namespace steer::machine {
namespace {

namespace fs = std::filesystem;
const std::string kRoot = STEER_SOURCE_ROOT;

constexpr const char* kPlugins =
    "plugins: [ { tag: m, type: sequence, args: [ { exec: forward 192.0.2.1 } ] } ]\n";

// Four CPUs on one memory node, eth0 with the default route, kernel 6.1, everything as Debian has it.
class Machine {
  public:
    explicit Machine(const std::string& sections = "", const std::string& plugins = kPlugins) {
        auto loaded = config::load_text(sections + plugins, "steerdns.yaml");
        for (const Error& error : loaded.errors)
            BOOST_ERROR(error.sentence());
        settings = std::move(loaded.settings);
        write("/proc/sys/kernel/osrelease", "6.1.0-26-amd64");
        write("/sys/devices/system/cpu/online", "0-3");
        write("/sys/devices/system/cpu/isolated", "");
        write("/sys/devices/system/node/node0/cpulist", "0-3");
        pages("/sys/kernel/mm", 0, 0);
        write("/sys/class/net/eth0/mtu", "1500");
        write("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999");
        write("/proc/sys/net/ipv4/ip_local_reserved_ports", "");
        write("/proc/sys/net/core/somaxconn", "4096");
        write("/proc/net/softnet_stat", "00010000 00000000 00000000 0");
        write("/proc/sys/fs/file-max", "9223372036854775807");
    }
    void write(const std::string& at, const std::string& text) {
        folder.write(at.substr(1), text + "\n");
    }
    void pages(const std::string& folder_of, int total, int free) {
        const std::string at = folder_of + "/hugepages/hugepages-2048kB/";
        write(at + "nr_hugepages", std::to_string(total));
        write(at + "free_hugepages", std::to_string(free));
    }
    void link(const std::string& at, const std::string& to) {
        fs::create_directories((folder.path / at.substr(1)).parent_path());
        fs::create_symlink(to, folder.path / at.substr(1));
    }
    // A NIC under a driver of the kernel's.
    void nic(const std::string& address, const std::string& driver, const std::string& group) {
        const std::string at = "/sys/bus/pci/devices/" + address;
        write(at + "/vendor", "0x8086");
        write(at + "/device", "0x1572");
        write(at + "/class", "0x020000");
        if (!driver.empty()) link(at + "/driver", "/sys/bus/pci/drivers/" + driver);
        if (group.empty()) return;
        link(at + "/iommu_group", "/sys/kernel/iommu_groups/" + group);
        fs::create_directories(folder.path /
                               ("sys/kernel/iommu_groups/" + group + "/devices/" + address));
    }

    [[nodiscard]] Subject subject() const {
        Subject one{settings, folder.path.string(), {}, {}, {}, {}, {}, workers, {}, true, true,
                    true};
        one.host.default_interface = "eth0";
        one.host.interfaces = {"eth0"};
        one.ask = [this](const std::string& name) {
            const auto at = live.find(name);
            return at == live.end() ? LiveFacts{} : at->second;
        };
        one.management_path = [](const PciDevice& nic) {
            const bool is_path = nic.interfaces == std::vector<std::string>{"eth0"};
            return std::string(is_path ? "eth0, the interface of the default route" : "");
        };
        one.inspect = [this](const std::string&) { return interface; };
        one.owner = [this](const IpAddress&, std::uint16_t port,
                           bool udp) -> std::optional<SocketOwner> {
            if (owner && port == 53 && udp) return owner;
            return std::nullopt;
        };
        one.memory = {.total_bytes = std::uint64_t{4} << 30,
                      .huge_page_bytes = 2 << 20,
                      .huge_pages_free = 0};
        return one;
    }
    // The findings of a check.
    [[nodiscard]] Findings of(std::string_view check) const {
        for (const Check& one : checks())
            if (one.name == check) return one.inspect(subject());
        throw std::logic_error("there is no such check");
    }
    [[nodiscard]] Finding the(std::string_view check) const {
        const Findings found = of(check);
        BOOST_REQUIRE(found.size() == 1U);
        return found.front();
    }

    test::TempFolder folder;
    config::Settings settings;
    std::vector<unsigned> workers{3};
    std::map<std::string, LiveFacts> live{
        {"eth0", {.ethernet = true, .rx_queues = 2, .driver = "virtio_net"}}};
    InterfaceFacts interface {
        .addresses = {*IpAddress::parse("192.0.2.53")}, .rx_ring = 256, .most_rx_ring = 256
    };
    std::optional<SocketOwner> owner;
};

// A command of a step, below the machine's folder.
void run_below(const Machine& machine, const std::string& command) {
    std::string here = command;
    for (const char* const top : {"/etc/", "/proc/", "/sys/"}) {
        std::size_t at = 0;
        while ((at = here.find(top, at)) != here.npos) {
            here.insert(at, machine.folder.path.string());
            at += machine.folder.path.string().size() + 1;
        }
    }
    BOOST_TEST(std::system(here.c_str()) == 0, here);
}

#define HAS(text, piece)                                \
    BOOST_TEST((text).find(piece) != std::string::npos, \
               "\"" << (piece) << "\" is not in: " << (text))

BOOST_AUTO_TEST_CASE(every_check_has_a_unique_name_and_every_finding_a_text) {
    std::set<std::string_view> names;
    for (const Check& check : checks())
        BOOST_TEST(names.insert(check.name).second);
    const Machine machine("dataplane: { workers: [2, 3], idle: spin, memory: 512MiB }\n");
    for (const Finding& finding : inspect_all(machine.subject())) {
        BOOST_TEST(!finding.text.empty());
        if (finding.level != Level::ok) BOOST_TEST(!finding.why.empty(), finding.text);
        for (const Step& step : finding.steps) {
            BOOST_TEST(!step.command.empty());
            BOOST_TEST(!step.undo.empty(), step.command);
        }
    }
}

// ---- memory

BOOST_AUTO_TEST_CASE(missing_hugepages_are_allocated_now_and_at_the_next_boot) {
    Machine machine("dataplane: { memory: 512MiB }\n");
    machine.pages("/sys/kernel/mm", 100, 40);
    const Finding finding = machine.the("hugepages");
    BOOST_TEST((finding.level == Level::advice));
    HAS(finding.text, "40 can be used, 256 wanted (512 MiB)");
    BOOST_REQUIRE(finding.steps.size() == 2U);
    const std::string file = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
    BOOST_TEST(finding.steps[0].command == "echo 316 > " + file);
    BOOST_TEST(finding.steps[0].undo == "echo 100 > " + file);
    HAS(finding.steps[1].command,
        "'w " + file + " - - - - 316' > /etc/tmpfiles.d/steerdns-hugepages.conf");
    BOOST_TEST(finding.steps[1].undo == "rm -f /etc/tmpfiles.d/steerdns-hugepages.conf");
    machine.pages("/sys/kernel/mm", 316, 256);
    BOOST_TEST((machine.the("hugepages").level == Level::ok));
    // Those of a daemon that runs are not free, and are there.
    machine.pages("/sys/kernel/mm", 256, 0);
    BOOST_TEST((machine.the("hugepages").level == Level::advice));
    machine.write("/proc/77/comm", "steerdnsd");
    BOOST_TEST((machine.the("hugepages").level == Level::ok));
}

BOOST_AUTO_TEST_CASE(hugepages_are_needed_on_the_memory_node_of_the_workers) {
    Machine machine("dataplane: { memory: 256MiB, workers: [2, 3] }\n");
    machine.workers = {2, 3};
    machine.write("/sys/devices/system/node/node0/cpulist", "0-1");
    machine.write("/sys/devices/system/node/node1/cpulist", "2-3");
    machine.pages("/sys/devices/system/node/node0", 512, 512);
    machine.pages("/sys/devices/system/node/node1", 0, 0);
    const Finding finding = machine.the("hugepages");
    HAS(finding.text, " on node1: 0 can be used, 128 wanted");
    HAS(finding.steps.at(1).command, "/etc/tmpfiles.d/steerdns-hugepages-node1.conf");
    // The node of worker 0 has the shared tables; on another one, its workers' part is enough.
    machine.workers = {2, 1};
    HAS(machine.the("hugepages").text, " on node1: 0 can be used, 128 wanted");
    machine.pages("/sys/devices/system/node/node1", 130, 128);
    machine.pages("/sys/devices/system/node/node0", 63, 63);
    HAS(machine.the("hugepages").text, " on node0: 63 can be used, 64 wanted");
}

BOOST_AUTO_TEST_CASE(hugepages_are_a_problem_for_a_pci_port) {
    Machine machine("dataplane: { ports: [ { pci: '0000:03:00.0' } ] }\n");
    BOOST_TEST((machine.the("hugepages").level == Level::problem));
}

BOOST_AUTO_TEST_CASE(more_memory_than_the_machine_has_is_a_problem) {
    BOOST_TEST((Machine("dataplane: { memory: 8GiB }\n").the("memory").level == Level::problem));
    BOOST_TEST((Machine().the("memory").level == Level::ok));
}

// ---- NICs

BOOST_AUTO_TEST_CASE(a_nic_of_the_kernel_is_bound_to_dpdk_and_back) {
    Machine machine("dataplane: { ports: [ { pci: '0000:03:00.0' } ] }\n");
    machine.nic("0000:03:00.0", "i40e", "5");
    const Finding finding = machine.the("pci-driver");
    BOOST_TEST((finding.level == Level::problem));
    HAS(finding.text, "bound to the kernel's driver i40e, wanted: vfio-pci");
    BOOST_REQUIRE(finding.steps.size() == 3U);
    HAS(finding.steps[0].command,
        "modprobe vfio-pci && echo vfio-pci > /sys/bus/pci/devices/0000:03:00.0/driver_override");
    HAS(finding.steps[0].undo, "echo > /sys/bus/pci/devices/0000:03:00.0/driver_override");
    HAS(finding.steps[1].command, "/etc/udev/rules.d/60-steerdns-0000:03:00.0.rules");
    HAS(finding.steps[1].command, "ATTR{driver_override}=\"vfio-pci\"");
    Machine without("dataplane: { ports: [ { pci: '0000:03:00.0' } ] }\n");
    without.nic("0000:03:00.0", "i40e", "");
    HAS(without.the("pci-driver").text, "wanted: uio_pci_generic");
    const Finding iommu = without.the("iommu");
    BOOST_TEST(iommu.needs_reboot);
    HAS(iommu.text, "intel_iommu=on");
}

BOOST_AUTO_TEST_CASE(the_interface_of_the_default_route_is_taken_only_with_force) {
    const std::string port = "pci: '0000:03:00.0'";
    Machine machine("dataplane: { ports: [ { " + port + " } ] }\n");
    machine.nic("0000:03:00.0", "i40e", "5");
    fs::create_directories(machine.folder.path / "sys/bus/pci/devices/0000:03:00.0/net/eth0");
    const Finding finding = machine.the("pci-driver");
    BOOST_TEST((finding.level == Level::problem));
    HAS(finding.text, "eth0, the interface of the default route");
    BOOST_TEST(finding.steps.empty());
    Machine forced("dataplane: { ports: [ { " + port + ", force: true } ] }\n");
    forced.nic("0000:03:00.0", "i40e", "5");
    fs::create_directories(forced.folder.path / "sys/bus/pci/devices/0000:03:00.0/net/eth0");
    BOOST_TEST(!forced.the("pci-driver").steps.empty());
}

BOOST_AUTO_TEST_CASE(an_obstacle_to_af_xdp_is_named_with_its_command) {
    Machine machine;
    BOOST_TEST((machine.the("xdp").level == Level::ok));
    HAS(machine.the("xdp").text, "eth0: AF_XDP can be used, driver virtio_net, 2 receive queues");
    machine.interface.merges_frames = true;
    BOOST_TEST(machine.the("xdp").steps.at(0).command == "ethtool -K eth0 lro off");
    machine.write("/sys/class/net/eth0/mtu", "9000");
    BOOST_TEST(machine.the("xdp").steps.at(0).undo == "ip link set dev eth0 mtu 9000");
    machine.live["eth0"].xdp_program = "xdp_dispatcher";
    BOOST_TEST((machine.the("xdp").level == Level::problem));
    machine.live.clear();
    HAS(machine.the("xdp").text, "there is no Ethernet interface eth0");
    // A port of sockets needs none of it.
    BOOST_TEST(
        Machine("dataplane: { ports: [ { device: eth0, driver: socket } ] }\n").of("xdp").empty());
}

BOOST_AUTO_TEST_CASE(a_small_receive_ring_is_made_larger) {
    Machine machine;
    BOOST_TEST(machine.of("rings").empty());
    machine.interface.most_rx_ring = 4096;
    BOOST_TEST(machine.the("rings").steps.at(0).command == "ethtool -G eth0 rx 1024");
    BOOST_TEST(machine.the("rings").steps.at(0).undo == "ethtool -G eth0 rx 256");
}

// ---- CPUs

BOOST_AUTO_TEST_CASE(named_worker_cores_are_isolated_at_the_next_boot) {
    BOOST_TEST((Machine().the("isolation").level == Level::ok));
    Machine machine("dataplane: { workers: [2, 3] }\n");
    machine.workers = {2, 3};
    machine.write("/usr/sbin/update-grub", "");
    const Finding before = machine.the("isolation");
    BOOST_TEST((before.level == Level::advice));
    BOOST_TEST(before.needs_reboot);
    HAS(before.text, "isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3");
    BOOST_REQUIRE(before.steps.size() == 1U);
    HAS(before.steps[0].command, "> /etc/default/grub.d/steerdns-isolation.cfg && update-grub");
    machine.write(
        "/etc/default/grub.d/steerdns-isolation.cfg",
        "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3\"");
    BOOST_TEST(machine.the("isolation").steps.empty());
    HAS(machine.the("isolation").text, "at the next boot");
    machine.write("/sys/devices/system/cpu/isolated", "2-3");
    machine.write("/sys/devices/system/cpu/nohz_full", "2-3");
    BOOST_TEST((machine.the("isolation").level == Level::ok));
}

BOOST_AUTO_TEST_CASE(isolated_worker_cores_need_an_affinity_of_the_unit) {
    Machine machine("dataplane: { workers: [2, 3] }\n");
    machine.workers = {2, 3};
    BOOST_TEST((machine.the("service").level == Level::ok));  // no unit is installed
    machine.write("/lib/systemd/system/steerdnsd.service",
                  "[Service]\nLimitMEMLOCK=infinity\nLimitNOFILE=65536");
    BOOST_TEST((machine.the("service").level == Level::ok));
    machine.write("/sys/devices/system/cpu/isolated", "2-3");
    const Finding finding = machine.the("service");
    BOOST_TEST((finding.level == Level::problem));
    HAS(finding.steps.at(0).command, "CPUAffinity=0-3");
    machine.write("/etc/systemd/system/steerdnsd.service.d/steerdns-cpus.conf",
                  "[Service]\nCPUAffinity=0-3");
    BOOST_TEST((machine.the("service").level == Level::ok));
}

BOOST_AUTO_TEST_CASE(interrupts_are_moved_off_worker_cores) {
    Machine machine("dataplane: { workers: [2, 3] }\n");
    machine.workers = {2, 3};
    machine.write("/sys/class/net/eth0/device/msi_irqs/40", "msix");
    machine.write("/sys/class/net/eth0/device/msi_irqs/41", "msix");
    machine.write("/proc/irq/40/smp_affinity_list", "0-3");
    machine.write("/proc/irq/41/smp_affinity_list", "0");
    const Finding finding = machine.the("interrupts");
    BOOST_REQUIRE(finding.steps.size() == 1U);
    BOOST_TEST(finding.steps[0].command == "echo 0-1 > /proc/irq/40/smp_affinity_list");
    BOOST_TEST(finding.steps[0].undo == "echo 0-3 > /proc/irq/40/smp_affinity_list");
    machine.write("/proc/irq/40/smp_affinity_list", "0-1");
    BOOST_TEST((machine.the("interrupts").level == Level::ok));
    machine.write("/usr/sbin/irqbalance", "");
    machine.write("/etc/default/irqbalance", "ONE=1\nIRQBALANCE_BANNED_CPULIST=9");
    HAS(machine.the("irqbalance").steps.at(0).command,
        "printf '%s\\n' ONE=1 IRQBALANCE_BANNED_CPULIST=2-3 > /etc/default/irqbalance");
    HAS(machine.the("irqbalance").steps.at(0).undo,
        "printf '%s\\n' ONE=1 IRQBALANCE_BANNED_CPULIST=9 > /etc/default/irqbalance");
}

BOOST_AUTO_TEST_CASE(the_governor_of_busy_cores_is_performance) {
    Machine machine("dataplane: { workers: [2, 3] }\n");
    machine.workers = {2, 3};
    machine.write("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave");
    machine.write("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance");
    const Finding finding = machine.the("governor");
    BOOST_REQUIRE(finding.steps.size() == 1U);
    BOOST_TEST(finding.steps[0].undo ==
               "echo powersave > /sys/devices/system/cpu/cpu2/cpufreq/scaling_governor");
}

// ---- ports

BOOST_AUTO_TEST_CASE(the_process_on_port_53_is_named_and_stopped) {
    Machine machine;
    BOOST_TEST((machine.the("port-taken").level == Level::ok));
    machine.owner = {77, "dnsmasq"};
    HAS(machine.the("port-taken").text, "port 53 (UDP) is taken by dnsmasq (pid 77): stop it");
    BOOST_TEST(machine.the("port-taken").steps.empty());
    machine.write("/proc/77/cgroup", "0::/system.slice/dnsmasq.service");
    const Finding finding = machine.the("port-taken");
    BOOST_TEST((finding.level == Level::problem));
    BOOST_TEST((finding.steps.at(0) == Step{"systemctl disable --now dnsmasq.service",
                                            "systemctl enable --now dnsmasq.service"}));
    machine.owner = {77, "steerdnsd"};
    HAS(machine.the("port-taken").text, "SteerDNS has its ports");
}

BOOST_AUTO_TEST_CASE(the_stub_listener_of_resolved_is_switched_off_and_resolved_stays) {
    Machine machine;
    machine.owner = {7, "systemd-resolve"};
    machine.write("/proc/7/cgroup", "0::/system.slice/systemd-resolved.service");
    machine.write("/etc/resolv.conf", "nameserver 127.0.0.53");
    const Finding finding = machine.the("port-taken");
    BOOST_REQUIRE(finding.steps.size() == 2U);
    HAS(finding.steps[0].command, "DNSStubListener=no");
    HAS(finding.steps[1].command, "ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf");
}

BOOST_AUTO_TEST_CASE(upstream_ports_are_reserved_if_the_kernel_could_use_them) {
    Machine machine;
    BOOST_TEST((machine.the("reserved-ports").level == Level::ok));
    machine.write("/proc/sys/net/ipv4/ip_local_port_range", "1024\t65535");
    machine.write("/proc/sys/net/ipv4/ip_local_reserved_ports", "8080");
    const Finding finding = machine.the("reserved-ports");
    BOOST_TEST((finding.level == Level::advice));
    BOOST_REQUIRE(finding.steps.size() == 2U);
    BOOST_TEST(finding.steps[0].command ==
               "sysctl -qw net.ipv4.ip_local_reserved_ports=8080,10240-26623");
    BOOST_TEST(finding.steps[0].undo == "sysctl -qw net.ipv4.ip_local_reserved_ports=8080");
    run_below(machine, finding.steps[1].command);
    BOOST_TEST((machine.the("reserved-ports").level == Level::ok));
}

// ---- kernel

BOOST_AUTO_TEST_CASE(devices_that_a_firewall_does_not_see_are_found) {
    std::vector<config::PortSettings> ports(5);
    for (std::size_t i = 0; i < ports.size(); ++i)
        ports[i].device = "eth" + std::to_string(i);
    ports[1].driver = config::Driver::af_packet;
    ports[2].driver = config::Driver::socket;
    ports[3].driver = config::Driver::memif;
    ports[4].device = "";
    ports[4].pci = "0000:01:00.0";
    BOOST_TEST((config::devices_beside_firewall(ports, "eth9") ==
                std::vector<std::string>{"eth0", "eth1", "0000:01:00.0"}));
    BOOST_TEST((config::devices_beside_firewall({}, "eth9") == std::vector<std::string>{"eth9"}));
    BOOST_TEST(config::devices_beside_firewall({}, "").empty());
}

BOOST_AUTO_TEST_CASE(a_firewall_that_a_port_passes_by_is_named) {
    const auto found = [](const std::string& port, std::vector<std::string> chains) {
        const Machine machine("dataplane: { ports: [ " + port + " ] }\n");
        Subject subject = machine.subject();
        subject.input_filters = std::move(chains);
        return check_firewall(subject);
    };
    const std::vector<std::string> chains{"inet filter input", "ip filter INPUT"};
    const auto advised = found("{ device: eth0, driver: af_xdp }", chains);
    BOOST_TEST_REQUIRE(advised.size() == 1U);
    BOOST_TEST((advised[0].level == Level::advice));
    BOOST_TEST(advised[0].text.find("queries that eth0 receives do not pass this host's firewall "
                                    "(inet filter input, ip filter INPUT)") == 0U);
    BOOST_TEST(found("{ pci: '0000:03:00.0' }", chains).size() == 1U);
    BOOST_TEST(found("{ device: eth0, driver: socket }", chains).empty());
    BOOST_TEST(found("{ device: eth0, driver: af_xdp }", {}).empty());
}

BOOST_AUTO_TEST_CASE(a_kernel_without_landlock_is_reported_if_the_configuration_wants_it) {
    Machine machine;
    BOOST_TEST(machine.of("landlock").empty());
    Subject without = machine.subject();
    without.has_landlock = false;
    const Findings found = check_landlock(without);
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST((found.front().level == Level::advice));
    HAS(found.front().text, "lsm=");
    machine.settings.control.landlock = false;
    Subject unwanted = machine.subject();
    unwanted.has_landlock = false;
    BOOST_TEST(check_landlock(unwanted).empty());
}

BOOST_AUTO_TEST_CASE(an_old_kernel_is_a_problem) {
    Machine machine;
    BOOST_TEST((machine.the("kernel").level == Level::ok));
    for (const char* const old : {"4.19.0-27-amd64", "5.9.16"}) {
        machine.write("/proc/sys/kernel/osrelease", old);
        BOOST_TEST((machine.the("kernel").level == Level::problem));
    }
}

BOOST_AUTO_TEST_CASE(kernel_modules_for_ports_and_sets_are_checked) {
    BOOST_TEST(Machine().of("modules").empty());
    Machine machine("dataplane: { ports: [ { pci: '0000:03:00.0' } ] }\n");
    machine.write("/lib/modules/6.1.0-26-amd64/modules.dep", "kernel/drivers/vhost/vhost_net.ko:");
    const Findings found = machine.of("modules");
    BOOST_REQUIRE(found.size() == 2U);
    HAS(found[0].text, "/dev/net/tun is missing, and this kernel has no module tun");
    BOOST_TEST(found[1].steps.at(0).command == "modprobe vhost_net");
    Machine sets(
        "",
        "plugins:\n  - { tag: s, type: nftset, args: { ipv4: { table_family: inet, table_name: t, "
        "set_name: x } } }\n"
        "  - { tag: m, type: sequence, args: [ { exec: forward 192.0.2.1 }, { exec: $s } ] }\n");
    BOOST_TEST((sets.the("modules").level == Level::problem));
    fs::create_directories(sets.folder.path / "sys/module/nf_tables");
    BOOST_TEST((sets.the("modules").level == Level::ok));
}

BOOST_AUTO_TEST_CASE(a_sysctl_that_is_too_small_is_raised_now_and_for_the_next_boot) {
    Machine machine;
    BOOST_TEST(machine.of("accept-queue").empty());
    machine.write("/proc/sys/net/core/somaxconn", "128");
    const Finding finding = machine.the("accept-queue");
    BOOST_REQUIRE(finding.steps.size() == 2U);
    BOOST_TEST(finding.steps[0].undo == "sysctl -qw net.core.somaxconn=128");
    run_below(machine, finding.steps[1].command);
    BOOST_TEST(machine.the("accept-queue").steps.size() == 1U);
    run_below(machine, finding.steps[1].undo);
    BOOST_TEST(machine.the("accept-queue").steps.size() == 2U);
    BOOST_TEST(!fs::exists(machine.folder.path / "etc/sysctl.d/60-steerdns-accept-queue.conf"));
}

BOOST_AUTO_TEST_CASE(lost_packets_raise_the_limits_of_the_kernel) {
    Machine machine;
    BOOST_TEST((machine.the("packet-budget").level == Level::ok));
    machine.write("/proc/net/softnet_stat", "00010000 00000100 00000200 0");
    machine.write("/proc/sys/net/core/netdev_budget", "300");
    machine.write("/proc/sys/net/core/netdev_budget_usecs", "8000");
    machine.write("/proc/sys/net/core/netdev_max_backlog", "1000");
    const Findings found = machine.of("packet-budget");
    BOOST_REQUIRE(found.size() == 2U);
    HAS(found[0].text, "stopped receiving 512 times");
    HAS(found[1].text, "dropped 256 received packets");
}

BOOST_AUTO_TEST_CASE(a_full_connection_tracking_table_is_a_problem) {
    Machine machine;
    BOOST_TEST(machine.of("conntrack").empty());
    machine.write("/proc/sys/net/netfilter/nf_conntrack_max", "1000");
    machine.write("/proc/sys/net/netfilter/nf_conntrack_count", "10");
    BOOST_TEST((machine.the("conntrack").level == Level::ok));
    machine.write("/proc/sys/net/netfilter/nf_conntrack_count", "900");
    BOOST_TEST((machine.the("conntrack").level == Level::problem));
}

BOOST_AUTO_TEST_CASE(a_full_neighbour_table_raises_its_limits) {
    Machine machine;
    BOOST_TEST(machine.of("neighbours").empty());
    const auto limits = [&](const char* family, const char* one, const char* two,
                            const char* three) {
        const std::string folder = std::string("/proc/sys/net/") + family + "/neigh/default/";
        machine.write(folder + "gc_thresh1", one);
        machine.write(folder + "gc_thresh2", two);
        machine.write(folder + "gc_thresh3", three);
    };
    limits("ipv4", "128", "512", "1024");
    machine.write("/proc/net/stat/arp_cache",
                  "entries  allocs   table_fulls\n0000000a 00000001 00000000\n0000000a 00000001 "
                  "00000000\n");
    BOOST_TEST((machine.the("neighbours").level == Level::ok));
    HAS(machine.the("neighbours").text, "knows 10 IPv4 neighbours of at most 1024");
    machine.write("/proc/net/stat/arp_cache",
                  "entries  allocs   table_fulls\n00000384 00000001 00000000\n");
    BOOST_TEST((machine.the("neighbours").level == Level::advice));
    machine.write("/proc/net/stat/arp_cache",
                  "entries  allocs   table_fulls\n0000000a 00000001 00000000\n0000000a 00000001 "
                  "00000007\n");
    const Finding finding = machine.the("neighbours");
    BOOST_TEST((finding.level == Level::problem));
    BOOST_REQUIRE(finding.steps.size() == 6U);
    HAS(finding.steps[0].command, "net.ipv4.neigh.default.gc_thresh1=4096");
    HAS(finding.steps[4].command, "net.ipv4.neigh.default.gc_thresh3=16384");
    BOOST_TEST(finding.steps[4].undo == "sysctl -qw net.ipv4.neigh.default.gc_thresh3=1024");
    HAS(finding.text, ", raise the limit to 16384");
    // The second run: the kernel's count of overflows does not fall.
    limits("ipv4", "4096", "8192", "16384");
    BOOST_TEST((machine.the("neighbours").level == Level::ok));
    machine.write("/proc/net/stat/arp_cache",
                  "entries  allocs   table_fulls\n00003fff 00000001 00000007\n");
    HAS(machine.the("neighbours").text, ", raise the limit to 65536");
    limits("ipv6", "128", "512", "1024");
    machine.write("/proc/net/stat/ndisc_cache", "entries  table_fulls\n00000001 00000000\n");
    BOOST_TEST(machine.of("neighbours").size() == 2U);
}

// ---- service

BOOST_AUTO_TEST_CASE(the_clock_is_checked_if_certificates_are_used) {
    BOOST_TEST(Machine().of("clock").empty());
    const Machine machine("",
                          "plugins: [ { tag: m, type: sequence, args: [ { exec: forward "
                          "tls://192.0.2.1 } ] } ]\n");
    BOOST_TEST((machine.the("clock").level == Level::ok));
}

BOOST_AUTO_TEST_CASE(connections_need_enough_open_files) {
    Machine machine("", std::string("plugins:\n  - { tag: m, type: sequence, args: [ { exec: "
                                    "forward 192.0.2.1 } ] }\n") +
                            "  - { tag: t, type: tcp_server, args: { entry: m, listen: ':53', "
                            "max_connections: 100000 } }\n");
    machine.write("/lib/systemd/system/steerdnsd.service",
                  "[Service]\nLimitMEMLOCK=infinity\nLimitNOFILE=65536");
    HAS(machine.the("open-files").steps.at(0).command, "LimitNOFILE=105472");
}

BOOST_AUTO_TEST_CASE(the_hard_limit_of_the_unit_counts) {
    const std::string unit = "/lib/systemd/system/steerdnsd.service";
    for (const auto& [text, limit] : std::initializer_list<std::pair<const char*, std::uint64_t>>{
             {"4096", 4096}, {"1024:524288", 524'288}, {"infinity", UINT64_MAX}}) {
        Machine machine;
        machine.write(unit, std::string("[Service]\nLimitNOFILE=") + text);
        BOOST_TEST(descriptors_of_unit(machine.subject().root).value_or(0) == limit);
        BOOST_TEST((machine.the("open-files").level == Level::ok) == (limit > 12'288));
    }
    Machine without;
    BOOST_TEST(!descriptors_of_unit(without.subject().root).has_value());
    without.write(unit, "[Service]\n");
    BOOST_TEST(!descriptors_of_unit(without.subject().root).has_value());
}

// ---- what is printed

BOOST_AUTO_TEST_CASE(a_report_has_commands_and_their_undo) {
    Machine machine("dataplane: { memory: 512MiB, workers: [2, 3] }\n");
    machine.workers = {2, 3};
    machine.owner = {77, "dnsmasq"};
    machine.write("/proc/77/cgroup", "0::/system.slice/dnsmasq.service");
    const Findings found = inspect_all(machine.subject());
    std::ostringstream text, lines, as_json;
    write_text(found, text);
    std::ifstream in(kRoot + "/tests/unit/machine/report.txt");
    const std::string expected{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(text.str() == expected);
    write_lines(found, lines);
    HAS(lines.str(),
        "problem port-taken: port 53 (UDP) is taken by dnsmasq (pid 77, dnsmasq.service)\n");
    BOOST_TEST(static_cast<std::size_t>(std::ranges::count(lines.str(), '\n')) == found.size());
    write_json(found, as_json);
    const auto parsed = boost::json::parse(as_json.str());
    BOOST_TEST(parsed.at("findings").as_array().size() == found.size());
}

// ---- what is done

struct Done {
    std::vector<std::string> commands;
    std::ostringstream output;
    bool yes = true;
    std::string fails;

    Hands hands() {
        return {[this](const std::string&) { return yes; },
                [this](const std::string& command) {
                    commands.push_back(command);
                    return command == fails ? 3 : 0;
                },
                output};
    }
};
const Findings kTwo{
    {Level::problem, "one", "why", {{"do 1", "undo 1"}, {"do 2", "undo 2"}}, false, "a"},
    {Level::ok, "in order", "", {}, false, "b"},
    {Level::advice, "three", "why", {{"do 3", "undo 3"}}, true, "c"}};

BOOST_AUTO_TEST_CASE(changes_are_undone_in_reverse_order) {
    const test::TempFolder folder;
    const std::string file = (folder.path / "undo.sh").string();
    Done done;
    Hands hands = done.hands();
    BOOST_TEST(apply(kTwo, UndoFile(file, ""), hands) == 0);
    BOOST_TEST((done.commands == std::vector<std::string>{"do 1", "do 2", "do 3"}));
    HAS(done.output.str(), "undo: undo 2");
    BOOST_TEST((fs::status(file).permissions() == fs::perms::owner_all));
    // A second time nothing is remembered twice.
    BOOST_TEST(apply(kTwo, UndoFile(file, ""), hands) == 0);
    done.commands.clear();
    BOOST_TEST(undo(UndoFile(file, ""), hands) == 0);
    BOOST_TEST((done.commands == std::vector<std::string>{"undo 3", "undo 2", "undo 1"}));
    BOOST_TEST(!fs::exists(file));
    BOOST_TEST(undo(UndoFile(file, ""), hands) == 0);
}

// The operator let the daemon's user write in the folder of the configuration.
BOOST_AUTO_TEST_CASE(an_undo_file_that_others_may_write_is_shown_and_not_run) {
    const test::TempFolder folder;
    const std::string former = folder.write("etc/setup-undo.sh", "#!/bin/sh\nhostile \x1b[2J\n");
    const UndoFile file(folder / "own/undo.sh", former);
    const auto refused = [&](const std::string& why) {
        Done done;
        Hands hands = done.hands();
        BOOST_TEST(undo(file, hands) == 1);
        BOOST_TEST(done.commands.empty());
        HAS(done.output.str(), "not run: hostile \\x1b[2J");
        HAS(done.output.str(), why);
        BOOST_TEST(fs::exists(former));
    };
    fs::permissions(folder / "etc", fs::perms::group_write, fs::perm_options::add);
    refused("others may write its folder");
    // It hides no command of this version.
    Done ours;
    Hands hands = ours.hands();
    BOOST_TEST(apply(kTwo, file, hands) == 0);
    ours.commands.clear();
    BOOST_TEST(undo(file, hands) == 1);
    BOOST_TEST((ours.commands == std::vector<std::string>{"undo 3", "undo 2", "undo 1"}));

    fs::permissions(folder / "etc", fs::perms::group_write, fs::perm_options::remove);
    fs::permissions(former, fs::perms::others_write, fs::perm_options::add);
    refused("others may write it");
    fs::permissions(former, fs::perms::others_write, fs::perm_options::remove);
    fs::create_hard_link(former, folder / "second");
    refused("it has another name, too");
    fs::remove(folder / "second");
    // A link is no file of commands.
    fs::rename(former, folder / "elsewhere");
    fs::create_symlink(folder / "elsewhere", former);
    Done done;
    Hands none = done.hands();
    BOOST_TEST(undo(file, none) == 1);
    BOOST_TEST(done.commands.empty());
    HAS(done.output.str(), "cannot be read");
}

BOOST_AUTO_TEST_CASE(an_undo_file_of_an_older_version_is_taken_over_once) {
    const test::TempFolder folder;
    const std::string former = folder.write("etc/setup-undo.sh", "#!/bin/sh\nold 2\nold 1\n");
    const UndoFile file(folder / "own/undo.sh", former);
    Done done;
    Hands hands = done.hands();
    BOOST_TEST(apply(kTwo, file, hands) == 0);
    BOOST_TEST(!fs::exists(former));
    BOOST_TEST((fs::status(folder / "own").permissions() == fs::perms::owner_all));
    done.commands.clear();
    BOOST_TEST(undo(file, hands) == 0);
    BOOST_TEST((done.commands ==
                std::vector<std::string>{"undo 3", "undo 2", "undo 1", "old 2", "old 1"}));
    BOOST_TEST(!fs::exists(file.path()));
}

BOOST_AUTO_TEST_CASE(no_change_is_made_without_a_yes) {
    const test::TempFolder folder;
    Done done;
    done.yes = false;
    Hands hands = done.hands();
    BOOST_TEST(apply(kTwo, UndoFile(folder / "undo.sh", ""), hands) == 0);
    BOOST_TEST(done.commands.empty());
    BOOST_TEST(!fs::exists(folder.path / "undo.sh"));
}

BOOST_AUTO_TEST_CASE(a_failed_command_ends_the_run_and_the_undo_has_the_changes) {
    const test::TempFolder folder;
    const std::string file = (folder.path / "undo.sh").string();
    Done done;
    done.fails = "do 2";
    Hands hands = done.hands();
    BOOST_TEST(apply(kTwo, UndoFile(file, ""), hands) == 1);
    BOOST_TEST((done.commands == std::vector<std::string>{"do 1", "do 2"}));
    done.commands.clear();
    done.fails = "undo 1";
    BOOST_TEST(undo(UndoFile(file, ""), hands) == 1);
    BOOST_TEST((done.commands == std::vector<std::string>{"undo 2", "undo 1"}));
    done.commands.clear();
    done.fails.clear();
    BOOST_TEST(undo(UndoFile(file, ""), hands) == 0);
    BOOST_TEST((done.commands == std::vector<std::string>{"undo 1"}));
}

BOOST_AUTO_TEST_CASE(words_are_quoted_for_the_shell) {
    BOOST_TEST(shell_word("a.b=1-2,3") == "a.b=1-2,3");
    BOOST_TEST(shell_word("it's $x") == "'it'\\''s $x'");
    BOOST_TEST(shell_word("") == "''");
    BOOST_TEST(format_cpu_list({3, 1, 2, 8}) == "1-3,8");
    BOOST_TEST((parse_cpu_list("0-2,8\n") == std::vector<unsigned>{0, 1, 2, 8}));
}

}  // namespace
}  // namespace steer::machine
