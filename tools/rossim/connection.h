// One client's TCP connection to a hosted router, plain or TLS.
//
// Reads go to the handler as they come. What is written while a write is under way is joined and
// sent with one send() when that one is done: clients exist that lose their place when a reply
// comes in small pieces.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rossim {

using boost::asio::ip::tcp;

class Connection {
  public:
    struct Handler {
        std::function<void()> ready;  // connected, and the TLS handshake is over
        std::function<void(std::string_view)> received;
        std::function<void()> closed;  // by the peer or an error; the last call
    };

    virtual ~Connection() = default;
    virtual void start(Handler handler) = 0;
    virtual void write(std::string bytes) = 0;
    // Closes when all is written; no handler is called any more.
    virtual void close_after_writes() = 0;
    // The peer gets a reset; no handler is called any more.
    virtual void reset() = 0;
};

// most_at_once: bytes per send(); 0: all that there is.
std::shared_ptr<Connection> make_plain_connection(tcp::socket socket, std::size_t most_at_once);
std::shared_ptr<Connection> make_tls_connection(tcp::socket socket,
                                                boost::asio::ssl::context& context,
                                                std::size_t most_at_once);

}  // namespace rossim
