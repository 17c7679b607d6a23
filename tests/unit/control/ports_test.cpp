// Ports before anything is opened: NICs in the /sys of a made-up machine, and what --ports prints about them.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/program/reload/port_check.h"
#include "control/runtime/ports/port_survey.h"
#include "support/temp_folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

// A machine with a root of its own: a virtio NIC of the kernel's, one bound to vfio-pci, a disk.
class Machine {
  public:
    Machine() {
        nic("0000:00:03.0", "0x1af4", "0x1000", "virtio-pci", "1");
        fs::create_directories(root_ / "sys/bus/pci/devices/0000:00:03.0/virtio0/net/eth0");
        nic("0000:65:00.0", "0x8086", "0x1572", "vfio-pci", "5");
        write("sys/bus/pci/devices/0000:65:00.0/numa_node", "1");
        write("dev/vfio/5", "");
        nic("0000:00:1f.2", "0x8086", "0x2922", "ahci", "7");
        write("sys/bus/pci/devices/0000:00:1f.2/class", "0x010601");
        write("sys/class/net/eth0/mtu", "1500");
        write("sys/class/net/eth0/operstate", "up");
        write("sys/class/net/jumbo/mtu", "9000");
        write("sys/class/net/jumbo/operstate", "down");
        write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "64");
        write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "10");
    }
    [[nodiscard]] std::string root() const { return root_.string(); }

    void nic(const std::string& address, const std::string& vendor, const std::string& device,
             const std::string& driver, const std::string& group) {
        const std::string path = "sys/bus/pci/devices/" + address;
        write(path + "/vendor", vendor);
        write(path + "/device", device);
        write(path + "/class", "0x020000");
        write(path + "/numa_node", "-1");
        bind(address, driver);
        if (group.empty()) return;
        link(path + "/iommu_group", "/sys/kernel/iommu_groups/" + group);
        fs::create_directories(root_ /
                               ("sys/kernel/iommu_groups/" + group + "/devices/" + address));
    }
    void bind(const std::string& address, const std::string& driver) {
        const std::string path = "sys/bus/pci/devices/" + address + "/driver";
        fs::remove(root_ / path);
        if (!driver.empty()) link(path, "/sys/bus/pci/drivers/" + driver);
    }
    void link(const std::string& at, const std::string& to) {
        fs::create_directories((root_ / at).parent_path());
        fs::create_symlink(to, root_ / at);
    }
    void write(const std::string& at, const std::string& text) { folder_.write(at, text + "\n"); }

  private:
    test::TempFolder folder_;
    const fs::path& root_ = folder_.path;
};

HostFacts host() {
    HostFacts facts;
    facts.default_interface = "eth0";
    facts.interfaces = {"eth0", "jumbo"};
    facts.addresses = {*IpAddress::parse("192.0.2.5"), *IpAddress::parse("2001:db8::5")};
    return facts;
}

config::Settings with(std::vector<config::PortSettings> ports) {
    config::Settings settings;
    settings.file = "steer.yaml";
    int line = 3;
    for (auto& port : ports)
        port.line = line++;
    settings.dataplane.ports = std::move(ports);
    return settings;
}

config::PortSettings pci(const std::string& address, bool force = false) {
    config::PortSettings port;
    port.pci = address;
    port.force = force;
    return port;
}

config::PortSettings interface(const std::string& name, std::vector<IpAddress> addresses = {}) {
    config::PortSettings port;
    port.device = name;
    port.addresses = std::move(addresses);
    return port;
}

// The sentence of the refusal; "" if there is none.
std::string refusal(const Machine& machine, std::vector<config::PortSettings> ports,
                    const HostFacts& facts = host()) {
    const auto good = check_ports(with(std::move(ports)), facts, machine.root());
    return good ? "" : good.error().sentence();
}

void has(const std::string& text, const std::string& piece) {
    BOOST_TEST(text.find(piece) != std::string::npos, "\"" << piece << "\" is not in: " << text);
}

BOOST_AUTO_TEST_SUITE(check)

BOOST_AUTO_TEST_CASE(a_nic_bound_to_dpdk_is_accepted) {
    const Machine machine;
    BOOST_TEST(refusal(machine, {pci("0000:65:00.0")}) == "");
}

