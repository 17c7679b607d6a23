// Who may send requests over HTTP: tokens, certificates of clients, hosts and origins.
//
// A token is compared by its SHA-256, with every stored one and in constant time. An address that sent kMostWrongTokens
// wrong tokens within kWrongTokensTime is refused for the rest of that time, whatever it sends. IPv6 addresses count as
// their /64.
//
// Hosts stop DNS rebinding: a page of another site can reach this server by a name that it controls, but not with an
// accepted Host. Origins stop requests that another site's page sends with the user's rights.
//
// Of the main thread, except load().
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/section_settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

struct ssl_st;

namespace steer::ops {

inline constexpr unsigned kMostWrongTokens = 10;
inline constexpr std::chrono::seconds kWrongTokensTime{60};
inline constexpr std::size_t kMaxWatchedAddresses = 4'096;
inline constexpr std::size_t kLeastToken = 16, kMostToken = 512;  // bytes

// A client that was let in.
struct HttpUser {
    AccessRole role = AccessRole::none;
    std::string name;    // "token grafana", "certificate CN=alice"
    std::string secret;  // its digest; empty: a certificate
};

// The address, or its /64: what one client has.
IpAddress site_of(const IpAddress& address);

class HttpAccess {
  public:
    // Reads the token files. Blocks.
    static Result<HttpAccess> load(const config::RpcServer& settings);
    // Takes up other settings and other contents of the files; blocked addresses stay blocked. A file that cannot be read
    // any more leaves its token as it was; a missing file removes it. Both are added to `wrong`, the first one only if the
    // file has changed. Blocks.
    void renew(const config::RpcServer& settings, std::vector<Error>& wrong);
    // Whether a user that was let in would still be, with at least the role of then.
    [[nodiscard]] bool still_has(const HttpUser& user) const;

    // Of a client with this value of `Authorization` ("Bearer …"). No value: wrong, or none.
    [[nodiscard]] std::optional<HttpUser> find_token(std::string_view authorization) const;
    // Of a client with a verified certificate that has a row.
    [[nodiscard]] std::optional<HttpUser> find_certificate(ssl_st* ssl) const;

    // Notes a wrong token. False: the address has sent too many.
    using Clock = std::chrono::steady_clock;
    void note_wrong_token(const IpAddress& client, Clock::time_point now);
    [[nodiscard]] bool is_blocked(const IpAddress& client, Clock::time_point now) const;

    // The value of `Host`: an IP address, localhost, or a name of `hosts`; each with any port.
    [[nodiscard]] bool accepts_host(std::string_view host) const;
    // The value of `Origin`; `own`: "https://HOST" of this request.
    [[nodiscard]] bool accepts_origin(std::string_view origin, std::string_view own) const;

  private:
    using Digest = std::array<unsigned char, 32>;
    struct Token {
        Digest digest;
        HttpUser user;
        std::string file{}, stamp{};  // what was read
    };
    struct Wrong {
        unsigned count = 0;
        Clock::time_point since;
    };
    std::vector<Token> tokens_;
    std::vector<config::HttpCertificate> certificates_;
    std::vector<std::string> hosts_, origins_;
    std::map<IpAddress, Wrong> wrong_;
};

}  // namespace steer::ops
