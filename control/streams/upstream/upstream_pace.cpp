#include "control/streams/upstream/upstream_pace.h"

namespace steer::stream {

bool ConnectionUse::answer(unsigned in_progress) {
    ++answered_;
    is_reserved_ = false;
    if (batch_ == kAll || in_progress > 0) return false;
    batch_ = batch_ >= kMostBatch ? kAll : batch_ * 2;
    left_ = batch_;
    return batch_ == kAll;
}

bool UpstreamPace::may_connect(std::uint64_t now_ms, std::size_t attempts) const {
    const std::uint64_t time_ms = is_closing_ ? kClosedMs : kFirstMs;
    const auto recent = std::ranges::count_if(
        connected_ms_, [&](std::uint64_t at_ms) { return at_ms != 0 && now_ms - at_ms < time_ms; });
    return static_cast<std::size_t>(recent) + attempts < kConnections;
}

void UpstreamPace::connected(std::uint64_t now_ms) {
    connected_ms_[next_] = now_ms;
    next_ = (next_ + 1) % kConnections;
}

void UpstreamPace::answered() {
    connected_ms_.fill(0);
    lonely_closes_ = 0;
    is_closing_ = false;
}

void UpstreamPace::ends(const ConnectionUse& use, std::uint64_t now_ms) {
    if (use.is_unused()) return;
    if (use.answered() == 0) is_closing_ = true;
    if (use.batch() != ConnectionUse::kAll) limit(use.answered(), now_ms);
}

}  // namespace steer::stream
