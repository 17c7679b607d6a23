// `dataplane:`: ports, workers, memory, permitted clients.
#include <algorithm>
#include <set>

#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint32_t kMaxWorkers = 32;
constexpr std::uint64_t kMinMemory = std::uint64_t{64} << 20, kMaxMemory = std::uint64_t{1} << 40;

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

void read_mtu(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (is_auto(node)) return;
    read_value(in, node, place, "1280..9216", out.mtu);
}

constexpr std::array<Row<PortSettings>, 13> kPortRows{{
    {"device", &PortSettings::device, "none", "",
     "network interface, as in `device: eth0`\nFor the drivers memif, pcap and ring it is the DPDK "
     "device with its arguments. For vdev it is any other virtual DPDK device by driver name, as "
     "in `device: 'net_vhost0,iface=/run/vhost.sock'`."},
    {"pci", &PortSettings::pci, "none", "",
     "PCI address of a NIC driven by DPDK, as in `pci: 0000:03:00.0`; replaces `device`"},
    {"driver", choice<PortSettings, &PortSettings::driver>(), "auto",
     "auto|af_xdp|af_packet|tap|memif|pcap|ring|pci|socket|vdev",
     "driver of the port\n`auto` uses pci if `pci` is set, otherwise af_xdp if it works on the "
     "interface, otherwise socket."},
    {"queues", Own<PortSettings>{"integer", read_queues}, "auto", "1..256",
     "number of receive queues; `auto` uses all queues of the device"},
    {"mtu", Own<PortSettings>{"integer", read_mtu}, "auto", "1280..9216",
     "with `pci`: largest IP packet that the NIC and its exception interface carry\n`auto` is "
     "1500. "
     "A larger one serves the kernel's traffic, such as TCP; answers over UDP end at 1,232 bytes. "
     "Buffers of a port take more memory then: 75 MiB for each queue with 9000."},
    {"busy_poll", Own<PortSettings>{"integer", read_busy_poll}, "off", "off|1..512",
     "af_xdp: maximum packets that the worker processes in the driver per call\nBusy polling "
     "replaces interrupts. It helps on a NIC that is never idle, with `napi_defer_hard_irqs` and "
     "`gro_flush_timeout` set."},
    {"addresses", Own<PortSettings>{"list of addresses and interfaces", read_port_addresses},
     "auto", "",
     "addresses on which the port answers; address changes are followed\n`auto` means every "
     "address of the interface. `[auto, lo]` adds the addresses of lo, for anycast. An address "
     "with a prefix length (`192.0.2.53/24`) is assigned to the exception interface. If all "
     "entries have a prefix length, the port answers on every address of that interface."},
    {"exception", &PortSettings::exception, "auto", "",
     "name of the exception interface, or `none`\nThe exception interface gives the kernel access "
     "to a port that it does not see. `auto` creates one for pci, memif and vdev ports: steer0 for "
     "the first port, steer1 for the second, and so on."},
    {"exception_driver", choice<PortSettings, &PortSettings::exception_driver>(), "auto",
     "auto|tap|vhost",
     "how packets travel between workers and the exception interface\n`vhost` uses the kernel's "
     "vhost-net. `tap` uses a TAP device and a thread of the daemon. `auto` uses vhost if "
     "/dev/vhost-net is usable, otherwise tap."},
    {"exception_rates", Own<PortSettings>{"map", read_exception_rates}, "(below)", "",
     "packet rate limits towards the exception interface, see below"},
    {"arp", choice<PortSettings, &PortSettings::arp>(), "(kernel setting unchanged)",
     "enabled|disabled|reply-only|proxy-arp|local-proxy-arp",
     "ARP mode of the port's interface, see below"},
    {"neighbours", Own<PortSettings>{"list of entries", read_neighbours}, "none", "",
     "static ARP and ND entries on the port's interface, see below"},
    {"force", &PortSettings::force, "false", "",
     "with `pci`: take the NIC even if it is the only connection to this machine"},
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
        error(": 'driver' is only valid with 'device': remove it");
    } else if (port.pci.empty() && port.driver == Driver::pci) {
        error(": the driver pci needs 'pci': write it instead of 'device'");
    }
    if (port.mtu != 0 && port.pci.empty())
        error(": 'mtu' is only valid with 'pci': set it at the interface (`ip link set`)");
    if (port.driver == Driver::vdev && !port.device.empty() && !is_vdev(port.device)) {
        error(": 'device' is " + matchers::quoted(port.device) +
              ": expected a virtual DPDK device with its arguments, as in "
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
            in.report().error(port.line, owner + " repeats an earlier port: remove it");
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
    if (node.items.empty() || node.items.size() > kMaxWorkers) {
        in.report().error(place.line, place.name() + ": expected 1..32 cores, found " +
                                          std::to_string(node.items.size()));
    }
    out.workers = static_cast<std::uint32_t>(std::max<std::size_t>(1, node.items.size()));
}

void read_memory(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    if (is_auto(node)) return;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kMinMemory || *bytes > kMaxMemory) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected auto, or 64MiB..1TiB such as 512MiB");
        return;
    }
    out.memory_bytes = *bytes;
}

