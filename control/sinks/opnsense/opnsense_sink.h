// An OPNsense router as a sink of claims: the engine, its two connections, and their timer.
//
// On thread `routers`, by its io_context; nothing here waits.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/alias_engine.h"
#include "control/sinks/opnsense/api_lane.h"
#include "control/sinks/opnsense/report.h"
#include "control/sinks/routers/claim_sink.h"
#include "dataplane/base/clock.h"

namespace steer::opnsense {

class OpnsenseSink final : public ClaimSink {
  public:
    OpnsenseSink(boost::asio::io_context& io, SinkObserver& observer, Clock& clock,
                 AliasEngine::Log log);
    ~OpnsenseSink() override;
    OpnsenseSink(const OpnsenseSink&) = delete;
    OpnsenseSink& operator=(const OpnsenseSink&) = delete;

    // Call it before ListService::configure(). Without aliases it deletes its elements when their
    // leases end, and is then idle.
    void configure(const build::OpnsensePlan& plan);

    [[nodiscard]] std::vector<KeptList> lists() const override { return engine_.lists(); }
    void claim(const Claim& claim, std::uint64_t now_ms) override;
    void flush() override { pump(); }
    void pause(bool on) override;
    [[nodiscard]] SinkHealth health() const override { return engine_.health(); }
    [[nodiscard]] std::vector<NeededList> needed(std::uint64_t) const override {
        return engine_.needed();
    }

    // Any thread; at most half a second old. No value: it is idle, and its router is no longer
    // configured.
    [[nodiscard]] std::optional<RouterReport> report() const;

  private:
    void pump();
    void ask(Lane lane, ApiRequest request);
    void publish(std::uint64_t now_ms);

    boost::asio::io_context& io_;
    Clock& clock_;
    AliasEngine engine_;
    build::OpnsensePlan plan_;
    std::array<std::shared_ptr<ApiLane>, kLanes> lanes_;
    boost::asio::steady_timer timer_;
    mutable std::mutex mutex_;
    std::optional<RouterReport> report_;  // under the mutex
    std::uint64_t published_ms_ = 0;
};

}  // namespace steer::opnsense
