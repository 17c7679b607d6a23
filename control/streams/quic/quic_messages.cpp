#include "control/streams/quic/quic_messages.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <type_traits>
#include <utility>

#include "control/host/process/message_bytes.h"

namespace steer::quic {
namespace {

constexpr std::size_t kMaxRecords = kMaxMessage / sizeof(std::uint64_t);
constexpr std::size_t kMaxProtocols = 4;
constexpr std::size_t kMaxDnsMessage = 65'535;

template <class Kind>
constexpr std::uint16_t kIsMain = std::is_same_v<Kind, MainKind> ? 1 : 0;

template <class Kind>
MessageHead head_of(Kind kind, std::size_t bytes, std::uint32_t count) {
    return {kMessageVersion,
            kIsMain<Kind>,
            static_cast<std::uint16_t>(kind),
            0,
            static_cast<std::uint32_t>(bytes),
            count};
}

template <class Kind>
class Writer : public MessageWriter {
  public:
    explicit Writer(Kind kind) : kind_(kind) { put(MessageHead{}); }
    void put_address(const BoundAddress& where) {
        put(where.address.bytes);
        put(where.port);
        put(where.scope);
    }
    std::string finish() && {
        replace(0, head_of(kind_, size(), 0));
        return std::move(static_cast<MessageWriter&>(*this)).finish();
    }

