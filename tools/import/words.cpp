#include "tools/import/words.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "matchers/idn_name.h"
#include "matchers/safe_text.h"
#include "matchers/utf8.h"

namespace steer::importing {
namespace {

constexpr std::size_t kLongestName = 253, kLongestLabel = 63;

}  // namespace

std::vector<std::string> split_all(std::string_view text, char separator) {
    std::vector<std::string> out;
    for (;;) {
        const auto at = text.find(separator);
        out.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> out;
    for (const std::string& part : split_all(text, separator)) {
        if (const auto word = trimmed(part); !word.empty()) out.emplace_back(word);
    }
    return out;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string out;
    for (const std::string& word : words)
        out.append(&word == words.data() ? "" : between).append(word);
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kLongest = 60;
    const std::string_view shown = steer::whole_characters(text, kLongest);
    return "'" + steer::safe_text(shown, std::string::npos) +
           (shown.size() < text.size() ? "...'" : "'");
}

std::string to_utf8(std::string_view text) {
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t length = utf8_length(rest);
        if (length == 0) {
            std::string out;
            for (const char c : text) {
                const auto byte = static_cast<unsigned char>(c);
                if (byte < 0x80) {
                    out += c;
                } else {
                    out += static_cast<char>(0xc0U | byte >> 6U);
                    out += static_cast<char>(0x80U | (byte & 0x3fU));
                }
            }
            return out;
        }
        rest.remove_prefix(length);
    }
    return std::string(text);
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
    std::uint64_t value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc{} || end != last || value > most) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_time(std::string_view text, std::span<const TimeUnit> units) {
    constexpr std::uint64_t kMax = 1'000'000'000;
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    while (!text.empty()) {
        const auto end = text.find_first_not_of("0123456789");
        const auto number = parse_number(text.substr(0, end), kMax);
        if (!number) return std::nullopt;
        if (end == std::string_view::npos) return total + *number * 1000;
        text.remove_prefix(end);
        const auto unit =
            std::ranges::find_if(units, [&](const auto& u) { return text.starts_with(u.name); });
        if (unit == units.end()) return std::nullopt;
        total += *number * unit->ms;
        text.remove_prefix(unit->name.size());
    }
    return total;
}

bool is_v4(std::string_view text) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_v6(std::string_view text) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool can_be_asked(std::string_view address) {
    in_addr v4{};
    if (inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1) {
        const std::uint32_t first = ntohl(v4.s_addr) >> 24U;
        return first != 0 && first < 224;
    }
    in6_addr v6{};
    if (inet_pton(AF_INET6, std::string(address).c_str(), &v6) != 1) return false;
    return v6.s6_addr[0] != 0xff && !std::all_of(std::begin(v6.s6_addr), std::end(v6.s6_addr),
                                                 [](auto byte) { return byte == 0; });
}

bool is_host_name(std::string_view text) {
    const bool numeric = text.find_first_not_of("0123456789.") == std::string_view::npos;
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    return !numeric && text.front() != '-' && std::ranges::all_of(text, is_good) &&
           name_error(text).empty();
}

std::string host_of_url(std::string_view scheme, std::string_view url) {
    const bool printable = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
    if (!printable || !lowered(url).starts_with(std::string(scheme) + "://")) return {};
    url.remove_prefix(scheme.size() + 3);
    std::string_view host = url.substr(0, url.find_first_of("/?#"));
    std::string_view port;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos) return {};
        port = host.substr(end + 1);
        host = host.substr(1, end - 1);
        if (!is_v6(host)) return {};
    } else {
        const auto colon = std::min(host.find(':'), host.size());
        port = host.substr(colon);
        host = host.substr(0, colon);
        if (!is_v4(host) && !is_host_name(host)) return {};
    }
    const bool good_port = port.empty() || (port.front() == ':' &&
                                            parse_number(port.substr(1), 65'535).value_or(0) > 0);
    return good_port ? std::string(host) : std::string();
}

bool is_zero_behind(const std::string& address, unsigned length) {
    in6_addr v6{};
    if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
    return v6.s6_addr[8] == 0 && std::all_of(std::begin(v6.s6_addr) + length / 8,
                                             std::end(v6.s6_addr), [](auto b) { return b == 0; });
}

std::string with_port(std::string_view host, std::uint64_t port) {
    const std::string name(host);
    return (is_v6(host) ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

std::string name_error(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty()) return "is empty";
    if (name.starts_with("*."))
        return "is a wildcard: write the name without it, which includes subdomains";
    const auto ascii = matchers::ascii_name(lowered(name));
    if (!ascii)
        return "is not a valid international name (" + ascii.error().text +
               "): write it in UTF-8, or in its xn-- form";
    name = *ascii;
    const bool is_reverse = lowered(name).ends_with(".in-addr.arpa");  // RFC 2317
    for (const char c : name) {
        const bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                             (c == '/' && is_reverse);
        if (!is_good) return "has " + in_quotes(name.substr(name.find(c), 1)) + " in it";
    }
    if (name.size() > kLongestName) return "is longer than 253 characters";
    for (const std::string& label : split_all(name, '.')) {
        if (label.empty()) return "has an empty label";
        if (label.size() > kLongestLabel) return "has a label of more than 63 characters";
    }
    return {};
}

std::string plain_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string low = lowered(name);
    auto ascii = matchers::ascii_name(low);
    return ascii ? *std::move(ascii) : low;
}

std::string pointer_name(const std::string& address) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, 16> bytes{};
    std::string out;
    if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
        for (std::size_t i = 4; i-- > 0;)
            out += std::to_string(bytes[i]) + ".";
        return out + "in-addr.arpa";
    }
    inet_pton(AF_INET6, address.c_str(), bytes.data());
    for (std::size_t i = bytes.size(); i-- > 0;)
        out += {kDigits[bytes[i] & 0xfU], '.', kDigits[bytes[i] >> 4U], '.'};
    return out + "ip6.arpa";
}

std::size_t label_count(std::string_view name) {
    return name.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(name, '.')) + 1;
}

std::string tag_of(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
        out += good ? c : '_';
    }
    return out;
}

std::string duration_text(std::uint64_t ms) {
    constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> kUnits{{{604'800'000, "w"},
                                                                                {86'400'000, "d"},
                                                                                {3'600'000, "h"},
                                                                                {60'000, "m"},
                                                                                {1000, "s"},
                                                                                {1, "ms"}}};
    std::string out;
    for (const auto& [unit, name] : kUnits) {
        if (ms < unit) continue;
        out += std::to_string(ms / unit);
        out += name;
        ms %= unit;
    }
    return out.empty() ? "0s" : out;
}

}  // namespace steer::importing
