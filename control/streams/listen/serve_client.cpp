#include "control/streams/listen/serve_client.h"

#include <array>
#include <memory>
#include <utility>

#include "control/streams/listen/http_connection.h"
#include "control/streams/listen/server_protocols.h"
#include "control/streams/listen/tcp_connection.h"
#include "control/streams/listen/tcp_opening.h"

namespace steer::stream {
namespace {

template <class Connection>
void begin(StreamContext& context, Injector& injector, ClientConnections& clients,
           ByteStream stream, const QueryOrigin& origin) {
    const auto connection =
        std::make_shared<Connection>(context, injector, clients, std::move(stream), origin);
    clients.add(connection);
    connection->start();
}

#define STEER_PROTOCOL_BEGIN(name, label, plain, secured, alpn, connection) begin<connection>,
constexpr std::array kBegin{STEER_TCP_PROTOCOLS(STEER_PROTOCOL_BEGIN)};
#undef STEER_PROTOCOL_BEGIN

}  // namespace

void serve_client(StreamContext& context, Injector& injector, ClientConnections& clients,
                  boost::asio::ip::tcp::socket socket, QueryOrigin origin) {
    const Service& service = clients.service();
    const IpAddress peer = origin.client.address();
    const bool by_proxy = service.proxies.contains(peer);
    if (!by_proxy && !context.lets_pass(LimitWhat::connections, service.counted_as(peer),
                                        origin.local, origin.local_port))
        return context.count(StreamCount::tcp_limited);
    if (!clients.admit(by_proxy ? IpAddress{} : service.counted_as(peer))) return;
    context.count(StreamCount::tcp_accepted);
    ByteStream stream(std::move(socket));
    if (!by_proxy && service.tls == nullptr)
        return begin_protocol(context, injector, clients, std::move(stream), origin);
    const auto opening = std::make_shared<TcpOpening>(context, injector, clients, std::move(stream),
                                                      origin, by_proxy);
    clients.add_opening(opening);
    opening->start();
}

void begin_protocol(StreamContext& context, Injector& injector, ClientConnections& clients,
                    ByteStream stream, const QueryOrigin& origin) {
    const Service& service = clients.service();
    QueryOrigin from = origin;
    from.transport = facts_of(service.protocol).transport(service.tls != nullptr);
    kBegin[static_cast<std::size_t>(service.protocol)](context, injector, clients,
                                                       std::move(stream), from);
}

}  // namespace steer::stream
