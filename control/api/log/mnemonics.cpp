#include "control/api/log/mnemonics.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace steer::ops {
namespace {

struct Name {
    std::uint16_t number;
    std::string_view text;
};

constexpr std::array kTypes{
    Name{1, "A"},        Name{2, "NS"},          Name{5, "CNAME"},  Name{6, "SOA"},
    Name{12, "PTR"},     Name{13, "HINFO"},      Name{15, "MX"},    Name{16, "TXT"},
    Name{17, "RP"},      Name{18, "AFSDB"},      Name{24, "SIG"},   Name{25, "KEY"},
    Name{28, "AAAA"},    Name{29, "LOC"},        Name{33, "SRV"},   Name{35, "NAPTR"},
    Name{37, "CERT"},    Name{39, "DNAME"},      Name{41, "OPT"},   Name{42, "APL"},
    Name{43, "DS"},      Name{44, "SSHFP"},      Name{46, "RRSIG"}, Name{47, "NSEC"},
    Name{48, "DNSKEY"},  Name{49, "DHCID"},      Name{50, "NSEC3"}, Name{51, "NSEC3PARAM"},
    Name{52, "TLSA"},    Name{53, "SMIMEA"},     Name{55, "HIP"},   Name{59, "CDS"},
    Name{60, "CDNSKEY"}, Name{61, "OPENPGPKEY"}, Name{62, "CSYNC"}, Name{63, "ZONEMD"},
    Name{64, "SVCB"},    Name{65, "HTTPS"},      Name{99, "SPF"},   Name{108, "EUI48"},
    Name{109, "EUI64"},  Name{249, "TKEY"},      Name{250, "TSIG"}, Name{251, "IXFR"},
    Name{252, "AXFR"},   Name{255, "ANY"},       Name{256, "URI"},  Name{257, "CAA"},
};
constexpr std::array kClasses{
    Name{1, "IN"}, Name{3, "CH"}, Name{4, "HS"}, Name{254, "NONE"}, Name{255, "ANY"},
};
constexpr std::array kRcodes{
    Name{0, "NOERROR"},    Name{1, "FORMERR"}, Name{2, "SERVFAIL"}, Name{3, "NXDOMAIN"},
    Name{4, "NOTIMP"},     Name{5, "REFUSED"}, Name{6, "YXDOMAIN"}, Name{7, "YXRRSET"},
    Name{8, "NXRRSET"},    Name{9, "NOTAUTH"}, Name{10, "NOTZONE"}, Name{16, "BADVERS"},
    Name{23, "BADCOOKIE"},
};

constexpr std::array kExtendedErrors{
    Name{0, "Other Error"},
    Name{1, "Unsupported DNSKEY Algorithm"},
    Name{2, "Unsupported DS Digest Type"},
    Name{3, "Stale Answer"},
    Name{4, "Forged Answer"},
    Name{5, "DNSSEC Indeterminate"},
    Name{6, "DNSSEC Bogus"},
    Name{7, "Signature Expired"},
    Name{8, "Signature Not Yet Valid"},
    Name{9, "DNSKEY Missing"},
    Name{10, "RRSIGs Missing"},
    Name{11, "No Zone Key Bit Set"},
    Name{12, "NSEC Missing"},
    Name{13, "Cached Error"},
    Name{14, "Not Ready"},
    Name{15, "Blocked"},
    Name{16, "Censored"},
    Name{17, "Filtered"},
    Name{18, "Prohibited"},
    Name{19, "Stale NXDOMAIN Answer"},
    Name{20, "Not Authoritative"},
    Name{21, "Not Supported"},
    Name{22, "No Reachable Authority"},
    Name{23, "Network Error"},
    Name{24, "Invalid Data"},
    Name{25, "Signature Expired before Valid"},
    Name{26, "Too Early"},
    Name{27, "Unsupported NSEC3 Iterations Value"},
    Name{28, "Unable to conform to policy"},
    Name{29, "Synthesized"},
};

std::string name_of(std::span<const Name> names, std::uint16_t number, std::string_view otherwise) {
    const auto found = std::ranges::find(names, number, &Name::number);
    if (found != names.end()) return std::string(found->text);
    return std::string(otherwise) + std::to_string(number);
}

}  // namespace

std::string type_name(std::uint16_t type) {
    return name_of(kTypes, type, "TYPE");
}
std::string class_name(std::uint16_t klass) {
    return name_of(kClasses, klass, "CLASS");
}
std::string rcode_name(std::uint16_t rcode) {
    return name_of(kRcodes, rcode, "RCODE");
}
std::string extended_error_name(std::uint16_t code) {
    return name_of(kExtendedErrors, code, "code ");
}

}  // namespace steer::ops
