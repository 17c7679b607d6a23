// The HTTP connection of one lane to OPNsense: one request at a time, on a connection that stays
// open as long as the router keeps it. If the router closed a kept connection without a reply, the
// request is repeated once on a new connection; all requests may be repeated. A request that took
// too long is not repeated.
//
// On thread `routers`, by its io_context; nothing here waits. Each request ends once, with a reply
// or a failure. A failure is reported 3 s after the router's last acknowledgement, and
// `receive_timeout` after the request at the latest. A new connection adds up to `connect_timeout`.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "control/host/net/tls_client.h"
#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/api.h"
#include "control/streams/fetch/connection.h"
#include "control/streams/http/http_client.h"

namespace steer::opnsense {

// The end of a request: a reply, or why there is none.
struct ApiReply {
    unsigned status = 0;
    std::string body;
    std::string why;  // empty: there is a reply
};

class ApiLane : public std::enable_shared_from_this<ApiLane> {
  public:
    using Done = std::function<void(const ApiReply& reply)>;

    ApiLane(boost::asio::io_context& io, build::OpnsensePlan plan);
    ~ApiLane();
    ApiLane(const ApiLane&) = delete;
    ApiLane& operator=(const ApiLane&) = delete;

    // `done` is called from the io_context, unless stop() is called before.
    void ask(ApiRequest request, Done done);
    [[nodiscard]] bool is_busy() const { return is_busy_; }
    void stop();

  private:
    class Reply;
    using Clock = std::chrono::steady_clock;

    boost::asio::awaitable<void> run(ApiRequest request);
    boost::asio::awaitable<std::string> open();
    [[nodiscard]] std::string check_pin(SSL* ssl) const;
    struct Exchange {
        ApiReply reply;
        bool is_unheard = false;  // the router closed the connection before any part of a reply
    };
    boost::asio::awaitable<Exchange> exchange(const ApiRequest& request);
    void end(const ApiReply& reply);

    boost::asio::io_context& io_;
    const build::OpnsensePlan plan_;
    std::shared_ptr<stream::TlsClient> tls_;
    std::unique_ptr<fetch::Connection> connection_;
    std::unique_ptr<Reply> reply_;                // of the connection
    std::unique_ptr<stream::HttpClient> client_;  // of the connection
    Done done_;
    bool is_busy_ = false;
};

}  // namespace steer::opnsense
