// The reasons why RpcServer refuses a request or closes a connection. One row is the counter, the
// label of steerdns_http_refused, and the line in its help.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "matchers/counter_table.h"

namespace steer::ops {

//    name, what happened
#define STEER_HTTP_REFUSALS(X)                                             \
    X(malformed, "no HTTP/1.1 request, or one without Host")               \
    X(too_long, "header or content above its limit")                       \
    X(host, "unknown Host")                                                \
    X(origin, "foreign Origin")                                            \
    X(token, "token, password or link missing or wrong")                   \
    X(blocked, "too many wrong tokens or passwords")                       \
    X(unsuitable, "wrong path, method or type of content")                 \
    X(no_room, "too many subscriptions, or passwords to check")            \
    X(crowd, "connection gave way to a newer one")                         \
    X(handshake_rate, "too many TLS handshakes a second")                  \
    X(handshake_crowd, "unfinished TLS handshake gave way to a newer one") \
    X(handshake_time, "TLS handshake not done within 5 s")                 \
    X(handshake_failed, "TLS handshake broken by the client, or not TLS")

STEER_COUNTER_ENUM(HttpRefusal, kHttpRefusals, STEER_HTTP_REFUSALS);

#define STEER_HTTP_REFUSAL_LINE(name, text) "`" #name "`: " text "; "
// "`malformed`: …; `too_long`: …".
constexpr std::string_view http_refusal_help(std::string_view text) {
    return text.substr(0, text.size() - 2);
}
#define STEER_HTTP_REFUSAL_HELP(begin) \
    http_refusal_help(begin STEER_HTTP_REFUSALS(STEER_HTTP_REFUSAL_LINE))

class HttpRefusals {
  public:
    void add(HttpRefusal why) { ++counts_[static_cast<std::size_t>(why)]; }
    void add_status(unsigned status) {
        switch (status) {
            case 413:
            case 431:
                return add(HttpRefusal::too_long);
            case 421:
                return add(HttpRefusal::host);
            case 403:
                return add(HttpRefusal::origin);
            case 401:
                return add(HttpRefusal::token);
            case 429:
                return add(HttpRefusal::blocked);
            case 404:
            case 405:
            case 411:
            case 415:
                return add(HttpRefusal::unsuitable);
            case 503:
                return add(HttpRefusal::no_room);
            default:
                return add(HttpRefusal::malformed);
        }
    }
    [[nodiscard]] const std::array<std::uint64_t, kHttpRefusals.size()>& counts() const {
        return counts_;
    }

  private:
    std::array<std::uint64_t, kHttpRefusals.size()> counts_{};
};

}  // namespace steer::ops
