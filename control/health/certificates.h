// The certificates of a configuration's servers, looked at apart from any socket: before the start,
// and by `--check`.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer {

struct CertificateCheck {
    std::vector<Error> errors;    // cannot be shown to clients
    std::vector<Error> warnings;  // can be, and clients that look will not like it
};
// `now_s`: seconds since 1970, UTC.
CertificateCheck check_certificates(const config::Settings& settings, std::int64_t now_s);

// Files that hold a server's private key.
struct PrivateKey {
    std::string file, owner;  // "tcp_server 'dot'"
    int line = 0;
};
std::vector<PrivateKey> private_keys(const config::Settings& settings);

// Their files that this process, with the rights that it has now, may not read when they change.
std::set<std::string> unreadable_certificates(const config::Settings& settings);

}  // namespace steer
