// The messages between steerdnsd and steerdns-quic: each is one datagram of a SOCK_SEQPACKET pair.
//
// The main channel has what concerns the whole process. Each thread has a channel of its own to one
// `streams` thread, with queries and their ends. A message has a head, then records with a fixed
// layout (control/host/process/message_bytes.h). A head of another version is rejected. decode_*()
// accept any bytes and return no value for an invalid message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/config/settings/server_limit_settings.h"
#include "control/config/settings/server_settings.h"
#include "control/streams/quic/first_packets.h"
#include "control/streams/quic/memory.h"
#include "control/streams/quic/query_taker.h"
#include "control/streams/quic/quic_counters.h"
#include "control/streams/quic/quic_service.h"
#include "control/streams/quic/tls.h"
#include "control/streams/quic/upstream_facts.h"
#include "matchers/prefix/ip_address.h"

namespace steer::quic {

inline constexpr std::uint16_t kMessageVersion = 4;
inline constexpr std::size_t kMaxMessage = 192 * 1024;  // bytes
// PEM texts of a certificate with its issuers, of a key, of the issuers of clients' certificates.
inline constexpr std::size_t kMaxPem = 48 * 1024;  // bytes
inline constexpr std::size_t kMaxText = 1024;      // bytes
inline constexpr unsigned kMaxThreads = 32;

enum class MainKind : std::uint16_t {
    // to steerdns-quic
    begin,          // beside it: the channel of each thread
    service,        // a server, or its new certificate
    sockets,        // beside it: the sockets of an address, one for each thread
    closed_socket,  // of an address that was removed
    draining,
    // from steerdns-quic
    service_state,  // the answer to each `service`
    alive,
    count_
};
// Of a thread's channel.
enum class ChannelKind : std::uint16_t {
    // to steerdns-quic
    ends,
    refused,
    upstream_opening,  // beside it: its socket
    upstream_asks,
    upstream_orders,
    // from steerdns-quic
    queries,
    opened,
    counts,
    upstream_ready,
    upstream_replies,
    upstream_streams,
    upstream_ended,
    count_
};

struct MessageHead {
    std::uint16_t version;
    std::uint16_t is_main;  // 1: on the main channel
    std::uint16_t kind;     // MainKind or ChannelKind
    std::uint16_t reserved;
    std::uint32_t bytes;  // of the message, this head included
    std::uint32_t count;  // of records
};
static_assert(sizeof(MessageHead) == 16);

// ---- main channel

struct Begin {
    QuicSecrets secrets;
    std::uint32_t threads = 1;
    Memory memory{};
};
struct ServiceSettings {
    std::uint16_t number = 0;
    config::ServerProtocol protocol = config::ServerProtocol::doq;
    HttpPaths http;
    config::ServerLimits limits;
    ServerTlsSettings tls;

