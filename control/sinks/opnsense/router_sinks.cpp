#include "control/sinks/opnsense/router_sinks.h"

#include <memory>
#include <utility>

#include "control/sinks/opnsense/opnsense_sink.h"

namespace steer::opnsense {

void RouterSinks::configure(const std::vector<build::OpnsensePlan>& plans) {
    auto before = std::exchange(plans_, {});
    for (const build::OpnsensePlan& plan : plans) {
        before.erase(plan.name);
        plans_.emplace(plan.name, plan);
        if (const auto known = sinks_.find(plan.name); known != sinks_.end()) {
            known->second->configure(plan);
            continue;
        }
        thread_.add_sink([&](boost::asio::io_context& io, SinkObserver& observer) {
            auto sink = std::make_unique<OpnsenseSink>(io, observer, clock_, log_);
            sink->configure(plan);
            const std::scoped_lock lock(mutex_);
            sinks_.emplace(plan.name, sink.get());
            return sink;
        });
    }
    for (auto& [name, plan] : before) {
        plan.aliases.clear();
        sinks_.at(name)->configure(plan);
    }
}

std::vector<RouterReport> RouterSinks::reports() const {
    std::vector<RouterReport> all;
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, sink] : sinks_) {
        if (auto report = sink->report()) all.push_back(*std::move(report));
    }
    return all;
}

}  // namespace steer::opnsense
