// A client of /rpc, /events and the page that says any bytes, without a token, on a connection to 127.0.0.1: what comes back is whole responses
// of HTTP, and the connection ends.
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "control/api/http/http_server.h"
#include "control/api/rpc/rpc_server.h"
#include "dataplane/base/clock.h"
#include "http_client.h"

using namespace steer;

namespace {

struct Served {
    Served() {
        methods.add({.name = "change",
                     .help = "Changes.",
                     .changes = ops::Changes::always(),
                     .piece = ops::Piece::small(),
                     .run = [](const ops::Arguments& asked) -> ops::RpcResult {
                         // No input has the token.
                         REQUIRE(asked.caller().role == AccessRole::none);
                         return nullptr;
                     }});
        REQUIRE(server.listen().has_value());
    }
    static config::RpcServer settings() {
        const std::array<std::uint8_t, 4> loopback{127, 0, 0, 1};
        config::RpcServer settings{.listen = {IpAddress::from_v4(loopback.data()), 0}};
        settings.tokens = {{.name = "t", .hash = std::string(64, '0'), .role = AccessRole::admin}};
        return settings;
    }
    boost::asio::io_context io{1};
    BootClock clock;
    ops::Methods methods;
    ops::JsonRpc rpc{methods};
    ops::RpcServer server{
        io,
        rpc,
        clock,
        {.settings = settings(), .subscriptions = std::make_shared<ops::Subscriptions>(io)}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& served = *new Served;
    if (size > 32 * 1024) return 0;
    const auto headers =
        fuzz::check(fuzz::response_to(data, size, served.server.http().port(), served.io));
    REQUIRE(!headers || headers->count("content-security-policy") == 1);
    return 0;
}
