// One router's engine and its words, which go to the lists' service with those of the lists' other routers.
//
// Without sockets, threads or a clock of its own, so that a test drives it with a simulated router and a clock that it
// turns by hand; RouterThread drives it for real. All calls from one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "control/runtime/dataplane_runtime.h"
#include "control/sinks/router_findings.h"
#include "dataplane/event/event.h"
#include "routeros/router.h"

namespace steer {

// What became of answers that waited. Written by the thread of the services, read by any. `late` is the worker's to
// count (Stat::hold_late) and stays 0 here.
using OutcomeCounts =
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Outcome::count_)>;

// Acknowledgements on their way to workers: rings are tried first, what does not fit waits here.
class Acknowledger {
  public:
    explicit Acknowledger(DataplaneRuntime& runtime) : runtime_(runtime) {}
    void acknowledge(std::uint64_t hold_token, Outcome outcome);
    // Tries again; true if nothing is left.
    bool flush();

    OutcomeCounts outcomes{};

  private:
    DataplaneRuntime& runtime_;
    std::deque<std::pair<unsigned, Message>> backlog_;
};

class ListService;

class RouterService final : public routeros::RouterSink {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    RouterService(const routeros::RouterConfig& config, routeros::RouterLink& link,
                  ListService& lists, Log log, RouterFindings* findings = nullptr);

    [[nodiscard]] routeros::Router& router() { return router_; }
    [[nodiscard]] const routeros::Router& router() const { return router_; }

    void installed(routeros::ListId list, const routeros::AddressBytes& address,
                   std::uint32_t until_s) override;
    void forgotten(routeros::ListId list, const routeros::AddressBytes& address) override;
    void epoch(routeros::ListId list) override;
    void away(routeros::ListId list, bool value) override;
    void settled(std::uint64_t hold_token, routeros::Outcome outcome) override;
    void log(routeros::Level level, std::string_view sentence) override;
    void found(std::string_view version, const routeros::Findings& findings) override;
    const routeros::Findings* findings(std::string_view version) override;

  private:
    ListService& lists_;
    Log log_;
    RouterFindings* findings_;  // of all routers; nullptr: each has its own
    routeros::Router router_;
};

}  // namespace steer
