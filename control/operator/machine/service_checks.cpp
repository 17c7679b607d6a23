// The service: the privileges that systemd gives the daemon, the user that it switches to, and the
// clock.
#include <algorithm>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"
#include "control/operator/machine/unit.h"
#include "control/program/reload/connection_plan.h"

namespace steer::machine {
namespace {

std::string unit_setting(const Subject& subject, const std::string& key) {
    return machine::unit_setting(subject.root, key);
}

Step drop_in(const Subject& subject, const std::string& name, const std::string& line) {
    constexpr const char* kReload = " && systemctl daemon-reload";
    Step step = file_step(subject, std::string(kDropIns) + "/steerdns-" + name + ".conf",
                          {"[Service]", line});
    return {step.command + kReload, step.undo + kReload};
}

}  // namespace

Findings check_service(const Subject& subject) {
    if (!has_unit(subject.root))
        return {{Level::ok, "no systemd unit is installed, so none was looked at", {}, {}}};
    Findings found;
    if (unit_setting(subject, "LimitMEMLOCK") != "infinity")
        found.push_back({Level::problem,
                         "LimitMEMLOCK of the unit is not infinity",
                         "packet memory cannot be locked: AF_XDP and DPDK do not start",
                         {drop_in(subject, "memlock", "LimitMEMLOCK=infinity")}});
    // PID 1 does not run on isolated cores, and what it starts inherits that.
    const auto isolated = parse_cpu_list(subject.word("/sys/devices/system/cpu/isolated"));
    const bool needed = std::ranges::any_of(subject.worker_cpus, [&](unsigned cpu) {
        return std::ranges::find(isolated, cpu) != isolated.end();
    });
    const std::string online = subject.word("/sys/devices/system/cpu/online");
    if (needed && unit_setting(subject, "CPUAffinity").empty())
        found.push_back(
            {Level::problem,
             "worker cores are isolated, and the unit has no CPUAffinity, wanted: " + online,
             "the daemon may not use isolated cores and does not start",
             {drop_in(subject, "cpus", "CPUAffinity=" + online)}});
    const auto allowed = unit_setting(subject, "CapabilityBoundingSet");
    const auto by_uio = [&](const config::PortSettings* port) {
        return subject.names("/sys/bus/pci/devices/" + port->pci + "/uio").size() == 1;
    };
    const auto ports = subject.pci_ports();
    if (std::ranges::any_of(ports, by_uio) && allowed.find("CAP_SYS_ADMIN") == std::string::npos)
        found.push_back(
            {Level::problem,
             "a NIC is bound to a uio driver, and the unit has no CAP_SYS_ADMIN",
             "DPDK reads physical addresses then, which needs it (vfio-pci does not)",
             {drop_in(subject, "uio", "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RAWIO")}});
    if (found.empty())
        found.push_back({Level::ok, "the systemd unit gives what is needed", {}, {}});
    return found;
}

Findings check_open_files(const Subject& subject) {
    const std::uint64_t wanted = enough_files(connection_needs(subject.settings, {}));
    const std::string text =
        std::to_string(wanted) + " open files are wanted (`max_connections` of all servers)";
    Findings found;
    if (const auto limit = descriptors_of_unit(subject.root); limit && *limit < wanted)
        found.push_back({Level::advice,
                         "LimitNOFILE of the unit is " + std::to_string(*limit) + ", " + text,
                         "clients over TCP get fewer connections than `max_connections`",
                         {drop_in(subject, "files", "LimitNOFILE=" + std::to_string(wanted))}});
    const std::string key = "fs.file-max";
    if (const auto most = subject.number(sysctl_path(key)); most && *most < wanted * 2)
        found.push_back({Level::advice, key + " is " + std::to_string(*most) + ", " + text,
                         "the whole machine runs out of files",
                         sysctl_steps(subject, "files", key, std::to_string(wanted * 2))});
    if (found.empty())
        found.push_back(
            {Level::ok, "enough files may be open (" + std::to_string(wanted) + ")", {}, {}});
    return found;
}

Findings check_user(const Subject& subject) {
    if (subject.has_user) return {{Level::ok, "the user that the daemon becomes is there", {}, {}}};
    if (!subject.settings.control.user.empty())
        return {{Level::problem,
                 "there is no user " + subject.settings.control.user + " (`user` of `control`)",
                 "the daemon does not start",
                 {{"adduser --system --group --no-create-home " +
                       shell_word(subject.settings.control.user),
                   "deluser --system " + shell_word(subject.settings.control.user)}}}};
    return {
        {Level::advice,
         "there is no user steerdns: the daemon takes an account that other programs share",
         "those programs may reach its files, and a reload cannot read the configuration",
         {{"adduser --system --group --no-create-home steerdns", "deluser --system steerdns"}}}};
}

Findings check_clock(const Subject& subject) {
    if (!subject.uses_tls()) return {};
    if (subject.clock_is_set) return {{Level::ok, "the clock is synchronised", {}, {}}};
    Finding finding{Level::advice,
                    "the clock is not synchronised, wanted: NTP",
                    "certificates of upstreams, routers and lists are good for a time only",
                    {}};
    if (subject.exists("/lib/systemd/system/systemd-timesyncd.service") ||
        subject.exists("/usr/lib/systemd/system/systemd-timesyncd.service")) {
        finding.steps = {{"timedatectl set-ntp true", "timedatectl set-ntp false"}};
    } else {
        finding.text += " (`apt-get install systemd-timesyncd`)";
    }
    return {finding};
}

}  // namespace steer::machine