  private:
    Kind kind_;
};

class Reader : public MessageReader {
  public:
    using MessageReader::MessageReader;
    BoundAddress take_address() {
        BoundAddress where;
        const auto bytes = take<std::array<std::uint8_t, 16>>();
        where.address = IpAddress::from_v6(bytes.data());
        where.port = take<std::uint16_t>();
        where.scope = take<std::uint32_t>();
        return where;
    }
};

struct Encode {
    std::string operator()(const Begin& begin) const {
        Writer out(MainKind::begin);
        out.put(begin.secrets.tokens);
        out.put(begin.secrets.resets);
        out.put(begin.threads);
        out.put(begin.memory.bytes);
        out.put(begin.memory.reserve);
        out.put(begin.memory.data);
        return std::move(out).finish();
    }
    std::string operator()(const ServiceSettings& service) const {
        Writer out(MainKind::service);
        out.put(service.number);
        out.put(static_cast<std::uint8_t>(service.protocol));
        out.put_text(service.http.client_header, kMaxText);
        out.put(static_cast<std::uint16_t>(service.http.paths.size()));
        for (const stream::ServedPath& path : service.http.paths) {
            out.put_text(path.path, kMaxText);
            out.put(static_cast<std::uint8_t>(path.json));
        }
        out.put(std::int64_t{service.limits.idle_timeout.count()});
        out.put(service.limits.max_connections);
        out.put(service.limits.max_connections_per_client);
        out.put(service.limits.max_queries);
        for (const std::string* const pem :
             {&service.tls.chain, &service.tls.key, &service.tls.client_ca})
            out.put_text(*pem, kMaxPem);
        out.put(static_cast<std::uint8_t>(service.tls.require_client_cert));
        out.put(static_cast<std::uint8_t>(service.tls.early_data));
        out.put_text(service.tls.ticket_key, kTicketKeyBytes);
        out.put(static_cast<std::uint16_t>(service.tls.protocols.size()));
        for (const std::string& protocol : service.tls.protocols)
            out.put_text(protocol, kMaxText);
        return std::move(out).finish();
    }
    std::string operator()(const AddressSockets& sockets) const {
        Writer out(MainKind::sockets);
        out.put(sockets.service);
        out.put_address(sockets.where);
        return std::move(out).finish();
    }
    std::string operator()(const ClosedSocket& socket) const {
        Writer out(MainKind::closed_socket);
        out.put_address(socket.where);
        return std::move(out).finish();
    }
    std::string operator()(const Draining& draining) const {
        Writer out(MainKind::draining);
        out.put(static_cast<std::uint8_t>(draining.on));
        return std::move(out).finish();
    }
    std::string operator()(const ServiceState& state) const {
        Writer out(MainKind::service_state);
        out.put(state.number);
        out.put_text(state.error, kMaxText);
        return std::move(out).finish();
    }
    std::string operator()(const Alive&) const { return Writer(MainKind::alive).finish(); }
};

ServiceSettings take_service(Reader& in) {
    ServiceSettings service;
    service.number = in.take<std::uint16_t>();
    service.protocol = static_cast<config::ServerProtocol>(in.take<std::uint8_t>());
    in.require(service.protocol < config::ServerProtocol::count_ &&
               config::is_over_quic(service.protocol));
    service.http.client_header = in.take_text(kMaxText);
    const auto paths = in.take<std::uint16_t>();
    in.require(paths <= config::kMaxHttp3Paths);
    for (unsigned i = 0; i < paths && in.good(); ++i)
        service.http.paths.push_back({in.take_text(kMaxText), in.take_bool()});
    service.limits.idle_timeout = std::chrono::milliseconds(in.take<std::int64_t>());
    service.limits.max_connections = in.take<std::uint32_t>();
    service.limits.max_connections_per_client = in.take<std::uint32_t>();
    service.limits.max_queries = in.take<std::uint32_t>();
    for (std::string* const pem : {&service.tls.chain, &service.tls.key, &service.tls.client_ca})
        *pem = in.take_text(kMaxPem);
    service.tls.require_client_cert = in.take_bool();
    service.tls.early_data = in.take_bool();
    service.tls.ticket_key = in.take_text(kTicketKeyBytes);
    const auto protocols = in.take<std::uint16_t>();
    in.require(protocols >= 1 && protocols <= kMaxProtocols);
    in.require(service.limits.idle_timeout.count() > 0);
    for (unsigned i = 0; i < protocols && in.good(); ++i)
        service.tls.protocols.push_back(in.take_text(kMaxText));
    return service;
}

template <class Kind>
std::optional<MessageHead> take_head(Reader& in, std::string_view bytes) {
    const auto head = in.take<MessageHead>();
    if (!in.good() || head.version != kMessageVersion || head.is_main != kIsMain<Kind> ||
        head.reserved != 0 || head.bytes != bytes.size() || bytes.size() > kMaxMessage ||
        head.kind >= static_cast<std::uint16_t>(Kind::count_))
        return std::nullopt;
    return head;
}

std::vector<QueryView> take_queries(Reader& in, std::uint32_t count) {
    std::vector<QueryView> all;
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        QueryView one{in.take<QueryRecord>(), {}, {}, {}};
        in.require(one.record.message_bytes <= kMaxDnsMessage && one.record.stream >= 0);
        one.server_name = in.take_view(one.record.name_bytes);
        one.forwarded_for = in.take_view(one.record.forwarded_bytes);
        one.message = in.take_view(one.record.message_bytes);
        all.push_back(one);
    }
    return all;
}

std::vector<EndView> take_ends(Reader& in, std::uint32_t count) {
    std::vector<EndView> all;
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        EndView one{in.take<EndRecord>(), {}};
        in.require(one.record.response_bytes <= kMaxDnsMessage &&
                   one.record.end < static_cast<std::uint8_t>(QueryEnd::count_));
        one.response = in.take_view(one.record.response_bytes);
        all.push_back(one);
    }
    return all;
}

template <class Record>
std::vector<Record> take_records(Reader& in, std::uint32_t count) {
    std::vector<Record> all;
    for (std::uint32_t i = 0; i < count && in.good(); ++i)
        all.push_back(in.take<Record>());
    return all;
}

bool is_asked(const OrderRecord& record) {
    return record.order < static_cast<std::uint8_t>(UpstreamOrder::count_);
}

std::vector<OrderRecord> take_orders(Reader& in, std::uint32_t count) {
    auto all = take_records<OrderRecord>(in, count);
    in.require(std::ranges::all_of(all, is_asked));
    return all;
}

std::vector<AskView> take_asks(Reader& in, std::uint32_t count) {
    std::vector<AskView> all;
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        AskView one{in.take<AskRecord>(), {}};
        in.require(one.record.message_bytes <= kMaxDnsMessage);
        one.message = in.take_view(one.record.message_bytes);
        all.push_back(one);
    }
    return all;
}

