#include "control/streams/upstream/upstream_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "control/streams/base/edns_options.h"
#include "control/streams/upstream/upstream_socket.h"

namespace steer::stream {

UpstreamPool::UpstreamPool(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                           std::shared_ptr<UpstreamState> state,
                           std::unique_ptr<UpstreamTransport> transport)
    : context_(context),
      target_(std::move(target)),
      state_(std::move(state)),
      transport_(std::move(transport)),
      wake_(context.io) {}

UpstreamPool::~UpstreamPool() {
    close();
}

// ---- queries

void UpstreamPool::ask(UpstreamAsk ask, bool /*over_tcp*/) {
    context_.count(StreamCount::upstream_channel);
    if (waiting_.size() + paused_.size() >= kMaxWaiting)
        return hand_back(context_, ask, nullptr, EBUSY);
    if (open_.empty() && is_distrusted()) return hand_back(context_, ask, nullptr, EKEYREJECTED);
    const auto query = std::make_shared<Query>();
    query->serial = ++last_serial_;
    query->deadline_ms = context_.now_ms() + ask.timeout_ms;
    query->ask = std::move(ask);
    queries_.insert(query);
    wait_for_room(query);
    serve();
}

void UpstreamPool::serve() {
    if (closed_) return;
    end_pauses(context_.now_ms());
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        const QueryPtr query = *at;
        Open* const open = query->over ? nullptr : find_room(*query);
        if (open == nullptr && !query->over) {
            if (query->goes_anywhere()) break;  // then no query has a place
            ++at;
            continue;
        }
        at = waiting_.erase(at);
        query->is_waiting = false;
        if (open != nullptr) send(query, *open);
    }
    connect_more(wanted_connections());
    wake_later();
}

UpstreamPool::Open* UpstreamPool::find_room(const Query& query) {
    const std::uint64_t now = context_.now_ms();
    const bool is_full = open_.size() >= target_->max_conns;
    const auto at = std::ranges::find_if(open_, [&](const Open& open) {
        if (open.number <= query.newer_than || !has_room(open) || is_suspect(open, now))
            return false;
        return !query.goes_alone() || open.use.is_unused() ||
               (is_full && open.session->in_progress() == 0);
    });
    return at == open_.end() ? nullptr : &*at;
}

// Until an upstream announces its limit on a new connection, the last one counts.
bool UpstreamPool::has_room(const Open& open) {
    if (!open.use.has_room() || open.session->room() == 0) return false;
    const auto announced = open.session->announced_limit();
    if (announced) announced_limit_ = *announced;
    return announced || open.session->in_progress() < std::max(1U, announced_limit_);
}

void UpstreamPool::send(const QueryPtr& query, Open& open) {
    if (query->sends++ > 0) context_.count(StreamCount::upstream_again);
    ++query->asked;
    ++query->on_wire;
    if (query->goes_alone()) open.use.reserve();
    open.use.send();
    query->number = open.number;
    open.used_ms = context_.now_ms();
    const auto message = config::facts_of(target_->scheme).has_certificates
                             ? pad_query(query->ask.query, padded_)
                             : std::span<const std::uint8_t>(query->ask.query);
    open.session->ask(message, query->deadline_ms,
                      [self = shared_from_this(), query, number = open.number](
                          const SessionReply& reply) { self->on_reply(query, number, reply); });
}

void UpstreamPool::on_reply(const QueryPtr& query, std::uint64_t connection,
                            const SessionReply& reply) {
    --query->on_wire;
    if (closed_) return;
    Open* const open = find_open(connection);  // nullptr: it was closed here
    if (open != nullptr) note_end(*open, reply);
    if (query->over) return;
    if (reply.message.empty()) return on_no_reply(query, open, reply);
    Buffer* const buffer = context_.buffers.take(static_cast<std::uint32_t>(reply.message.size()));
    if (buffer == nullptr) {
        context_.count(StreamCount::upstream_no_buffer);
        return end(query, ENOBUFS);
    }
    std::copy(reply.message.begin(), reply.message.end(), buffer->data());
    buffer->length = static_cast<std::uint32_t>(reply.message.size());
    query->over = true;
    hand_back(context_, query->ask, buffer, 0);
    queries_.erase(query);
    if (std::exchange(answers_badly_, false)) state_->works(target_->text_of(reached_));
}

