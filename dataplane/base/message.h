// Messages between threads. They have a fixed layout and are passed by value through SPSC rings
// (rte_ring with elements). A message owns its Buffer. If a ring is full, the sender drops and
// counts the message; it never waits.
#pragma once

#include <cstdint>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Buffer;
struct Parked;

enum class MessageKind : std::uint8_t {
    none,
    // ---- worker -> worker
    // A parked query needs an upstream's answer: pointer = the Parked (read-only), token = hash of
    // its name.
    ask,
    // The end of an ask: pointer = the Parked, b = UpstreamResult, buffer = the answer (nullptr:
    // there is none), token = the Buffer of a trail (policy/trace.h), owned; 0: none.
    reply,
    // An mbuf with a reply to one of the receiver's ports: pointer = rte_mbuf.
    upstream_frame,
    // A query to send by a port of the receiver: buffer = an UpstreamQuery and the bytes, a =
    // upstream, b = source port.
    send_upstream,
    // To the cache writer of its shard: buffer holds a cache::Insert.
    insert,
    // A query whose flow belongs to the receiver: pointer = rte_mbuf; its `port` is the index of
    // the sender's port. b, token: classify.h.
    query_frame,
    // A finished frame to send by a port of the receiver: pointer = rte_mbuf; its `port` is the
    // port's index.
    send_frame,
    // ---- streams -> worker
    // A query over TCP or the kernel's UDP: buffer holds an InjectedQuery and the bytes.
    inject,
    // A kernel socket got a reply: token, buffer = the message, b = 0. Or it failed: b = errno, or
    // kForgedReplies.
    upstream_reply,
    // ---- worker -> streams
    // To an inject: token, buffer = the whole response; nullptr = close or drop.
    answer,
    // Send by kernel socket: token, buffer = an UpstreamQuery and the bytes, a = upstream, b =
    // UpstreamVia.
    upstream_query,
    // A NOTIFY that a port received: buffer holds an InjectedQuery and the bytes.
    notify,
    // ---- routers -> worker
    // The event of a held answer is settled: token = hold token, b = Outcome.
    acknowledged,
};

// Replaces an errno: the query's socket received many replies, none of them for this query.
inline constexpr std::uint32_t kForgedReplies = UINT32_MAX;

// How `streams` sends the query. For an upstream with a channel (Upstream::channel) it has the
// settings and ignores the message's address. `channel`: as configured; `tcp`: over TCP although
// the upstream uses UDP.
// engine: over UDP, to a program of the daemon's own (Upstream::is_engine).
enum class UpstreamVia : std::uint32_t { udp, tcp, channel, engine };

struct Message {
    MessageKind kind = MessageKind::none;
    std::uint8_t from = 0;  // the sender's index among the threads of its kind
    std::uint16_t a = 0;
    std::uint32_t b = 0;
    std::uint64_t token = 0;   // opaque to the receiver, returned unchanged
    void* pointer = nullptr;   // Parked* or rte_mbuf*
    Buffer* buffer = nullptr;  // owned by the message
};
static_assert(sizeof(Message) == 32, "an element of the rings");

// In the buffer of an `inject`, followed by the query's bytes and by the client's texts
// (injected_texts.h).
struct InjectedQuery {
    IpAddress client;
    IpAddress local;
    std::uint16_t client_port;  // host order
    std::uint16_t local_port;
    std::uint16_t max_size;  // 65535 over TCP; over UDP the query's EDNS size decides
    std::uint8_t stream;     // which streams thread: where the answer goes
    ClientTransport transport;
    std::uint32_t length;  // of the query
    std::uint8_t server_name_length, url_path_length;
    std::uint16_t frontend;  // of TCP: Frontends::of_stream(); 0: none
    std::uint64_t trace_id;  // 0: not traced (policy/trace.h)
};
static_assert(sizeof(InjectedQuery) == 56);

// In the buffer of an `upstream_query` (written by the forwarder) and of a `send_upstream`; the
// query's bytes follow.
struct UpstreamQuery {
    IpAddress address;
    std::uint16_t port;        // host order
    std::uint16_t length;      // of the query
    std::uint32_t timeout_ms;  // then the worker stops waiting
};
static_assert(sizeof(UpstreamQuery) == 24);

}  // namespace steer