std::vector<ReplyView> take_replies(Reader& in, std::uint32_t count) {
    std::vector<ReplyView> all;
    for (std::uint32_t i = 0; i < count && in.good(); ++i) {
        ReplyView one{in.take<ReplyRecord>(), {}};
        in.require(one.record.message_bytes <= kMaxDnsMessage &&
                   one.record.end < static_cast<std::uint8_t>(AskEnd::count_));
        one.message = in.take_view(one.record.message_bytes);
        all.push_back(one);
    }
    return all;
}

template <class Enum>
Enum take_enum(Reader& in) {
    const auto value = in.take<std::uint8_t>();
    in.require(value < static_cast<std::uint8_t>(Enum::count_));
    return in.good() ? static_cast<Enum>(value) : Enum{};
}

UpstreamOpening take_opening(Reader& in) {
    UpstreamOpening opening;
    opening.connection = in.take<std::uint64_t>();
    opening.tickets = in.take<std::uint64_t>();
    opening.local = in.take_address();
    opening.remote = in.take_address();
    opening.idle_ms = in.take<std::uint32_t>();
    opening.keeps_alive = in.take_bool();
    opening.early_data = in.take_bool();
    opening.may_refuse = in.take_bool();
    opening.protocol = take_enum<UpstreamProtocol>(in);
    opening.server_name = in.take_text(kMaxText);
    opening.http.authority = in.take_text(kMaxText);
    opening.http.path = in.take_text(kMaxText);
    return opening;
}

UpstreamReady take_ready(Reader& in) {
    UpstreamReady ready;
    ready.connection = in.take<std::uint64_t>();
    ready.streams = in.take<std::uint64_t>();
    ready.is_resumed = in.take_bool();
    const auto count = in.take<std::uint16_t>();
    in.require(count <= kMostCertificates);
    std::size_t bytes = 0;
    for (unsigned i = 0; i < count && in.good(); ++i) {
        const auto size = in.take<std::uint32_t>();
        bytes += size;
        in.require(bytes <= kMostChainBytes);
        ready.chain.push_back(in.take_bytes(size));
    }
    return ready;
}

UpstreamEnded take_ended(Reader& in) {
    UpstreamEnded ended;
    ended.connection = in.take<std::uint64_t>();
    ended.end = take_enum<UpstreamEnd>(in);
    ended.why = in.take_text(kMaxText);
    return ended;
}

GrownCounts take_counts(Reader& in) {
    GrownCounts grown;
    grown.by = in.take<std::array<std::uint64_t, kQuicCountSize>>();
    grown.connections = in.take<OpenConnections>();
    grown.memory_bytes = in.take<std::uint64_t>();
    return grown;
}

}  // namespace

std::string encode(const MainMessage& message) {
    return std::visit(Encode{}, message);
}

std::optional<MainMessage> decode_main(std::string_view bytes) {
    Reader in(bytes);
    const auto head = take_head<MainKind>(in, bytes);
    if (!head || head->count != 0) return std::nullopt;
    MainMessage out;
    switch (static_cast<MainKind>(head->kind)) {
        case MainKind::begin: {
            Begin begin;
            begin.secrets.tokens = in.take<std::array<std::uint8_t, 32>>();
            begin.secrets.resets = in.take<std::array<std::uint8_t, 32>>();
            begin.threads = in.take<std::uint32_t>();
            in.require(begin.threads >= 1 && begin.threads <= kMaxThreads);
            begin.memory.bytes = in.take<std::uint64_t>();
            begin.memory.reserve = in.take<std::uint64_t>();
            begin.memory.data = in.take<std::uint64_t>();
            in.require(begin.memory.reserve <= begin.memory.bytes);
            out = begin;
            break;
        }
        case MainKind::service:
            out = take_service(in);
            break;
        case MainKind::sockets: {
            AddressSockets sockets;
            sockets.service = in.take<std::uint16_t>();
            sockets.where = in.take_address();
            out = sockets;
            break;
        }
        case MainKind::closed_socket:
            out = ClosedSocket{in.take_address()};
            break;
        case MainKind::draining:
            out = Draining{in.take_bool()};
            break;
        case MainKind::service_state: {
            ServiceState state;
            state.number = in.take<std::uint16_t>();
            state.error = in.take_text(kMaxText);
            out = std::move(state);
            break;
        }
        case MainKind::alive:
            out = Alive{};
            break;
        case MainKind::count_:
            return std::nullopt;
    }
    if (!in.is_whole()) return std::nullopt;
    return out;
}

