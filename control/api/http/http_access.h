// Who may send requests over HTTP: tokens, certificates of clients, hosts and origins.
//
// A token is compared by its SHA-256, with every stored one and in constant time. An address that
// sent kMostWrongTokens wrong tokens within kWrongTokensTime is blocked for the rest of that time,
// even with a right token. IPv6 addresses count as their /64.
//
// Hosts stop DNS rebinding: another site's page can reach this server by a name that it controls,
// but not with an accepted Host. Origins stop requests that another site's page sends with the
// user's rights.
//
// Used by the main thread, except load().
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

// An authorized client.
struct HttpUser {
    AccessRole role = AccessRole::none;
    std::string name;           // "token grafana", "certificate CN=alice", "session 3"
    std::string secret;         // its digest; empty: a certificate or a session
    std::uint64_t session = 0;  // its number; 0: another user
};

// The address, or its /64: the addresses that one client has.
IpAddress site_of(const IpAddress& address);

class HttpAccess {
  public:
    // Reads the token files. Blocks.
    static Result<HttpAccess> load(const config::RpcServer& settings);
    // Applies other settings and changed files; blocked addresses stay blocked. If a file has
    // become unreadable, its token stays; if it is missing, the token is removed. Both cases are
    // added to `wrong`, the first one only if the file has changed. Blocks.
    void renew(const config::RpcServer& settings, std::vector<Error>& wrong);
    // Whether the user would still be authorized, with at least the same role. Not for sessions.
    [[nodiscard]] bool still_has(const HttpUser& user) const;

    // The user with this value of `Authorization` ("Bearer …"). No value: wrong, or missing.
    [[nodiscard]] std::optional<HttpUser> find_token(std::string_view authorization) const;
    // The user with this verified certificate, if it has a row.
    [[nodiscard]] std::optional<HttpUser> find_certificate(ssl_st* ssl) const;

    // Notes a wrong token. is_blocked(): whether the address has sent too many.
    using Clock = std::chrono::steady_clock;
    void note_wrong_token(const IpAddress& client, Clock::time_point now);
    [[nodiscard]] bool is_blocked(const IpAddress& client, Clock::time_point now) const;

    // Whether the value of `Host` is an IP address, localhost, or a name of `hosts`; each with any
    // port.
    [[nodiscard]] bool accepts_host(std::string_view host) const;
    // Whether the value of `Origin` is accepted; `own`: "https://HOST" of this request.
    [[nodiscard]] bool accepts_origin(std::string_view origin, std::string_view own) const;

  private:
    using Digest = std::array<unsigned char, 32>;
    struct Token {
        Digest digest;
        HttpUser user;
        std::string file{}, stamp{};  // of the file as read
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
