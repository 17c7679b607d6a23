#include "control/streams/http/json_query.h"

#include <boost/url/parse_query.hpp>
#include <charconv>
#include <optional>
#include <string>

#include "dataplane/dns/ecs.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/type_names.h"
#include "dataplane/dns/wire.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/text.h"

namespace steer::stream {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::string_view kBadForm = "Expected parameters such as name=example.com&type=AAAA.\n";
constexpr std::string_view kBadName =
    "Expected 'name' with a domain name of at most 255 bytes, in ASCII.\n";
constexpr std::string_view kBadType =
    "Expected 'type' with a record type such as AAAA, or a number from 1 to 65535.\n";
constexpr std::string_view kBadCd = "Expected 'cd' with 1, 0, true or false.\n";
constexpr std::string_view kBadDo = "Expected 'do' with 1, 0, true or false.\n";
constexpr std::string_view kBadSubnet =
    "Expected 'edns_client_subnet' with an address or a prefix such as 192.0.2.0/24.\n";

// The lengths for addresses without one (RFC 7871 11.1).
constexpr std::uint8_t kPrefixV4 = 24, kPrefixV6 = 56;

// The decoded values; no value: the parameter is not there.
struct Parameters {
    std::optional<std::string> name, type, cd, dnssec_ok, subnet, content_type;

    // Nullptr: a parameter without a meaning.
    std::optional<std::string>* find(std::string_view key) {
        if (key == "name") return &name;
        if (key == "type") return &type;
        if (key == "cd") return &cd;
        if (key == "do") return &dnssec_ok;
        if (key == "edns_client_subnet") return &subnet;
        return key == "ct" ? &content_type : nullptr;
    }
};

// Boost.URL 1.81 reads up to a zero byte behind the text.
std::optional<Parameters> decoded(const std::string& text) {
    const auto query = boost::urls::parse_query(text);
    if (!query) return std::nullopt;
    boost::urls::encoding_opts form;
    form.space_as_plus = true;
    Parameters out;
    for (const auto& parameter : *query) {
        std::optional<std::string>* const value = out.find(parameter.key.decode(form));
        if (value != nullptr && !*value) *value = parameter.value.decode(form);
    }
    return out;
}

std::optional<bool> flag_of(const std::optional<std::string>& text) {
    if (!text) return false;
    const std::string word = matchers::lowered(*text);
    if (word == "1" || word == "true") return true;
    if (word == "0" || word == "false") return false;
    return std::nullopt;
}

std::optional<std::uint16_t> type_of(const std::optional<std::string>& text) {
    if (!text || text->empty()) return dns::kA;
    const auto type = dns::type_from_text(*text);
    return type && *type != 0 ? type : std::nullopt;
}

std::optional<Octets> name_of(const std::optional<std::string>& text) {
    if (!text || !matchers::is_ascii(*text)) return std::nullopt;
    return dns::name_from_text(*text);
}

// "192.0.2.0/24", "2001:db8::1": the bytes of ecs.h; bits behind the prefix become 0.
std::optional<Octets> subnet_of(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const bool is_v4 = address->is_v4();
    std::uint8_t length = is_v4 ? kPrefixV4 : kPrefixV6;
    if (slash != std::string_view::npos) {
        const char* const last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data() + slash + 1, last, length);
        if (error != std::errc{} || end != last || length > (is_v4 ? 32 : 128)) return std::nullopt;
    }
    Octets ecs(dns::kMaxEcs);
    const std::span<const std::uint8_t> bytes =
        is_v4 ? std::span(address->v4(), 4) : std::span<const std::uint8_t>(address->bytes);
    ecs.resize(dns::make_ecs(bytes, length, ecs));
    return ecs;
}

void add_be16(Octets& to, unsigned number) {
    to.push_back(static_cast<std::uint8_t>(number >> 8));
    to.push_back(static_cast<std::uint8_t>(number));
}

// `ecs`: empty for none.
void add_opt(Octets& to, bool dnssec_ok, std::span<const std::uint8_t> ecs) {
    constexpr std::uint8_t kDo = 0x80;
    to.push_back(0);
    add_be16(to, dns::kOpt);
    add_be16(to, dns::kUpstreamUdpSize);
    add_be16(to, 0);
    to.insert(to.end(), {dnssec_ok ? kDo : std::uint8_t{0}, 0});
    std::array<std::uint8_t, dns::kEcsOptionSize + 16> option;
    const std::size_t size = ecs.empty() ? 0 : dns::write_ecs(option.data(), ecs, 0);
    add_be16(to, static_cast<unsigned>(size));
    to.insert(to.end(), option.begin(), option.begin() + static_cast<std::ptrdiff_t>(size));
}

}  // namespace

std::variant<JsonQuery, std::string_view> read_json_query(std::string_view parameters) {
    const auto given = decoded(std::string(parameters));
    if (!given) return kBadForm;
    const auto name = name_of(given->name);
    if (!name) return kBadName;
    const auto type = type_of(given->type);
    if (!type) return kBadType;
    const auto cd = flag_of(given->cd);
    if (!cd) return kBadCd;
    const auto dnssec_ok = flag_of(given->dnssec_ok);
    if (!dnssec_ok) return kBadDo;
    Octets ecs;
    if (given->subnet) {
        const auto subnet = subnet_of(*given->subnet);
        if (!subnet) return kBadSubnet;
        ecs = *subnet;
    }

    JsonQuery out;
    if (given->content_type && matchers::lowered(*given->content_type) == "application/dns-message")
        out.form = AnswerForm::message;
    add_be16(out.message, 0);
    add_be16(out.message, dns::kRd | dns::kAd | (*cd ? unsigned{dns::kCd} : 0U));
    for (const unsigned count : {1U, 0U, 0U, 1U})
        add_be16(out.message, count);
    out.message.insert(out.message.end(), name->begin(), name->end());
    add_be16(out.message, *type);
    add_be16(out.message, dns::kIn);
    add_opt(out.message, *dnssec_ok, ecs);
    return out;
}

}  // namespace steer::stream
