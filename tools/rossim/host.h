// A Router on real sockets and the real clock: listens, moves bytes, and wakes at the router's next
// event.
//
// One thread. Times are microseconds of the steady clock since construction of the Host. The
// journal's wall clock is set to CLOCK_REALTIME once a second.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/rossim/connection.h"
#include "tools/rossim/router.h"
#include "tools/rossim/settings.h"

namespace rossim {

class Host {
  public:
    // Listens. `tls` may be nullptr without tls_port. Throws std::runtime_error with a sentence.
    Host(boost::asio::io_context& io, const Settings& common, RouterSettings settings,
         boost::asio::ssl::context* tls, Journal journal);

    std::int64_t now_us() const;
    Router& router() { return router_; }
    // Sends the router's output and sets the timer. Call it after every call to router().
    void pump();
    void hang(std::int64_t for_us);  // 0: until resume()
    void resume();
    // Returns "edge1 on 127.0.0.1:8728, TLS 8729".
    std::string describe() const;

  private:
    struct Door {
        tcp::endpoint endpoint;
        tcp::acceptor acceptor;
        bool tls;
    };

    void add_door(const std::string& address, std::uint16_t port, bool tls);
    void open(Door& door);
    void follow_reboot();
    void follow_hang();
    void accept(Door& door);
    void welcome(tcp::socket socket, bool tls);
    void start(const std::shared_ptr<Connection>& connection, const std::string& peer, bool tls);
    void set_alarm();
    void follow_wall_clock();

    boost::asio::io_context& io_;
    std::chrono::steady_clock::time_point zero_;
    boost::asio::ssl::context* tls_;
    Router router_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::map<SessionId, std::shared_ptr<Connection>> connections_;
    std::vector<std::function<void()>> waiting_;  // TLS clients that connected during a hang
    boost::asio::steady_timer alarm_;
    std::int64_t wall_set_us_ = 0;
    std::size_t segment_bytes_;
};

}  // namespace rossim
