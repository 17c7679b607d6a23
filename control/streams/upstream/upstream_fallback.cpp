#include "control/streams/upstream/upstream_fallback.h"

#include <algorithm>
#include <utility>

namespace steer::stream {

std::shared_ptr<const UpstreamTarget> fallback_of(const UpstreamTarget& target) {
    auto out = std::make_shared<UpstreamTarget>(target);
    out->scheme = target.fallback.value_or(target.scheme);
    out->fallback.reset();
    out->pipeline = true;
    out->min_conns = 0;
    return out;
}

UpstreamFallback::UpstreamFallback(StreamContext& context,
                                   const std::shared_ptr<const UpstreamTarget>& target,
                                   const std::shared_ptr<const UpstreamTarget>& other,
                                   const std::shared_ptr<UpstreamState>& state,
                                   std::unique_ptr<UpstreamTransport> transport,
                                   std::unique_ptr<UpstreamTransport> other_transport)
    : context_(context),
      target_(target),
      other_target_(other),
      state_(state),
      first_(std::make_shared<UpstreamPool>(context, target, state, std::move(transport))),
      other_(std::make_shared<UpstreamPool>(context, other, state, std::move(other_transport))) {
    first_->on_reach(
        [this](bool is_reached, const std::string& why) { on_reach(is_reached, why); });
}

UpstreamFallback::~UpstreamFallback() {
    first_->on_reach({});
}

void UpstreamFallback::ask(UpstreamAsk ask, bool over_tcp) {
    (uses_other_ ? other_ : first_)->ask(std::move(ask), over_tcp);
}

void UpstreamFallback::on_reach(bool is_reached, const std::string& why) {
    const auto name_of = [](const UpstreamTarget& target) {
        return config::facts_of(target.scheme).transport;
    };
    if (is_reached) {
        first_->set_quiet(false);
        if (std::exchange(uses_other_, false)) state_->switches_to(name_of(*target_), "it answers");
        pause_ms_ = 0;
        return;
    }
    if (!std::exchange(uses_other_, true)) {
        state_->switches_to(name_of(*other_target_), why);
        first_->set_quiet(true);
        pause_ms_ = kFirstPauseMs;
        try_at_ms_ = context_.now_ms() + pause_ms_;
    }
    for (UpstreamAsk& ask : first_->take_waiting())
        other_->ask(std::move(ask), false);
}

void UpstreamFallback::tick() {
    if (uses_other_ && context_.now_ms() >= try_at_ms_) {
        pause_ms_ = std::min(2 * pause_ms_, kLastPauseMs);
        try_at_ms_ = context_.now_ms() + pause_ms_;
        first_->try_connect();
    }
    first_->tick();
    other_->tick();
}

// The new network may let QUIC pass.
void UpstreamFallback::network_changed() {
    first_->network_changed();
    other_->network_changed();
    if (uses_other_) try_at_ms_ = context_.now_ms();
}

void UpstreamFallback::close() {
    first_->close();
    other_->close();
}

}  // namespace steer::stream
