// Why RpcServer refused a request or ended a connection: one row is the counter, the label of steerdns_http_refused, and
// the line in its help.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer::ops {

//    name               label                what happened
#define STEER_HTTP_REFUSALS(X)                                                                \
    X(malformed, "malformed", "no HTTP/1.1 request, or one without Host")                     \
    X(too_long, "too_long", "header or content above its limit")                              \
    X(host, "host", "unknown Host")                                                           \
    X(origin, "origin", "foreign Origin")                                                     \
    X(token, "token", "token missing or wrong")                                               \
    X(blocked, "blocked", "too many wrong tokens")                                            \
    X(unsuitable, "unsuitable", "wrong path, method or type of content")                      \
    X(no_room, "no_room", "too many subscriptions")                                           \
    X(crowd, "crowd", "connection gave way to a newer one")                                   \
    X(handshake_rate, "handshake_rate", "too many TLS handshakes a second")                   \
    X(handshake_crowd, "handshake_crowd", "unfinished TLS handshake gave way to a newer one") \
    X(handshake_time, "handshake_time", "TLS handshake not done within 5 s")                  \
    X(handshake_failed, "handshake_failed", "TLS handshake broken by the client, or not TLS")

enum class HttpRefusal : std::uint8_t {
#define STEER_HTTP_REFUSAL_NAME(name, label, text) name,
    STEER_HTTP_REFUSALS(STEER_HTTP_REFUSAL_NAME)
#undef STEER_HTTP_REFUSAL_NAME
};

#define STEER_HTTP_REFUSAL_LABEL(name, label, text) std::string_view{label},
inline constexpr std::array kHttpRefusalLabels{STEER_HTTP_REFUSALS(STEER_HTTP_REFUSAL_LABEL)};
#undef STEER_HTTP_REFUSAL_LABEL
inline constexpr std::size_t kHttpRefusals = kHttpRefusalLabels.size();

#define STEER_HTTP_REFUSAL_LINE(name, label, text) "`" label "`: " text "; "
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
    [[nodiscard]] const std::array<std::uint64_t, kHttpRefusals>& counts() const { return counts_; }

  private:
    std::array<std::uint64_t, kHttpRefusals> counts_{};
};

}  // namespace steer::ops
