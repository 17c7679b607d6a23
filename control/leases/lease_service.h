// The leases of all routers that a dhcp_leases names, and the tables of names that workers read.
//
// Each router is followed by a session of its own, whoever else talks to it; several plugins share it. What was last
// known of a router stays in force while it is away, and is kept in a file for the next start. All on the main thread, but for
// writing that file. Answers `leases` on the control socket, with {"tag": TAG} or nothing:
//
//   {"leases":   [{"tag", "name", "address", "router", "server", "static"}],
//    "nameless": [{"tag", "address", "host_name", "router", "why"}],
//    "routers":  [{"router", "state", "leases", "trouble"}]}
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/build/lease_plans.h"
#include "control/leases/lease_names.h"
#include "control/leases/lease_state.h"
#include "control/ops/methods.h"
#include "control/ops/metrics.h"
#include "control/process/published.h"
#include "dataplane/base/clock.h"

namespace steer::leases {

class LeaseService {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    // `file`: where leases are kept; empty: nowhere. `qsbr`: of the workers.
    LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                 std::string file, Log log);
    // Workers have ended. What is not in the file yet is written.
    ~LeaseService();
    LeaseService(const LeaseService&) = delete;
    LeaseService& operator=(const LeaseService&) = delete;

    // Those in force. A router that is as before keeps its session.
    void follow(const build::LeasePlans& plans);
    // Frees tables that nobody reads any more. Call it now and then.
    void poll();

    void add_methods(ops::Methods& methods);
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Router;
    struct Plugin;

    void heard(const std::string& router, std::vector<routeros::DhcpLease> leases);
    void name(Plugin& plugin);
    void tell_nameless(Plugin& plugin);
    void keep_soon();
    void keep();
    [[nodiscard]] ops::RpcResult told(const ops::Arguments& asked) const;

    boost::asio::io_context& main_io_;
    Clock& clock_;
    rte_rcu_qsbr* qsbr_;
    const std::string file_;
    const Log log_;
    std::map<std::string, RouterLeases> known_;  // by router
    std::map<std::string, std::unique_ptr<Router>> routers_;
    std::map<std::string, std::unique_ptr<Plugin>> plugins_;  // by tag; those of before as well
    boost::asio::steady_timer keep_timer_;
    bool is_kept_ = true;  // or is about to be
    boost::asio::thread_pool disk_{1};
};

}  // namespace steer::leases
