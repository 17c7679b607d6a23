#include "control/config/sections/section_rows.h"

#include <charconv>

#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<Row<ExceptionRates>, 9> kRateRows{{
    {"arp", &ExceptionRates::arp, "1000", "0..100000000", "ARP"},
    {"nd", &ExceptionRates::nd, "1000", "0..100000000", "IPv6 neighbour and router discovery"},
    {"icmp", &ExceptionRates::icmp, "1000", "0..100000000", "ICMP"},
    {"icmp6", &ExceptionRates::icmp6, "1000", "0..100000000", "ICMPv6 except neighbour discovery"},
    {"tcp", &ExceptionRates::tcp, "100000", "0..100000000", "TCP: DNS over TCP, ssh, BGP"},
    {"quic", &ExceptionRates::quic, "100000", "0..100000000",
     "UDP from or to port 443 or 853: DNS over QUIC and HTTP/3"},
    {"udp", &ExceptionRates::udp, "10000", "0..100000000",
     "UDP other than DNS queries, and DNS packets with IP options"},
    {"fragment", &ExceptionRates::fragment, "1000", "0..100000000", "IP fragments"},
    {"other", &ExceptionRates::other, "1000", "0..100000000", "everything else"},
}};

struct NeighbourText {
    std::string address, mac;
    bool published = false;
};
constexpr std::array<Row<NeighbourText>, 3> kNeighbourRows{{
    {"address", &NeighbourText::address, "required", "", "IPv4 or IPv6 address of the neighbour"},
    {"mac", &NeighbourText::mac, "none", "",
     "MAC address of the neighbour; never resolved and never replaced"},
    {"published", &NeighbourText::published, "false", "",
     "answer for this address with the interface's own MAC address\nThis is proxy ARP for one "
     "address. It needs `forwarding=1`, and for IPv6 also `proxy_ndp=1`."},
}};

// "02:00:5e:00:00:01", in any case.
std::optional<std::array<std::uint8_t, 6>> mac_bytes(std::string_view text) {
    std::array<std::uint8_t, 6> mac{};
    if (text.size() != 17) return std::nullopt;
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const char* const at = text.data() + i * 3;
        const auto [end, bad] = std::from_chars(at, at + 2, mac[i], 16);
        if (bad != std::errc{} || end != at + 2 || (i < 5 && *end != ':')) return std::nullopt;
    }
    return mac;
}

// "192.0.2.53/24": the length, or nothing if that is none.
std::optional<std::uint8_t> parse_length(std::string_view text, bool is_v4) {
    const auto length = parse_integer(text);
    if (!length || *length == 0 || *length > (is_v4 ? 32U : 128U)) return std::nullopt;
    return static_cast<std::uint8_t>(*length);
}

// An interface rather than a misspelled address: it begins with a letter and has no colon.
bool is_interface_name(std::string_view text) {
    const char first = text.empty() ? '\0' : matchers::lower(text.front());
    return first >= 'a' && first <= 'z' && may_name_interface(text) &&
           text.find(':') == std::string_view::npos;
}

}  // namespace

void read_port_addresses(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (node.is_text() && lowered(node.text) == "auto") return;
    bool all_with_length = true;
    for (const Text& item : read_texts(in, node, place)) {
        const std::string_view text = item.value;
        const auto slash = text.find('/');
        const auto address = IpAddress::parse(text.substr(0, slash));
        const auto length = !address || slash == std::string_view::npos
                                ? std::nullopt
                                : parse_length(text.substr(slash + 1), address->is_v4());
        if (!address && lowered(text) == "auto") {
            out.own_addresses = true;
            continue;
        }
        if (!address && is_interface_name(text)) {
            out.address_links.push_back(item.value);
            continue;
        }
        if (!address || (slash != std::string_view::npos && !length)) {
            in.report().error(item.line,
                              matchers::quoted(item.value) + " in " + place.name() +
                                  " is not an IP address, such as 192.0.2.1, 2001:db8::1 or "
                                  "192.0.2.1/24, and not an interface, such as lo");
            continue;
        }
        out.addresses.push_back(*address);
        if (length) out.interface_addresses.push_back({*address, *length});
        all_with_length = all_with_length && length;
    }
    // They belong to the interface: we answer on those that the kernel has and accepts.
    if (all_with_length) out.addresses.clear();
}

void read_exception_rates(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    read_rows(in, node, kRateRows, place.name(), out.exception_rates);
}

void read_neighbours(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (!node.is_list()) {
        in.report().error(place.line, place.name() +
                                          ": expected a list, as in '- { address: "
                                          "192.0.2.1, mac: 02:00:5e:00:00:01 }', found " +
                                          std::string(node.what()));
        return;
    }
    for (const Node& item : node.items) {
        NeighbourText text;
        std::string owner = "an entry of ";
        owner += place.name();
        if (!read_rows(in, item, kNeighbourRows, owner, text)) continue;
        NeighbourSettings entry{.published = text.published};
        const auto error = [&](const std::string& what) {
            std::string sentence = owner;
            sentence += ": ";
            sentence += what;
            in.report().error(item.line, sentence);
        };
        const auto address = IpAddress::parse(text.address);
        const auto mac = mac_bytes(text.mac);
        if (!address) {
            if (!text.address.empty())
                error("'address' is " + matchers::quoted(text.address) +
                      ": expected an IP address such as 192.0.2.1 or 2001:db8::1");
        } else if (entry.published != text.mac.empty()) {
            error(entry.published
                      ? "a published entry uses the interface's own MAC address: remove 'mac'"
                      : "expected 'mac', as in 02:00:5e:00:00:01, or 'published: true'");
        } else if (!entry.published && !mac) {
            error("'mac' is " + matchers::quoted(text.mac) +
                  ": expected a MAC address such as 02:00:5e:00:00:01");
        } else {
            entry.ip = *address;
            if (mac) entry.mac = *mac;
            out.neighbours.push_back(entry);
        }
    }
}

void check_port_kernel_side(Reading& in, const PortSettings& port, const std::string& owner) {
    const auto error = [&](const std::string& text) { in.report().error(port.line, owner + text); };
    const bool by_name = port.exception != "auto" && port.exception != "none";
    if (by_name && !may_name_interface(port.exception)) {
        error(": 'exception' is " + matchers::quoted(port.exception) +
              ": expected an interface name of up to 15 letters, as in steer0, or none");
    }
    if (by_name && port.kernel_backed()) {
        error(": 'exception' is not allowed on a port that the kernel sees: remove it");
    }
    const bool has_exception = by_name || (port.beside_kernel() && port.exception != "none");
    if (!port.interface_addresses.empty() && !has_exception) {
        error(": " + port.interface_addresses.front().ip.to_string() +
              " has a prefix length, but the port has no exception interface: remove the prefix "
              "length, or set 'exception'");
    }
}

std::vector<RowText> neighbour_row_texts() {
    return row_texts(kNeighbourRows);
}

std::vector<RowText> exception_rate_row_texts() {
    return row_texts(kRateRows);
}

std::vector<std::string> devices_beside_firewall(const std::vector<PortSettings>& ports,
                                                 const std::string& standard) {
    std::vector<std::string> devices;
    for (const PortSettings& port : ports) {
        if (port.kernel_backed() ? port.driver != Driver::socket : !port.pci.empty())
            devices.push_back(port.pci.empty() ? port.device : port.pci);
    }
    if (ports.empty() && !standard.empty()) devices.push_back(standard);
    return devices;
}

}  // namespace steer::config
