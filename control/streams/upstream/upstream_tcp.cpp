#include "control/streams/upstream/upstream_tcp.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/upstream_socket.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

tcp::endpoint endpoint_of(const UpstreamAsk& ask) {
    tcp::endpoint endpoint;
    const SocketAddress address(ask.address, ask.port);
    endpoint.resize(address.length);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(address.get()), address.length,
                reinterpret_cast<std::uint8_t*>(endpoint.data()));
    return endpoint;
}

}  // namespace

// connect → length and query → length → reply. finish() ends it from any of them.
class UpstreamTcp::Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    Exchange(UpstreamTcp& owner, UpstreamAsk ask)
        : owner_(owner),
          context_(owner.context_),
          ask_(std::move(ask)),
          socket_(context_.io),
          timer_(context_.io) {}
    ~Exchange() { release(reply_); }

    void start();
    void close() {
        done_ = true;
        error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
    }

  private:
    // Goes on with `step`, or ends on an error.
    template <class Step>
    auto next(Step step) {
        return [self = shared_from_this(), step](const error_code& error, auto&&...) {
            if (self->done_) return;
            if (error) {
                self->finish(error.category() == boost::system::system_category() ? error.value()
                                                                                  : ECONNRESET);
            } else {
                step(*self);
            }
        };
    }

    void send() {
        dns::store_be16(prefix_.data(), static_cast<std::uint16_t>(ask_.query.size()));
        const std::array pieces{boost::asio::buffer(std::as_const(prefix_)),
                                boost::asio::buffer(std::as_const(ask_.query))};
        boost::asio::async_write(socket_, pieces, next([](Exchange& e) { e.read_length(); }));
    }
    void read_length() {
        boost::asio::async_read(socket_, boost::asio::buffer(prefix_),
                                next([](Exchange& e) { e.read_reply(); }));
    }
    void read_reply() {
        const std::uint16_t length = dns::load_be16(prefix_.data());
        reply_ = context_.buffers.take(length);
        if (reply_ == nullptr) {
            context_.count(StreamCount::upstream_no_buffer);
            finish(ENOBUFS);
            return;
        }
        reply_->length = length;
        boost::asio::async_read(socket_, boost::asio::buffer(reply_->data(), length),
                                next([](Exchange& e) { e.take_reply(); }));
    }
    void take_reply() {
        if (is_reply_to(ask_.query, reply_->bytes())) {
            finish(0);
        } else {  // another message: the reply may still arrive
            context_.count(StreamCount::upstream_unmatched);
            release(std::exchange(reply_, nullptr));
            read_length();
        }
    }
    void finish(int error) {
        if (done_) return;
        const auto self = shared_from_this();
        close();
        hand_back(context_, ask_, error == 0 ? std::exchange(reply_, nullptr) : nullptr, error);
        owner_.open_.erase(self);
    }

    UpstreamTcp& owner_;
    StreamContext& context_;
    UpstreamAsk ask_;
    tcp::socket socket_;
    boost::asio::steady_timer timer_;
    std::array<std::uint8_t, 2> prefix_{};
    Buffer* reply_ = nullptr;
    bool done_ = false;
};

void UpstreamTcp::Exchange::start() {
    timer_.expires_after(std::chrono::milliseconds(ask_.timeout_ms));
    timer_.async_wait([self = shared_from_this()](const error_code& stopped) {
        if (!stopped) self->finish(ETIMEDOUT);
    });
    const tcp::endpoint to = endpoint_of(ask_);
    error_code error;
    socket_.open(to.protocol(), error);
    const int failed = error ? error.value()
                             : prepare_socket(context_, socket_.native_handle(), ask_.address,
                                              ask_.mark, ask_.device);
    if (failed != 0) return finish(failed);
    socket_.async_connect(to, next([](Exchange& e) { e.send(); }));
}

UpstreamTcp::~UpstreamTcp() {
    for (const auto& exchange : open_)
        exchange->close();
}

void UpstreamTcp::ask(UpstreamAsk ask) {
    context_.count(StreamCount::upstream_tcp);
    if (open_.size() >= context_.upstream_sockets.tcp) {
        hand_back(context_, ask, nullptr, EBUSY);
        return;
    }
    const auto exchange = std::make_shared<Exchange>(*this, std::move(ask));
    open_.insert(exchange);
    exchange->start();
}

}  // namespace steer::stream
