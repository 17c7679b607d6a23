#include "control/streams/listen/quic_link.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "control/streams/base/edns_options.h"
#include "control/streams/listen/server_protocols.h"
#include "dataplane/dns/wire.h"
#include "matchers/octets.h"

namespace steer::stream {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr unsigned kMessagesPerTurn = 64;
constexpr std::size_t kMostWaiting = 1024;  // messages about upstreams

}  // namespace

QuicLink::QuicLink(StreamContext& context, Injector& injector, QuicUpstreams& upstreams,
                   QuicLinkState& state, std::vector<QuicFrontend> servers)
    : context_(context),
      injector_(injector),
      upstreams_(upstreams),
      state_(state),
      servers_(std::move(servers)),
      readable_(context.io) {}

void QuicLink::connect(Descriptor channel, std::function<void()> broken) {
    disconnect();
    Descriptor copy(::fcntl(channel.get(), F_DUPFD_CLOEXEC, 0));
    boost::system::error_code error;
    readable_.assign(copy.get(), error);
    if (copy.get() < 0 || error) return broken();
    (void)copy.take();
    channel_ = SequencedSocket(std::move(channel), quic::kMaxMessage);
    broken_ = std::move(broken);
    ++run_;
    is_connected_ = true;
    wait_to_read();
    upstreams_.use(this);
}

void QuicLink::disconnect() {
    is_connected_ = false;
    waiting_.clear();
    boost::system::error_code none;
    readable_.close(none);
    channel_ = SequencedSocket();
    ends_.clear();
    refused_.clear();
    state_.set_connections({});
    state_.memory_bytes.store(0, std::memory_order_relaxed);
    upstreams_.use(nullptr);
}

void QuicLink::wait_to_read() {
    readable_.async_wait(stream_descriptor::wait_read,
                         [self = shared_from_this(), run = run_](const auto& error) {
                             if (!error && self->is_connected_ && self->run_ == run) self->read();
                         });
}

void QuicLink::read() {
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
        std::string_view bytes;
        const auto end = channel_.receive(bytes, false);
        if (end == SequencedSocket::End::full) break;
        if (end == SequencedSocket::End::closed) return disconnect();
        const auto message =
            end == SequencedSocket::End::done ? quic::decode_channel(bytes) : std::nullopt;
        if (!message || !take(*message)) {
            disconnect();
            return broken_();
        }
    }
    flush();
    if (is_connected_) wait_to_read();
}

bool QuicLink::take(const quic::ChannelMessage& message) {
    if (const auto* const queries = std::get_if<std::vector<quic::QueryView>>(&message)) {
        for (const quic::QueryView& query : *queries)
            take_query(query);
    } else if (const auto* const opened = std::get_if<std::vector<quic::OpenedRecord>>(&message)) {
        for (const quic::OpenedRecord& one : *opened)
            take_opened(one);
    } else if (const auto* const grown = std::get_if<quic::GrownCounts>(&message)) {
        for (std::size_t i = 0; i < quic::kQuicCountSize; ++i)
            state_.counters.add(static_cast<quic::QuicCount>(i), grown->by[i]);
        state_.set_connections(grown->connections);
        state_.memory_bytes.store(grown->memory_bytes, std::memory_order_relaxed);
    } else {
        return upstreams_.take(message);
    }
    return true;
}

void QuicLink::take_query(const quic::QueryView& query) {
    const quic::QueryRecord& record = query.record;
    const auto fail = [&](quic::QueryEnd how) { end(record.connection, record.stream, how, {}); };
    if (record.service >= servers_.size() || query.message.size() < dns::kHeaderSize)
        return fail(quic::QueryEnd::unanswered);
    const QuicFrontend& server = servers_[record.service];
    const bool is_http = !server.http.paths.empty();
    if (is_http && record.path >= server.http.paths.size()) return fail(quic::QueryEnd::unanswered);
    QueryOrigin origin;
    origin.client = SocketAddress(IpAddress::from_v6(record.client), record.client_port);
    origin.local = IpAddress::from_v6(record.local);
    origin.local_port = record.local_port;
    origin.transport = facts_of(server.protocol).secured;
    origin.options = options_asked(octets_of(query.message));
    // QUIC has its own idle time (RFC 9250 5.5.2).
    if (!is_http && origin.options.keepalive) return fail(quic::QueryEnd::protocol_error);
    if (!query.forwarded_for.empty() && server.http.trusts(origin.client.address())) {
        const auto client = server.http.client_in(query.forwarded_for);
        if (!client) {
            context_.count(StreamCount::http_bad_client);
            return fail(quic::QueryEnd::bad_client);
        }
        origin.client = SocketAddress(*client, record.client_port);
    }
    if (!context_.lets_pass(LimitWhat::streams, origin.client.address(), origin.local,
                            origin.local_port)) {
        context_.count(StreamCount::streams_limited);
        return fail(quic::QueryEnd::over_limit);
    }
    if (!inject(query, server, origin)) fail(quic::QueryEnd::unanswered);
}

