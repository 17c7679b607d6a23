#include "control/config/special_names.h"

#include <algorithm>

#include "control/config/values.h"

namespace steer::config {
namespace {

// The name of :: and of ::1 below ip6.arpa, without the first nibble.
constexpr std::string_view kZeros31 =
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";

std::string zero_name(char first) {
    return std::string{first, '.'} + std::string(kZeros31);
}

// "16..31.172.in-addr.arpa": 16.172.in-addr.arpa to 31.172.in-addr.arpa.
std::vector<std::string> expanded(std::string_view names) {
    const auto dots = names.find("..");
    if (dots == std::string_view::npos) return {std::string(names)};
    const std::string_view rest = names.substr(dots + 2);
    const auto end = rest.find('.');
    const auto first = parse_integer(names.substr(0, dots));
    const auto last = parse_integer(rest.substr(0, end));
    std::vector<std::string> out;
    for (std::uint64_t n = first.value_or(1); n <= last.value_or(0); ++n)
        out.push_back(std::to_string(n) + std::string(rest.substr(end)));
    return out;
}

// The labels before `suffix`, last first; nothing: it does not end so.
std::optional<std::vector<std::string_view>> labels_before(std::string_view name,
                                                           std::string_view suffix) {
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    std::vector<std::string_view> out;
    while (!name.empty()) {
        const auto dot = name.find('.');
        out.insert(out.begin(), name.substr(0, dot));
        name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
    }
    return out;
}

// The prefix that a reverse zone stands for.
std::optional<matchers::Prefix> addresses_of(std::string_view name) {
    constexpr std::size_t kBytes = 4, kNibbles = 32;
    std::string text;
    if (const auto bytes = labels_before(name, ".in-addr.arpa")) {
        for (std::size_t i = 0; i < kBytes; ++i) {
            if (i > 0) text += '.';
            text += i < bytes->size() ? (*bytes)[i] : "0";
        }
        return matchers::Prefix::parse(text + "/" + std::to_string(bytes->size() * 8)).value();
    }
    if (const auto nibbles = labels_before(name, ".ip6.arpa")) {
        for (std::size_t i = 0; i < kNibbles; ++i) {
            if (i > 0 && i % 4 == 0) text += ':';
            text += i < nibbles->size() ? (*nibbles)[i] : "0";
        }
        return matchers::Prefix::parse(text + "/" + std::to_string(nibbles->size() * 4)).value();
    }
    return std::nullopt;
}

bool is_within(const matchers::Prefix& inner, const matchers::Prefix& outer) {
    return inner.length >= outer.length &&
           matchers::Prefix::masked(inner.address, outer.length).address == outer.address;
}

}  // namespace

const std::vector<SpecialRow>& special_rows() {
    using Kind = SpecialKind;
    static const std::string unspecified = zero_name('0'), loopback = zero_name('1');
    static const std::vector<SpecialRow> rows{
        {"local", Kind::nxdomain, "RFC 6762"},
        {"localhost", Kind::localhost, "RFC 6761"},
        {"test", Kind::nxdomain, "RFC 6761"},
        {"invalid", Kind::nxdomain, "RFC 6761"},
        {"onion", Kind::nxdomain, "RFC 7686"},
        {"alt", Kind::nxdomain, "RFC 9476"},
        {"resolver.arpa", Kind::no_data, "RFC 9462"},
        {"home.arpa", Kind::empty_zone, "RFC 8375", true},
        {"service.arpa", Kind::empty_zone, "RFC 9665", true},
        {"10.in-addr.arpa", Kind::empty_zone, "RFC 6303", true},
        {"16..31.172.in-addr.arpa", Kind::empty_zone, "RFC 6303", true},
        {"168.192.in-addr.arpa", Kind::empty_zone, "RFC 6303", true},
        {"64..127.100.in-addr.arpa", Kind::empty_zone, "RFC 7793", true},
        {"254.169.in-addr.arpa", Kind::empty_zone, "RFC 6303", true},
        {"0.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {"1.0.0.127.in-addr.arpa", Kind::loopback, "RFC 6303"},
        {"127.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {"2.0.192.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {"100.51.198.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {"113.0.203.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {"255.255.255.255.in-addr.arpa", Kind::empty_zone, "RFC 6303"},
        {unspecified, Kind::empty_zone, "RFC 6303"},
        {loopback, Kind::loopback, "RFC 6303"},
        {"d.f.ip6.arpa", Kind::empty_zone, "RFC 6303", true},
        {"8.e.f.ip6.arpa", Kind::empty_zone, "RFC 6303", true},
        {"9.e.f.ip6.arpa", Kind::empty_zone, "RFC 6303", true},
        {"a.e.f.ip6.arpa", Kind::empty_zone, "RFC 6303", true},
        {"b.e.f.ip6.arpa", Kind::empty_zone, "RFC 6303", true},
        {"8.b.d.0.1.0.0.2.ip6.arpa", Kind::empty_zone, "RFC 6303"},
    };
    return rows;
}

const std::vector<SpecialName>& special_names() {
    static const std::vector<SpecialName> names = [] {
        std::vector<SpecialName> out;
        for (const SpecialRow& row : special_rows()) {
            for (std::string& name : expanded(row.names)) {
                const auto addresses = addresses_of(name);
                out.push_back({std::move(name), row.kind, row.is_private, addresses});
            }
        }
        return out;
    }();
    return names;
}

std::vector<std::string> special_names_of(std::string_view text) {
    std::string wanted = lowered(text);
    if (wanted.ends_with('.')) wanted.pop_back();
    const auto prefix = wanted.find('/') == std::string::npos ? Result<matchers::Prefix>(Error{})
                                                              : matchers::Prefix::parse(wanted);
    std::vector<std::string> out;
    for (const SpecialName& known : special_names()) {
        const bool is_within_prefix =
            prefix && known.addresses && is_within(*known.addresses, *prefix);
        if (wanted == "all" || wanted == known.name || is_within_prefix) out.push_back(known.name);
    }
    return out;
}

}  // namespace steer::config
