// The steps of each check, run for real below a folder in place of /: done, done again, taken back, and stopped half-way.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/operator/machine/apply.h"
#include "control/operator/machine/checks.h"
#include "support/temp_folder.h"

namespace steer::machine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNic = "0000:03:00.0";
constexpr const char* kPages = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
constexpr const char* kPciPort = "dataplane: { ports: [ { pci: '0000:03:00.0' } ] }\n";
constexpr const char* kCores = "dataplane: { workers: [2, 3] }\n";

// A machine with a kernel that does what is written to its files, and programs that only say that they ran.
class Host {
  public:
    explicit Host(const std::string& sections) {
        auto loaded = config::load_text(
            sections +
                "plugins: [ { tag: m, type: sequence, args: [ { exec: forward 192.0.2.1 } ] } ]\n",
            "steerdns.yaml");
        BOOST_REQUIRE(loaded.errors.empty());
        settings_ = std::move(loaded.settings);
        write("/proc/sys/kernel/osrelease", "6.1.0-26-amd64");
        write("/sys/devices/system/cpu/online", "0-3");
        write("/sys/devices/system/cpu/isolated", "");
        write(std::string(kPages) + "nr_hugepages", "16");
        write(std::string(kPages) + "free_hugepages", "16");
        write("/proc/sys/net/ipv4/ip_local_port_range", "1024\t65535");
        write("/proc/sys/net/ipv4/ip_local_reserved_ports", "8080");
        write("/lib/modules/6.1.0-26-amd64/modules.dep",
              "kernel/drivers/net/tun.ko:\nkernel/drivers/vhost/vhost_net.ko:");
        for (const char* const name : {"modprobe", "systemctl", "update-grub", "ethtool", "ip"})
            program(name, "exit 0");
        program("sysctl",
                "key=${2%%=*}; echo \"${2#*=}\" > " + root() + "/proc/sys/$(echo $key | tr . /)");
        program("modprobe", "mkdir -p " + root() + "/dev/net; case $1$2 in tun) touch " + root() +
                                "/dev/net/tun ;; vhost_net) touch " + root() +
                                "/dev/vhost-net ;; -rtun) rm -f " + root() +
                                "/dev/net/tun ;; -rvhost_net) rm -f " + root() +
                                "/dev/vhost-net ;; esac");
        write("/usr/sbin/update-grub", "");
    }
    [[nodiscard]] std::string root() const { return folder_.path.string(); }
    void write(const std::string& at, const std::string& text) const {
        folder_.write(at.substr(1), text + "\n");
    }
    [[nodiscard]] std::string read(const std::string& at) const {
        return folder_.read(at.substr(1));
    }

    // A NIC that the kernel's driver i40e has.
    void add_nic() {
        const std::string at = nic();
        write(at + "/vendor", "0x8086");
        write(at + "/device", "0x1572");
        write(at + "/class", "0x020000");
        write(at + "/driver_override", "(null)");
        fs::create_directories(root() + "/sys/kernel/iommu_groups/5/devices/" + kNic);
        fs::create_symlink("/sys/kernel/iommu_groups/5", root() + at + "/iommu_group");
        write("/dev/vfio/5", "");
        bind("i40e");
        has_nic_ = true;
    }
    [[nodiscard]] unsigned taken_from_kernel() const { return taken_from_kernel_; }

    [[nodiscard]] Findings inspect(const std::string& check) const {
        Subject one{settings_, root(), {}, {}, {}, {}, {}, {2, 3}, {}, true, true, true};
        one.ask = [](const std::string&) { return LiveFacts{.ethernet = true, .rx_queues = 2}; };
        one.management_path = [](const PciDevice&) { return std::string(); };
        one.inspect = [](const std::string&) {
            return InterfaceFacts{.addresses = {*IpAddress::parse("192.0.2.53")}};
        };
        one.host.default_interface = "eth0";
        one.owner = [this](const IpAddress&, std::uint16_t, bool) -> std::optional<SocketOwner> {
            if (!resolved_ || exists("/etc/systemd/resolved.conf.d/steerdns.conf"))
                return std::nullopt;
            return SocketOwner{77, "systemd-resolve"};
        };
        one.memory = {.total_bytes = std::uint64_t{4} << 30,
                      .huge_page_bytes = 2 << 20,
                      .huge_pages_free = 0};
        Findings found;
        for (Finding& finding : inspect_all(one)) {
            if (finding.check == check) found.push_back(std::move(finding));
        }
        return found;
    }
    void have_resolved() {
        resolved_ = true;
        write("/proc/77/cgroup", "0::/system.slice/systemd-resolved.service");
        write("/etc/resolv.conf", "nameserver 127.0.0.53");
    }