    bool operator==(const ServiceSettings&) const = default;
};
struct AddressSockets {
    std::uint16_t service = 0;
    BoundAddress where;
};
struct ClosedSocket {
    BoundAddress where;
};
struct Draining {
    bool on = false;
};
struct ServiceState {
    std::uint16_t number = 0;
    std::string error;  // why the one before stays in use; empty: it is in use
};
struct Alive {};
using MainMessage = std::variant<Begin, ServiceSettings, AddressSockets, ClosedSocket, Draining,
                                 ServiceState, Alive>;

std::string encode(const MainMessage& message);
std::optional<MainMessage> decode_main(std::string_view bytes);

// ---- a thread's channel

// A query; then the bytes of the server's name, of the header that names the client, and of the
// message.
struct QueryRecord {
    std::uint64_t connection;
    std::int64_t stream;
    std::uint8_t client[16], local[16];
    std::uint32_t message_bytes;
    std::uint16_t client_port, local_port;  // host order
    std::uint16_t service;
    std::uint16_t path;             // of HTTP
    std::uint16_t forwarded_bytes;  // of HTTP
    std::uint8_t name_bytes;
    std::uint8_t reserved[1];
};
static_assert(sizeof(QueryRecord) == 64);

// The end of a query; then the bytes of the response.
struct EndRecord {
    std::uint64_t connection;
    std::int64_t stream;
    std::uint32_t response_bytes;
    std::uint8_t end;  // QueryEnd
    std::uint8_t reserved[3];
};
static_assert(sizeof(EndRecord) == 24);

// A handshake that is complete.
struct OpenedRecord {
    std::uint64_t connection;
    std::uint8_t client[16], local[16];
    std::uint16_t client_port, local_port;
    std::uint16_t service;
    std::uint8_t reserved[2];
};
static_assert(sizeof(OpenedRecord) == 48);

// ---- of upstreams (upstream_connections.h)

// A query for an upstream; then its bytes.
struct AskRecord {
    std::uint64_t connection;
    std::uint64_t ask;
    std::uint32_t message_bytes;
    std::uint8_t reserved[4];
};
static_assert(sizeof(AskRecord) == 24);

enum class UpstreamOrder : std::uint8_t { accept, close, cancel, count_ };
struct OrderRecord {
    std::uint64_t connection;
    std::uint64_t ask;   // of `cancel`
    std::uint8_t order;  // UpstreamOrder
    std::uint8_t reserved[7];
};
static_assert(sizeof(OrderRecord) == 24);

// The end of an ask; then the bytes of its answer.
struct ReplyRecord {
    std::uint64_t connection;
    std::uint64_t ask;
    std::uint32_t message_bytes;
    std::uint32_t age_s, retry_after_s;  // AnswerFacts
    std::uint32_t fresh_s;               // AnswerFacts
    std::uint8_t end;                    // AskEnd
    std::uint8_t reserved[7];
};
static_assert(sizeof(ReplyRecord) == 40);

// The queries that a connection takes in all.
struct StreamsRecord {
    std::uint64_t connection;
    std::uint64_t streams;
};
static_assert(sizeof(StreamsRecord) == 16);

struct UpstreamEnded {
    std::uint64_t connection = 0;
    UpstreamEnd end = UpstreamEnd::closed;
    std::string why;
};

// Gathers records for one message. Not empty: take() it when no more records come, or one does not
// fit.
class RecordBatch {
  public:
    explicit RecordBatch(ChannelKind kind) : kind_(kind) { clear(); }
    template <class Record>
    [[nodiscard]] bool fits(std::size_t more_bytes) const {
        return bytes_.size() + sizeof(Record) + more_bytes <= kMaxMessage;
    }
    template <class Record>
    void add(const Record& record, std::initializer_list<std::string_view> parts = {}) {
        bytes_.append(reinterpret_cast<const char*>(&record), sizeof record);
        for (const std::string_view part : parts)
            bytes_.append(part);
        ++count_;
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    // Its message, valid until the next change. clear() begins the next one.
    [[nodiscard]] std::string_view message();
    void clear();

  private:
    ChannelKind kind_;
    std::string bytes_;
    std::uint32_t count_ = 0;
};

// Views of the message.
struct QueryView {
    QueryRecord record;
    std::string_view server_name, forwarded_for, message;
};
struct EndView {
    EndRecord record;
    std::string_view response;
};
struct AskView {
    AskRecord record;
    std::string_view message;
};
struct ReplyView {
    ReplyRecord record;
    std::string_view message;
};
struct GrownCounts {
    std::array<std::uint64_t, kQuicCountSize> by{};  // since the last report
    OpenConnections connections{};
    std::uint64_t memory_bytes = 0;  // that the thread has now
};
using ChannelMessage =
    std::variant<std::vector<QueryView>, std::vector<EndView>, std::vector<OpenedRecord>,
                 std::vector<std::uint64_t>, GrownCounts, UpstreamOpening, std::vector<AskView>,
                 std::vector<OrderRecord>, UpstreamReady, std::vector<ReplyView>,
                 std::vector<StreamsRecord>, UpstreamEnded>;
std::optional<ChannelMessage> decode_channel(std::string_view bytes);
std::string encode(const GrownCounts& counts);
std::string encode(const UpstreamOpening& opening);
std::string encode(const UpstreamReady& ready);
std::string encode(const UpstreamEnded& ended);

}  // namespace steer::quic
