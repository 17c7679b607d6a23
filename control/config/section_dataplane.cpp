// `dataplane:`: ports, workers, memory, and who may ask.
#include <algorithm>
#include <set>

#include "control/config/port_kernel_side.h"
#include "control/config/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint32_t kMostWorkers = 32;
constexpr std::uint64_t kLeastMemory = std::uint64_t{64} << 20,
                        kMostMemory = std::uint64_t{1} << 40;

bool is_auto(const Node& node) {
    return node.is_text() && lowered(node.text) == "auto";
}

// ---- ports

void read_queues(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (is_auto(node)) return;
    read_value(in, node, place, "1..256", out.queues);
}

void read_busy_poll(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (node.is_text() && lowered(node.text) == "off") return;
    read_value(in, node, place, "1..512", out.busy_poll);
}

constexpr std::array<Row<PortSettings>, 12> kPortRows{{
    {"device", &PortSettings::device, "none", "",
     "the interface, as in `device: eth0`; for the drivers memif, pcap and ring the DPDK device "
     "with its arguments; for vdev any other virtual device of DPDK's, by its driver's name, as in "
     "`device: 'net_vhost0,iface=/run/vhost.sock'`"},
    {"pci", &PortSettings::pci, "none", "",
     "or the PCI address of a NIC that DPDK drives, as in `pci: 0000:03:00.0`"},
    {"driver", choice<PortSettings, &PortSettings::driver>(), "auto",
     "auto|af_xdp|af_packet|tap|memif|pcap|ring|pci|socket|vdev",
     "auto: af_xdp if it can, else socket; pci if `pci` is given"},
    {"queues", Own<PortSettings>{"integer", read_queues}, "auto", "1..256",
     "receive queues; auto: all that there are"},
    {"busy_poll", Own<PortSettings>{"integer", read_busy_poll}, "off", "off|1..512",
     "af_xdp: packets that the worker has the driver handle in a call, in place of its interrupts; "
     "worth it on a NIC that is never idle, with `napi_defer_hard_irqs` and `gro_flush_timeout` "
     "set"},
    {"addresses", Own<PortSettings>{"list of addresses and interfaces", read_port_addresses},
     "auto", "",
     "what we answer on, followed while running; auto: every address of the interface; `[auto, "
     "lo]`: those on lo besides, for anycast. One with a prefix length "
     "(`192.0.2.53/24`) is put on the exception interface; where all have one, it is auto"},
    {"exception", &PortSettings::exception, "auto", "",
     "the kernel's interface of a port that the kernel does not see: a name for it, or none; auto: "
     "for pci, memif and vdev, steer0 and so on by the port's place in the list"},
    {"exception_driver", choice<PortSettings, &PortSettings::exception_driver>(), "auto",
     "auto|tap|vhost",
     "who moves its frames: vhost-net, between the workers and the kernel, or a thread of ours by "
     "a TAP; auto: "
     "vhost-net if /dev/vhost-net can be used"},
    {"exception_rates", Own<PortSettings>{"map", read_exception_rates}, "(below)", "",
     "frames a second that a queue hands to that interface, see below"},
    {"arp", choice<PortSettings, &PortSettings::arp>(), "(as the kernel has it)",
     "enabled|disabled|reply-only|proxy-arp|local-proxy-arp",
     "how the port's interface takes part in ARP, see below"},
    {"neighbours", Own<PortSettings>{"list of entries", read_neighbours}, "none", "",
     "entries of the kernel's neighbour table there (ARP and ND), see below"},
    {"force", &PortSettings::force, "false", "",
     "with `pci`: take the NIC even if it is the only way into this machine"},
}};

bool is_pci_address(std::string_view text) {
    constexpr std::string_view kForm = "hhhh:hh:hh.d";
    if (text.size() != kForm.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = matchers::lower(text[i]);
        if (kForm[i] == 'h'   ? !(matchers::is_digit(c) || (c >= 'a' && c <= 'f'))
            : kForm[i] == 'd' ? !(c >= '0' && c <= '7')
                              : c != kForm[i]) {
            return false;
        }
    }
    return true;
}

