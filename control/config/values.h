// Single values in an operator's text: text in, a typed value out, or no value if the text is not
// one. Pure; allocates only what it returns. The caller adds the rest of a message (which key,
// which line).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/text.h"

namespace steer::config {

// "1024", "0x10"; no sign.
std::optional<std::uint64_t> parse_integer(std::string_view text);
// "30%", "30 %".
std::optional<std::uint64_t> parse_percent(std::string_view text);
// "true" or "false", in any case.
std::optional<bool> parse_boolean(std::string_view text);
// "250ms", "5s", "3m", "1h", "1d", "1w", several in a row ("1h30m"); a bare number is seconds.
std::optional<Milliseconds> parse_duration(std::string_view text);
// The shortest of these forms: "250ms", "90s", "5m".
std::string duration_text(Milliseconds value);
// "64MiB", "2GiB", "512KiB", "10MB": a number with a unit. Bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
// 1..65535.
std::optional<std::uint16_t> parse_port(std::string_view text);
// Ports that queries leave from: "10240-26623", of 1024 ports at least from 1024 on.
std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_source_ports(std::string_view text);
// ":53", "192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%eth0]:53".
std::optional<Endpoint> parse_endpoint(std::string_view text);

struct HostPort {
    std::string host;                   // without brackets and zone
    std::optional<IpAddress> address;   // of the host, if it is one
    std::string zone;                   // of a link-local address; empty: none
    std::optional<std::uint16_t> port;  // if written
};
// "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53", "dns.example:53"; with
// Zones::allowed also "fe80::1%eth0", "[fe80::1%eth0]:53", "[fe80::1%25eth0]:53" (RFC 6874).
enum class Zones : std::uint8_t { refused, allowed };
std::optional<HostPort> parse_host_port(std::string_view text, Zones zones = Zones::refused);
// A text to append to the value in a message; empty: the address is not link-local, or has a zone.
std::string missing_zone(const std::optional<IpAddress>& address, std::string_view zone);

// DNS response codes by name or number, 0..4095 (those above 15 need an OPT record).
std::optional<std::uint16_t> parse_rcode(std::string_view text);

using matchers::lowered;
using matchers::take_word;
using matchers::trimmed;
// Splits at blanks and commas; splits a word that begins with "regexp:" at blanks only.
std::vector<std::string_view> split_words(std::string_view text);
// Whether the text has neither blanks nor control characters.
bool is_printable_word(std::string_view text);
// Whether the kernel accepts it as an interface's name: up to 15 printable characters without '/'
// and ':'.
bool may_name_interface(std::string_view text);

}  // namespace steer::config
