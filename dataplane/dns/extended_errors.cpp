#include "dataplane/dns/extended_errors.h"

#include <array>
#include <string_view>

namespace steer::dns {
namespace {

// By their numbers.
constexpr std::array<std::string_view, 30> kExtendedErrors{
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
};

}  // namespace

std::string extended_error_to_text(std::uint16_t code) {
    return code < kExtendedErrors.size() ? std::string(kExtendedErrors[code])
                                         : "code " + std::to_string(code);
}

}  // namespace steer::dns
