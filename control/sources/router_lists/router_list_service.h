// The address lists of every ros_list as sets for workers, and the DNS servers of routers as files.
//
// Each router is followed by a session of its own; several plugins share it. While a router is unreachable, its last
// known lists stay in force, except addresses whose timeout has ended. They are kept in a file for the next start. A file of servers
// is replaced when they change; who watches it reloads. All on the main thread, except writing files.
// Answers `routers.lists` on the control socket:
//
//   {"lists":   [{"tag", "list", "router", "addresses", "sample"}],
//    "routers": [{"router", "state", "age_s", "servers", "trouble"}]}
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/host/process/published.h"
#include "control/program/build/router_list_plans.h"
#include "control/sources/router_lists/followed_router.h"
#include "control/sources/router_lists/list_state.h"
#include "dataplane/base/clock.h"

namespace steer::router_lists {

class RouterListService {
  public:
    using Log = RouterLog;

    // `file`: for lists over a restart; empty: none. `qsbr`: of the workers.
    RouterListService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                      std::string file, Log log);
    // Workers have ended. Writes the file.
    ~RouterListService();
    RouterListService(const RouterListService&) = delete;
    RouterListService& operator=(const RouterListService&) = delete;

    // The plans in force. An unchanged router keeps its session.
    void follow(const build::RouterListPlans& plans);
    // Ends timeouts, and frees sets that no worker reads any more. Call it periodically.
    void poll();

    void add_methods(ops::Methods& methods);
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Router;
    struct Plugin;

    void heard(const std::string& router, routeros::RouterLists lists);
    [[nodiscard]] std::vector<matchers::Prefix> in_force(const Plugin& plugin) const;
    void publish(Plugin& plugin);
    void write_servers(const Router& router);
    [[nodiscard]] std::string text_to_keep();
    void note_current();
    [[nodiscard]] Moment now() const;
    [[nodiscard]] std::optional<std::uint64_t> age_s(const std::string& router) const;
    [[nodiscard]] ops::RpcResult show(const ops::Arguments& asked) const;

    boost::asio::io_context& main_io_;
    Clock& clock_;
    rte_rcu_qsbr* qsbr_;
    const Log log_;
    KeptFile kept_;
    ByRouter known_;
    std::map<std::string, std::unique_ptr<Router>> routers_;
    std::map<std::string, std::unique_ptr<Plugin>> plugins_;  // by tag; includes earlier ones
    std::uint64_t next_end_ms_ = 0;                           // timeouts are looked at then
};

}  // namespace steer::router_lists
