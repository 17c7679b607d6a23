#include "control/api/rpc/events.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "control/api/metrics/metrics.h"
#include "control/parts.h"

namespace steer {

Parts::Maker events_part() {
    return Parts::maker<Events>();
}

ops::Audit Events::audit() {
    return [this](const std::string& line) {
        log_.tell(ops::EventKind::change, ops::EventLevel::info, line);
    };
}

void Events::write_metrics(ops::MetricWriter& writer) {
    for (std::size_t i = 0; i < ops::kTopicLabels.size(); ++i) {
        const auto topic = static_cast<ops::Topic>(i);
        writer.family("steerdns_control_subscriptions");
        writer.sample({{"topic", ops::kTopicLabels[i]}},
                      std::uint64_t{subscriptions_->count(topic)});
        writer.family("steerdns_control_notifications_lost");
        writer.sample({{"topic", ops::kTopicLabels[i]}}, subscriptions_->lost(topic));
    }
}

}  // namespace steer
