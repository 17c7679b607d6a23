#include "control/streams/listen/injector.h"

#include <algorithm>
#include <bit>
#include <boost/asio/post.hpp>
#include <cstring>
#include <numeric>
#include <utility>

#include "dataplane/base/injected_texts.h"
#include "dataplane/dns/wire.h"
#include "matchers/safe_text.h"

namespace steer::stream {

namespace {

std::string_view cut(std::string_view text) {
    return whole_bytes(text, kMaxTextBytes);
}

std::uint8_t lower_cased(char c) {
    return static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

}  // namespace

Injector::Injector(StreamContext& context)
    : context_(context), pending_(kInProgress), free_(kInProgress) {
    std::iota(free_.rbegin(), free_.rend(), 0U);
}

Buffer* Injector::take_buffer(std::size_t length, const QueryMetadata& metadata) {
    const std::size_t texts = cut(metadata.server_name).size() + cut(metadata.url_path).size();
    Buffer* const buffer =
        context_.buffers.take(static_cast<std::uint32_t>(sizeof(InjectedQuery) + length + texts));
    if (buffer == nullptr) context_.count(StreamCount::inject_no_buffer);
    return buffer;
}

std::span<std::uint8_t> Injector::query_room(Buffer& buffer) {
    return buffer.room().subspan(sizeof(InjectedQuery));
}

bool Injector::inject(const std::shared_ptr<ResponseHandler>& taker, const QueryOrigin& origin,
                      Buffer* query, std::size_t length, const QueryMetadata& metadata) {
    if (context_.on_notify && answer_notify(taker, origin, *query, length)) return true;
    if (free_.empty()) {
        context_.count(StreamCount::inject_table_full);
        release(query);
        return false;
    }
    const std::uint32_t i = free_.back();
    Pending& p = pending_[i];

    InjectedQuery header{};
    header.client = origin.client.address();
    header.client_port = origin.client.port();
    header.local = origin.local;
    header.local_port = origin.local_port;
    header.max_size = origin.transport == ClientTransport::udp ? kMaxUdp : std::uint16_t{65535};
    header.stream = static_cast<std::uint8_t>(context_.index);
    header.length = static_cast<std::uint32_t>(length);
    header.transport = origin.transport;
    header.frontend = metadata.frontend;
    header.trace_id = metadata.trace_id;
    const std::string_view server_name = cut(metadata.server_name),
                           url_path = cut(metadata.url_path);
    header.server_name_length = static_cast<std::uint8_t>(server_name.size());
    header.url_path_length = static_cast<std::uint8_t>(url_path.size());
    std::memcpy(query->data(), &header, sizeof header);
    auto texts = query_room(*query).subspan(length);
    std::ranges::transform(server_name, texts.begin(), lower_cased);
    std::ranges::copy(url_path, texts.begin() + header.server_name_length);
    query->length =
        static_cast<std::uint32_t>(sizeof header + length + server_name.size() + url_path.size());

    Message m;
    m.kind = MessageKind::inject;
    m.from = static_cast<std::uint8_t>(context_.index);
    m.token = (std::uint64_t{p.serial + 1} << 32) | i;
    m.buffer = query;
    const std::size_t worker = worker_for(header.client);
    Ring<Message>& ring = *context_.rings.to_worker[worker];
    if (!ring.push_quietly(m)) {
        context_.count(StreamCount::inject_ring_full);
        release(query);
        return false;
    }
    if (ring.room() < ring.capacity() / 2) {
        ring.wake();  // a batch that large does not wait
    } else {
        wake_later(worker);
    }
    free_.pop_back();
    ++p.serial;
    p.deadline_ms = context_.now_ms() + kPatienceMs;
    p.taker = taker;
    p.origin = origin;
    return true;
}

// Wakes after the handlers that are ready, so that queries of all connections are one batch.
void Injector::wake_later(std::size_t worker) {
    if (to_wake_ == 0) boost::asio::post(context_.io, [this] { wake_workers(); });
    to_wake_ |= std::uint64_t{1} << worker;
}

void Injector::wake_workers() {
    for (std::uint64_t left = std::exchange(to_wake_, 0); left != 0; left &= left - 1)
        context_.rings.to_worker[static_cast<std::size_t>(std::countr_zero(left))]->wake();
}

bool Injector::answer_notify(const std::shared_ptr<ResponseHandler>& taker,
                             const QueryOrigin& origin, Buffer& query, std::size_t length) {
    if (length < dns::kHeaderSize) return false;
    const std::span<const std::uint8_t> message = query_room(query).first(length);
    const unsigned flags = dns::load_be16(&message[2]);
    if ((flags & (dns::kQr | dns::kOpcodeMask)) != dns::kOpcodeNotify) return false;
    const auto response = context_.on_notify(origin.client.address(), origin.transport, message);
    if (response.empty() || response.size() > query.capacity) return false;
    std::ranges::copy(response, query.data());
    query.length = static_cast<std::uint32_t>(response.size());
    // Outside of the call that brought the query.
    if (ready_.empty()) boost::asio::post(context_.io, [this] { give_ready(); });
    ready_.push_back({taker, origin, &query});
    return true;
}

void Injector::give_ready() {
    for (const Ready& one : std::exchange(ready_, {})) {
        if (const auto taker = one.taker.lock()) {
            taker->take_answer(one.origin, one.response);
        } else {
            release(one.response);
        }
    }
    if (flush_) flush_();
}

Injector::~Injector() {
    for (const Ready& one : ready_)
        release(one.response);
}

void Injector::on_answer(const Message& m) {
    const auto i = static_cast<std::uint32_t>(m.token);
    if (i >= pending_.size() || pending_[i].deadline_ms == 0 ||
        pending_[i].serial != m.token >> 32) {
        context_.count(StreamCount::answers_too_late);
        release(m.buffer);
        return;
    }
    if (m.buffer == nullptr) context_.count(StreamCount::inject_unanswered);
    const auto taker = pending_[i].taker.lock();
    const QueryOrigin origin = pending_[i].origin;
    forget(i);
    if (taker) {
        taker->take_answer(origin, m.buffer);
    } else {
        context_.count(StreamCount::answers_too_late);
        release(m.buffer);
    }
}

void Injector::expire() {
    const std::uint64_t now = context_.now_ms();
    for (std::uint32_t i = 0; i < pending_.size(); ++i) {
        if (pending_[i].deadline_ms == 0 || pending_[i].deadline_ms > now) continue;
        context_.count(StreamCount::inject_lost);
        const auto taker = pending_[i].taker.lock();
        const QueryOrigin origin = pending_[i].origin;
        forget(i);
        if (taker) taker->take_answer(origin, nullptr);
    }
}

std::size_t Injector::worker_for(const IpAddress& client) const {
    std::uint64_t halves[2];
    std::memcpy(halves, client.bytes.data(), sizeof halves);
    const std::uint64_t mixed = (halves[0] ^ halves[1]) * 0x9e3779b97f4a7c15;
    return (mixed >> 32) % context_.rings.to_worker.size();
}

void Injector::forget(std::uint32_t i) {
    pending_[i].deadline_ms = 0;
    pending_[i].taker.reset();
    free_.push_back(i);
}

}  // namespace steer::stream
