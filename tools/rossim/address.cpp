#include "tools/rossim/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>

namespace rossim {
namespace {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
    in_addr address{};
    if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
    return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t address) {
    std::array<char, INET_ADDRSTRLEN> text{};
    const in_addr network{htonl(address)};
    return inet_ntop(AF_INET, &network, text.data(), text.size());
}

// The prefix length behind the slash; `limit` if there is no slash.
std::optional<unsigned> take_length(std::string_view& text, unsigned limit) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return limit;
    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > limit) {
        return std::nullopt;
    }
    text = text.substr(0, slash);
    return length;
}

std::string ipv4_prefix_text(std::uint32_t address, unsigned length) {
    const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    const std::string text = ipv4_text(address & mask);
    return length == 32 ? text : text + "/" + std::to_string(length);
}

std::optional<std::string> ipv4_range_text(std::uint32_t first, std::uint32_t last) {
    if (last < first) return std::nullopt;
    const std::uint64_t count = std::uint64_t{last} - first + 1;
    if (std::has_single_bit(count) && first % count == 0) {
        return ipv4_prefix_text(first, 32U - static_cast<unsigned>(std::bit_width(count) - 1));
    }
    return ipv4_text(first) + "-" + ipv4_text(last);
}

std::optional<std::string> normalise_ipv6(std::string_view text) {
    const auto length = take_length(text, 128);
    if (!length) return std::nullopt;
    in6_addr address{};
    if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
    for (unsigned bit = *length; bit < 128; ++bit) {
        address.s6_addr[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
    std::array<char, INET6_ADDRSTRLEN> printed{};
    inet_ntop(AF_INET6, &address, printed.data(), printed.size());
    return std::string(printed.data()) + "/" + std::to_string(*length);
}

bool is_label(std::string_view label) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    };
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), allowed);
}

bool is_dns_name(std::string_view name) {
    if (name.size() > 253) return false;
    for (;;) {
        const std::size_t dot = name.find('.');
        if (!is_label(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

// None: not an address; a text of size 0: an address that cannot be.
std::optional<std::string> normalise_ipv4(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash != std::string_view::npos) {
        const auto first = parse_ipv4(text.substr(0, dash));
        const auto last = parse_ipv4(text.substr(dash + 1));
        if (!first || !last) return std::nullopt;
        return ipv4_range_text(*first, *last).value_or("");
    }
    const auto length = take_length(text, 32);
    const auto address = length ? parse_ipv4(text) : std::nullopt;
    if (!address) return std::nullopt;
    return ipv4_prefix_text(*address, *length);
}

}  // namespace

std::optional<ListAddress> normalise_address(Family family, std::string_view text) {
    const auto address = family == Family::ipv4 ? normalise_ipv4(text) : normalise_ipv6(text);
    if (address) return address->empty() ? std::nullopt : std::optional(ListAddress{*address});
    const bool other_family = family == Family::ipv6 && parse_ipv4(text);
    if (other_family || !is_dns_name(text)) return std::nullopt;
    return ListAddress{std::string(text), true};
}

bool is_available_from(const std::vector<std::string>& available_from, std::string_view address) {
    // An address is in a prefix if it has the same network with the same length.
    const auto holds = [address](const std::string& prefix) {
        const Family family = prefix.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
        const std::size_t slash = std::min(prefix.find('/'), prefix.size());
        const auto network = normalise_address(family, prefix);
        const auto same = normalise_address(family, std::string(address) + prefix.substr(slash));
        return network && same && network->text == same->text;
    };
    return available_from.empty() ||
           std::any_of(available_from.begin(), available_from.end(), holds);
}

}  // namespace rossim
