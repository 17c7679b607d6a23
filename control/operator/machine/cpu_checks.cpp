// The workers' CPUs: other load on them.
#include <algorithm>
#include <sstream>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"

namespace steer::machine {
namespace {

bool contains(const std::vector<unsigned>& cpus, unsigned cpu) {
    return std::ranges::find(cpus, cpu) != cpus.end();
}
bool holds_all(const std::vector<unsigned>& cpus, const std::vector<unsigned>& wanted) {
    return std::ranges::all_of(wanted, [&](unsigned cpu) { return contains(cpus, cpu); });
}

std::vector<unsigned> online(const Subject& subject) {
    return parse_cpu_list(subject.word("/sys/devices/system/cpu/online"));
}

// CPUs that no worker has; none are left: all.
std::vector<unsigned> others(const Subject& subject) {
    std::vector<unsigned> cpus = online(subject);
    std::erase_if(cpus, [&](unsigned cpu) { return contains(subject.worker_cpus, cpu); });
    return cpus.empty() ? online(subject) : cpus;
}

std::string workers(const Subject& subject) {
    return format_cpu_list(subject.worker_cpus);
}

// Interrupts of an interface's device.
std::vector<std::string> interrupts_of(const Subject& subject, const std::string& interface) {
    const std::string device = "/sys/class/net/" + interface + "/device";
    auto numbers = subject.names(device + "/msi_irqs");
    // A virtio interface's device is on the virtio bus; its parent has the interrupts.
    if (numbers.empty()) numbers = subject.names(device + "/../msi_irqs");
    return numbers;
}

}  // namespace

Findings check_isolation(const Subject& subject) {
    if (!subject.names_cores())
        return {{Level::ok,
                 "`dataplane.workers` names no cores, so none need to be isolated (" +
                     std::to_string(subject.worker_cpus.size()) + " worker" +
                     (subject.worker_cpus.size() == 1 ? "" : "s") + ")",
                 {},
                 {}}};
    const auto isolated = parse_cpu_list(subject.word("/sys/devices/system/cpu/isolated"));
    const auto tickless = parse_cpu_list(subject.word("/sys/devices/system/cpu/nohz_full"));
    const std::string cpus = workers(subject);
    if (holds_all(isolated, subject.worker_cpus) && holds_all(tickless, subject.worker_cpus))
        return {{Level::ok, "worker cores " + cpus + " are isolated", {}, {}}};
    const auto shown = [](const std::vector<unsigned>& list) {
        return list.empty() ? std::string("none") : format_cpu_list(list);
    };
    const std::string words = "isolcpus=" + cpus + " nohz_full=" + cpus + " rcu_nocbs=" + cpus;
    Finding finding{Level::advice,
                    "worker cores " + cpus + ": isolated are " + shown(isolated) +
                        ", without a tick " + shown(tickless) +
                        "; wanted on the kernel's command line: " + words,
                    "other programs and the timer tick interrupt workers, which shows as latency",
                    {}};
    finding.needs_reboot = true;
    const std::string file = "/etc/default/grub.d/steerdns-isolation.cfg";
    const std::vector<std::string> lines{"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " + words +
                                         "\""};
    if (has_lines(subject, file, lines)) {
        finding.text = "worker cores " + cpus + " are isolated at the next boot (" + file + ")";
    } else if (subject.exists("/usr/sbin/update-grub")) {
        Step step = file_step(subject, file, lines);
        finding.steps = {{step.command + " && update-grub", step.undo + " && update-grub"}};
    }
    return {finding};
}

Findings check_interrupts(const Subject& subject) {
    if (!subject.names_cores()) return {};
    const auto away = others(subject);
    if (holds_all(subject.worker_cpus, away)) return {};  // there are no others
    Findings found;
    for (const std::string& interface : subject.names("/sys/class/net")) {
        Finding finding{
            Level::advice, {}, "a worker does not run while its core handles interrupts", {}};
        for (const std::string& number : interrupts_of(subject, interface)) {
            const std::string file = "/proc/irq/" + number + "/smp_affinity_list";
            const std::string before = subject.word(file);
            const auto cpus = parse_cpu_list(before);
            if (!std::ranges::any_of(
                    cpus, [&](unsigned cpu) { return contains(subject.worker_cpus, cpu); }))
                continue;
            finding.steps.push_back(write_step(file, format_cpu_list(away), before));
        }
        if (finding.steps.empty()) continue;
        finding.text = std::to_string(finding.steps.size()) + " interrupts of " + interface +
                       " may run on worker cores " + workers(subject) +
                       ", wanted: " + format_cpu_list(away) + " (lost at a reboot)";
        found.push_back(std::move(finding));
    }
    if (found.empty())
        found.push_back(
            {Level::ok, "no interrupts of interfaces on worker cores " + workers(subject), {}, {}});
    return found;
}

Findings check_irqbalance(const Subject& subject) {
    if (!subject.names_cores() || !subject.exists("/usr/sbin/irqbalance")) return {};
    const std::string file = "/etc/default/irqbalance";
    const std::string line = "IRQBALANCE_BANNED_CPULIST=" + workers(subject);
    const std::string content = subject.read(file);
    std::istringstream in(content);
    std::vector<std::string> lines;
    for (std::string one; std::getline(in, one);) {
        if (one == line)
            return {{Level::ok,
                     "irqbalance leaves worker cores " + workers(subject) + " alone",
                     {},
                     {}}};
        if (!one.starts_with("IRQBALANCE_BANNED_CPULIST=")) lines.push_back(one);
    }
    lines.push_back(line);
    Step step = file_step(subject, file, lines);
    const std::string restart = " && systemctl try-restart irqbalance";
    return {{Level::advice,
             "irqbalance may move interrupts to worker cores, wanted: " + line,
             "a worker does not run while its core handles interrupts",
             {{step.command + restart, step.undo + restart}}}};
}

Findings check_governor(const Subject& subject) {
    if (!subject.names_cores() && subject.settings.dataplane.idle != config::IdleMode::spin)
        return {};
    Finding finding{
        Level::advice, {}, "a core that sleeps deeply or clocks down answers later", {}};
    for (const unsigned cpu : subject.worker_cpus) {
        const std::string file =
            "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/scaling_governor";
        const std::string now = subject.word(file);
        if (!now.empty() && now != "performance")
            finding.steps.push_back(write_step(file, "performance", now));
    }
    if (finding.steps.empty()) return {};
    finding.text = "CPU frequency governor of worker cores " + workers(subject) +
                   " is not performance, wanted: performance (lost at a reboot)";
    return {finding};
}

}  // namespace steer::machine