void RecordBatch::clear() {
    bytes_.assign(sizeof(MessageHead), '\0');
    count_ = 0;
}

std::string_view RecordBatch::message() {
    const MessageHead head = head_of(kind_, bytes_.size(), count_);
    std::memcpy(bytes_.data(), &head, sizeof head);
    return bytes_;
}

std::string encode(const GrownCounts& counts) {
    Writer out(ChannelKind::counts);
    out.put(counts.by);
    out.put(counts.connections);
    out.put(counts.memory_bytes);
    return std::move(out).finish();
}

std::string encode(const UpstreamOpening& opening) {
    Writer out(ChannelKind::upstream_opening);
    out.put(opening.connection);
    out.put(opening.tickets);
    out.put_address(opening.local);
    out.put_address(opening.remote);
    out.put(opening.idle_ms);
    out.put(static_cast<std::uint8_t>(opening.keeps_alive));
    out.put(static_cast<std::uint8_t>(opening.early_data));
    out.put(static_cast<std::uint8_t>(opening.may_refuse));
    out.put(static_cast<std::uint8_t>(opening.protocol));
    out.put_text(opening.server_name, kMaxText);
    out.put_text(opening.http.authority, kMaxText);
    out.put_text(opening.http.path, kMaxText);
    return std::move(out).finish();
}

std::string encode(const UpstreamReady& ready) {
    Writer out(ChannelKind::upstream_ready);
    out.put(ready.connection);
    out.put(ready.streams);
    out.put(static_cast<std::uint8_t>(ready.is_resumed));
    out.put(static_cast<std::uint16_t>(ready.chain.size()));
    for (const std::string& one : ready.chain) {
        out.put(static_cast<std::uint32_t>(one.size()));
        out.put_bytes(one);
    }
    return std::move(out).finish();
}

std::string encode(const UpstreamEnded& ended) {
    Writer out(ChannelKind::upstream_ended);
    out.put(ended.connection);
    out.put(static_cast<std::uint8_t>(ended.end));
    out.put_text(ended.why, kMaxText);
    return std::move(out).finish();
}

std::optional<ChannelMessage> decode_channel(std::string_view bytes) {
    Reader in(bytes);
    const auto head = take_head<ChannelKind>(in, bytes);
    if (!head || head->count > kMaxRecords) return std::nullopt;
    ChannelMessage out;
    switch (static_cast<ChannelKind>(head->kind)) {
        case ChannelKind::queries:
            out = take_queries(in, head->count);
            break;
        case ChannelKind::ends:
            out = take_ends(in, head->count);
            break;
        case ChannelKind::opened:
            out = take_records<OpenedRecord>(in, head->count);
            break;
        case ChannelKind::refused:
            out = take_records<std::uint64_t>(in, head->count);
            break;
        case ChannelKind::counts:
            in.require(head->count == 0);
            out = take_counts(in);
            break;
        case ChannelKind::upstream_opening:
            in.require(head->count == 0);
            out = take_opening(in);
            break;
        case ChannelKind::upstream_asks:
            out = take_asks(in, head->count);
            break;
        case ChannelKind::upstream_orders:
            out = take_orders(in, head->count);
            break;
        case ChannelKind::upstream_ready:
            in.require(head->count == 0);
            out = take_ready(in);
            break;
        case ChannelKind::upstream_replies:
            out = take_replies(in, head->count);
            break;
        case ChannelKind::upstream_streams:
            out = take_records<StreamsRecord>(in, head->count);
            break;
        case ChannelKind::upstream_ended:
            in.require(head->count == 0);
            out = take_ended(in);
            break;
        case ChannelKind::count_:
            return std::nullopt;
    }
    if (!in.is_whole()) return std::nullopt;
    return out;
}

}  // namespace steer::quic
