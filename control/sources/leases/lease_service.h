// The leases of all routers of every dhcp_leases, and the tables of names for workers.
//
// Each router is followed by a session of its own; several plugins share it. The last known leases
// stay in force while a router is unreachable, and are kept in a file for the next start. All on the main thread, except
// writing that file. Answers `leases` on the control socket, with {"tag": TAG} or nothing:
//
//   {"leases":   [{"tag", "name", "address", "router", "server", "static"}],
//    "nameless": [{"tag", "address", "host_name", "router", "why"}],
//    "routers":  [{"router", "state", "leases", "trouble"}]}
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/host/process/published.h"
#include "control/program/build/lease_plans.h"
#include "control/sources/leases/lease_names.h"
#include "control/sources/leases/lease_state.h"
#include "control/sources/router_lists/followed_router.h"
#include "dataplane/base/clock.h"

namespace steer::leases {

class LeaseService {
  public:
    using Log = RouterLog;

    // `file`: for leases over a restart; empty: none. `qsbr`: of the workers.
    LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                 std::string file, Log log);
    // Workers have ended. Writes the file if needed.
    ~LeaseService();
    LeaseService(const LeaseService&) = delete;
    LeaseService& operator=(const LeaseService&) = delete;

    // The plans in force. An unchanged router keeps its session.
    void follow(const build::LeasePlans& plans);
    // Frees tables that no worker reads any more. Call it periodically.
    void poll();

    void add_methods(ops::Methods& methods);
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Router;
    struct Plugin;

    void heard(const std::string& router, std::vector<routeros::DhcpLease> leases);
    void name(Plugin& plugin);
    void log_nameless(Plugin& plugin);
    [[nodiscard]] std::string text_to_keep() const;
    [[nodiscard]] ops::RpcResult list_leases(const ops::Arguments& asked) const;

    boost::asio::io_context& main_io_;
    Clock& clock_;
    rte_rcu_qsbr* qsbr_;
    const Log log_;
    KeptFile kept_;
    std::map<std::string, RouterLeases> known_;  // by router
    std::map<std::string, std::unique_ptr<Router>> routers_;
    std::map<std::string, std::unique_ptr<Plugin>> plugins_;  // by tag; includes earlier ones
};

}  // namespace steer::leases
