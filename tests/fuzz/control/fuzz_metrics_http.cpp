// A client of /metrics and /healthz that says any bytes, on a connection to 127.0.0.1: what comes back is whole responses
// of HTTP, and the connection ends.
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>

#include "control/api/metrics/metrics_server.h"
#include "http_client.h"

using namespace steer;

namespace {

struct Served {
    Served() : server(io, {}) {
        const std::array<std::uint8_t, 4> loopback{127, 0, 0, 1};
        REQUIRE(server.listen(IpAddress::from_v4(loopback.data()), 0).has_value());
    }
    boost::asio::io_context io{1};
    ops::MetricsServer server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& served = *new Served;
    if (size > 32 * 1024) return 0;
    fuzz::check(fuzz::response_to(data, size, served.server.port(), served.io));
    return 0;
}