BOOST_AUTO_TEST_CASE(a_missing_nic_is_refused) {
    const Machine machine;
    has(refusal(machine, {pci("0000:09:00.0")}),
        "steer.yaml:3: there is no PCI device 0000:09:00.0 here (network devices: 0000:00:03.0, "
        "0000:65:00.0; ");
    has(refusal(machine, {pci("0000:00:1f.2")}), "0000:00:1f.2 is not a network device");
}

BOOST_AUTO_TEST_CASE(the_only_interface_to_the_machine_is_not_taken) {
    const Machine machine;
    has(refusal(machine, {pci("0000:00:03.0")}),
        "0000:00:03.0 is eth0, the interface of the default route: without it this machine "
        "is unreachable; serve it as `device: eth0`, or set `force: true`");
    HostFacts lonely = host();
    lonely.default_interface.clear();
    lonely.interfaces = {"eth0"};
    has(refusal(machine, {pci("0000:00:03.0")}, lonely), "the only interface that is up");
    // Forced, it still is the kernel's.
    has(refusal(machine, {pci("0000:00:03.0", true)}),
        "0000:00:03.0 is bound to the kernel's driver virtio-pci as eth0: hand it over with "
        "`modprobe "
        "vfio-pci`, then `driverctl set-override 0000:00:03.0 vfio-pci` or `dpdk-devbind.py");
    lonely.interfaces = {"eth0", "eth1"};
    has(refusal(machine, {pci("0000:00:03.0")}, lonely),
        "is bound to the kernel's driver virtio-pci");
}

BOOST_AUTO_TEST_CASE(a_nic_without_a_driver_gets_the_binding_command) {
    Machine machine;
    machine.nic("0000:66:00.0", "0x8086", "0x1572", "", "");
    has(refusal(machine, {pci("0000:66:00.0")}),
        "has no driver that DPDK can use: `modprobe uio_pci_generic`, then `driverctl set-override "
        "0000:66:00.0 uio_pci_generic`");
}

BOOST_AUTO_TEST_CASE(vfio_without_an_iommu_is_reported) {
    Machine machine;
    machine.nic("0000:66:00.0", "0x8086", "0x1572", "vfio-pci", "");
    has(refusal(machine, {pci("0000:66:00.0")}), "there is no IOMMU: turn it on (`intel_iommu=on`");
}

BOOST_AUTO_TEST_CASE(all_nics_of_an_iommu_group_have_to_be_bound) {
    Machine machine;
    machine.nic("0000:65:00.1", "0x8086", "0x1572", "i40e", "5");
    has(refusal(machine, {pci("0000:65:00.0")}),
        "is in IOMMU group 5 with 0000:65:00.1, which the driver i40e has");
    machine.bind("0000:65:00.1", "vfio-pci");
    BOOST_TEST(refusal(machine, {pci("0000:65:00.0")}) == "");
}

BOOST_AUTO_TEST_CASE(a_nic_in_use_by_another_process_is_refused) {
    Machine machine;
    machine.write("proc/77/comm", "testpmd");
    machine.link("proc/77/fd/4", "/dev/vfio/5");
    has(refusal(machine, {pci("0000:65:00.0")}),
        "0000:65:00.0 is served by another process, testpmd (pid 77): stop that one");
}

BOOST_AUTO_TEST_CASE(a_nic_that_cannot_be_opened_is_refused) {
    const Machine machine;
    fs::remove(machine.root() + "/dev/vfio/5");
    has(refusal(machine, {pci("0000:65:00.0")}), "/dev/vfio/5 cannot be opened");
}

BOOST_AUTO_TEST_CASE(an_address_missing_from_the_kernel_is_refused) {
    const Machine machine;
    const auto here = *IpAddress::parse("192.0.2.5"), away = *IpAddress::parse("192.0.2.6");
    BOOST_TEST(refusal(machine, {interface("eth0", {here})}) == "");
    has(refusal(machine, {interface("eth0", {here, away})}),
        "steer.yaml:3: 192.0.2.6 in `addresses` is not an address of this machine: `ip address add "
        "192.0.2.6/32 dev eth0` gives it");
    config::PortSettings memif =
        interface("socket=" + machine.root() + "/m.sock,role=server", {away});
    memif.driver = config::Driver::memif;  // it has no kernel beside it
    BOOST_TEST(refusal(machine, {memif}) == "");
}