bool QuicLink::inject(const quic::QueryView& query, const QuicFrontend& server,
                      QueryOrigin& origin) {
    QueryMetadata metadata{.frontend = server.frontend, .server_name = query.server_name};
    if (!server.http.paths.empty()) {
        metadata.frontend = server.http.frontend_of(query.record.path);
        metadata.url_path = server.http.paths[query.record.path].path;
    }
    Buffer* const buffer = injector_.take_buffer(query.message.size(), metadata);
    if (buffer == nullptr) return false;
    std::memcpy(Injector::query_room(*buffer).data(), query.message.data(), query.message.size());
    origin.stream = take_slot({query.record.connection, query.record.stream, run_});
    if (injector_.inject(shared_from_this(), origin, buffer, query.message.size(), metadata))
        return true;
    asked_[origin.stream].run = 0;
    free_.push_back(origin.stream);
    return false;
}

std::uint32_t QuicLink::take_slot(const Asked& asked) {
    if (free_.empty()) {
        asked_.push_back(asked);
        return static_cast<std::uint32_t>(asked_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    asked_[slot] = asked;
    return slot;
}

void QuicLink::take_opened(const quic::OpenedRecord& opened) {
    const auto client = IpAddress::from_v6(opened.client);
    const auto local = IpAddress::from_v6(opened.local);
    if (context_.lets_pass(LimitWhat::connections, client, local, opened.local_port) &&
        context_.lets_pass(LimitWhat::handshakes, client, local, opened.local_port))
        return;
    if (!refused_.fits<std::uint64_t>(0)) flush();
    refused_.add(opened.connection);
}

void QuicLink::take_answer(const QueryOrigin& origin, Buffer* response) {
    const Asked asked = std::exchange(asked_[origin.stream], {});
    free_.push_back(origin.stream);
    if (!is_connected_ || asked.run != run_) {
        if (response != nullptr) context_.count(StreamCount::answers_too_late);
    } else if (response == nullptr || response->length > dns::kMaxMessage) {
        end(asked.connection, asked.stream, quic::QueryEnd::unanswered, {});
    } else {
        auto message = response->bytes();
        auto& room = context_.room;
        if (origin.options.padding && message.size() <= room.size()) {
            std::ranges::copy(message, room.begin());
            message = std::span<const std::uint8_t>(room).first(
                give_options(room, message.size(), {.padding = true}));
        }
        end(asked.connection, asked.stream, quic::QueryEnd::answered, message);
    }
    release(response);
}

void QuicLink::end(std::uint64_t connection, quic::StreamId stream, quic::QueryEnd how,
                   std::span<const std::uint8_t> response) {
    quic::EndRecord record{};
    record.connection = connection;
    record.stream = stream;
    record.response_bytes = static_cast<std::uint32_t>(response.size());
    record.end = static_cast<std::uint8_t>(how);
    if (!ends_.fits<quic::EndRecord>(response.size())) flush();
    ends_.add(record, {chars_of(response)});
}

// If the process does not read, answers are lost: their streams end there. Refused connections are
// named again.
void QuicLink::flush() {
    if (!ends_.empty()) {
        (void)say(ends_.message());
        ends_.clear();
    }
    if (refused_.empty()) return;
    if (!say(refused_.message()) && refused_.fits<std::uint64_t>(0)) return;
    refused_.clear();
}

// ---- about upstreams

void QuicLink::pass(std::string message, Descriptor beside) {
    if (!is_connected_) return;
    waiting_.push_back({std::move(message), std::move(beside)});
    if (waiting_.size() == 1) return pass_waiting();
    if (waiting_.size() != kMostWaiting) return;
    // The process does not read: it is ended.
    boost::asio::post(context_.io, [self = shared_from_this(), run = run_] {
        if (self->run_ != run || !self->is_connected_) return;
        self->disconnect();
        self->broken_();
    });
}

// What finds no room waits for it.
void QuicLink::pass_waiting() {
    while (!waiting_.empty()) {
        const Waiting& first = waiting_.front();
        const int beside = first.beside.get();
        const auto end = channel_.send(first.message, false,
                                       std::span(&beside, beside >= 0 ? std::size_t{1} : 0));
        if (end == SequencedSocket::End::full) break;
        waiting_.pop_front();
    }
    if (waiting_.empty()) return;
    readable_.async_wait(stream_descriptor::wait_write,
                         [self = shared_from_this(), run = run_](const auto& error) {
                             if (!error && self->is_connected_ && self->run_ == run)
                                 self->pass_waiting();
                         });
}

bool QuicLink::say(std::string_view message) {
    if (!is_connected_) return true;
    if (channel_.send(message, false) != SequencedSocket::End::full) return true;
    state_.counters.add(quic::QuicCount::channel_full);
    return false;
}

}  // namespace steer::stream