// The worker handles timeouts.
void UpstreamPool::end(const QueryPtr& query, int error) {
    query->over = true;
    if (error != ETIMEDOUT) hand_back(context_, query->ask, nullptr, error);
    queries_.erase(query);
}

// ---- time and change

void UpstreamPool::tick() {
    if (closed_) return;
    const std::uint64_t now = context_.now_ms();
    forget_waiting(now);
    check_attempts(now);
    check_connections(now);
    keep_connections(now);
    serve();
}

void UpstreamPool::check_attempts(std::uint64_t now_ms) {
    for (auto at = attempts_.begin(); at != attempts_.end();) {
        const std::uint64_t age_ms = now_ms - at->started_ms;
        if (age_ms >= kFreshMs && !std::exchange(at->is_late, true)) {
            route_->fails(at->path);
            if (usable(now_ms) == 0 && !route_->has_untried()) {
                const std::string waits_for = at->connect->waits_for();
                const std::string why = "connecting to " + target_->text_of(at->path.address) +
                                        ": " + (waits_for.empty() ? "no answer" : waits_for);
                report_reach(false, why);
                report_failure(why);
            }
        }
        if (age_ms >= kGiveUpMs) {
            context_.count(StreamCount::upstream_connects_failed);
            at->connect->cancel();
            at = attempts_.erase(at);
        } else {
            ++at;
        }
    }
}

void UpstreamPool::check_connections(std::uint64_t now_ms) {
    for (auto at = open_.begin(); at != open_.end();) {
        at->session->expire(now_ms);
        const std::uint64_t silent_since = at->session->silent_since_ms();
        const bool is_silent = is_suspect(*at, now_ms);
        if (is_silent && !std::exchange(at->was_suspect, true)) suspect(*at);
        if (!is_silent) at->was_suspect = false;
        const bool is_unused = at->session->in_progress() == 0;
        const bool is_idle = is_unused && now_ms - at->used_ms >= target_->idle_timeout_ms &&
                             open_.size() > target_->min_conns;
        if (is_idle || (is_silent && (is_unused || now_ms - silent_since >= kGiveUpMs))) {
            at = drop(at);
        } else {
            ++at;
        }
    }
}

void UpstreamPool::suspect(Open& open) {
    context_.count(StreamCount::upstream_silent);
    route_->falls_silent(open.path);
    for (const QueryPtr& query : queries_) {
        if (query->number != open.number || query->on_wire == 0) continue;
        query->was_silent = true;
        if (query->is_waiting || query->asked >= UpstreamPace::kAsks) continue;
        query->newer_than = last_number_;
        wait_for_room(query);
    }
}

void UpstreamPool::keep_connections(std::uint64_t now_ms) {
    if (now_ms < keep_at_ms_) return;
    const std::size_t there = usable(now_ms);
    if (there < target_->min_conns) connect_more(target_->min_conns - there);
}

void UpstreamPool::network_changed() {
    if (closed_) return;
    for (auto at = open_.begin(); at != open_.end();) {
        const auto source =
            source_towards(context_, at->path.address, target_->mark, target_->device);
        at = source == at->local ? std::next(at) : drop(at);
    }
    std::erase_if(attempts_, [&](const Attempt& attempt) {
        const IpAddress& to = attempt.path.address;
        if (source_towards(context_, to, target_->mark, target_->device) ==
            attempt.connect->local())
            return false;
        attempt.connect->cancel();
        return true;
    });
    if (route_ != nullptr) route_->network_changed();
    keep_at_ms_ = 0;
    serve();
}

void UpstreamPool::close() {
    if (std::exchange(closed_, true)) return;
    for (const Attempt& attempt : std::exchange(attempts_, {}))
        attempt.connect->cancel();
    while (!open_.empty())
        drop(open_.begin());
    if (route_ != nullptr) route_->close();
    wake_.cancel();
    waiting_.clear();
    paused_.clear();
    queries_.clear();
}

}  // namespace steer::stream
