// One router as a sink of claims: its engine; the observer gets the results.
//
// No sockets, threads or clock, so that a test can use a simulated router and a fake clock.
// RouterThread drives it in production. All calls from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "control/program/build/build.h"
#include "control/sinks/routers/claim_peers.h"
#include "control/sinks/routers/claim_sink.h"
#include "control/sinks/routers/router_findings.h"
#include "routeros/router.h"

namespace steer {

// The lists of a router, for ListService.
std::vector<KeptList> kept_lists(const build::RouterPlan& plan);

class RouterService final : public ClaimSink, private routeros::RouterSink {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    RouterService(const routeros::RouterConfig& config, std::vector<KeptList> lists,
                  routeros::RouterLink& link, SinkObserver& observer, Log log,
                  RouterFindings* findings = nullptr);
    // For a reload; the caller configures the engine.
    void keep(std::vector<KeptList> lists) { lists_ = std::move(lists); }
    // These peers get each claim of this appliance; nullptr: none.
    void share_with(ClaimPeers* peers) { peers_ = peers; }

    [[nodiscard]] routeros::Router& router() { return router_; }
    [[nodiscard]] const routeros::Router& router() const { return router_; }

    [[nodiscard]] std::vector<KeptList> lists() const override { return lists_; }
    void claim(const Claim& claim, std::uint64_t now_ms) override;
    [[nodiscard]] SinkHealth health() const override;
    [[nodiscard]] std::vector<NeededList> needed(std::uint64_t now_ms) const override;

  private:
    void share(const Claim& claim);
    void installed(routeros::ListId list, const routeros::AddressBytes& address,
                   std::uint32_t until_s) override;
    void ended(routeros::ListId list, const routeros::AddressBytes& address) override;
    void lost(routeros::ListId list, const routeros::AddressBytes& address) override;
    void refused(routeros::ListId list, const routeros::AddressBytes& address,
                 bool of_client) override;
    void epoch(routeros::ListId list) override;
    void away(routeros::ListId list, bool value) override;
    void settled(std::uint64_t hold_token, routeros::Outcome outcome) override;
    void log(routeros::Level level, std::string_view sentence) override;
    void found(std::string_view version, const routeros::Findings& findings) override;
    const routeros::Findings* findings(std::string_view version) override;

    const std::string name_;
    std::vector<KeptList> lists_;
    SinkObserver& observer_;
    Log log_;
    ClaimPeers* peers_ = nullptr;
    RouterFindings* findings_;  // for all routers; nullptr: each has its own
    routeros::Router router_;
};

}  // namespace steer
