// The address lists of every ros_list as sets for workers, and the DNS servers of routers as files.
//
// Each router is followed by its own session; several plugins share it. While a router is
// unreachable, its last known lists stay in use, except addresses with an expired timeout. A file
// keeps them for the next start. A file of servers is replaced when they change; a watcher of the
// file reloads. All on the main thread, except writing files. Answers `routers.lists` on the
// control socket:
//
//   {"lists":   [{"tag", "list", "router", "addresses", "sample"}],
//    "routers": [{"router", "state", "age_s", "servers", "trouble"}]}
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/program/build/router_list_plans.h"
#include "control/sources/router_lists/list_state.h"
#include "control/sources/router_lists/router_follower.h"

namespace steer::router_lists {

struct ListFollowing {
    using Plans = build::RouterListPlans;
    using RouterPlan = build::ListedRouter;
    using PluginPlan = build::RouterListPlan;
    using Reader = routeros::ListReader;
    using Known = KnownLists;
    using Table = matchers::PrefixSet;
    struct State {
        std::size_t size = 0;  // addresses and prefixes
    };
    static std::atomic<const Table*>& place(const PluginPlan& plan) { return plan.set->set; }
};

class RouterListService final : public RouterFollower<ListFollowing> {
  public:
    // `file`: for lists over a restart; empty: none. `qsbr`: of the workers.
    RouterListService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                      std::string file, Log log);
    // Workers have ended. Writes the file.
    ~RouterListService() override;

    void follow(const build::RouterListPlans& plans);
    // Ends timeouts, too.
    void poll();

    void add_methods(ops::Methods& methods);
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    void take(const std::string& router, routeros::RouterLists lists) override;
    void publish(Plugin& plugin) override;
    [[nodiscard]] std::vector<matchers::Prefix> in_force(const Plugin& plugin) const;
    // nullptr: nothing is known of the plugin's list on this router.
    [[nodiscard]] const std::vector<routeros::TimedAddress>* find_list(
        const Plugin& plugin, const std::string& router) const;
    void write_servers(const Router& router);
    [[nodiscard]] std::string text_to_keep();
    void note_current();
    [[nodiscard]] Moment now() const;
    [[nodiscard]] std::optional<std::uint64_t> age_s(const Router& router) const;
    [[nodiscard]] ops::RpcResult show(const ops::Arguments& asked) const;

    KeptFile kept_;
    std::uint64_t next_end_ms_ = 0;  // timeouts are ended then
};

}  // namespace steer::router_lists
