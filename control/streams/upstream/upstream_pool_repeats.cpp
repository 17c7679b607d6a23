// The pool's queries that got no answer on a connection: whether, when and where they are sent
// again.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "control/streams/upstream/upstream_pool.h"
#include "dataplane/forward/forwarder.h"

namespace steer::stream {
namespace {

// Refusals on connections that go on, after which a newer one is tried.
constexpr unsigned kRefusalsOfOne = 3;
// A worker that waits to the end of a query's time takes it for silence.
constexpr std::uint64_t kBeforeEndMs = 150;

// For the worker.
int failure_of(const SessionReply& reply) {
    if (reply.retry_after_s != 0)
        return static_cast<int>(kUpstreamAsksToWait |
                                std::min(reply.retry_after_s, UpstreamPool::kLongestWaitS));
    if (reply.retry != Retry::never) return static_cast<int>(kUpstreamDropsQuery);
    const bool fails = reply.error == EPROTO || reply.error == ECONNRESET;
    return fails ? static_cast<int>(kUpstreamFailsQuery) : reply.error;
}

std::uint64_t pause_ms(unsigned refusals) {
    return UpstreamPool::kFirstPauseMs << (refusals - 1);
}

}  // namespace

// ---- what the connections learn of it

void UpstreamPool::note_end(Open& open, const SessionReply& reply) {
    const unsigned in_progress = open.session->in_progress();
    const std::uint64_t now = context_.now_ms();
    if (!reply.message.empty() || reply.error == EPROTO) {
        pace_.answered();
        if (open.use.answer(in_progress)) pace_.recovers();
    } else if (reply.retry == Retry::never) {
        open.use.fail(in_progress);
    } else if (reply.retry == Retry::lost || open.session->is_leaving()) {
        pace_.leaves(open.use, in_progress, now);
    } else {
        open.use.refuse(in_progress);
        pace_.refused(open.use, now);
    }
}

void UpstreamPool::note_error(const SessionReply& reply) {
    const bool asks_to_wait = reply.retry_after_s != 0;
    if ((!asks_to_wait && reply.error != EPROTO) || std::exchange(answers_badly_, true)) return;
    state_->fails(asks_to_wait ? "it asks to wait for " + std::to_string(reply.retry_after_s) +
                                     " s (HTTP's Retry-After)"
                               : "it is connected, but answers with an HTTP error or with no DNS");
}

// ---- again

void UpstreamPool::on_no_reply(const QueryPtr& query, const Open* open, const SessionReply& reply) {
    note_error(reply);
    if (reply.retry != Retry::never && open != nullptr) query->was_dropped = true;
    if (reply.retry == Retry::unprocessed) {
        --query->asked;
        ++query->refusals;
        context_.count(StreamCount::upstream_refused);
    } else if (reply.retry == Retry::lost && open != nullptr) {
        context_.count(StreamCount::upstream_lost);
        if (open->use.was_alone()) {
            pace_.closed_alone();
        } else {
            --query->asked;
            ++query->losses;
        }
    }
    if (query->is_waiting || query->on_wire > 0) return;
    if (reply.retry != Retry::never && query->refusals <= kMostRefusals &&
        query->asked < pace_.asks())
        return repeat(query, open, reply.retry);
    end(query, failure_of(reply));
}

// A refused query may be sent again on the same connection (RFC 9113 8.7), a lost one only on a
// connection that is newer than all present ones.
void UpstreamPool::repeat(const QueryPtr& query, const Open* open, Retry retry) {
    const std::uint64_t now = context_.now_ms();
    const bool goes_on = open != nullptr && !open->session->is_leaving();
    const bool tries_another =
        goes_on && query->refusals % kRefusalsOfOne == 0 && open_.size() < target_->max_conns;
    std::uint64_t ready_ms = now;
    if (retry == Retry::lost || tries_another) query->newer_than = last_number_;
    // A new connection takes its time itself.
    if (retry == Retry::unprocessed && (goes_on || query->refusals > 1))
        ready_ms += pause_ms(query->refusals);
    if (ready_ms >= query->deadline_ms) return end(query, static_cast<int>(kUpstreamDropsQuery));
    if (ready_ms > now) return pause(query, ready_ms);
    wait_for_room(query);
    connect_more(wanted_connections());
}

void UpstreamPool::wait_for_room(const QueryPtr& query) {
    query->is_waiting = true;
    const bool is_last = waiting_.empty() || waiting_.back()->serial < query->serial;
    const auto after =
        is_last ? waiting_.end() : std::ranges::find_if(waiting_, [&](const QueryPtr& other) {
            return other->serial > query->serial;
        });
    waiting_.insert(after, query);
}

void UpstreamPool::pause(const QueryPtr& query, std::uint64_t ready_ms) {
    query->is_waiting = true;
    paused_.emplace(ready_ms, query);
    wake_later();
}

void UpstreamPool::end_pauses(std::uint64_t now_ms) {
    while (!paused_.empty() && paused_.begin()->first <= now_ms) {
        const QueryPtr query = std::move(paused_.begin()->second);
        paused_.erase(paused_.begin());
        if (!query->over) wait_for_room(query);
    }
}

void UpstreamPool::wake_later() {
    if (paused_.empty()) return;
    const std::uint64_t at_ms = paused_.begin()->first;
    if (wake_at_ms_ != 0 && wake_at_ms_ <= at_ms) return;
    wake_at_ms_ = at_ms;
    const std::uint64_t now = context_.now_ms();
    wake_.expires_after(std::chrono::milliseconds(at_ms > now ? at_ms - now : 0));
    wake_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (error || self == nullptr) return;
        self->wake_at_ms_ = 0;
        self->serve();
    });
}

