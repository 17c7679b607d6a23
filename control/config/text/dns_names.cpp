#include "control/config/text/dns_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/name_text.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

struct Named {
    std::string_view name;
    std::uint16_t number;
};

constexpr std::array<Named, 98> kTypeNames{{
    {"a", 1},           {"ns", 2},         {"md", 3},        {"mf", 4},       {"cname", 5},
    {"soa", 6},         {"mb", 7},         {"mg", 8},        {"mr", 9},       {"null", 10},
    {"wks", 11},        {"ptr", 12},       {"hinfo", 13},    {"minfo", 14},   {"mx", 15},
    {"txt", 16},        {"rp", 17},        {"afsdb", 18},    {"x25", 19},     {"isdn", 20},
    {"rt", 21},         {"nsap", 22},      {"nsap-ptr", 23}, {"sig", 24},     {"key", 25},
    {"px", 26},         {"gpos", 27},      {"aaaa", 28},     {"loc", 29},     {"nxt", 30},
    {"eid", 31},        {"nimloc", 32},    {"srv", 33},      {"atma", 34},    {"naptr", 35},
    {"kx", 36},         {"cert", 37},      {"a6", 38},       {"dname", 39},   {"sink", 40},
    {"opt", 41},        {"apl", 42},       {"ds", 43},       {"sshfp", 44},   {"ipseckey", 45},
    {"rrsig", 46},      {"nsec", 47},      {"dnskey", 48},   {"dhcid", 49},   {"nsec3", 50},
    {"nsec3param", 51}, {"tlsa", 52},      {"smimea", 53},   {"hip", 55},     {"ninfo", 56},
    {"rkey", 57},       {"talink", 58},    {"cds", 59},      {"cdnskey", 60}, {"openpgpkey", 61},
    {"csync", 62},      {"zonemd", 63},    {"svcb", 64},     {"https", 65},   {"dsync", 66},
    {"hhit", 67},       {"brid", 68},      {"spf", 99},      {"uinfo", 100},  {"uid", 101},
    {"gid", 102},       {"unspec", 103},   {"nid", 104},     {"l32", 105},    {"l64", 106},
    {"lp", 107},        {"eui48", 108},    {"eui64", 109},   {"nxname", 128}, {"tkey", 249},
    {"tsig", 250},      {"ixfr", 251},     {"axfr", 252},    {"mailb", 253},  {"maila", 254},
    {"any", 255},       {"*", 255},        {"uri", 256},     {"caa", 257},    {"avc", 258},
    {"doa", 259},       {"amtrelay", 260}, {"resinfo", 261}, {"wallet", 262}, {"cla", 263},
    {"ipn", 264},       {"ta", 32768},     {"dlv", 32769},
}};
constexpr std::array<Named, 9> kClasses{{{"in", 1},
                                         {"cs", 2},
                                         {"ch", 3},
                                         {"chaos", 3},
                                         {"hs", 4},
                                         {"hesiod", 4},
                                         {"none", 254},
                                         {"any", 255},
                                         {"*", 255}}};

std::optional<std::uint16_t> find(std::string_view text, std::span<const Named> names,
                                  std::string_view prefix) {
    const std::string word = lowered(text);
    const auto at =
        std::find_if(names.begin(), names.end(), [&](const Named& n) { return n.name == word; });
    if (at != names.end()) return at->number;
    std::string_view digits = word;
    if (digits.starts_with(prefix)) digits.remove_prefix(prefix.size());
    const auto number = parse_integer(digits);
    if (!number || *number > UINT16_MAX) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

}  // namespace

std::optional<std::uint16_t> parse_qtype(std::string_view text) {
    return find(text, kTypeNames, "type");
}

std::optional<std::uint16_t> parse_qclass(std::string_view text) {
    return find(text, kClasses, "class");
}

std::optional<std::vector<std::uint8_t>> asked_name(std::string_view text) {
    if (matchers::is_ascii(text)) return dns::name_from_text(text);
    const auto name = matchers::parse_name(text, {.any_escape = true, .numbers = true});
    return name ? dns::name_from_text(*name) : std::nullopt;
}

std::string pointer_name_v4(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (std::size_t i = bytes.size(); i-- > 0;)
        out += std::to_string(bytes[i]) + ".";
    return out + "in-addr.arpa";
}

std::string pointer_name_v6(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = bytes.size(); i-- > 0;)
        out += {kDigits[bytes[i] & 0xfU], '.', kDigits[bytes[i] >> 4], '.'};
    return out + "ip6.arpa";
}

}  // namespace steer::config
