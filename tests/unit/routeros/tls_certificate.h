// A self-signed certificate for 127.0.0.1, made on the spot.
#pragma once

#include <string>

namespace steer::routeros::test {

struct Certificate {
    std::string certificate_pem, key_pem;
    std::string sha256;  // of the DER, as RouterOS prints its fingerprint
};

Certificate make_certificate(const std::string& subject_alt_name = "IP:127.0.0.1",
                             long ends_in_s = 3600);

}  // namespace steer::routeros::test
