// The leases of all routers of every dhcp_leases, and the tables of names for workers.
//
// Each router is followed by its own session; several plugins share it. While a router is
// unreachable, its last known leases stay in use. A file keeps them for the next start. All on the
// main thread, except writing that file, and naming many leases: workers get their table a moment
// later. Answers `leases` on the control socket, with {"tag": TAG}
// or without parameters:
//
//   {"leases":   [{"tag", "name", "address", "router", "server", "static"}],
//    "nameless": [{"tag", "address", "host_name", "router", "why"}],
//    "routers":  [{"router", "state", "leases", "trouble"}]}
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/host/process/side_thread.h"
#include "control/program/build/lease_plans.h"
#include "control/sources/leases/lease_names.h"
#include "control/sources/leases/lease_state.h"
#include "control/sources/router_lists/router_follower.h"

namespace steer::leases {

struct LeaseFollowing {
    using Plans = build::LeasePlans;
    using RouterPlan = build::LeaseRouter;
    using PluginPlan = build::LeasePlan;
    using Reader = routeros::LeaseReader;
    using Known = RouterLeases;
    using Table = LiveTable;
    struct State {
        LeaseBook book{};
        std::uint64_t naming = 0;        // the number of the naming that runs; 0: none
        bool is_stale = false;           // what it names has changed since
        std::set<std::string> logged{};  // leases without a name that were logged
        std::uint64_t log_again_ms = 0;
    };
    static std::atomic<const Table*>& place(const PluginPlan& plan) { return plan.answers->table; }
};

class LeaseService final : public RouterFollower<LeaseFollowing> {
  public:
    // `file`: for leases over a restart; empty: none. `qsbr`: of the workers.
    LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                 std::string file, Log log);
    // Workers have ended. Writes the file if needed.
    ~LeaseService() override;

    void add_methods(ops::Methods& methods);
    // Shadows the base's: from the first call on, workers serve.
    void poll() {
        is_serving_ = true;
        RouterFollower::poll();
    }
    void write_metrics(ops::MetricWriter& writer) const;
    // Calls visit(router, lease) for each last known lease, with or without a name.
    template <class Visit>
    void each_known(Visit visit) const {
        for (const auto& [router, known] : known_)
            for (const routeros::DhcpLease& lease : known.leases)
                visit(router, lease);
    }

  private:
    void take(const std::string& router, std::vector<routeros::DhcpLease> leases) override;
    void publish(Plugin& plugin) override;
    struct Named {
        LeaseBook book;
        std::unique_ptr<const LiveTable> table;
    };
    static Named name_all(const std::vector<RouterLeases>& all, const config::DhcpLeases& args);
    void name_aside(Plugin& plugin, std::vector<RouterLeases> all);
    void put(Plugin& plugin, Named named);
    void log_nameless(Plugin& plugin);
    [[nodiscard]] std::string text_to_keep() const;
    // A page of `leases`, while it is filled.
    struct LeasePage {
        std::optional<ops::Cursor> after;  // until its place is found
        ops::PageRoom room;
        std::optional<ops::Cursor> last;
        bool has_more = false;
    };
    [[nodiscard]] ops::RpcResult list_leases(const ops::Arguments& asked) const;
    template <class Lease>
    bool fill(LeasePage& page, boost::json::array& rows, const std::string& tag,
              const std::vector<Lease>& all, const char* kind) const;

    KeptFile kept_;
    bool is_serving_ = false;
    std::uint64_t namings_ = 0;
    SideThread aside_;  // the last member: names many leases
};

}  // namespace steer::leases
