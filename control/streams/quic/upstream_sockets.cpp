#include "control/streams/quic/upstream_sockets.h"

#include <cerrno>
#include <utility>

#include "matchers/octets.h"

namespace steer::quic {
UpstreamSockets::UpstreamSockets(QuicCounters& counters, std::function<void(int)> follow,
                                 std::function<bool(std::string_view)> say, ThreadMemory& memory)
    : counters_(counters),
      follow_(std::move(follow)),
      say_(std::move(say)),
      connections_(*this, counters, fill_random, memory),
      memory_(memory) {}

UpstreamSockets::~UpstreamSockets() {
    for (const std::string& message : waiting_)
        memory_.give(text_bytes(message));
}

// ---- from the daemon

bool UpstreamSockets::open(const UpstreamOpening& opening, std::vector<Descriptor> beside,
                           Nanoseconds now) {
    if (beside.size() != 1 || by_connection_.contains(opening.connection)) return false;
    const QuicPath path{socket_address(opening.local), socket_address(opening.remote)};
    const int fd = beside.front().get();
    places_[fd] =
        std::make_unique<Place>(Place{opening.connection, opening.may_refuse,
                                      DatagramSocket(std::move(beside.front()), path.local, true)});
    by_connection_[opening.connection] = fd;
    follow_(fd);
    connections_.open(opening, path, now);
    return true;
}

void UpstreamSockets::take(const std::vector<AskView>& asks) {
    for (const AskView& one : asks)
        connections_.ask(one.record.connection, one.record.ask, octets_of(one.message));
}

void UpstreamSockets::take(const std::vector<OrderRecord>& orders, Nanoseconds now) {
    for (const OrderRecord& one : orders) {
        switch (static_cast<UpstreamOrder>(one.order)) {
            case UpstreamOrder::accept:
                connections_.accept(one.connection);
                break;
            case UpstreamOrder::close:
                connections_.close(one.connection, now);
                break;
            case UpstreamOrder::cancel:
                connections_.cancel(one.connection, one.ask, now);
                break;
            case UpstreamOrder::count_:
                break;
        }
    }
}

// ---- sockets

bool UpstreamSockets::read(int fd, Nanoseconds now) {
    const auto at = places_.find(fd);
    if (at == places_.end()) return false;
    Place& place = *at->second;
    const int error = place.socket.read([&](std::span<const std::uint8_t> datagram, unsigned ecn,
                                            const stream::SocketAddress& /*remote*/) {
        connections_.receive(place.connection, datagram, ecn, now);
    });
    // Others could be forged by ICMP.
    if (error == ECONNREFUSED && place.may_refuse) connections_.refused(place.connection);
    return true;
}

void UpstreamSockets::send(std::uint64_t connection, const QuicPath& path, unsigned ecn,
                           std::span<const std::uint8_t> bytes, std::size_t each) {
    const auto known = by_connection_.find(connection);
    if (known == by_connection_.end()) return;
    const std::size_t lost = places_.at(known->second)->socket.send(path.remote, ecn, bytes, each);
    if (lost > 0) counters_.add(QuicCount::datagrams_not_sent, lost);
}

void UpstreamSockets::forget(std::uint64_t connection) {
    const auto known = by_connection_.find(connection);
    if (known == by_connection_.end()) return;
    places_.erase(known->second);
    by_connection_.erase(known);
}

void UpstreamSockets::flush(Nanoseconds now) {
    connections_.flush(now);
}

// ---- to the daemon

void UpstreamSockets::take_ready(const UpstreamReady& ready) {
    add(encode(ready));
}

void UpstreamSockets::take_end(std::uint64_t connection, UpstreamEnd end, const std::string& why) {
    add(encode(UpstreamEnded{connection, end, why}));
}

void UpstreamSockets::take_streams(std::uint64_t connection, std::uint64_t streams) {
    if (!streams_.fits<StreamsRecord>(0)) close_batches();
    streams_.add(StreamsRecord{connection, streams});
}

void UpstreamSockets::take_reply(std::uint64_t connection, std::uint64_t ask, AskEnd end,
                                 std::span<const std::uint8_t> message, const AnswerFacts& facts) {
    if (waiting_.size() > kMostWaiting && end == AskEnd::answered)
        return counters_.add(QuicCount::channel_full);
    ReplyRecord record{};
    record.connection = connection;
    record.ask = ask;
    record.message_bytes = static_cast<std::uint32_t>(message.size());
    record.age_s = facts.age_s;
    record.retry_after_s = facts.retry_after_s;
    record.fresh_s = facts.fresh_s;
    record.end = static_cast<std::uint8_t>(end);
    if (!replies_.fits<ReplyRecord>(message.size())) close_batches();
    replies_.add(record, {chars_of(message)});
}

// That an upstream takes no more asks is known before the asks that it refused.
void UpstreamSockets::close_batches() {
    for (RecordBatch* const batch : {&streams_, &replies_}) {
        if (batch->empty()) continue;
        wait(std::string(batch->message()));
        batch->clear();
    }
}

// Answers that arrived before it are passed before it.
void UpstreamSockets::add(std::string message) {
    close_batches();
    wait(std::move(message));
}

void UpstreamSockets::wait(std::string message) {
    memory_.add(text_bytes(message));
    waiting_.push_back(std::move(message));
}

bool UpstreamSockets::pass() {
    close_batches();
    while (!waiting_.empty() && say_(waiting_.front())) {
        memory_.give(text_bytes(waiting_.front()));
        waiting_.pop_front();
    }
    return waiting_.empty();
}

}  // namespace steer::quic
