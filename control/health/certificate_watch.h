// Says in time that certificates end: 21, 7 and 1 days before, when they have ended, and each day from then on.
//
// What is said once is not said again: a certificate that is renewed begins anew. No clock of its own: the caller looks
// now and then (a minute is enough) and says what time it is.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace steer {

struct CertificateEnd {
    std::string
        whose;  // "the certificate /etc/dot.pem", "the certificate of upstream tls://1.1.1.1"
    std::string remedy;       // what to do: "renew it"
    std::int64_t ends_s = 0;  // since 1970, UTC
};

class CertificateWatch {
  public:
    // The sentences that are due. One for each certificate at most, whatever was missed.
    std::vector<std::string> look(std::span<const CertificateEnd> certificates, std::int64_t now_s);

  private:
    struct Said {
        std::int64_t ends_s = 0;
        std::int64_t step = 0;  // of the last sentence: see step_of()
    };
    std::map<std::string, Said> said_;  // by whose
};

}  // namespace steer
