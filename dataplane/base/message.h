// What threads tell each other. Fixed layout, by value through SPSC rings (rte_ring with elements);
// what a message owns is a Buffer. A full ring is the sender's to handle: drop and count, never
// wait.
#pragma once

#include <cstdint>

#include "matchers/prefix/ip_address.h"

namespace steer {

struct Buffer;
struct Parked;

enum class MessageKind : std::uint8_t {
    none,
    // worker -> worker
    ask,  // a parked query wants an upstream's answer: pointer = the Parked (read-only), token = its name's hash
    reply,  // the end of an ask: pointer = the Parked, b = UpstreamResult, buffer = the answer (nullptr: none came)
    upstream_frame,  // an mbuf that carries a reply for one of your ports: pointer = rte_mbuf
    send_upstream,  // a query that leaves by a port of yours: buffer = an UpstreamQuery and the bytes,
                    // a = upstream, b = source port
    insert,         // to the cache writer: buffer holds a cache::Insert
    query_frame,  // a query that your flow hash is for: pointer = rte_mbuf, whose `port` is the index of
                  // the sender's port; b, token: classify.h
    send_frame,  // a finished frame for a port of yours: pointer = rte_mbuf, whose `port` is its index
    // streams -> worker
    inject,  // a query over TCP or the kernel's UDP: buffer holds an InjectedQuery and the bytes
    upstream_reply,  // a kernel socket got a reply: token, buffer = the message, b = 0; or b = errno, or
                     // kForgedReplies
    // worker -> streams
    answer,          // to an inject: token, buffer = the whole response; nullptr = close/drop
    upstream_query,  // ask by kernel socket: token, buffer = an UpstreamQuery and the bytes, a = upstream,
                     // b = UpstreamVia
    // routers -> worker
    acknowledged,  // a held answer's event is settled: token = hold token, b = Outcome
};

// In place of an errno: many replies came to the query's socket, and none was its own.
inline constexpr std::uint32_t kForgedReplies = UINT32_MAX;

// How `streams` asks. Of an upstream that control told it of (Upstream::channel) it knows the rest, and
// the address in the message means nothing: `channel` is as configured, `tcp` one of UDP over TCP.
enum class UpstreamVia : std::uint32_t { udp, tcp, channel };

struct Message {
    MessageKind kind = MessageKind::none;
    std::uint8_t from = 0;  // the sender's index among its kind
    std::uint16_t a = 0;
    std::uint32_t b = 0;
    std::uint64_t token = 0;   // opaque to the receiver, brought back unchanged
    void* pointer = nullptr;   // Parked* or rte_mbuf*
    Buffer* buffer = nullptr;  // owned by the message
};
static_assert(sizeof(Message) == 32, "an element of the rings");

// In the buffer of an `inject`, followed by the query's bytes, and by what its client said besides them
// (injected_texts.h).
struct InjectedQuery {
    IpAddress client;
    IpAddress local;
    std::uint16_t client_port;  // host order
    std::uint16_t local_port;
    std::uint16_t max_size;  // 65535 over TCP; over UDP the query's EDNS size decides
    std::uint8_t stream;     // which streams thread: where the answer goes
    std::uint8_t is_udp;
    std::uint32_t length;  // of the query
    std::uint8_t server_name_length, url_path_length;
    std::uint16_t frontend;  // of TCP: Frontends::of_stream(); 0: none
};
static_assert(sizeof(InjectedQuery) == 48);

// In the buffer of an `upstream_query` (written by the forwarder) and of a `send_upstream`, followed by
// the query's bytes.
struct UpstreamQuery {
    IpAddress address;
    std::uint16_t port;        // host order
    std::uint16_t length;      // of the query
    std::uint32_t timeout_ms;  // after this the worker does not wait any more
};
static_assert(sizeof(UpstreamQuery) == 24);

}  // namespace steer
