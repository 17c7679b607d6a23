#include "control/config/values.h"
#include "matchers/host_text.h"
#include "matchers/prefix/zoned_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace steer::config {
namespace {

using matchers::is_digit;
using matchers::is_letter;
using matchers::kBlank;

// Takes the leading digits off `text`.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

std::string_view take_letters(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
    const auto n = static_cast<std::size_t>(end - text.begin());
    const auto letters = text.substr(0, n);
    text.remove_prefix(n);
    return letters;
}

std::optional<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
    return product;
}

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 6> kTimeUnits{{
    {"w", 604'800'000},
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1000},
    {"ms", 1},
}};
constexpr std::uint64_t kLongestMs = std::uint64_t{1} << 53;

// Labels of letters, digits, '-' and '_': a possible host name.
bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-')
        return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) {
                           return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
                       }) &&
           text.find("..") == std::string_view::npos;
}

}  // namespace

std::string Endpoint::to_string() const {
    if (any()) return ":" + std::to_string(port);
    const std::string host = address.to_string() + (zone.empty() ? "" : "%" + zone);
    return matchers::bracketed(host) + ":" + std::to_string(port);
}

std::optional<std::uint64_t> parse_integer(std::string_view text) {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_percent(std::string_view text) {
    if (!text.ends_with('%')) return std::nullopt;
    text.remove_suffix(text.ends_with(" %") ? 2 : 1);
    return parse_integer(text);
}

std::optional<bool> parse_boolean(std::string_view text) {
    const std::string word = lowered(text);
    if (word == "true") return true;
    if (word == "false") return false;
    return std::nullopt;
}

std::optional<Milliseconds> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    while (!text.empty()) {
        const bool first = total == 0;
        const auto number = take_digits(text);
        if (!number) return std::nullopt;
        std::string_view unit = take_letters(text);
        if (unit.empty()) {
            if (!first || !text.empty()) return std::nullopt;
            unit = "s";
        }
        const auto* known = std::find_if(kTimeUnits.begin(), kTimeUnits.end(),
                                         [unit](const auto& u) { return u.first == unit; });
        if (known == kTimeUnits.end()) return std::nullopt;
        const auto part = multiply(*number, known->second);
        if (!part || *part > kLongestMs || (total += *part) > kLongestMs) return std::nullopt;
    }
    return Milliseconds(static_cast<Milliseconds::rep>(total));
}

