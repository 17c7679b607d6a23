#include "control/config/port_kernel_side.h"

#include <algorithm>

#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<Row<ExceptionRates>, 8> kRateRows{{
    {"arp", &ExceptionRates::arp, "1000", "0..100000000", "ARP"},
    {"nd", &ExceptionRates::nd, "1000", "0..100000000", "neighbour and router discovery of IPv6"},
    {"icmp", &ExceptionRates::icmp, "1000", "0..100000000", "ICMP"},
    {"icmp6", &ExceptionRates::icmp6, "1000", "0..100000000", "ICMPv6 but neighbour discovery"},
    {"tcp", &ExceptionRates::tcp, "100000", "0..100000000", "TCP: DNS over it, ssh, BGP"},
    {"udp", &ExceptionRates::udp, "10000", "0..100000000",
     "UDP that is not DNS for us, or DNS with IP options"},
    {"fragment", &ExceptionRates::fragment, "1000", "0..100000000", "fragments of whatever"},
    {"other", &ExceptionRates::other, "1000", "0..100000000", "everything else"},
}};

constexpr std::size_t kLongestName = 15;  // of an interface

// "192.0.2.53/24": the length, or nothing if that is none.
std::optional<std::uint8_t> parse_length(std::string_view text, bool is_v4) {
    const auto length = parse_integer(text);
    if (!length || *length == 0 || *length > (is_v4 ? 32U : 128U)) return std::nullopt;
    return static_cast<std::uint8_t>(*length);
}

}  // namespace

void read_port_addresses(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    if (node.is_text() && lower(node.text) == "auto") return;
    bool all_with_length = true;
    for (const Text& item : read_texts(in, node, place)) {
        const std::string_view text = item.value;
        const auto slash = text.find('/');
        const auto address = IpAddress::parse(text.substr(0, slash));
        const auto length = !address || slash == std::string_view::npos
                                ? std::nullopt
                                : parse_length(text.substr(slash + 1), address->is_v4());
        if (!address || (slash != std::string_view::npos && !length)) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             " is no IP address: expected one such as 192.0.2.1 or "
                                             "2001:db8::1, or with a prefix length 192.0.2.1/24");
            continue;
        }
        out.addresses.push_back(*address);
        if (length) out.interface_addresses.push_back({*address, *length});
        all_with_length = all_with_length && length;
    }
    // They are the interface's, so what we answer on is what is there, once the kernel finds it good.
    if (all_with_length) out.addresses.clear();
}

void read_exception_rates(Reading& in, const Node& node, const Place& place, PortSettings& out) {
    read_rows(in, node, kRateRows, place.name(), out.exception_rates);
}

void check_port_kernel_side(Reading& in, const PortSettings& port, const std::string& owner) {
    const auto error = [&](const std::string& text) { in.report().error(port.line, owner + text); };
    const bool by_driver =
        !port.pci.empty() || port.driver == Driver::pci || port.driver == Driver::memif;
    const bool by_name = port.exception != "auto" && port.exception != "none";
    if (by_name &&
        (port.exception.empty() || port.exception.size() > kLongestName ||
         !is_printable_word(port.exception) || port.exception.find('/') != std::string::npos)) {
        error(": 'exception' is " + matchers::quoted(port.exception) +
              ": expected the name of an interface of up to 15 letters, as in steer0, or none");
    }
    const bool kernels =
        port.pci.empty() && (port.driver == Driver::automatic || port.driver == Driver::af_xdp ||
                             port.driver == Driver::af_packet || port.driver == Driver::socket);
    if (by_name && kernels) {
        error(
            ": 'exception' is for ports that the kernel does not see, and it sees this one: "
            "remove it");
    }
    const bool has_exception = by_name || (by_driver && port.exception != "none");
    if (!port.interface_addresses.empty() && !has_exception) {
        error(": " + port.interface_addresses.front().ip.to_string() +
              " has a prefix length, and there is no exception interface to put it on: write it "
              "without, or give the port an 'exception' interface");
    }
}

std::vector<RowText> exception_rate_row_texts() {
    return row_texts(kRateRows);
}

}  // namespace steer::config