// "net_vhost0,iface=/run/vhost.sock".
bool is_vdev(std::string_view device) {
    constexpr std::string_view kStart = "net_";
    const std::string_view name = device.substr(0, device.find(','));
    return name.starts_with(kStart) && name.size() > kStart.size() &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

void check_port(Reading& in, const PortSettings& port, const std::string& owner) {
    check_port_kernel_side(in, port, owner);
    const auto error = [&](const std::string& text) { in.report().error(port.line, owner + text); };
    if (port.device.empty() == port.pci.empty()) {
        error(": expected either 'device', as in 'device: eth0', or 'pci'");
    } else if (!port.pci.empty() && !is_pci_address(port.pci)) {
        error(": 'pci' is " + matchers::quoted(port.pci) +
              ": expected an address such as 0000:03:00.0");
    } else if (!port.pci.empty() && port.driver != Driver::automatic &&
               port.driver != Driver::pci) {
        error(": 'driver' goes with 'device', not with 'pci': remove it");
    } else if (port.pci.empty() && port.driver == Driver::pci) {
        error(": the driver pci needs 'pci' instead of 'device'");
    }
    if (port.driver == Driver::vdev && !port.device.empty() && !is_vdev(port.device)) {
        error(": 'device' is " + matchers::quoted(port.device) +
              ": expected a virtual device of DPDK's with its arguments, as in "
              "'net_vhost0,iface=/run/vhost.sock'");
    }
    const bool interface = port.kernel_backed() || port.driver == Driver::tap;
    if (interface && !port.device.empty() && !may_name_interface(port.device)) {
        error(": 'device' is " + matchers::quoted(port.device) +
              ": expected the name of an interface, as in eth0");
    }
}

void read_ports(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    if (!node.is_list()) {
        in.report().error(place.line, place.name() +
                                          ": expected a list, as in '- device: eth0', found " +
                                          std::string(node.what()));
        return;
    }
    std::set<std::string> seen;
    for (const Node& item : node.items) {
        PortSettings port;
        port.line = item.line;
        const std::string owner = "port " + std::to_string(&item - node.items.data() + 1) + " of " +
                                  std::string(place.owner);
        if (!read_rows(in, item, kPortRows, owner, port)) continue;
        check_port(in, port, owner);
        if (!seen.insert(port.device + port.pci).second) {
            in.report().error(port.line, owner + " is the same as one before it: remove it");
        }
        out.ports.push_back(std::move(port));
    }
}

// ---- the rest

void read_workers(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    if (!node.is_list()) {
        read_value(in, node, place, "1..32", out.workers);
        return;
    }
    std::set<std::uint32_t> seen;
    for (const Node& item : node.items) {
        std::uint32_t core = 0;
        if (!read_value(in, item, {place.key, place.owner, item.line}, "0..1023", core)) continue;
        if (!seen.insert(core).second) {
            in.report().error(item.line, place.name() + " names core " + std::to_string(core) +
                                             " twice: remove one");
        }
        out.cores.push_back(core);
    }
    if (node.items.empty() || node.items.size() > kMostWorkers) {
        in.report().error(place.line, place.name() + ": expected 1..32 cores, found " +
                                          std::to_string(node.items.size()));
    }
    out.workers = static_cast<std::uint32_t>(std::max<std::size_t>(1, node.items.size()));
}

void read_memory(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    if (is_auto(node)) return;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kLeastMemory || *bytes > kMostMemory) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected auto, or 64MiB..1TiB such as 512MiB");
        return;
    }
    out.memory_bytes = *bytes;
}

