#include "control/sinks/opnsense/opnsense_sink.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace steer::opnsense {
namespace {

constexpr std::uint64_t kPublishMs = 500;

bool is_same_access(build::OpnsensePlan a, build::OpnsensePlan b) {
    a.aliases.clear();
    b.aliases.clear();
    b.cpu_percent = a.cpu_percent;
    b.read_every_ms = a.read_every_ms;
    return a == b;
}

}  // namespace

OpnsenseSink::OpnsenseSink(boost::asio::io_context& io, SinkObserver& observer, Clock& clock,
                           AliasEngine::Log log)
    : io_(io), clock_(clock), engine_(*this, observer, std::move(log)), timer_(io) {}

OpnsenseSink::~OpnsenseSink() {
    for (const auto& lane : lanes_) {
        if (lane) lane->stop();
    }
}

void OpnsenseSink::configure(const build::OpnsensePlan& plan) {
    const bool is_new_access = !is_same_access(plan, plan_) || !lanes_.front();
    plan_ = plan;
    if (is_new_access) {
        for (auto& lane : lanes_) {
            if (lane) lane->stop();
            lane = std::make_shared<ApiLane>(io_, plan);
        }
    }
    engine_.configure(plan, is_new_access, clock_.now().ms);
    published_ms_ = 0;
    pump();
}

void OpnsenseSink::claim(const Claim& claim, std::uint64_t now_ms) {
    engine_.claim(claim, now_ms);
}

void OpnsenseSink::pause(bool on) {
    engine_.pause(on);
    published_ms_ = 0;
    pump();
}

void OpnsenseSink::ask(Lane lane, ApiRequest request) {
    const auto& connection = lanes_[lane_index(lane)];
    connection->ask(std::move(request), [this, lane](const ApiReply& reply) {
        const std::uint64_t now = clock_.now().ms;
        if (reply.why.empty()) {
            engine_.reply(lane, reply.status, reply.body, now);
        } else {
            engine_.failed(lane, reply.why, now);
        }
        pump();
    });
}

void OpnsenseSink::pump() {
    const std::uint64_t now = clock_.now().ms;
    std::uint64_t wake = now + kPublishMs;
    for (const Lane lane : {Lane::write, Lane::read}) {
        if (lanes_[lane_index(lane)]->is_busy()) continue;
        if (auto request = engine_.next(lane, now)) {
            ask(lane, *std::move(request));
        } else {
            wake = std::min(wake, std::max(engine_.wake_ms(lane), now + 1));
        }
    }
    publish(now);
    if (engine_.is_idle()) return;
    timer_.expires_after(std::chrono::milliseconds(wake - now));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) pump();
    });
}

void OpnsenseSink::publish(std::uint64_t now_ms) {
    if (published_ms_ != 0 && now_ms < published_ms_ + kPublishMs / 2) return;
    published_ms_ = now_ms;
    std::optional<RouterReport> report;
    if (!engine_.is_idle()) report = engine_.report();
    const std::scoped_lock lock(mutex_);
    report_ = std::move(report);
}

std::optional<RouterReport> OpnsenseSink::report() const {
    const std::scoped_lock lock(mutex_);
    return report_;
}

}  // namespace steer::opnsense
