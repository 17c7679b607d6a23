#include "control/streams/upstream/id_session.h"

#include <cerrno>
#include <utility>

#include "control/streams/upstream/upstream_reply.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

std::span<const std::uint8_t> IdSession::add(std::span<const std::uint8_t> query,
                                             std::uint64_t deadline_ms, Done done,
                                             std::uint64_t ends_at) {
    std::uint16_t id = 0;
    do {
        id = static_cast<std::uint16_t>(context_.random.next());
    } while (pending_.contains(id));
    const auto at = pending_.emplace(id, PendingAsk(query, id, deadline_ms, std::move(done))).first;
    at->second.ends_at = ends_at;
    if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = context_.now_ms();
    return at->second.query;
}

bool IdSession::take_reply(std::span<std::uint8_t> message) {
    const auto found = message.size() >= dns::kHeaderSize
                           ? pending_.find(dns::load_be16(message.data()))
                           : pending_.end();
    if (found == pending_.end() || !is_reply_to(found->second.query, message)) {
        context_.count(StreamCount::upstream_unmatched);
        return false;
    }
    dns::store_be16(message.data(), found->second.id);
    const Done done = std::move(found->second.done);
    pending_.erase(found);
    done({.message = message});
    return true;
}

void IdSession::expire(std::uint64_t now_ms) {
    const auto late = take_late(pending_, now_ms, [](std::uint32_t) {});
    for (const Done& done : late)
        done({.error = ETIMEDOUT});
    if (!late.empty() && !ended_) watcher_.on_room(*this);
}

void IdSession::stop() {
    ended_ = true;
    silent_since_ms_ = UINT64_MAX;
    disconnect();
}

void IdSession::end(const std::string& why) {
    stop();
    end_asks(std::exchange(pending_, {}), written_);
    watcher_.on_ended(*this, why);
}

void IdSession::close() {
    if (ended_) return;
    stop();
    end_asks_later(context_.io, std::exchange(pending_, {}), written_);
}

}  // namespace steer::stream
