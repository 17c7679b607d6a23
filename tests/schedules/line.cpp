#include "schedules/line.h"

#include <algorithm>
#include <utility>

namespace steer::schedules {

namespace {

constexpr unsigned kMaxTicks = 200;  // of one moment

}  // namespace

Line::Line(rossim::Router& sim, const std::int64_t& now_us, Tell tell)
    : sim_(sim), now_us_(now_us), tell_(std::move(tell)) {}

// --- the engine's side ---------------------------------------------------------------------------

// A lost SYN is repeated after a second.
void Line::connect() {
    connect_at_us_ = dark() ? dark_until_us_ + 1'000'000 : now_us_;
}

void Line::close() {
    connect_at_us_ = kNever;
    if (session_) sim_.close(*session_, now_us_);
    session_.reset();
    sent_.clear();
    arrived_.clear();
    ended_ = false;
    cut_.reset();
}

void Line::send(std::string_view bytes) {
    if (!session_ || cut_) return;
    if (std::exchange(cut_in_next_, false)) {
        sim_.feed(*session_, bytes.substr(0, bytes.size() / 2), now_us_);
        return cut("connection reset by peer");
    }
    if (dark())
        sent_ += bytes;
    else
        sim_.feed(*session_, bytes, now_us_);
}

// --- the world's side ----------------------------------------------------------------------------

void Line::cut(std::string_view why) {
    if (!session_) return;
    sim_.close(*session_, now_us_);
    session_.reset();
    arrived_.clear();
    sent_.clear();
    cut_ = why;
}

void Line::arrived(const rossim::Output& output) {
    arrived_ += output.bytes;
    if (!output.close) return;
    ended_ = true;
    session_.reset();
}

std::int64_t Line::deadline_us() const {
    const std::uint64_t deadline_ms = engine_->next_deadline();
    if (deadline_ms > static_cast<std::uint64_t>(kNever) / 1000) return kNever;
    return static_cast<std::int64_t>(deadline_ms) * 1000;
}

std::int64_t Line::next_event_us() const {
    if (frozen()) return frozen_until_us_;
    if (cut_) return now_us_;
    std::int64_t next = std::min(deadline_us(), connect_at_us_);
    const bool waiting = !arrived_.empty() || ended_;
    if (dark())
        next = std::min(next, dark_until_us_);
    else if (waiting)
        next = now_us_;
    return std::max(next, now_us_);
}

void Line::finish_connect() {
    connect_at_us_ = kNever;
    session_ = sim_.open(now_us_);
    if (session_)
        engine_->connected(now_ms());
    else
        engine_->closed("connection refused", now_ms());
}

void Line::deliver() {
    if (!sent_.empty() && session_) sim_.feed(*session_, std::exchange(sent_, {}), now_us_);
    if (!arrived_.empty()) engine_->received(std::exchange(arrived_, {}), now_ms());
    if (ended_ && arrived_.empty()) {
        ended_ = false;
        tell_("closed by the router");
        engine_->closed("closed by the router", now_ms());
    }
}

bool Line::run() {
    if (frozen()) return true;
    if (cut_) {
        const std::string why = *std::exchange(cut_, std::nullopt);
        tell_("cut");
        engine_->closed(why, now_ms());
    }
    if (now_us_ >= connect_at_us_) finish_connect();
    if (!dark()) deliver();
    if (deadline_us() > now_us_) return true;
    ticks_ = ticked_us_ == now_us_ ? ticks_ + 1 : 0;
    ticked_us_ = now_us_;
    engine_->tick(now_ms());
    return ticks_ < kMaxTicks;
}

}  // namespace steer::schedules
