// The API for all parts: the log of events, notifications to clients, the methods, and what a fleet
// shares.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/audit.h"
#include "control/api/rpc/event_log.h"
#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/methods.h"
#include "control/api/rpc/shared_entries.h"
#include "control/api/rpc/subscriptions.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"

namespace steer {

class Events final : public Part {
  public:
    static constexpr std::string_view kName = "events";
    using Needs = steer::Needs<MainLoop>;
    explicit Events(const Needs& needs)
        : subscriptions_(std::make_shared<ops::Subscriptions>(needs.get<MainLoop>().io())),
          log_(subscriptions_) {}

    void add_methods(ops::Methods& methods) override {
        subscriptions_->add_methods(methods);
        log_.add_methods(methods);
    }
    void write_metrics(ops::MetricWriter& writer) override;

    [[nodiscard]] ops::EventLog& log() { return log_; }
    [[nodiscard]] const std::shared_ptr<ops::Subscriptions>& subscriptions() const {
        return subscriptions_;
    }
    [[nodiscard]] ops::Methods& methods() { return methods_; }
    // Entries that the boxes of a fleet share; a part adds its own in start().
    [[nodiscard]] std::vector<shared::Entries*>& shared() { return shared_; }
    [[nodiscard]] const ops::JsonRpc& rpc() const { return rpc_; }

    // Logs requests that change something.
    [[nodiscard]] ops::Audit audit();

    void tell(ops::EventKind kind, ops::EventLevel level, const std::string& line) {
        log_.tell(kind, level, line);
    }

    // Logs lines about routers and sets. `level`: an enumerator of an enum like EventLevel. Any
    // thread may call it.
    [[nodiscard]] auto router_log() {
        return [this](auto level, const std::string& line) {
            using Level = decltype(level);
            static_assert(static_cast<int>(Level::info) == static_cast<int>(ops::EventLevel::info));
            static_assert(static_cast<int>(Level::warning) ==
                          static_cast<int>(ops::EventLevel::warning));
            tell(ops::EventKind::router, static_cast<ops::EventLevel>(level), line);
        };
    }

  private:
    ops::Methods methods_;
    const ops::JsonRpc rpc_{methods_};
    const std::shared_ptr<ops::Subscriptions> subscriptions_;
    ops::EventLog log_;
    std::vector<shared::Entries*> shared_;
};

}  // namespace steer