    // The command below the root, then what the kernel does about it.
    int run(const std::string& command) {
        std::string here = command;
        for (const char* const top : {"/etc/", "/proc/", "/sys/"}) {
            for (std::size_t at = 0; (at = here.find(top, at)) != here.npos;) {
                here.insert(at, root());
                at += root().size() + 1;
            }
        }
        const int code = std::system(("PATH=" + root() + "/bin:$PATH; " + here).c_str());
        write(std::string(kPages) + "free_hugepages",
              std::to_string(std::stoul(read(std::string(kPages) + "nr_hugepages"))));
        if (has_nic_) drive_nic();
        return code;
    }

    // The content of each file below /etc, /proc, /sys and /dev.
    [[nodiscard]] std::map<std::string, std::string> files() const {
        std::map<std::string, std::string> all;
        for (const char* const top : {"etc", "proc", "sys", "dev"}) {
            if (!fs::exists(folder_.path / top)) continue;
            for (const auto& one : fs::recursive_directory_iterator(folder_.path / top)) {
                const std::string name = one.path().lexically_relative(folder_.path).string();
                if (one.is_symlink()) {
                    all[name] = "-> " + fs::read_symlink(one.path()).string();
                } else if (one.is_regular_file()) {
                    all[name] = folder_.read(name);
                }
            }
        }
        return all;
    }

  private:
    [[nodiscard]] static std::string nic() { return std::string("/sys/bus/pci/devices/") + kNic; }
    [[nodiscard]] bool exists(const std::string& at) const { return fs::exists(root() + at); }
    void program(const std::string& name, const std::string& text) const {
        const std::string at = folder_.write("bin/" + name, "#!/bin/sh\n" + text + "\n");
        fs::permissions(at, fs::perms::owner_all);
    }
    void bind(const std::string& driver) {
        const std::string at = root() + "/sys/bus/pci/drivers/" + driver;
        fs::create_directories(at);
        fs::create_symlink(root() + nic(), at + "/" + kNic);
        fs::create_symlink(at, root() + nic() + "/driver");
    }
    void drive_nic() {
        const std::string link = root() + nic() + "/driver";
        for (const char* const driver : {"i40e", "vfio-pci"}) {
            const std::string at = root() + "/sys/bus/pci/drivers/" + driver;
            if (!fs::remove(at + "/unbind") || !fs::exists(fs::symlink_status(at + "/" + kNic)))
                continue;
            taken_from_kernel_ += driver == std::string("i40e") ? 1U : 0U;
            fs::remove(at + "/" + kNic);
            fs::remove(link);
        }
        if (read(nic() + "/driver_override") == "\n") write(nic() + "/driver_override", "(null)");
        if (!fs::remove(root() + "/sys/bus/pci/drivers_probe") ||
            fs::exists(fs::symlink_status(link)))
            return;
        const bool is_given = read(nic() + "/driver_override") == "vfio-pci\n";
        bind(is_given ? "vfio-pci" : "i40e");
        if (!is_given) fs::remove(root() + "/sys/bus/pci/drivers/vfio-pci");
    }

    test::TempFolder folder_;
    config::Settings settings_;
    bool has_nic_ = false, resolved_ = false;
    unsigned taken_from_kernel_ = 0;
};

struct Case {
    std::string check, sections;
    std::function<void(Host&)> prepare;
    std::vector<std::string> kept;  // files that exist when it is done
};

const std::vector<Case>& cases() {
    static const std::vector<Case> kAll{
        {"hugepages",
         "dataplane: { memory: 512MiB }\n",
         [](Host&) {},
         {"etc/tmpfiles.d/steerdns-hugepages.conf"}},
        {"pci-driver",
         kPciPort,
         [](Host& host) { host.add_nic(); },
         {"etc/udev/rules.d/60-steerdns-0000:03:00.0.rules",
          "etc/modules-load.d/steerdns-vfio-pci.conf"}},
        {"iommu", kPciPort, [](Host&) {}, {"etc/default/grub.d/steerdns-iommu.cfg"}},
        {"isolation", kCores, [](Host&) {}, {"etc/default/grub.d/steerdns-isolation.cfg"}},
        {"irqbalance",
         kCores,
         [](Host& host) {
             host.write("/usr/sbin/irqbalance", "");
             host.write("/etc/default/irqbalance",
                        "# it's 100 % \"ours\"\nIRQBALANCE_BANNED_CPULIST=1\nOPTIONS=-x $y");
         },
         {"etc/default/irqbalance"}},
        {"reserved-ports", "", [](Host&) {}, {"etc/sysctl.d/60-steerdns-ports.conf"}},
        {"modules",
         kPciPort,
         [](Host&) {},
         {"etc/modules-load.d/steerdns-tun.conf", "etc/modules-load.d/steerdns-vhost_net.conf"}},
        {"service",
         kCores,
         [](Host& host) {
             host.write("/lib/systemd/system/steerdnsd.service", "[Service]\nLimitMEMLOCK=64K");
             host.write("/sys/devices/system/cpu/isolated", "2-3");
         },
         {"etc/systemd/system/steerdnsd.service.d/steerdns-memlock.conf",
          "etc/systemd/system/steerdnsd.service.d/steerdns-cpus.conf"}},
        {"port-taken",
         "",
         [](Host& host) { host.have_resolved(); },
         {"etc/systemd/resolved.conf.d/steerdns.conf", "etc/resolv.conf.before-steerdns"}}};
    return kAll;
}

