// Accepts clients over TCP on one service address, within the limits of its service.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "control/streams/listen/injector.h"
#include "control/streams/listen/tcp_clients.h"

namespace steer::stream {

class TcpListener final : public std::enable_shared_from_this<TcpListener> {
  public:
    // Takes ownership of `socket`, which must be listening.
    TcpListener(StreamContext& context, Injector& injector, ClientConnections& clients, int socket,
                const IpAddress& local, std::uint16_t local_port);

    void start();
    void close();

  private:
    void accept();
    void pause();
    void serve(boost::asio::ip::tcp::socket socket);

    StreamContext& context_;
    Injector& injector_;
    ClientConnections& clients_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    IpAddress local_;
    std::uint16_t local_port_;
};

}  // namespace steer::stream