void read_upstream_ports(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    constexpr unsigned kFewest = 1024;
    if (node.is_text()) {
        const auto dash = node.text.find('-');
        const auto first = parse_port(trimmed(std::string_view(node.text).substr(0, dash)));
        const auto last = dash == std::string::npos
                              ? std::nullopt
                              : parse_port(trimmed(std::string_view(node.text).substr(dash + 1)));
        if (first && last && *first >= 1024 && *last >= *first && *last - *first + 1U >= kFewest) {
            out.first_upstream_port = *first;
            out.last_upstream_port = *last;
            return;
        }
    }
    in.report().error(
        place.line,
        place.name() + found(node) +
            "expected a range of at least 1024 ports from 1024 up, such as 10240-26623");
}

void read_allow(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    out.allow = read_prefixes(in, node, place);
}
void read_trusted(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    out.trusted_forwarders = read_prefixes(in, node, place);
}

void read_suffix_share(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (percent && *percent >= 1 && *percent <= 100) {
        out.suffix_percent = static_cast<std::uint32_t>(*percent);
        return;
    }
    in.report().error(place.line, place.name() + found(node) + "expected a share, 1%..100%");
}

constexpr std::array<Row<Dataplane>, 15> kDataplaneRows{{
    {"ports", Own<Dataplane>{"list of ports", read_ports}, "(the interface of the default route)",
     "", "where packets come in and go out, see below"},
    {"workers", Own<Dataplane>{"integer or list of cores", read_workers}, "1", "1..32",
     "worker cores"},
    {"memory", Own<Dataplane>{"size", read_memory}, "auto", "64MiB..1TiB",
     "auto: a quarter of RAM (or of what a control group leaves of it) within 128 MiB and 4 GiB"},
    {"idle", choice<Dataplane, &Dataplane::idle>(), "adaptive", "spin|pause|adaptive",
     "what a worker does when there is nothing to do; adaptive sleeps"},
    {"spread", choice<Dataplane, &Dataplane::spread>(), "auto", "auto|off",
     "auto: queries of a device with fewer queues than there are workers are shared by all "
     "workers"},
    {"reply", NotYet{}, "reflect", "",
     "answers go back where the query came from, or by the kernel's route"},
    {"upstream_ports", Own<Dataplane>{"range", read_upstream_ports}, "10240-26623", "",
     "source ports of upstream queries; reserved at start (`ip_local_reserved_ports`)"},
    {"random_case", &Dataplane::random_case, "false", "",
     "upstreams are asked in random case and answer in the same (0x20), which is one more thing "
     "that a forged answer has to guess; one that does not keep the case is not heard"},
    {"max_parked", &Dataplane::max_parked, "65536", "64..1048576",
     "queries that wait at one time, a worker"},
    {"max_in_flight", &Dataplane::max_in_flight, "16384", "64..262144",
     "upstream queries at one time, a worker"},
    {"max_parked_per_client", &Dataplane::max_parked_per_client, "256", "1..1048576",
     "of those that wait, a client's (an IPv4 address, an IPv6 /64)"},
    {"max_per_suffix", Own<Dataplane>{"share", read_suffix_share}, "25%", "1%..100%",
     "of those that wait and of upstream queries, those for names with the same last two labels"},
    {"over_quota", choice<Dataplane, &Dataplane::over_quota>(), "drop", "drop|servfail",
     "what a query gets that is above one of these two; counted either way"},
    {"allow", Own<Dataplane>{"list of prefixes", read_allow}, "(private and own networks)", "",
     "who may ask; by default private addresses, those behind carrier-grade NAT (100.64.0.0/10) "
     "and own networks; others are "
     "refused and counted"},
    {"trusted_forwarders", Own<Dataplane>{"list of prefixes", read_trusted}, "none", "",
     "clients that stand for many: exempt from limits per client"},
}};

}  // namespace

void read_dataplane(Reading& in, const Node& node, int line) {
    Dataplane& out = in.settings().dataplane;
    out.line = line;
    read_rows(in, node, kDataplaneRows, "'dataplane'", out);
}

std::vector<RowText> dataplane_row_texts() {
    return row_texts(kDataplaneRows);
}
std::vector<RowText> port_row_texts() {
    return row_texts(kPortRows);
}

}  // namespace steer::config
