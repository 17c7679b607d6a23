// One connection to an HTTP server (of a list, of OPNsense) or to a primary, plain or with TLS. Its
// steps have a deadline.
//
// A step that exceeds it fails, and the connection is closed. One thread; a coroutine in a step
// keeps the object alive.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "control/host/net/byte_stream.h"
#include "control/host/net/tls_client.h"
#include "control/streams/http/http_client.h"
#include "matchers/prefix/ip_address.h"

namespace steer::fetch {

// The end of a conversation.
enum class Talk : std::uint8_t {
    over,    // ended by the caller
    ended,   // ended by the server
    failed,  // see why()
};

class Connection {
  public:
    using Time = std::chrono::steady_clock::time_point;

    explicit Connection(boost::asio::io_context& io);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sets the deadline of the following steps.
    void until(Time end);

    // Returns false if it failed, see why(). `ack_timeout`: the connection fails if sent data is
    // not acknowledged for this time; 0: the system's timeout.
    boost::asio::awaitable<bool> connect(const IpAddress& address, std::uint16_t port,
                                         std::chrono::milliseconds ack_timeout = {});
    // `remedy`: names the setting to trust another authority; must outlive the step.
    boost::asio::awaitable<bool> secure(stream::TlsClient& tls,
                                        std::string_view remedy = "`ca` of `fetch`");
    // Whether secure() failed because the certificate is not trusted.
    [[nodiscard]] bool is_refused() const;
    // After secure(); nullptr: plain.
    [[nodiscard]] SSL* ssl() const;
    // The protocol that ALPN chose; empty: none.
    [[nodiscard]] std::string_view protocol() const;

    // Writes `client`'s output and passes the input to it, until `is_over()`. It reads even if the
    // server stops reading. Other handlers of the io_context get their turn, even if the server is
    // fast.
    boost::asio::awaitable<Talk> talk(stream::HttpClient& client,
                                      const std::function<bool()>& is_over);

    // For other protocols than HTTP: writes all bytes; reads at least one. False and 0: see why().
    boost::asio::awaitable<bool> write(std::span<const std::uint8_t> bytes);
    boost::asio::awaitable<std::size_t> read(std::span<std::uint8_t> into);

    [[nodiscard]] const std::string& why() const { return why_; }

  private:
    struct Socket;

    boost::asio::awaitable<bool> wait(stream::Io what);
    // Returns whether the deadline has passed; then closes the connection.
    bool is_late();
    bool fail(std::string why);

    std::shared_ptr<Socket> socket_;  // shared with the timer
    boost::asio::steady_timer timer_;
    std::string why_;
};

}  // namespace steer::fetch