// What `steerctl setup --apply` does; the command of this number fails before it does anything.
struct Operator {
    explicit Operator(Host& on, unsigned failing = 0) : host(on), fails(failing) {}
    Hands hands() {
        return {[](const std::string&) { return true; },
                [this](const std::string& command) {
                    if (++commands == fails) return 3;
                    return host.run(command);
                },
                output};
    }
    [[nodiscard]] UndoFile undo_file() const { return UndoFile(host.root() + "/undo.sh", ""); }
    int apply_check(const std::string& check) {
        Hands mine = hands();
        return apply(host.inspect(check), undo_file(), mine);
    }
    int undo_all() {
        fails = 0;
        Hands mine = hands();
        return undo(undo_file(), mine);
    }
    Host& host;
    unsigned fails, commands = 0;
    std::ostringstream output;
};

std::size_t steps_of(const Findings& findings) {
    std::size_t count = 0;
    for (const Finding& finding : findings)
        count += finding.steps.size();
    return count;
}

BOOST_AUTO_TEST_SUITE(steps)

BOOST_AUTO_TEST_CASE(steps_of_each_check_are_done_once_and_taken_back) {
    for (const Case& one : cases()) {
        BOOST_TEST_CONTEXT(one.check) {
            Host host(one.sections);
            one.prepare(host);
            const auto before = host.files();
            const std::size_t count = steps_of(host.inspect(one.check));
            BOOST_TEST(count > 0U);
            Operator first(host);
            BOOST_TEST(first.apply_check(one.check) == 0);
            BOOST_TEST(first.commands == count);
            const auto after = host.files();
            BOOST_TEST((after != before));
            for (const std::string& file : one.kept)
                BOOST_TEST(after.contains(file), file);
            // A second time there is nothing to do, and nothing changes.
            Operator second(host);
            BOOST_TEST(second.apply_check(one.check) == 0);
            BOOST_TEST(second.commands == 0U);
            BOOST_TEST(second.output.str() == "nothing to do\n");
            BOOST_TEST((host.files() == after));
            BOOST_TEST(second.undo_all() == 0);
            for (const auto& [file, text] : before)
                BOOST_TEST((host.files()[file] == text), file << ": " << host.files()[file]);
            BOOST_TEST(host.files().size() == before.size());
            BOOST_TEST(!fs::exists(second.undo_file().path()));
        }
    }
}

// Before the command that fails, each is printed with its undo; what comes after is left.
BOOST_AUTO_TEST_CASE(command_that_fails_in_the_middle_leaves_what_can_be_taken_back) {
    for (const Case& one : cases()) {
        const auto count = [&] {
            Host host(one.sections);
            one.prepare(host);
            return steps_of(host.inspect(one.check));
        }();
        for (unsigned failing = 1; failing <= count; ++failing) {
            BOOST_TEST_CONTEXT(one.check << ", command " << failing) {
                Host host(one.sections);
                one.prepare(host);
                const auto before = host.files();
                Findings found = host.inspect(one.check);
                Operator hand(host, failing);
                BOOST_TEST(hand.apply_check(one.check) == 1);
                BOOST_TEST(hand.commands == failing);
                unsigned number = 0;
                for (const Finding& finding : found) {
                    for (const Step& step : finding.steps) {
                        const bool is_done = ++number < failing;
                        const std::string line = "      undo: " + step.undo + "\n";
                        BOOST_TEST((hand.output.str().find(line) != std::string::npos) == is_done);
                    }
                }
                BOOST_TEST(hand.output.str().find("`steerctl setup --undo` takes back") !=
                           std::string::npos);
                BOOST_TEST(hand.undo_all() == 0);
                BOOST_TEST((host.files() == before));
            }
        }
    }
}

// Its addresses and routes would be lost.
BOOST_AUTO_TEST_CASE(undo_of_a_hand_over_that_never_happened_leaves_the_nic_to_the_kernel) {
    Host host(kPciPort);
    host.add_nic();
    Operator hand(host, 1);
    BOOST_TEST(hand.apply_check("pci-driver") == 1);
    BOOST_TEST(hand.undo_all() == 0);
    BOOST_TEST(host.taken_from_kernel() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::machine
