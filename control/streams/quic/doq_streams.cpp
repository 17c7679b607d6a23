#include "control/streams/quic/doq_streams.h"

#include <algorithm>
#include <utility>

#include "dataplane/dns/wire.h"

namespace steer::quic {
namespace {

// A message that may be passed on.
bool is_query(std::span<const std::uint8_t> framed) {
    constexpr std::size_t kFlagsAt = kDoqLengthBytes + 2;
    return is_doq_message(framed) && (dns::load_be16(&framed[kFlagsAt]) & dns::kQr) == 0;
}

// Memory of streams that ended, for the next ones of any connection of the thread.
constexpr std::size_t kMostSpare = 256;
constexpr std::size_t kMostSpareBytes = 1024;  // of each buffer

template <class Node>
std::vector<Node>& spare() {
    static thread_local std::vector<Node> nodes;
    return nodes;
}

template <class Streams>
typename Streams::iterator begin_stream(Streams& streams, StreamId id) {
    auto& nodes = spare<typename Streams::node_type>();
    if (nodes.empty()) return streams.try_emplace(id).first;
    auto node = std::move(nodes.back());
    nodes.pop_back();
    node.key() = id;
    return streams.insert(std::move(node)).position;
}

template <class Streams>
void end_stream(Streams& streams, typename Streams::iterator at) {
    auto& nodes = spare<typename Streams::node_type>();
    auto& stream = at->second;
    if (nodes.size() >= kMostSpare || stream.in.capacity() > kMostSpareBytes ||
        stream.out.capacity() > kMostSpareBytes) {
        streams.erase(at);
        return;
    }
    auto in = std::move(stream.in), out = std::move(stream.out);
    in.clear();
    out.clear();
    stream = {};
    stream.in = std::move(in);
    stream.out = std::move(out);
    nodes.push_back(streams.extract(at));
}

}  // namespace

// ngtcp2 has several calls for a stream, one after the other.
DoqStreams::Streams::iterator DoqStreams::find(StreamId id) {
    if (last_ == streams_.end() || last_->first != id) last_ = streams_.find(id);
    return last_;
}

DoqStreams::~DoqStreams() {
    for (const auto& [id, stream] : streams_)
        account_.give(stream.charged);
}

// Call it when a buffer may have changed its size.
void DoqStreams::charge(Stream& stream) {
    constexpr std::size_t kNode = node_bytes<Streams>() + 2 * sizeof(StreamId);  // and in a queue
    stream.charged = account_.recharge(stream.charged, kNode + heap_bytes(stream.in.capacity()) +
                                                           heap_bytes(stream.out.capacity()));
}

// Bidirectional, by the client (RFC 9250 4.3.3). Its time begins with the stream, because ngtcp2
// keeps bytes that overtook the first ones.
Application::Failure DoqStreams::opened(StreamId id) {
    if (!is_client_initiated(id) || !is_bidirectional(id))
        return quic::code_of(DoqError::protocol_error);
    last_ = begin_stream(streams_, id);
    last_->second.begun_ms = control_.now_ms();
    charge(last_->second);
    return {};
}

Application::Failure DoqStreams::receive(StreamId id, std::span<const std::uint8_t> bytes,
                                         bool is_end) {
    constexpr auto kWrong = quic::code_of(DoqError::protocol_error);
    const auto at = find(id);
    if (at == streams_.end()) return kWrong;
    Stream& stream = at->second;
    if (stream.is_whole) return bytes.empty() ? Failure{} : Failure{kWrong};
    stream.in.insert(stream.in.end(), bytes.begin(), bytes.end());
    charge(stream);
    if (exceeds_length(stream.in)) return kWrong;
    if (!is_end) return {};
    if (!is_query(stream.in)) return kWrong;
    stream.is_whole = true;
    stream.begun_ms = control_.now_ms();
    control_.consumed(stream.in.size());
    const bool is_taken =
        taker_({.stream = id, .message = std::span(stream.in).subspan(kDoqLengthBytes)});
    stream.in.clear();
    if (stream.in.capacity() > kMostSpareBytes) stream.in.shrink_to_fit();
    charge(stream);
    if (!is_taken) reset(id, stream, DoqError::excessive_load);
    return {};
}

bool DoqStreams::answer(StreamId id, QueryEnd end, std::span<const std::uint8_t> response) {
    const auto at = find(id);
    if (at == streams_.end() || at->second.is_shut || !at->second.out.empty()) return false;
    Stream& stream = at->second;
    if (end != QueryEnd::answered || response.size() > dns::kMaxMessage) {
        reset(id, stream,
              end == QueryEnd::over_limit ? DoqError::excessive_load : DoqError::internal_error);
        return true;
    }
    note_answer();
    put_framed(response, stream.out);
    charge(stream);
    unacknowledged_ += stream.out.size();
    to_send_.add(id, stream);
    return true;
}

unsigned DoqStreams::expire(std::uint64_t now_ms) {
    unsigned late = 0;
    for (auto& [id, stream] : streams_) {
        if (!stream.is_whole || stream.is_shut || !stream.out.empty() ||
            now_ms - stream.begun_ms < kAnswerMs)
            continue;
        reset(id, stream, DoqError::internal_error);
        ++late;
    }
    return late;
}

void DoqStreams::reset(StreamId id, Stream& stream, DoqError code) {
    drop_output(stream);
    control_.reset(id, quic::code_of(code));
}

Application::Failure DoqStreams::note_cancelled() {
    if (note_reset()) return {};
    return quic::code_of(DoqError::excessive_load);
}

// Its end of the stream is enough, so ours is reset.
Application::Failure DoqStreams::cancelled(StreamId id, std::uint64_t /*code*/) {
    const auto at = find(id);
    if (at == streams_.end() || at->second.is_shut) return {};
    reset(id, at->second, DoqError::request_cancelled);
    return note_cancelled();
}

Application::Failure DoqStreams::closed(StreamId id) {
    const auto at = find(id);
    if (at == streams_.end()) return {};
    Stream& stream = at->second;
    // What was never complete was never consumed.
    if (!stream.in.empty()) control_.consumed(stream.in.size());
    const bool is_cancelled = !stream.is_end_sent && !stream.is_shut;
    drop_output(stream);
    account_.give(std::exchange(stream.charged, 0));
    end_stream(streams_, at);
    last_ = streams_.end();
    return is_cancelled ? note_cancelled() : Failure{};
}

void DoqStreams::drop_output(Stream& stream) {
    unacknowledged_ -= stream.out.size() - stream.acknowledged;
    stream.acknowledged = stream.out.size();
    stream.is_shut = true;
}

Outgoing* DoqStreams::outgoing(StreamId id) {
    const auto at = find(id);
    return at == streams_.end() ? nullptr : &at->second;
}

std::optional<Application::Output> DoqStreams::next_output() {
    return to_send_.next([this](StreamId id) { return outgoing(id); });
}

void DoqStreams::sent(StreamId id, std::size_t bytes) {
    if (Outgoing* const stream = outgoing(id)) stream->note_sent(bytes);
}

void DoqStreams::blocked(StreamId id) {
    if (Outgoing* const stream = outgoing(id)) stream->is_blocked = true;
}

void DoqStreams::unblocked(StreamId id) {
    if (Outgoing* const stream = outgoing(id)) to_send_.unblock(id, *stream);
}

void DoqStreams::acknowledged(StreamId id, std::uint64_t bytes) {
    const auto at = find(id);
    if (at == streams_.end()) return;
    Stream& stream = at->second;
    const std::size_t more = std::min<std::size_t>(bytes, stream.out.size() - stream.acknowledged);
    stream.acknowledged += more;
    unacknowledged_ -= more;
}

void DoqStreams::shut(StreamId id) {
    if (const auto at = find(id); at != streams_.end()) drop_output(at->second);
}

std::optional<std::uint64_t> DoqStreams::incomplete_since_ms() const {
    // Streams begin in the order of their numbers, except for packets that overtake others.
    for (const auto& [id, stream] : streams_) {
        if (!stream.is_whole && !stream.is_shut) return stream.begun_ms;
    }
    return std::nullopt;
}

}  // namespace steer::quic
