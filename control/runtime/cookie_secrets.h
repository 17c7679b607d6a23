// The daemon's own secrets of DNS cookies: made, replaced in time, and stored for a restart.
//
// A secret makes cookies for the time of a rollover (RFC 7873 7.1). The one before is accepted
// until each of its cookies has expired (RFC 9018 5). Pure, except for random bytes; the caller
// reads and writes the file. For one thread.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "control/config/settings/section_settings.h"
#include "dataplane/dns/cookie.h"
#include "matchers/result.h"

namespace steer {

class CookieSecrets {
  public:
    // How long the secret before is accepted, s.
    static constexpr std::int64_t kOverlapS = dns::kCookieLifeS + dns::kCookieAheadS;

    // Takes the secrets of a stored file. Error: they are malformed, or from the future; then there
    // are none.
    Result<void> restore(const boost::json::object& stored, std::int64_t wall_s);
    // Makes the first secret or the next one, and forgets the one before, when due. Returns whether
    // the secrets changed.
    bool update(std::int64_t wall_s, std::int64_t rollover_s);
    [[nodiscard]] std::string to_json() const;

    // After update(). `clock_s` is 0.
    [[nodiscard]] dns::CookieKeys keys() const;

  private:
    struct Secret {
        config::CookieSecretBytes bytes{};
        std::int64_t made_s = 0;  // since 1970
    };
    std::optional<Secret> current_, before_;
};

// The keys of a file's secrets, with `clock_s` 0.
dns::CookieKeys cookie_keys(const std::vector<config::CookieSecretBytes>& secrets);

}  // namespace steer
