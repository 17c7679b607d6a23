// A certificate that the daemon makes for itself, because the configuration names none: an ECDSA key on P-256
// and a signature by that key (RFC 5280).
//
// One file holds both, with mode 0600. A file that is missing, damaged, about to expire, or without
// a wanted name is replaced. If it cannot be written, the certificate is in memory only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/host/net/tls_certificate.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::stream {

// Apple's systems accept 825 days at most, also if a user trusts the certificate.
inline constexpr std::int64_t kOwnLifeS = std::int64_t{820} * 86'400;
inline constexpr std::int64_t kOwnRenewalS = std::int64_t{30} * 86'400;  // before its end

// The subjectAltNames.
struct CertificateNames {
    std::vector<std::string> names;  // "dns1.example"
    std::vector<IpAddress> addresses;
};

// The file in this folder, as certificate and key.
TlsFiles own_certificate_files(const std::string& folder, const std::string& client_ca = {});

// A new key and certificate. `now_s`: seconds since 1970, UTC. Costs about 1 ms.
Result<Certificate> make_own_certificate(const CertificateNames& names, std::int64_t now_s);

struct OwnCertificate {
    Certificate certificate;
    std::string renewed{};  // why it was made now ("it expires in 12 days"); empty: it was there
    std::string problem{};  // why it could not be kept; empty: it is in the file
};
// The certificate of the files, or a new one for all names. `wanted`: the names without which the
// present one is replaced; other names of the machine may change. Blocks.
Result<OwnCertificate> keep_own_certificate(const TlsFiles& files, const CertificateNames& wanted,
                                            const CertificateNames& all, std::int64_t now_s);

}  // namespace steer::stream
