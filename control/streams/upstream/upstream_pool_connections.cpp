// The pool's connections: opening, reuse and failure.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "control/streams/upstream/upstream_pool.h"

namespace steer::stream {
namespace {

constexpr std::size_t kLateAttempts = 4;  // at most, beside max_conns
constexpr std::uint64_t kKeepAgainMs = 10'000;
// At a time, for queries that have limited places on each connection.
constexpr std::size_t kParallelConnects = 8;

}  // namespace

std::size_t UpstreamPool::usable(std::uint64_t now_ms) const {
    return static_cast<std::size_t>(std::count_if(
        open_.begin(), open_.end(), [&](const Open& open) { return !is_suspect(open, now_ms); }));
}

std::size_t UpstreamPool::fresh_attempts(std::uint64_t now_ms) const {
    return static_cast<std::size_t>(std::count_if(
        attempts_.begin(), attempts_.end(),
        [&](const Attempt& attempt) { return now_ms - attempt.started_ms < kFreshMs; }));
}

bool UpstreamPool::is_distrusted() const {
    return context_.now_ms() < distrust_until_ms_;
}

void UpstreamPool::distrust() {
    distrust_ms_ = std::clamp(distrust_ms_ * 2, kDistrustFirstMs, kDistrustLastMs);
    distrust_until_ms_ = context_.now_ms() + distrust_ms_;
}

// (An upstream that refuses queries would refuse them on each connection.)
std::size_t UpstreamPool::wanted_connections() {
    if (waiting_.empty() || !transport_->is_multiplexed()) return waiting_.size();
    const std::uint64_t now = context_.now_ms();
    if (pace_.is_refusing(now)) {
        const bool goes_on = std::ranges::any_of(open_, [&](const Open& open) {
            return !open.session->is_leaving() && !is_suspect(open, now);
        });
        const bool go_anywhere = std::ranges::all_of(
            waiting_, [](const QueryPtr& query) { return query->goes_anywhere(); });
        return goes_on && go_anywhere ? 0 : 1;
    }
    const std::size_t batch = pace_.batch(now);
    return std::min((waiting_.size() - 1) / batch + 1, kParallelConnects);
}

void UpstreamPool::connect_more(std::size_t wanted) {
    if (is_distrusted()) return;
    const std::uint64_t now = context_.now_ms();
    const std::size_t there = usable(now);
    const std::size_t most =
        std::min<std::size_t>(target_->max_conns, context_.upstream_sockets.pooled);
    for (std::size_t fresh = fresh_attempts(now); fresh < wanted; ++fresh) {
        if (there + fresh >= most || attempts_.size() >= most + kLateAttempts ||
            !pace_.may_connect(now, fresh) || !connect())
            return;
    }
}

UpstreamRoute& UpstreamPool::route() {
    if (route_ == nullptr) {
        route_ = std::make_unique<UpstreamRoute>(context_, *target_, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_name();
        });
    }
    return *route_;
}

void UpstreamPool::try_connect() {
    if (!closed_ && usable(context_.now_ms()) == 0) connect_more(1);
}

bool UpstreamPool::connect() {
    const auto path = route().find();
    if (!path) {
        if (const auto why = route_->error()) on_failure(EHOSTUNREACH, *why);
        return false;
    }
    const std::uint64_t number = ++last_attempt_;
    auto attempt =
        transport_->connect(*path, *this, [weak = weak_from_this(), number](Connected connected) {
            if (const auto self = weak.lock()) self->on_connected(number, std::move(connected));
        });
    if (!attempt) {
        on_failure(EINVAL, attempt.error().text);
        return false;
    }
    attempts_.push_back({number, *path, context_.now_ms(), *std::move(attempt)});
    return true;
}

void UpstreamPool::on_name() {
    if (const auto why = route_->error()) return on_failure(EHOSTUNREACH, *why);
    serve();
}

void UpstreamPool::on_connected(std::uint64_t attempt, Connected connected) {
    const auto at = std::find_if(attempts_.begin(), attempts_.end(),
                                 [&](const Attempt& a) { return a.number == attempt; });
    if (at == attempts_.end()) return;
    const ConnectPath path = at->path;
    attempts_.erase(at);
    if (connected.session == nullptr) return on_connect_failure(path, connected);
    context_.count(StreamCount::upstream_connects);
    distrust_until_ms_ = distrust_ms_ = 0;
    route_->works(path);
    reached_ = path.address;
    report_reach(true, {});
    state_->works(target_->text_of(reached_));
    state_->uses(config::facts_of(target_->scheme).transport);
    if (connected.certificate.ends_s != 0)
        state_->shows_certificate(connected.certificate.subject, connected.certificate.ends_s);
    state_->add_connections(1);
    const std::uint64_t now = context_.now_ms();
    pace_.connected(now);
    open_.push_back({++last_number_, std::move(connected.session), path, connected.local, now,
                     ConnectionUse(pace_.batch(now))});
    serve();
}

void UpstreamPool::on_connect_failure(const ConnectPath& path, const Connected& connected) {
    context_.count(StreamCount::upstream_connects_failed);
    route_->fails(path);
    const std::uint64_t now = context_.now_ms();
    if (route_->has_untried()) {
        if (!waiting_.empty()) connect_more(1);
        return;
    }
    if (connected.error == EKEYREJECTED) distrust();
    if (fresh_attempts(now) == 0 && usable(now) == 0) on_failure(connected.error, connected.why);
}

void UpstreamPool::on_failure(int error, const std::string& why) {
    route_->begin_again();
    const bool is_by_path = error != EKEYREJECTED && error != EHOSTUNREACH && error != EINVAL;
    if (is_by_path) report_reach(false, why);
    report_failure(why);
    fail_waiting(error);
    keep_at_ms_ = context_.now_ms() + kKeepAgainMs;
}

void UpstreamPool::on_room(UpstreamSession& session) {
    for (Open& open : open_) {
        if (open.session.get() == &session) open.used_ms = context_.now_ms();
    }
    serve();
}

void UpstreamPool::on_ended(UpstreamSession& session, const std::string& /*why*/) {
    const auto at = std::find_if(open_.begin(), open_.end(),
                                 [&](const Open& open) { return open.session.get() == &session; });
    if (at != open_.end()) {
        pace_.ends(at->use, context_.now_ms());
        drop(at);
    }
    serve();
}

UpstreamPool::Open* UpstreamPool::find_open(std::uint64_t number) {
    const auto at = std::ranges::find(open_, number, &Open::number);
    return at == open_.end() ? nullptr : &*at;
}

std::list<UpstreamPool::Open>::iterator UpstreamPool::drop(std::list<Open>::iterator open) {
    open->session->close();
    state_->add_connections(-1);
    return open_.erase(open);
}

}  // namespace steer::stream
