// The appliance's HTTP/1.1: GET /metrics (OpenMetrics), /livez, /readyz and /healthz (which is /readyz); everything
// else is 404 or 405.
//
// Health: 200 and "ok", or 503 with a line for each condition that fails; `?verbose` lists all of them.
//
// Runs on the caller's io_context (the main thread). Keep-alive; limits: kHttpSessions connections,
// 8 KiB of header, 1 KiB of body (not chunked), kHttpIdle for a request and for its answer. A further connection
// closes the one whose last request or answer is the longest ago, so slow clients never block others.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace boost::asio {
class io_context;
}

namespace steer::ops {

inline constexpr std::size_t kHttpSessions = 64;
inline constexpr std::chrono::seconds kHttpIdle{15};

struct HttpContent {
    MetricSources metrics;
    std::function<HealthChecks()> live = [] { return HealthChecks{}; };
    std::function<HealthChecks()> ready = [] { return HealthChecks{}; };
};

class HttpServer {
  public:
    // `io` outlives this.
    HttpServer(boost::asio::io_context& io, HttpContent content);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // :: (all zeros) listens on all addresses of both families. Port 0: the system chooses.
    Result<void> listen(const IpAddress& address, std::uint16_t port);
    // Where it listens, after listen().
    [[nodiscard]] std::uint16_t port() const;
    // Ends every session. From the io_context's thread, or when it no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
