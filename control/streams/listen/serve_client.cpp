#include "control/streams/listen/serve_client.h"

#include <utility>

#include "control/streams/listen/http_connection.h"
#include "control/streams/listen/tcp_connection.h"
#include "control/streams/listen/tcp_opening.h"

namespace steer::stream {

void serve_client(StreamContext& context, Injector& injector, ClientConnections& clients,
                  boost::asio::ip::tcp::socket socket, QueryOrigin origin) {
    const Service& service = clients.service();
    const IpAddress peer = origin.client.address();
    const bool by_proxy = service.proxies.contains(peer);
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
    QueryOrigin from = origin;
    switch (clients.service().protocol) {
        case Protocol::dns: {
            from.transport =
                clients.service().tls == nullptr ? ClientTransport::tcp : ClientTransport::dot;
            const auto connection = std::make_shared<TcpConnection>(context, injector, clients,
                                                                    std::move(stream), from);
            clients.add(connection);
            return connection->start();
        }
        case Protocol::http: {
            from.transport = ClientTransport::doh;
            const auto connection = std::make_shared<HttpConnection>(context, injector, clients,
                                                                     std::move(stream), from);
            clients.add(connection);
            return connection->start();
        }
    }
}

}  // namespace steer::stream
