#include "tools/rossim/connection.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>
#include <utility>

namespace rossim {
namespace {

using Error = boost::system::error_code;
using TlsStream = boost::asio::ssl::stream<tcp::socket>;

// A client that reads nothing while it is sent more than this is dropped.
constexpr std::size_t kMaxUnsent = 64U << 20;

template <class Stream>
class StreamConnection : public Connection,
                         public std::enable_shared_from_this<StreamConnection<Stream>> {
  public:
    template <class... Args>
    explicit StreamConnection(std::size_t most_at_once, Args&&... args)
        : stream_(std::forward<Args>(args)...), most_at_once_(most_at_once) {
        Error ignored;
        socket().set_option(tcp::no_delay(true), ignored);
    }

    void start(Handler handler) override {
        handler_ = std::make_shared<const Handler>(std::move(handler));
        if constexpr (std::is_same_v<Stream, TlsStream>) {
            stream_.async_handshake(
                boost::asio::ssl::stream_base::server,
                [self = this->shared_from_this()](const Error& error) { self->begin(error); });
        } else {
            begin({});
        }
    }

    void write(std::string bytes) override {
        unsent_ += bytes;
        if (unsent_.size() > kMaxUnsent) {
            fail();
        } else if (!writing_) {
            write_some();
        }
    }

    void close_after_writes() override {
        handler_.reset();
        closing_ = true;
        if (!writing_) shut();
    }

    void reset() override {
        handler_.reset();
        Error ignored;
        socket().set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket().close(ignored);
    }

  private:
    tcp::socket& socket() {
        if constexpr (std::is_same_v<Stream, TlsStream>) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    void begin(const Error& error) {
        if (error) {
            fail();
            return;
        }
        if (const auto handler = handler_) handler->ready();
        read();
    }

    void read() {
        stream_.async_read_some(
            boost::asio::buffer(buffer_),
            [self = this->shared_from_this()](const Error& error, std::size_t size) {
                if (error) {
                    self->fail();
                    return;
                }
                if (const auto handler = self->handler_) {
                    handler->received({self->buffer_.data(), size});
                }
                if (self->socket().is_open()) self->read();
            });
    }

    void write_some() {
        if (unsent_.empty()) return;
        writing_ = true;
        if (most_at_once_ == 0 || unsent_.size() <= most_at_once_) {
            in_flight_ = std::exchange(unsent_, {});
        } else {
            in_flight_ = unsent_.substr(0, most_at_once_);
            unsent_.erase(0, most_at_once_);
        }
        boost::asio::async_write(stream_, boost::asio::buffer(in_flight_),
                                 [self = this->shared_from_this()](
                                     const Error& error, std::size_t) { self->written(error); });
    }

    void written(const Error& error) {
        writing_ = false;
        if (error) {
            fail();
        } else if (!unsent_.empty()) {
            write_some();
        } else if (closing_) {
            shut();
        }
    }

    void shut() {
        Error ignored;
        socket().shutdown(tcp::socket::shutdown_send, ignored);
        socket().close(ignored);
    }

    void fail() {
        Error ignored;
        socket().close(ignored);
        if (const auto handler = std::exchange(handler_, nullptr)) handler->closed();
    }

    Stream stream_;
    std::size_t most_at_once_;
    std::shared_ptr<const Handler> handler_;  // shared: a call may end what it is part of
    std::array<char, 65536> buffer_;
    std::string unsent_;
    std::string in_flight_;
    bool writing_ = false;
    bool closing_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_plain_connection(tcp::socket socket, std::size_t most_at_once) {
    return std::make_shared<StreamConnection<tcp::socket>>(most_at_once, std::move(socket));
}

std::shared_ptr<Connection> make_tls_connection(tcp::socket socket,
                                                boost::asio::ssl::context& context,
                                                std::size_t most_at_once) {
    return std::make_shared<StreamConnection<TlsStream>>(most_at_once, std::move(socket), context);
}

}  // namespace rossim
