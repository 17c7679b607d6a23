// Queries of an upstream's session (upstream_session.h) that wait for their reply, by the number in
// the reply: a DNS id, or an HTTP/2 stream. Each ends once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/streams/upstream/upstream_session.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

struct PendingAsk {
    std::vector<std::uint8_t> query;  // as sent
    std::uint16_t id;                 // in the caller's query
    std::uint64_t deadline_ms;
    UpstreamSession::Done done;
    // Place of the byte that completes it, counted over all that its session writes; 0: it was sent.
    std::uint64_t ends_at = 0;

    // Adds `query`, which is sent with `sent_id`.
    PendingAsk(std::span<const std::uint8_t> message, std::uint16_t sent_id, std::uint64_t deadline,
               UpstreamSession::Done ended)
        : query(message.begin(), message.end()),
          id(dns::load_be16(message.data())),
          deadline_ms(deadline),
          done(std::move(ended)) {
        dns::store_be16(query.data(), sent_id);
    }
};
using PendingAsks = std::unordered_map<std::uint32_t, PendingAsk>;

// The connection of a query has ended after `written` bytes.
inline Retry retry_after_end(const PendingAsk& ask, std::uint64_t written) {
    return ask.ends_at > written ? Retry::unprocessed : Retry::lost;
}
// Ends all queries; they may be retried on another connection. Works on a moved-out set, because
// `done` may call ask() of the session.
inline void end_asks(const PendingAsks& asks, std::uint64_t written) {
    for (const auto& [number, ask] : asks)
        ask.done({.error = ECONNRESET, .retry = retry_after_end(ask, written)});
}
// The same, from the io_context: for callers that must not be called from within this call.
inline void end_asks_later(boost::asio::io_context& io, PendingAsks asks, std::uint64_t written) {
    if (asks.empty()) return;
    boost::asio::post(io, [asks = std::move(asks), written] { end_asks(asks, written); });
}

// Removes and returns queries whose deadline has passed; calls `forget` with each number.
template <class Forget>
std::vector<UpstreamSession::Done> take_late(PendingAsks& asks, std::uint64_t now_ms,
                                             Forget&& forget) {
    std::vector<UpstreamSession::Done> late;
    std::erase_if(asks, [&](auto& ask) {
        if (ask.second.deadline_ms > now_ms) return false;
        forget(ask.first);
        late.push_back(std::move(ask.second.done));
        return true;
    });
    return late;
}

}  // namespace steer::stream