// ---- the end of waiting

std::vector<UpstreamPool::QueryPtr> UpstreamPool::take_all_waiting() {
    std::vector<QueryPtr> all(waiting_.begin(), waiting_.end());
    waiting_.clear();
    for (const auto& [ready_ms, query] : std::exchange(paused_, {}))
        all.push_back(query);
    for (const QueryPtr& query : all)
        query->is_waiting = false;
    return all;
}

// 0: its time goes on. The upstream lives if all that it did was to refuse the query or to close
// connections.
int UpstreamPool::late_error(const Query& query, std::uint64_t now_ms) const {
    const bool is_dropped = query.on_wire == 0 && !query.was_silent &&
                            (query.sends == 0 ? pace_.is_closing() : query.was_dropped);
    if (is_dropped && query.deadline_ms <= now_ms + kBeforeEndMs)
        return static_cast<int>(kUpstreamDropsQuery);
    return query.deadline_ms <= now_ms ? ETIMEDOUT : 0;
}

void UpstreamPool::forget_waiting(std::uint64_t now_ms) {
    std::erase_if(waiting_, [&](const QueryPtr& query) {
        if (query->over) return true;
        const int error = late_error(*query, now_ms);
        if (error != 0) end(query, error);
        return error != 0;
    });
}

void UpstreamPool::fail_waiting(int error) {
    for (const QueryPtr& query : take_all_waiting()) {
        query->asked =
            UpstreamPace::kAsks;  // if a connection still has it, that was its last attempt
        if (!query->over && query->on_wire == 0) end(query, error);
    }
}

std::vector<UpstreamAsk> UpstreamPool::take_waiting() {
    std::vector<UpstreamAsk> taken;
    const std::uint64_t now = context_.now_ms();
    for (const QueryPtr& query : take_all_waiting()) {
        if (query->over) continue;
        if (query->on_wire > 0 || query->deadline_ms <= now) {
            wait_for_room(query);
            continue;
        }
        query->over = true;
        taken.push_back(std::move(query->ask));
        taken.back().timeout_ms = static_cast<std::uint32_t>(query->deadline_ms - now);
        queries_.erase(query);
    }
    return taken;
}

}  // namespace steer::stream
