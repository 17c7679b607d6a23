#include "control/operator/machine/checks.h"

#include <array>

namespace steer::machine {
namespace {

constexpr std::array<Check, 26> kChecks{{
    {"kernel", check_kernel},
    {"modules", check_modules},
    {"memory", check_memory},
    {"hugepages", check_huge_pages},
    {"pci-driver", check_pci},
    {"iommu", check_iommu},
    {"xdp", check_xdp},
    {"rings", check_rings},
    {"bpf", check_bpf},
    {"landlock", check_landlock},
    {"isolation", check_isolation},
    {"interrupts", check_interrupts},
    {"irqbalance", check_irqbalance},
    {"governor", check_governor},
    {"port-taken", check_taken_ports},
    {"reserved-ports", check_reserved_ports},
    {"firewall", check_firewall},
    {"packet-budget", check_packet_budget},
    {"reverse-path", check_reverse_path},
    {"conntrack", check_connection_tracking},
    {"accept-queue", check_accept_queue},
    {"neighbours", check_neighbours},
    {"service", check_service},
    {"open-files", check_open_files},
    {"user", check_user},
    {"clock", check_clock},
}};

}  // namespace

std::span<const Check> checks() {
    return kChecks;
}

Findings inspect_all(const Subject& subject) {
    Findings all;
    for (const Check& check : kChecks) {
        for (Finding& finding : check.inspect(subject)) {
            finding.check = check.name;
            all.push_back(std::move(finding));
        }
    }
    return all;
}

}  // namespace steer::machine
