#include "control/streams/upstream/upstream_reply.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/dns/query.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

// For a query of our forwarder: one name without pointers. 0: invalid.
std::size_t find_question_end(std::span<const std::uint8_t> query) {
    std::size_t at = dns::kHeaderSize;
    while (at < query.size() && query[at] != 0)
        at += query[at] + std::size_t{1};
    at += 1 + dns::kTypeAndClass;
    return at <= query.size() ? at : 0;
}

bool same_in_any_case(std::span<const std::uint8_t> a, const std::uint8_t* b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::uint8_t x, y;
        dns::lower_case(&a[i], &x, 1);
        dns::lower_case(&b[i], &y, 1);
        if (x != y) return false;
    }
    return true;
}

}  // namespace

UpstreamAsk UpstreamAsk::take(const Message& m) {
    UpstreamAsk ask;
    ask.worker = m.from;
    ask.token = m.token;
    ask.upstream = m.a;
    UpstreamQuery header;
    const auto bytes = m.buffer->bytes();
    if (bytes.size() >= sizeof header) {
        std::memcpy(&header, bytes.data(), sizeof header);
        ask.address = header.address;
        ask.port = header.port;
        ask.timeout_ms = header.timeout_ms;
        const auto query = bytes.subspan(sizeof header);
        if (query.size() >= header.length && find_question_end(query.first(header.length)) != 0)
            ask.query.assign(query.begin(), query.begin() + header.length);
    }
    release(m.buffer);
    return ask;
}

std::uint16_t UpstreamAsk::id() const {
    return dns::load_be16(query.data());
}

bool is_reply_to(std::span<const std::uint8_t> query, std::span<const std::uint8_t> reply) {
    if (reply.size() < dns::kHeaderSize ||
        !std::equal(reply.begin(), reply.begin() + 2, query.begin()))
        return false;
    const std::uint16_t flags = dns::load_be16(&reply[2]);
    if ((flags & (dns::kQr | dns::kOpcodeMask)) != dns::kQr) return false;
    const std::uint16_t questions = dns::load_be16(&reply[4]);
    if (questions == 0) return (flags & dns::kRcodeMask) != dns::kNoError;
    const std::size_t end = find_question_end(query);
    return questions == 1 && reply.size() >= end &&
           same_in_any_case(query.first(end).subspan(dns::kHeaderSize),
                            reply.data() + dns::kHeaderSize);
}

void hand_back(StreamContext& context, const UpstreamAsk& ask, Buffer* reply, int error) {
    const bool was_reached = error == static_cast<int>(kForgedReplies);
    if (ask.on_result) ask.on_result(was_reached ? 0 : error);
    if (error == EMFILE || error == ENFILE) context.count(StreamCount::upstream_no_descriptor);
    if (ask.on_probe_reply) {
        if (reply != nullptr) ask.on_probe_reply(reply->bytes());
        return release(reply);
    }
    Message m;
    m.kind = MessageKind::upstream_reply;
    m.from = static_cast<std::uint8_t>(context.index);
    m.b = static_cast<std::uint32_t>(error);
    m.token = ask.token;
    m.buffer = reply;
    context.count(reply != nullptr ? StreamCount::upstream_replies : StreamCount::upstream_errors);
    if (context.rings.to_worker[ask.worker]->push(m)) return;
    context.count(StreamCount::reply_ring_full);
    release(reply);
}

}  // namespace steer::stream
