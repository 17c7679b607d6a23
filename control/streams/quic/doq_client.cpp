#include "control/streams/quic/doq_client.h"

#include <utility>

#include "control/streams/quic/doq_message.h"
#include "dataplane/dns/wire.h"

namespace steer::quic {
namespace {

constexpr auto kWrong = code_of(DoqError::protocol_error);

}  // namespace

DoqClient::~DoqClient() {
    for (const auto& [id, stream] : streams_)
        account_.give(stream.charged);
}

// Call it when a buffer may have changed its size.
void DoqClient::charge(Stream& stream) {
    constexpr std::size_t kNode =
        node_bytes<decltype(streams_)>() + 2 * sizeof(StreamId) + kAskBytes;
    stream.charged = account_.recharge(stream.charged, kNode + heap_bytes(stream.in.capacity()) +
                                                           heap_bytes(stream.out.capacity()));
}

void DoqClient::ask(std::uint64_t ask, std::span<const std::uint8_t> message) {
    const auto id = begin(ask, message.size() <= dns::kMaxMessage);
    if (!id) return;
    Stream& stream = streams_[*id];
    stream.ask = ask;
    put_framed(message, stream.out);
    charge(stream);
    to_send_.add(*id, stream);
}

void DoqClient::cancel(std::uint64_t ask) {
    const auto id = drop(ask);
    if (!id) return;
    streams_.at(*id).is_shut = true;
    control_.reset(*id, code_of(DoqError::request_cancelled));
}

// A server opens none (RFC 9250 4.2).
Application::Failure DoqClient::opened(StreamId /*stream*/) {
    return kWrong;
}

Application::Failure DoqClient::receive(StreamId id, std::span<const std::uint8_t> bytes,
                                        bool is_end) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return kWrong;
    Stream& stream = at->second;
    if (!is_waiting(stream.ask)) {  // it was cancelled, or its message is whole
        control_.consumed(bytes.size());
        return bytes.empty() || stream.is_shut ? Failure{} : Failure{kWrong};
    }
    stream.in.insert(stream.in.end(), bytes.begin(), bytes.end());
    charge(stream);
    if (exceeds_length(stream.in) || (is_end && !is_doq_message(stream.in))) {
        finish(stream.ask, AskEnd::bad);
        return kWrong;
    }
    if (!is_end) return {};
    const auto message = std::exchange(stream.in, {});
    charge(stream);
    control_.consumed(message.size());
    finish(stream.ask, AskEnd::answered, std::span(message).subspan(kDoqLengthBytes));
    return {};
}

Application::Failure DoqClient::cancelled(StreamId id, std::uint64_t /*code*/) {
    const auto at = streams_.find(id);
    if (at != streams_.end() && is_waiting(at->second.ask)) {
        finish(at->second.ask, AskEnd::failed);
        at->second.is_shut = true;
        control_.reset(id, code_of(DoqError::request_cancelled));
    }
    return {};
}

Application::Failure DoqClient::closed(StreamId id) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return {};
    Stream& stream = at->second;
    if (!stream.in.empty()) control_.consumed(stream.in.size());
    finish(stream.ask, AskEnd::failed);
    account_.give(stream.charged);
    streams_.erase(at);
    note_closed();
    return {};
}

Outgoing* DoqClient::outgoing(StreamId id) {
    const auto at = streams_.find(id);
    return at == streams_.end() ? nullptr : &at->second;
}

std::optional<Application::Output> DoqClient::next_output() {
    return to_send_.next([this](StreamId id) { return outgoing(id); });
}

void DoqClient::sent(StreamId id, std::size_t bytes) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return;
    at->second.note_sent(bytes);
    if (at->second.is_end_sent) note_sent(at->second.ask);
}

void DoqClient::blocked(StreamId id) {
    if (Outgoing* const stream = outgoing(id)) stream->is_blocked = true;
}

void DoqClient::unblocked(StreamId id) {
    if (Outgoing* const stream = outgoing(id)) to_send_.unblock(id, *stream);
}

void DoqClient::acknowledged(StreamId /*id*/, std::uint64_t /*bytes*/) {}

// The upstream wants no more of the query; its answer may still come.
void DoqClient::shut(StreamId id) {
    if (Outgoing* const stream = outgoing(id)) stream->is_shut = true;
}

}  // namespace steer::quic
