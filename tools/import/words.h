// Words of foreign configurations: splitting, and what a word is. Pure; allocates what it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/text.h"

namespace steer::importing {

// For programs that add any address to a list: private and shared addresses are claimed as well.
inline constexpr std::string_view kAllowPrivate =
    "allow_claim: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, \"fc00::/7\"]";

inline bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
using matchers::lowered;
using matchers::trimmed;
// Without the empty ones; blanks around each are removed.
std::vector<std::string> split(std::string_view text, char separator);
// With the empty ones, as they are.
std::vector<std::string> split_all(std::string_view text, char separator);
std::string join(const std::vector<std::string>& words, std::string_view between);
// Foreign text in a sentence: in quotes, cut at 60 bytes, without what disturbs a terminal.
std::string in_quotes(std::string_view text);
// Valid UTF-8: as it is if it is that already, else each byte as a letter of Latin-1.
std::string to_utf8(std::string_view text);

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most);

struct TimeUnit {
    std::string_view name;  // what another begins with comes after that
    std::uint64_t ms;
};
// "1h30m" in ms, of numbers up to a milliard; a last one without a unit is seconds. Nothing: it is no such time.
std::optional<std::uint64_t> parse_time(std::string_view text, std::span<const TimeUnit> units);

bool is_v4(std::string_view text);
bool is_v6(std::string_view text);
// A possible address of a server: neither unspecified nor multicast.
bool can_be_asked(std::string_view address);
// What a host in an address or URL may be called, if it is no address.
bool is_host_name(std::string_view text);
// The host of "https://dns.example:8443/dns-query", without brackets; empty: it is no such URL, or has
// other than printable characters.
std::string host_of_url(std::string_view scheme, std::string_view url);
// An IPv6 address whose bits from `length` on are zero, and bits 64 to 71 (RFC 6052 2.2).
bool is_zero_behind(const std::string& address, unsigned length);
// "192.0.2.1:53", "[2001:db8::1]:53", "dns.example:53".
std::string with_port(std::string_view host, std::uint64_t port);

// Why our parser does not take the text as a domain name ("has an empty label"); empty: it does.
std::string name_trouble(std::string_view name);
// In lower case and in the xn-- form of an international name, without a last dot.
std::string plain_name(std::string_view name);
std::size_t label_count(std::string_view name);
// Where an IPv4 or IPv6 address has its PTR record ("1.2.0.192.in-addr.arpa").
std::string pointer_name(const std::string& address);
// Letters, digits, '-' and '_': for a tag, of any text.
std::string tag_of(std::string_view text);

// "1w2d", "90s", "250ms" as our configuration writes durations.
std::string duration_text(std::uint64_t ms);

}  // namespace steer::importing
