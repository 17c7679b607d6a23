// The checks of a machine, each a row: its name and its function.
#pragma once

#include <span>
#include <string_view>

#include "control/operator/machine/finding.h"
#include "control/operator/machine/subject.h"

namespace steer::machine {

struct Check {
    std::string_view name;
    Findings (*inspect)(const Subject&);
};
std::span<const Check> checks();

// Runs all checks, in order.
Findings inspect_all(const Subject& subject);

// memory_checks.cpp
Findings check_memory(const Subject&);
Findings check_huge_pages(const Subject&);
// nic_checks.cpp
Findings check_pci(const Subject&);
Findings check_iommu(const Subject&);
Findings check_xdp(const Subject&);
Findings check_rings(const Subject&);
// cpu_checks.cpp
Findings check_isolation(const Subject&);
Findings check_interrupts(const Subject&);
Findings check_irqbalance(const Subject&);
Findings check_governor(const Subject&);
// port_checks.cpp
Findings check_taken_ports(const Subject&);
Findings check_reserved_ports(const Subject&);
Findings check_firewall(const Subject&);
// kernel_checks.cpp
Findings check_kernel(const Subject&);
Findings check_modules(const Subject&);
Findings check_bpf(const Subject&);
Findings check_landlock(const Subject&);
Findings check_packet_budget(const Subject&);
Findings check_reverse_path(const Subject&);
Findings check_connection_tracking(const Subject&);
Findings check_accept_queue(const Subject&);
Findings check_neighbours(const Subject&);
// service_checks.cpp
Findings check_service(const Subject&);
Findings check_open_files(const Subject&);
Findings check_user(const Subject&);
Findings check_clock(const Subject&);

}  // namespace steer::machine
