// Checks the certificates of a configuration's servers without a socket: before the start,
// and for `--check`.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer {

struct CertificateCheck {
    std::vector<Error> errors;    // unusable certificates
    std::vector<Error> warnings;  // usable, but verifying clients will reject them
};
// `now_s`: seconds since 1970, UTC.
CertificateCheck check_certificates(const config::Settings& settings, std::int64_t now_s);

// A file with a server's private key.
struct PrivateKey {
    std::string file, owner;  // "tcp_server 'dot'"
    int line = 0;
};
std::vector<PrivateKey> private_keys(const config::Settings& settings);

// "page: on 192.0.2.1:9154, the SHA-256 of its certificate is AB:…"; empty: the page is off.
std::string page_line(const config::Settings& settings);

// Files that this process cannot read again with its present privileges.
std::set<std::string> unreadable_certificates(const config::Settings& settings);

}  // namespace steer
