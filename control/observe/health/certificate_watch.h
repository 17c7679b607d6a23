// Warns before certificates expire: 21, 7 and 1 days before, after they have expired, and then each
// day.
//
// Each warning is given once; a renewed certificate starts over. The caller gives the time and
// checks periodically (a minute is enough).
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

// "the certificate /etc/dot.pem expires in 1 day, on 2026-11-24 20:00 UTC; renew it"
std::string certificate_sentence(const CertificateEnd& certificate, std::int64_t now_s);

class CertificateWatch {
  public:
    // The sentences that are due, at most one per certificate.
    std::vector<std::string> check(std::span<const CertificateEnd> certificates,
                                   std::int64_t now_s);

  private:
    struct Reported {
        std::int64_t ends_s = 0;
        std::int64_t step = 0;  // of the last sentence: see step_of()
    };
    std::map<std::string, Reported> reported_;  // by whose
};

}  // namespace steer