std::string duration_text(Milliseconds value) {
    const auto ms = static_cast<std::uint64_t>(value.count());
    for (const auto& [unit, factor] : kTimeUnits) {
        if (ms >= factor && ms % factor == 0)
            return std::to_string(ms / factor) + std::string(unit);
    }
    return "0s";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits{{
        {"KiB", std::uint64_t{1} << 10},
        {"MiB", std::uint64_t{1} << 20},
        {"GiB", std::uint64_t{1} << 30},
        {"TiB", std::uint64_t{1} << 40},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1'000'000},
        {"GB", 1'000'000'000},
    }};
    const auto number = take_digits(text);
    if (!number) return std::nullopt;
    text = trimmed(text);
    const auto* unit = std::find_if(kUnits.begin(), kUnits.end(),
                                    [text](const auto& u) { return u.first == text; });
    return unit == kUnits.end() ? std::nullopt : multiply(*number, unit->second);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
    const auto value = parse_integer(text);
    if (!value || *value == 0 || *value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_source_ports(std::string_view text) {
    constexpr unsigned kFewest = 1024;
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = parse_port(trimmed(text.substr(0, dash)));
    const auto last = parse_port(trimmed(text.substr(dash + 1)));
    if (!first || !last || *first < kFewest || *last < *first || *last - *first + 1U < kFewest)
        return std::nullopt;
    return std::pair(*first, *last);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    if (text.starts_with(':')) {
        const auto port = parse_port(text.substr(1));
        return port ? std::optional(Endpoint{{}, *port, 0, {}}) : std::nullopt;
    }
    constexpr std::string_view kLocalhost = "localhost:";
    if (text.starts_with(kLocalhost)) {
        const auto port = parse_port(text.substr(kLocalhost.size()));
        constexpr std::uint8_t kLoopback[]{127, 0, 0, 1};
        return port ? std::optional(Endpoint{IpAddress::from_v4(kLoopback), *port, 0, {}})
                    : std::nullopt;
    }
    auto parts = parse_host_port(text, Zones::allowed);
    if (!parts || !parts->address || !parts->port) return std::nullopt;
    return Endpoint{*parts->address, *parts->port, 0, std::move(parts->zone)};
}

namespace {

// "fe80::1%25eth0" as in a URI (RFC 6874), with a plain '%'. Digits after it are the number of an interface: "fe80::1%251".
std::string without_escape(std::string_view text) {
    constexpr std::string_view kEscape = "%25";
    const auto at = text.find(kEscape);
    const auto zone = at == std::string_view::npos ? text : text.substr(at + kEscape.size());
    if (at == std::string_view::npos || std::all_of(zone.begin(), zone.end(), is_digit))
        return std::string(text);
    return std::string(text.substr(0, at + 1)) + std::string(zone);
}

// Sets the host, and its address if it is one.
void take_host(std::string_view text, Zones zones, HostPort& out) {
    out.host = text;
    auto found = parse_zoned(text);
    if (!found || (!found->zone.empty() && zones == Zones::refused)) return;
    out.address = found->address;
    out.host = text.substr(0, text.find('%'));
    out.zone = std::move(found->zone);
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text, Zones zones) {
    HostPort out;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        take_host(without_escape(text.substr(1, close - 1)), zones, out);
        port = text.substr(close + 1);
        has_port = !port.empty();
        if (has_port && port.front() != ':') return std::nullopt;
        if (has_port) port.remove_prefix(1);
        if (!out.address || out.host.find(':') == std::string::npos) return std::nullopt;
    } else {
        const auto colon = text.find(':');
        const bool bare_v6 =
            colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos;
        has_port = colon != std::string_view::npos && !bare_v6;
        take_host(has_port ? text.substr(0, colon) : text, zones, out);
        if (has_port) port = text.substr(colon + 1);
        const bool numeric = !bare_v6 && std::all_of(out.host.begin(), out.host.end(), [](char c) {
            return is_digit(c) || c == '.';
        });
        if (!out.address && (bare_v6 || numeric || !is_host_name(out.host))) return std::nullopt;
    }
    if (has_port) {
        out.port = parse_port(port);
        if (!out.port) return std::nullopt;
    }
    return out;
}

std::string missing_zone(const std::optional<IpAddress>& address, std::string_view zone) {
    if (!address || !address->is_link_local() || !zone.empty()) return {};
    return ": a link-local address needs its interface: write " + address->to_string() +
           "%eth0 with the interface in place of eth0";
}

std::optional<std::uint16_t> parse_rcode(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::uint16_t>, 23> kNames{{
        {"noerror", 0},    {"formerr", 1},    {"servfail", 2}, {"nxdomain", 3}, {"notimp", 4},
        {"refused", 5},    {"yxdomain", 6},   {"yxrrset", 7},  {"nxrrset", 8},  {"notauth", 9},
        {"notzone", 10},   {"dsotypeni", 11}, {"badvers", 16}, {"badsig", 16},  {"badkey", 17},
        {"badtime", 18},   {"badmode", 19},   {"badname", 20}, {"badalg", 21},  {"badtrunc", 22},
        {"badcookie", 23}, {"nxdom", 3},      {"notimpl", 4},
    }};
    constexpr std::uint16_t kMax = 4095;  // with the bits of an OPT record (RFC 6891 6.1.3)
    if (const auto number = parse_integer(text)) {
        return *number <= kMax ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
    }
    const std::string word = lowered(text);
    const auto* name =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.first == word; });
    if (name == kNames.end()) return std::nullopt;
    return name->second;
}

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    while (true) {
        const auto first = text.find_first_not_of(" \t\r\n\v\f,");
        if (first == std::string_view::npos) return words;
        text.remove_prefix(first);
        const auto end = text.find_first_of(text.starts_with("regexp:") ? kBlank : " \t\r\n\v\f,");
        words.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return words;
        text.remove_prefix(end);
    }
}

bool is_printable_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f;
    });
}

bool may_name_interface(std::string_view text) {
    constexpr std::size_t kLongest = 15;
    return !text.empty() && text.size() <= kLongest && is_printable_word(text) &&
           text.find_first_of("/:") == std::string_view::npos && text != "." && text != "..";
}

}  // namespace steer::config
