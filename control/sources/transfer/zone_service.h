// All secondaries of a running daemon: their checks and transfers, and the zones that workers read.
//
// It restores kept zones at the start, before the network is up. Checks and transfers run on
// kThreads threads of their own. Each zone has at most one at a time, and all zones whose first
// primary has the same address have at most kMostPerPrimary. So up to three slow addresses do not
// delay the zones of others. When a secondary is changed or removed, its transfer is stopped. All other work is on the main thread,
// except notify(). A changed zone is published at once. An expired local zone is withdrawn. An
// expired policy zone stays in force, because without it blocked names would resolve.
//
// A primary can cause at most one check a second and zone, and one reload in kListPauseS.
//
// Answers on the control socket:
//   zones             {"zones": [{"tag", "zone", "serial", "records", "skipped", "state",
//                     "outcome", "trouble", "primary", "checked_ago_s", "next_s", "expires_s",
//                     "received_bytes", "memory_bytes", "digest"}]}
//   zones.refresh     {"tag"}: asks for the SOA now; answers with the zone's row after the check
//   zones.retransfer  {"tag"}: transfers the whole zone; answers with the zone's row
#pragma once

#include <rte_rcu_qsbr.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/host/process/published.h"
#include "control/program/build/secondary_plans.h"
#include "control/sources/transfer/kept_zone.h"
#include "control/sources/transfer/notify.h"
#include "control/sources/transfer/refresh_timer.h"
#include "dataplane/base/clock.h"

namespace steer::transfer {

class ZoneService {
  public:
    static constexpr std::size_t kThreads = 8, kMostPerPrimary = 2;
    static constexpr std::uint64_t kListPauseS = 5;
    static constexpr std::uint64_t kRefusalPauseS = 60;  // between two lines about refused NOTIFYs

    using Log = std::function<void(bool is_warning, const std::string& line)>;
    // Lists that plugins read have changed.
    using Listed = std::function<void(const std::string& what)>;

    // `qsbr`: of the workers. `exchange`: for tests.
    ZoneService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr, Log log,
                Listed listed, KeptZone::Exchange exchange = transfer::exchange);
    // Workers have ended.
    ~ZoneService();
    ZoneService(const ZoneService&) = delete;
    ZoneService& operator=(const ZoneService&) = delete;

    // Reads the kept zones of the configuration and publishes them. Blocks.
    void restore(const build::SecondaryPlans& plans);
    // Sets the present plans. The first call starts the transfers.
    void follow(const build::SecondaryPlans& plans);
    // Starts checks that are due; frees zones that no worker reads any more. Call it periodically.
    void poll();
    // Aborts running transfers and starts no more.
    void end();

    // Any thread, until the destructor.
    [[nodiscard]] Bytes notify(const IpAddress& from, ClientTransport transport, ByteSpan message) {
        return book_->answer(from, transport, message);
    }

    void add_methods(ops::Methods& methods);
    // The names that local zones in force have for addresses; at most KeptZone::kMostNames of each.
    void each_name(
        const std::function<void(const std::string& tag, const config::RecordName&)>& visit) const;
    [[nodiscard]] bool empty() const { return zones_.empty(); }
    [[nodiscard]] boost::json::object status() const;
    [[nodiscard]] std::vector<std::string> problems() const;
    // Why a zone that the program reads was never available. Empty: all were.
    [[nodiscard]] std::string missing() const;
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Zone;
    struct LiveView;
    using ZonePtr = std::shared_ptr<Zone>;

    [[nodiscard]] std::uint64_t now_s() const;
    [[nodiscard]] static double chance();
    // `reads_kept`: kept zones are read here, and not by the first check.
    void set_plans(const build::SecondaryPlans& plans, bool reads_kept);
    void set_plan(const build::SecondaryPlan& plan, const std::shared_ptr<LiveTargets>& targets,
                  bool reads_kept);
    // The zone of this plan. Another zone with the same tag is dropped and replaced.
    Zone& take_zone_for(const build::SecondaryPlan& plan);
    // Stops its job and withdraws its views.
    void drop(Zone& zone);
    void remove_unwanted();
    void retire(std::unique_ptr<LiveView>& view);
    void restored(Zone& zone, std::optional<KeptZone::Restored> kept, const std::string& remark);
    [[nodiscard]] static const IpAddress& first_primary(const Zone& zone);
    // Whether no job of this zone, or of one that had its tag, runs.
    [[nodiscard]] bool is_free(const Zone& zone) const;
    // Whether a thread is free, and the first primary has fewer than kMostPerPrimary jobs.
    [[nodiscard]] bool has_room(const Zone& zone) const;
    // Starts checks that are due, in the order of their times.
    void start_due();
    void start(const ZonePtr& zone);
    void start_merge(const ZonePtr& zone);
    void run(const ZonePtr& zone, std::function<KeptZone::Update()> work, bool is_transfer);
    void ended(Zone& zone, KeptZone::Update& update, bool is_transfer);
    void publish(Zone& zone, KeptZone::Update& update);
    void report_kept(Zone& zone, std::string remark);
    void log_remark(const Zone& zone, const std::string& remark, std::string& last);
    void log_result(Zone& zone, const KeptZone::Update& update);
    void expire(Zone& zone);
    void report_lists(std::uint64_t now);
    void report_refusal(std::uint64_t now);
    void ask(const ops::Arguments& asked, const ops::RpcDone& done, bool whole);
    [[nodiscard]] boost::json::object row_of(const Zone& zone) const;

    boost::asio::io_context& main_io_;
    Clock& clock_;
    rte_rcu_qsbr* qsbr_;
    const Log log_;
    const Listed listed_;
    const KeptZone::Exchange exchange_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::shared_ptr<NotifyBook> book_;
    std::map<std::string, ZonePtr> zones_;  // by tag
    // Tags of dropped zones whose jobs still run, and may write the files of their tag.
    std::set<std::string> leaving_;
    std::vector<std::unique_ptr<LiveView>> retired_;
    std::vector<std::string> listed_zones_;  // tags of zones with a new text
    std::uint64_t listed_s_ = 0;             // the last report of them
    std::uint64_t refusal_s_ = 0;            // the last report of a refused NOTIFY
    std::multiset<IpAddress> jobs_;          // queued or running on threads_: first primaries
    bool is_serving_ = false, is_ended_ = false;
    std::unique_ptr<boost::asio::thread_pool> threads_;  // nullptr: no transfer yet
};

}  // namespace steer::transfer
