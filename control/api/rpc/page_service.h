// The page's server as the configuration wants it, and `page*` of the control socket: where the page
// is, links that sign in once, the password and the sessions.
//
// A reload turns the server on and off, and moves it. If it cannot listen at the new address, it
// goes on at the old one. Main thread; start() and renew() may wait for files.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/api/login/login.h"
#include "control/api/rpc/methods.h"
#include "control/api/rpc/rpc_server.h"

namespace steer::ops {

// The URLs of a server with these settings, those with `names` first. `machine`: its addresses.
std::vector<std::string> page_urls(const config::RpcServer& settings,
                                   const std::vector<std::string>& names,
                                   const stream::CertificateNames& machine);

class PageService {
  public:
    struct Options {
        Audit audit{};
        std::shared_ptr<Subscriptions> subscriptions{};
        std::function<stream::CertificateNames()> machine;
        std::function<void(const std::string& sentence)> warn;
    };
    // The first three arguments must outlive this object.
    PageService(boost::asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options);

    void add_methods(Methods& methods);
    // Listens, if there are settings.
    Result<void> start(const std::optional<config::RpcServer>& settings);
    // Takes over other settings; nullptr: reads the present one's files again.
    void renew(const std::optional<config::RpcServer>* settings, std::vector<Error>& warnings);
    // Every minute is enough.
    void poll();
    void close();

    // nullptr: the page is off.
    [[nodiscard]] const RpcServer* server() const { return server_.get(); }
    // Why the password's file cannot be used; empty: it can.
    [[nodiscard]] const std::string& password_error() const { return password_error_; }

  private:
    [[nodiscard]] config::RpcServer with_own_names(const config::RpcServer& settings) const;
    [[nodiscard]] std::unique_ptr<RpcServer> make(const config::RpcServer& settings) const;
    void take(std::unique_ptr<RpcServer> server);
    void move_to(const config::RpcServer& settings, std::vector<Error>& warnings);
    void load_password(const config::RpcServer& settings);
    void log_place() const;
    [[nodiscard]] boost::json::object state() const;
    RpcResult link();
    RpcResult end_sessions(const Arguments& asked);
    void set_password(const Arguments& asked, const RpcDone& done);

    boost::asio::io_context& io_;
    const JsonRpc& rpc_;
    Clock& clock_;
    const Options options_;
    const std::shared_ptr<Login> login_;
    std::unique_ptr<RpcServer> server_;
    std::string password_error_;
    std::vector<std::string> names_;  // `hosts` of the configuration
};

}  // namespace steer::ops
