// Accepts clients over TCP on one service address, within limits that all listeners of a thread
// share (TcpClients).
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>

#include "control/stream/tcp_connection.h"

namespace steer::stream {

struct TcpLimits {
    unsigned connections = 1024;  // of one thread
    unsigned per_client = 32;
};

// The open connections of one thread. A client with too many is refused; when there are too many in
// all, the one that has been idle longest makes room (RFC 7766 6.2.3), and if none is idle the new
// one is refused.
class TcpClients {
  public:
    TcpClients(StreamContext& context, const TcpLimits& limits)
        : context_(context), limits_(limits) {}

    // Whether another connection of `client` is welcome; counts it if not.
    bool admit(const IpAddress& client);
    void add(const std::shared_ptr<TcpConnection>& connection);
    void forget(const TcpConnection& connection);
    void close_all();
    [[nodiscard]] unsigned count() const {
        return count_.load(std::memory_order_relaxed);
    }  // any thread

  private:
    bool make_room();

    StreamContext& context_;
    TcpLimits limits_;
    std::map<const TcpConnection*, std::shared_ptr<TcpConnection>> open_;
    std::map<IpAddress, unsigned> by_client_;
    std::atomic<unsigned> count_{0};
};

class TcpListener final : public std::enable_shared_from_this<TcpListener> {
  public:
    // Owns `socket`, which listens.
    TcpListener(StreamContext& context, Injector& injector, TcpClients& clients, int socket,
                const IpAddress& local, std::uint16_t local_port, std::chrono::milliseconds idle);

    void start();
    void close();

  private:
    void accept();
    void serve(boost::asio::ip::tcp::socket socket);

    StreamContext& context_;
    Injector& injector_;
    TcpClients& clients_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    IpAddress local_;
    std::uint16_t local_port_;
    std::chrono::milliseconds idle_;
};

}  // namespace steer::stream
