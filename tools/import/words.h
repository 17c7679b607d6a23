// Words of foreign configurations: splitting and classification. Pure; allocates only results.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/text.h"

namespace steer::importing {

// The setting for programs that add any address to a list: private and shared addresses are claimed
// as well.
inline constexpr std::string_view kAllowPrivate =
    "allow_claim: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, \"fc00::/7\"]";

inline bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
using matchers::lowered;
using matchers::trimmed;
// Splits into parts that are not empty, without surrounding blanks.
std::vector<std::string> split(std::string_view text, char separator);
// Splits into all parts, unchanged, including empty ones.
std::vector<std::string> split_all(std::string_view text, char separator);
std::string join(const std::vector<std::string>& words, std::string_view between);
// Returns foreign text for a message: in quotes, cut at 60 bytes, without bytes that disturb a
// terminal.
std::string in_quotes(std::string_view text);
// Returns the text unchanged if it is valid UTF-8, else converts each byte as a letter of Latin-1.
std::string to_utf8(std::string_view text);

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most);

struct TimeUnit {
    std::string_view name;  // must come after the units that begin with it
    std::uint64_t ms;
};
// Parses "1h30m" to ms, with numbers up to 10^9; a final number without a unit means seconds.
// Returns nothing if the text is not such a time.
std::optional<std::uint64_t> parse_time(std::string_view text, std::span<const TimeUnit> units);

bool is_v4(std::string_view text);
bool is_v6(std::string_view text);
// Returns whether the address can be that of a server: neither unspecified nor multicast.
bool can_be_asked(std::string_view address);
// Returns whether the text is valid as the name of a host in an address or URL.
bool is_host_name(std::string_view text);
// Returns the host of "https://dns.example:8443/dns-query", without brackets; empty if the text is
// not such a URL or has characters that are not printable.
std::string host_of_url(std::string_view scheme, std::string_view url);
// Returns whether bits 64 to 71 of an IPv6 address, and those from `length` on, are zero (RFC 6052
// 2.2).
bool is_zero_behind(const std::string& address, unsigned length);
// Returns "192.0.2.1:53", "[2001:db8::1]:53" or "dns.example:53".
std::string with_port(std::string_view host, std::uint64_t port);

// Returns why our parser rejects the text as a domain name ("has an empty label"); empty if it
// accepts it.
std::string name_error(std::string_view name);
// Returns the name in lower case, without a final dot, with international labels in xn-- form.
std::string plain_name(std::string_view name);
std::size_t label_count(std::string_view name);
// Returns the name of an address's PTR record ("1.2.0.192.in-addr.arpa").
std::string pointer_name(const std::string& address);
// Makes a tag of any text: letters, digits, '-' and '_'.
std::string tag_of(std::string_view text);

// Returns a duration as our configuration writes it: "1w2d", "90s", "250ms".
std::string duration_text(std::uint64_t ms);

}  // namespace steer::importing
