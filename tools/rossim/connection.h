// One client's TCP connection to a hosted router, plain or TLS.
//
// The handler gets bytes as they arrive. Bytes written during a write are joined and sent with one
// send() after it, because some clients fail when a reply arrives in small pieces.
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
        std::function<void()> ready;  // the connection, and with TLS the handshake, is complete
        std::function<void(std::string_view)> received;
        std::function<void()> closed;  // by the peer or an error; the last call
    };

    virtual ~Connection() = default;
    virtual void start(Handler handler) = 0;
    virtual void write(std::string bytes) = 0;
    // Closes after all writes; calls no handler any more.
    virtual void close_after_writes() = 0;
    // Resets the connection; calls no handler any more.
    virtual void reset() = 0;
};

// most_at_once: bytes per send(); 0: all available bytes.
std::shared_ptr<Connection> make_plain_connection(tcp::socket socket, std::size_t most_at_once);
std::shared_ptr<Connection> make_tls_connection(tcp::socket socket,
                                                boost::asio::ssl::context& context,
                                                std::size_t most_at_once);

}  // namespace rossim
