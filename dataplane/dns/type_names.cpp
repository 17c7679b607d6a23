#include "dataplane/dns/type_names.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace steer::dns {
namespace {

struct TypeName {
    std::string_view text;
    std::uint16_t number;
};

constexpr std::array<TypeName, 97> kTypeNames{{
    {"A", 1},           {"NS", 2},        {"MD", 3},        {"MF", 4},       {"CNAME", 5},
    {"SOA", 6},         {"MB", 7},        {"MG", 8},        {"MR", 9},       {"NULL", 10},
    {"WKS", 11},        {"PTR", 12},      {"HINFO", 13},    {"MINFO", 14},   {"MX", 15},
    {"TXT", 16},        {"RP", 17},       {"AFSDB", 18},    {"X25", 19},     {"ISDN", 20},
    {"RT", 21},         {"NSAP", 22},     {"NSAP-PTR", 23}, {"SIG", 24},     {"KEY", 25},
    {"PX", 26},         {"GPOS", 27},     {"AAAA", 28},     {"LOC", 29},     {"NXT", 30},
    {"EID", 31},        {"NIMLOC", 32},   {"SRV", 33},      {"ATMA", 34},    {"NAPTR", 35},
    {"KX", 36},         {"CERT", 37},     {"A6", 38},       {"DNAME", 39},   {"SINK", 40},
    {"OPT", 41},        {"APL", 42},      {"DS", 43},       {"SSHFP", 44},   {"IPSECKEY", 45},
    {"RRSIG", 46},      {"NSEC", 47},     {"DNSKEY", 48},   {"DHCID", 49},   {"NSEC3", 50},
    {"NSEC3PARAM", 51}, {"TLSA", 52},     {"SMIMEA", 53},   {"HIP", 55},     {"NINFO", 56},
    {"RKEY", 57},       {"TALINK", 58},   {"CDS", 59},      {"CDNSKEY", 60}, {"OPENPGPKEY", 61},
    {"CSYNC", 62},      {"ZONEMD", 63},   {"SVCB", 64},     {"HTTPS", 65},   {"DSYNC", 66},
    {"HHIT", 67},       {"BRID", 68},     {"SPF", 99},      {"UINFO", 100},  {"UID", 101},
    {"GID", 102},       {"UNSPEC", 103},  {"NID", 104},     {"L32", 105},    {"L64", 106},
    {"LP", 107},        {"EUI48", 108},   {"EUI64", 109},   {"NXNAME", 128}, {"TKEY", 249},
    {"TSIG", 250},      {"IXFR", 251},    {"AXFR", 252},    {"MAILB", 253},  {"MAILA", 254},
    {"ANY", 255},       {"URI", 256},     {"CAA", 257},     {"AVC", 258},    {"DOA", 259},
    {"AMTRELAY", 260},  {"RESINFO", 261}, {"WALLET", 262},  {"CLA", 263},    {"IPN", 264},
    {"TA", 32768},      {"DLV", 32769},
}};

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool equal_in_any_case(std::string_view text, std::string_view upper_case) {
    return std::ranges::equal(text, upper_case, {}, upper);
}

}  // namespace

std::string type_to_text(std::uint16_t type) {
    const auto* const at = std::ranges::find(kTypeNames, type, &TypeName::number);
    return at != kTypeNames.end() ? std::string(at->text) : "TYPE" + std::to_string(type);
}

std::optional<std::uint16_t> type_from_text(std::string_view text) {
    constexpr std::string_view kPrefix = "TYPE", kHex = "0X";
    if (text == "*") return type_from_text("ANY");
    for (const TypeName& name : kTypeNames) {
        if (equal_in_any_case(text, name.text)) return name.number;
    }
    if (equal_in_any_case(text.substr(0, kPrefix.size()), kPrefix))
        text.remove_prefix(kPrefix.size());
    const bool is_hex = equal_in_any_case(text.substr(0, kHex.size()), kHex);
    if (is_hex) text.remove_prefix(kHex.size());
    std::uint16_t number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, is_hex ? 16 : 10);
    if (error != std::errc{} || end != last || text.empty()) return std::nullopt;
    return number;
}

}  // namespace steer::dns
