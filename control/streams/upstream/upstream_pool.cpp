#include "control/streams/upstream/upstream_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "control/streams/base/edns_options.h"
#include "control/streams/upstream/upstream_socket.h"
#include "dataplane/forward/forwarder.h"

namespace steer::stream {
namespace {

constexpr unsigned kMaxAsked = 2;  // times, of one query

// For the worker: it was sent, and an upstream that answers it so will do so again.
int failure_of(const SessionReply& reply) {
    if (reply.retry_after_s != 0)
        return static_cast<int>(kUpstreamAsksToWait |
                                std::min(reply.retry_after_s, UpstreamPool::kLongestWaitS));
    const bool fails = reply.error == EPROTO || reply.error == ECONNRESET;
    return fails ? static_cast<int>(kUpstreamFailsQuery) : reply.error;
}

}  // namespace

UpstreamPool::UpstreamPool(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                           std::shared_ptr<UpstreamState> state,
                           std::unique_ptr<UpstreamTransport> transport)
    : context_(context),
      target_(std::move(target)),
      state_(std::move(state)),
      transport_(std::move(transport)) {}

UpstreamPool::~UpstreamPool() {
    close();
}

// ---- queries

void UpstreamPool::ask(UpstreamAsk ask, bool /*over_tcp*/) {
    context_.count(StreamCount::upstream_channel);
    if (waiting_.size() >= kMaxWaiting) return hand_back(context_, ask, nullptr, EBUSY);
    if (open_.empty() && is_distrusted()) return hand_back(context_, ask, nullptr, EKEYREJECTED);
    const auto query = std::make_shared<Query>();
    query->deadline_ms = context_.now_ms() + ask.timeout_ms;
    query->ask = std::move(ask);
    queries_.insert(query);
    waiting_.push_back(query);
    serve();
}

void UpstreamPool::serve() {
    if (closed_) return;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        const QueryPtr query = *at;
        Open* const open = query->over ? nullptr : find_room(*query);
        if (open == nullptr && !query->over) {
            if (query->newer_than == 0) break;  // then no query has a place
            ++at;
            continue;
        }
        at = waiting_.erase(at);
        if (open != nullptr) send(query, *open);
    }
    if (!waiting_.empty()) connect_more(transport_->is_multiplexed() ? 1 : waiting_.size());
}

UpstreamPool::Open* UpstreamPool::find_room(const Query& query) {
    const std::uint64_t now = context_.now_ms();
    for (Open& open : open_) {
        if (open.number > query.newer_than && open.session->room() > 0 && !is_suspect(open, now))
            return &open;
    }
    return nullptr;
}

void UpstreamPool::send(const QueryPtr& query, Open& open) {
    if (++query->asked > 1) context_.count(StreamCount::upstream_again);
    ++query->on_wire;
    query->number = open.number;
    open.used_ms = context_.now_ms();
    const auto message = config::facts_of(target_->scheme).has_certificates
                             ? pad_query(query->ask.query, padded_)
                             : std::span<const std::uint8_t>(query->ask.query);
    open.session->ask(message, query->deadline_ms,
                      [self = shared_from_this(), query](const SessionReply& reply) {
                          self->on_reply(query, reply);
                      });
}

void UpstreamPool::on_reply(const QueryPtr& query, const SessionReply& reply) {
    --query->on_wire;
    if (query->over || closed_) return;
    if (reply.message.empty()) {
        if (reply.retry_after_s != 0) {
            if (!std::exchange(answers_badly_, true))
                state_->fails("it asks to wait for " + std::to_string(reply.retry_after_s) +
                              " s (HTTP's Retry-After)");
        }
        if (reply.error == EPROTO && !std::exchange(answers_badly_, true))
            state_->fails("it is connected, but answers with an HTTP error or with no DNS");
        const bool waits = query->newer_than != 0 && query->asked < kMaxAsked;
        if (reply.again && query->asked < kMaxAsked && !waits) return ask_again(query);
        if (query->on_wire == 0 && !waits) end(query, failure_of(reply));
        return;
    }
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

// Retries on a connection that is newer than all current ones.
void UpstreamPool::ask_again(const QueryPtr& query) {
    query->newer_than = last_number_;
    waiting_.push_front(query);
    connect_more(1);
}

// The worker handles timeouts.
void UpstreamPool::end(const QueryPtr& query, int error) {
    query->over = true;
    if (error != ETIMEDOUT) hand_back(context_, query->ask, nullptr, error);
    queries_.erase(query);
}

void UpstreamPool::forget_waiting(std::uint64_t now_ms) {
    std::erase_if(waiting_, [&](const QueryPtr& query) {
        if (query->deadline_ms > now_ms && !query->over) return false;
        if (!query->over) end(query, ETIMEDOUT);
        return true;
    });
}

void UpstreamPool::fail_waiting(int error) {
    for (const QueryPtr& query : std::exchange(waiting_, {})) {
        query->asked = kMaxAsked;  // if a connection still has it, that was its last attempt
        if (!query->over && query->on_wire == 0) end(query, error);
    }
}

std::vector<UpstreamAsk> UpstreamPool::take_waiting() {
    std::vector<UpstreamAsk> taken;
    const std::uint64_t now = context_.now_ms();
    std::erase_if(waiting_, [&](const QueryPtr& query) {
        if (query->over || query->on_wire > 0 || query->deadline_ms <= now) return false;
        query->over = true;
        taken.push_back(std::move(query->ask));
        taken.back().timeout_ms = static_cast<std::uint32_t>(query->deadline_ms - now);
        queries_.erase(query);
        return true;
    });
    return taken;
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
        if (query->number != open.number || query->on_wire == 0 || query->newer_than != 0) continue;
        query->newer_than = last_number_;
        waiting_.push_front(query);
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
    waiting_.clear();
    queries_.clear();
}

}  // namespace steer::stream
