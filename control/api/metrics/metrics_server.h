// The appliance's HTTP for monitoring: GET /metrics, /livez, /readyz and /healthz (which is /readyz); everything else is
// 404 or 405.
//
// Health: 200 and "ok", or 503 with a line for each condition that fails; `?verbose` lists all of
// them.
//
// Limits (http_server.h): kMetricsSessions connections, 1 KiB of content, 15 s for a request and for its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace boost::asio {
class io_context;
}

namespace steer::ops {

inline constexpr std::size_t kMetricsSessions = 64;

struct HttpContent {
    MetricSources metrics;
    std::function<HealthChecks()> live = [] { return HealthChecks{}; };
    std::function<HealthChecks()> ready = [] { return HealthChecks{}; };
};

class MetricsServer {
  public:
    // `io` outlives this.
    MetricsServer(boost::asio::io_context& io, HttpContent content);
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    // Address :: (all zeros) listens on all addresses of both families. Port 0: the system chooses.
    Result<void> listen(const IpAddress& address, std::uint16_t port);
    // The port, after listen().
    [[nodiscard]] std::uint16_t port() const;
    // Ends every session. Call it from the io_context's thread, or when that no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