void read_upstream_ports(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    if (const auto range = node.is_text() ? parse_source_ports(node.text) : std::nullopt) {
        out.first_upstream_port = range->first;
        out.last_upstream_port = range->second;
        return;
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

// Services that answer spoofed queries: their replies to ours would make the two answer each other.
struct Reflector {
    std::uint16_t port;
    std::string_view service;
};
constexpr std::array<Reflector, 19> kReflectors{{{7, "echo"},
                                                 {13, "daytime"},
                                                 {17, "qotd"},
                                                 {19, "chargen"},
                                                 {37, "time"},
                                                 {69, "tftp"},
                                                 {111, "rpcbind"},
                                                 {123, "ntp"},
                                                 {137, "netbios-ns"},
                                                 {161, "snmp"},
                                                 {389, "cldap"},
                                                 {520, "rip"},
                                                 {1434, "ms-sql-m"},
                                                 {1900, "ssdp"},
                                                 {3283, "ard"},
                                                 {3702, "ws-discovery"},
                                                 {5683, "coap"},
                                                 {10001, "ubnt-discovery"},
                                                 {11211, "memcached"}}};

void read_source_ports(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    std::vector<Text> wanted;
    if (node.is_text()) {
        if (lowered(node.text) == "off") return;
        wanted.push_back({node.text, place.line});
    } else {
        wanted = read_texts(in, node, place);
    }
    for (const Text& item : wanted) {
        if (lowered(item.value) == "reflectors") {
            for (const Reflector& reflector : kReflectors)
                out.drop_source_ports.push_back(reflector.port);
        } else if (const auto port = parse_port(item.value)) {
            out.drop_source_ports.push_back(*port);
        } else {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected off, reflectors, or a list of ports, "
                                             "1..65535, as in [reflectors, 5353]");
        }
    }
    auto& ports = out.drop_source_ports;
    std::ranges::sort(ports);
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
}

void read_limits_memory(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    constexpr std::uint64_t kLeast = std::uint64_t{1} << 20, kMost = std::uint64_t{16} << 30;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (bytes && *bytes >= kLeast && *bytes <= kMost) {
        out.limits_bytes = *bytes;
        return;
    }
    in.report().error(place.line,
                      place.name() + found(node) + "expected 1MiB..16GiB, such as 16MiB");
}

void read_suffix_share(Reading& in, const Node& node, const Place& place, Dataplane& out) {
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (percent && *percent >= 1 && *percent <= 100) {
        out.suffix_percent = static_cast<std::uint32_t>(*percent);
        return;
    }
    in.report().error(place.line, place.name() + found(node) + "expected a percentage, 1%..100%");
}

constexpr std::array<Row<Dataplane>, 17> kDataplaneRows{{
    {"ports", Own<Dataplane>{"list of ports", read_ports}, "(interface of the default route)", "",
     "network ports for DNS packets, see below"},
    {"workers", Own<Dataplane>{"integer or list of cores", read_workers}, "1", "1..32",
     "number of worker cores, or the list of cores\nA number takes cores on the NUMA node of "
     "`ports`. Memory of workers is on the node of their cores. Cores or ports on several nodes "
     "are "
     "a warning."},
    {"memory", Own<Dataplane>{"size", read_memory}, "auto", "64MiB..1TiB",
     "memory for packets, cache and queries\n`auto` takes a quarter of the RAM, between 128 MiB "
     "and 4 GiB. In a control group with a memory limit it takes a quarter of that limit. Caches "
     "may have half of it, and the rows of all lists an eighth: 112 bytes (arm64: 144) for each of "
     "`max_rows`, `max_elements` and `max_routes`."},
    {"idle", choice<Dataplane, &Dataplane::idle>(), "adaptive", "spin|pause|adaptive",
     "what an idle worker does\n`spin` polls without pause, `pause` polls with CPU pause "
     "instructions, `adaptive` sleeps until a packet arrives."},
    {"spread", choice<Dataplane, &Dataplane::spread>(), "auto", "auto|off",
     "software distribution of queries over workers\n`auto` distributes the queries of a device "
     "with fewer queues than workers over all workers."},
    {"reply", choice<Dataplane, &Dataplane::reply>(), "reflect", "reflect|route",
     "where answers over UDP are sent\n`reflect`: to the MAC address, VLAN and port that the query "
     "came from. `route`: to the gateway of the client's route in the kernel's main table, for "
     "networks whose queries and answers take different ways. Clients without a gateway, routes "
     "that use no port, and gateways without a known neighbour entry are answered as with "
     "`reflect`. A route by another port is used if the same worker has a queue of it. Above "
     "100,000 routes all answers go back, with a warning."},
    {"upstream_ports", Own<Dataplane>{"range", read_upstream_ports}, "10240-26623", "",
     "source ports of upstream queries\nThe daemon reserves this range at start "
     "(`net.ipv4.ip_local_reserved_ports`)."},
    {"random_case", choice<Dataplane, &Dataplane::random_case>(), "auto", "false|auto|true",
     "randomize upper and lower case in upstream queries over UDP (0x20)\nThe upstream must return "
     "the same case, which makes forged answers harder to guess. An answer in a different case is "
     "ignored, and its question is repeated over TCP. `auto`: an upstream gets lower case while "
     "its "
     "answers to at least three of eight `probe` queries have another case, or with `probe: off`. "
     "`true`: every upstream gets random case."},
    {"max_parked", &Dataplane::max_parked, "65536", "64..1048576",
     "maximum pending queries per worker"},
    {"max_in_flight", &Dataplane::max_in_flight, "16384", "64..262144",
     "maximum outstanding upstream queries per worker"},
    {"max_parked_per_client", &Dataplane::max_parked_per_client, "256", "1..1048576",
     "maximum pending queries per client and worker\nA client is one IPv4 address or one IPv6 "
     "/64. `trusted_forwarders` have no such limit. Neither has loopback, because all programs of "
     "this machine share it."},
    {"max_per_suffix", Own<Dataplane>{"percentage", read_suffix_share}, "25%", "1%..100%",
     "share of the pending and upstream queries that one domain may use\nA domain is a registrable "
     "domain with all names below it: `bbc.co.uk`, `example.com` (public suffix list). One label "
     "below it may use half of that share, two labels a quarter. All domains of a private suffix, "
     "such as `github.io`, may use 50% together. `100%` switches these shares off."},
    {"over_quota", choice<Dataplane, &Dataplane::over_quota>(), "truncate",
     "drop|servfail|truncate",
     "action when a quota is exceeded\nThe quotas are `max_parked_per_client`, `max_per_suffix`, "
     "and `max_concurrent_queries` of a `forward`. `truncate`: a UDP client above "
     "`max_parked_per_client` is sent to TCP, where it has a quota of its own. Other queries above "
     "a quota get no answer over UDP, and SERVFAIL over TCP. `drop`: no answer. `servfail`: "
     "SERVFAIL."},
    {"limits_memory", Own<Dataplane>{"size", read_limits_memory}, "16MiB", "1MiB..16GiB",
     "memory for the buckets of `limits`, per worker and per thread of `stream_threads`\nA bucket "
     "takes 8 bytes, so 16 MiB count a million sources. A worker takes 512 KiB in addition. "
     "Neither is part of `memory`, and buckets are used only as far as sources need them. When "
     "they are full, the sources with the fewest recent queries are forgotten."},
    {"allow", Own<Dataplane>{"list of prefixes", read_allow}, "(private and local networks)", "",
     "clients that may send queries\nQueries from other clients are refused. The default is "
     "private addresses, carrier-grade NAT (100.64.0.0/10) and the networks of this machine's "
     "interfaces."},
    {"trusted_forwarders", Own<Dataplane>{"list of prefixes", read_trusted}, "none", "",
     "forwarders and NAT gateways; exempt from per-client limits"},
    {"drop_source_ports",
     Own<Dataplane>{"`off`, `reflectors`, or list of ports", read_source_ports}, "off", "",
     "UDP source ports whose queries are dropped\n`reflectors` stands for the ports of services "
     "that reflect spoofed packets: echo 7, daytime 13, qotd 17, chargen 19, time 37, tftp 69, "
     "rpcbind 111, ntp 123, netbios-ns 137, snmp 161, cldap 389, rip 520, ms-sql-m 1434, ssdp "
     "1900, ard 3283, ws-discovery 3702, coap 5683, ubnt-discovery 10001, memcached 11211. A "
     "client that asks from such a port by chance gets no answer and asks again. Queries from port "
     "0 are always dropped."},
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
