// Results of upstreams over kernel sockets for workers: replies or errors.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/streams/base/stream_context.h"

namespace steer::stream {

// A worker's query for an upstream, from its message.
struct UpstreamAsk {
    unsigned worker = 0;
    std::uint64_t token = 0;
    IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t timeout_ms = 0;
    std::uint16_t upstream = 0;  // Upstream::id
    // For the socket of the query: see prepare_socket().
    std::uint32_t mark = 0;
    std::string device{};
    // Optional callback at its end: 0 (reply) or errno.
    std::function<void(int error)> on_result{};
    // For a probe, which has no worker: called with a reply; not called without one.
    std::function<void(std::span<const std::uint8_t> reply)> on_probe_reply{};
    std::vector<std::uint8_t> query;

    // Reads a MessageKind::upstream_query; releases its buffer. `query` is empty if the message has
    // no query.
    static UpstreamAsk take(const Message& m);
    [[nodiscard]] std::uint16_t id() const;
};

// Whether it is a response with the query's id and question (in any case), or an error without a
// question. The worker checks the rest. This check prevents that a forged reply ends the wait for
// the real one. `query`: written by the forwarder.
bool is_reply_to(std::span<const std::uint8_t> query, std::span<const std::uint8_t> reply);

// `reply` = nullptr: `error` (errno, or kForgedReplies) is the reason. Takes ownership of the
// buffer; counts.
void hand_back(StreamContext& context, const UpstreamAsk& ask, Buffer* reply, int error);

}  // namespace steer::stream
