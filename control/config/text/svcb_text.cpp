#include "control/config/text/rdata_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "control/config/text/ldns_field.h"
#include "control/config/values.h"
#include "dataplane/dns/svc_keys.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// Each kind of value is read here. The SvcParams reader of ldns 1.8.3 writes past an IPv6 hint of 46 characters, reads
// port=70000 as 4464, and accepts mandatory=mandatory and duplicate keys.
using Bytes = std::vector<std::uint8_t>;

using namespace dns::svc_keys;

// Those that may be written by name, up to dohpath.
constexpr auto kParameterKeys = std::span(kNames).first<8>();

std::optional<std::uint16_t> key_of(std::string_view name) {
    const auto at = std::find(kParameterKeys.begin(), kParameterKeys.end(), name);
    if (at != kParameterKeys.end()) return static_cast<std::uint16_t>(at - kParameterKeys.begin());
    if (!name.starts_with("key")) return std::nullopt;
    const auto number = parse_integer(name.substr(3));
    if (!number || *number >= UINT16_MAX) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

std::vector<std::string_view> items_of(std::string_view list) {
    std::vector<std::string_view> out;
    while (true) {
        const auto comma = list.find(',');
        out.push_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return out;
        list.remove_prefix(comma + 1);
    }
}

std::optional<Bytes> unescaped(const std::string& text) {
    return read_by_ldns(LDNS_RDF_TYPE_LONG_STR, text);
}

std::optional<Bytes> protocols(std::string_view list) {
    Bytes out;
    for (const std::string_view item : items_of(list)) {
        const auto bytes = unescaped(std::string(item));
        if (!bytes || bytes->empty() || bytes->size() > UINT8_MAX) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(bytes->size()));
        out.insert(out.end(), bytes->begin(), bytes->end());
    }
    return out;
}

std::optional<Bytes> keys(std::string_view list) {
    std::vector<std::uint16_t> numbers;
    for (const std::string_view item : items_of(list)) {
        const auto key = key_of(item);
        if (!key || *key == mandatory) return std::nullopt;
        numbers.push_back(*key);
    }
    std::sort(numbers.begin(), numbers.end());
    if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end()) return std::nullopt;
    Bytes out;
    for (const std::uint16_t number : numbers)
        add_number(out, number, 2);
    return out;
}

std::optional<Bytes> addresses(std::string_view list, bool v6) {
    Bytes out;
    for (const std::string_view item : items_of(list)) {
        const auto ip = IpAddress::parse(item);
        if (!ip || (item.find(':') != std::string_view::npos) != v6) return std::nullopt;
        out.insert(out.end(), v6 ? ip->bytes.begin() : ip->bytes.begin() + 12, ip->bytes.end());
    }
    return out;
}

std::optional<Bytes> value_of(std::uint16_t key, std::string_view text) {
    switch (key) {
        case mandatory:
            return keys(text);
        case alpn:
            return protocols(text);
        case no_default_alpn:
            return text.empty() ? std::optional(Bytes{}) : std::nullopt;
        case port: {
            const auto number = parse_integer(text);
            if (!number || *number > UINT16_MAX) return std::nullopt;
            Bytes out;
            add_number(out, *number, 2);
            return out;
        }
        case ipv4hint:
        case ipv6hint:
            return addresses(text, key == ipv6hint);
        case ech:
            return read_by_ldns(LDNS_RDF_TYPE_B64, std::string(text));
        default:
            return unescaped(std::string(text));
    }
}

}  // namespace

Result<Bytes> svc_parameters(std::span<const ZoneWord> words) {
    std::map<std::uint16_t, Bytes> parameters;
    for (const ZoneWord& word : words) {
        const std::string_view text = word.text;
        const auto equals = std::min(text.find('='), text.size());
        const auto key = key_of(text.substr(0, equals));
        if (!key) {
            return Error{"unknown parameter " + matchers::quoted(text.substr(0, equals)) +
                         ": write alpn, port, ipv4hint, ipv6hint, mandatory, no-default-alpn, "
                         "ech, dohpath or keyNUMBER"};
        }
        auto value = value_of(*key, text.substr(std::min(equals + 1, text.size())));
        if (!value || value->size() > UINT16_MAX)
            return Error{matchers::quoted(text) + " has an invalid value"};
        if (!parameters.emplace(*key, *std::move(value)).second)
            return Error{matchers::quoted(text.substr(0, equals)) + " appears twice: remove one"};
    }
    Bytes out;
    for (const auto& [key, value] : parameters) {
        add_number(out, key, 2);
        add_number(out, value.size(), 2);
        out.insert(out.end(), value.begin(), value.end());
    }
    return out;
}

}  // namespace steer::config