BOOST_AUTO_TEST_CASE(a_memif_socket_is_checked_by_role) {
    const Machine machine;
    const std::string path = machine.root() + "/m.sock";
    const auto memif = [&](const std::string& role) {
        config::PortSettings port =
            interface("socket=" + path + ",socket-abstract=no,role=" + role);
        port.driver = config::Driver::memif;
        return refusal(machine, {port});
    };
    has(memif("client"), "no process serves memif socket " + path);
    BOOST_TEST(memif("server") == "");
    {
        const int other = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE(::bind(other, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        BOOST_REQUIRE(::listen(other, 4) == 0);
        has(memif("server"), path + " is served by another process: stop that one");
        BOOST_TEST(memif("client") == "");
        ::close(other);
    }
    BOOST_TEST(fs::exists(path));
    BOOST_TEST(memif("server") == "");
    BOOST_TEST(!fs::exists(path));  // what a killed server left
    std::ofstream(path) << "mine";
    has(memif("server"), "memif socket " + path + " cannot be made: ");
    BOOST_TEST(fs::exists(path));
}

BOOST_AUTO_TEST_CASE(two_ports_on_one_device_are_refused) {
    const Machine machine;
    config::PortSettings sockets = interface("eth0");
    sockets.driver = config::Driver::socket;
    has(refusal(machine, {interface("eth0"), sockets}),
        "steer.yaml:4: eth0 is the device of the port in line 3 as well: remove one of the two");
    BOOST_TEST(refusal(machine, {interface("eth0"), interface("jumbo")}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(survey)

LiveFacts live(const std::string& name) {
    LiveFacts facts;
    facts.ethernet = true;
    facts.rx_queues = 2;
    facts.driver = name == "eth0" ? "virtio_net" : "i40e";
    return facts;
}

std::string survey_of(const Machine& machine, const AskKernel& ask = live) {
    std::ostringstream out;
    write_survey(survey_ports(host(), ask, machine.root()), out);
    return out.str();
}

BOOST_AUTO_TEST_CASE(the_survey_shows_the_driver_for_each_interface) {
    const Machine machine;
    const std::string text = survey_of(machine);
    for (const char* piece : {"  eth0: virtio_net, up, MTU 1500, 2 receive queues, the default "
                              "route\n  -> `device: eth0` "
                              "serves it by af_xdp; so it does without `dataplane.ports`\n",
                              "  jumbo: i40e, down, MTU 9000, 2 receive queues\n  -> `device: "
                              "jumbo` serves it by kernel "
                              "sockets: AF_XDP takes an MTU of up to 3506\n",
                              "  0000:00:03.0: 1af4:1000, virtio-pci (eth0), IOMMU group 1\n  -> "
                              "`pci: 0000:00:03.0` is "
                              "refused: it is eth0, the interface of the default route",
                              "  0000:65:00.0: 8086:1572, vfio-pci, NUMA node 1, IOMMU group 5\n  "
                              "-> `pci: 0000:65:00.0` "
                              "serves it by DPDK\n",
                              "hugepages of 2 MiB: 10 of 64 free\n", "missing\n", "/dev/net/tun"})
        has(text, piece);
    BOOST_TEST(text.find("1f.2") == std::string::npos);
    BOOST_TEST(text.find("nr_hugepages=") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_survey_shows_why_af_xdp_is_not_used) {
    Machine machine;
    machine.write("sys/class/net/tun0/mtu", "1420");
    machine.write("sys/class/net/eth1/mtu", "1500");
    machine.write("sys/class/net/eth2/mtu", "1500");
    const std::string text = survey_of(machine, [](const std::string& name) {
        LiveFacts facts = live(name);
        if (name == "tun0") return LiveFacts{};
        if (name == "eth1") facts.xdp_program = "cilium";
        if (name == "eth2") facts.xdp_program = "steer_xdp";
        return facts;
    });
    has(text, "`device: tun0` serves it by kernel sockets: it is not Ethernet");
    has(text,
        "`device: eth1` serves it by kernel sockets: it has the XDP program cilium of another "
        "program (`ip link set dev eth1 xdp off` removes it)");
    has(text, "`device: eth2` serves it by af_xdp (a SteerDNS serves it now)");
}

BOOST_AUTO_TEST_CASE(the_survey_of_an_empty_machine_is_complete) {
    std::ostringstream out;
    write_survey(survey_ports({}, live, "/nowhere"), out);
    for (const char* piece : {"PCI network devices\n  none\n", "no hugepages in this kernel",
                              "sysctl -w vm.nr_hugepages=", "a default route", "an IOMMU"})
        has(out.str(), piece);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
