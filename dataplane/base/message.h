// Messages between threads. Fixed layout, passed by value through SPSC rings (rte_ring with elements).
// A message owns its Buffer. The sender handles a full ring: it drops and counts the message, and never
// waits.
#pragma once

#include <cstdint>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Buffer;
struct Parked;

enum class MessageKind : std::uint8_t {
    none,
    // worker -> worker
    ask,  // a parked query needs an upstream's answer: pointer = the Parked (read-only), token = its name's hash
    reply,  // the end of an ask: pointer = the Parked, b = UpstreamResult, buffer = the answer (nullptr: none came),
            // token = the Buffer of a trail (policy/trace.h), owned; 0: none
    upstream_frame,  // an mbuf with a reply to one of the receiver's ports: pointer = rte_mbuf
    send_upstream,  // a query to send by a port of the receiver: buffer = an UpstreamQuery and the bytes,
                    // a = upstream, b = source port
    insert,         // to the cache writer: buffer holds a cache::Insert
    query_frame,  // a query whose flow belongs to the receiver: pointer = rte_mbuf, whose `port` is the index of
                  // the sender's port; b, token: classify.h
    send_frame,  // a finished frame to send by a port of the receiver: pointer = rte_mbuf, whose `port` is its index
    // streams -> worker
    inject,  // a query over TCP or the kernel's UDP: buffer holds an InjectedQuery and the bytes
    upstream_reply,  // a kernel socket got a reply: token, buffer = the message, b = 0; or b = errno, or
                     // kForgedReplies
    // worker -> streams
    answer,          // to an inject: token, buffer = the whole response; nullptr = close/drop
    upstream_query,  // ask by kernel socket: token, buffer = an UpstreamQuery and the bytes, a = upstream,
                     // b = UpstreamVia
    notify,          // a NOTIFY that a port received: buffer holds an InjectedQuery and the bytes
    // routers -> worker
    acknowledged,  // the event of a held answer is settled: token = hold token, b = Outcome
};

// In place of an errno: the query's socket received many replies, none of them for this query.
inline constexpr std::uint32_t kForgedReplies = UINT32_MAX;

// How `streams` sends the query. For an upstream with a channel (Upstream::channel) it has the settings and
// ignores the message's address. `channel`: as configured; `tcp`: over TCP although the upstream uses UDP.
enum class UpstreamVia : std::uint32_t { udp, tcp, channel };

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

// In the buffer of an `upstream_query` (written by the forwarder) and of a `send_upstream`; the query's
// bytes follow.
struct UpstreamQuery {
    IpAddress address;
    std::uint16_t port;        // host order
    std::uint16_t length;      // of the query
    std::uint32_t timeout_ms;  // then the worker stops waiting
};
static_assert(sizeof(UpstreamQuery) == 24);

}  // namespace steer
