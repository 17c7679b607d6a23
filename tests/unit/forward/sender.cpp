#include "sender.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace steer::test {

unsigned draws(unsigned usual) {
    const char* const text = std::getenv("STEER_DRAWS");
    return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : usual;
}

Sender::Sender(const ForwarderOptions& options, std::string_view name, NextHop::Via via,
               Channel channel)
    : forwarder_(options, buffers_, *this, loops_, counters) {
    snapshot_->upstreams[0].channel = channel;
    NextHop hop;
    hop.via = via;
    hops_.by_upstream.assign(1, hop);
    forwarder_.set_next_hops(&hops_);
    parked_.state = Parked::State::waits_upstream;
    parked_.worker = static_cast<std::uint8_t>(options.worker);
    parked_.qtype = dns::kA;
    parked_.qclass = dns::kIn;
    parked_.flags = dns::kRd;
    parked_.snapshot = snapshot_.get();
    parked_.path.max_size = dns::kUpstreamUdpSize;
    const Bytes wire = wire_name(name);
    parked_.qname_len = static_cast<std::uint8_t>(wire.size());
    std::ranges::copy(wire, parked_.qname.begin());
    parked_.keys.domain = matchers::PublicSuffixes::current().keys(wire);
}

void Sender::ask() {
    // The owner of the hash is this worker.
    forwarder_.ask(&parked_, 0, std::uint64_t{parked_.worker} << 32, now_);
}

bool Sender::send_frame(const NextHop&, std::uint16_t source_port, const Upstream&,
                        std::span<const std::uint8_t> dns) noexcept {
    sent.port = source_port;
    sent.id = dns::load_be16(dns.data());
    sent.via = UpstreamVia::udp;
    sent.length = dns.size();
    std::ranges::copy(dns, sent.bytes.begin());
    return true;
}

bool Sender::send_by_kernel(std::uint64_t token, const Upstream&, UpstreamVia via,
                            Buffer* query) noexcept {
    UpstreamQuery header;
    std::memcpy(&header, query->data(), sizeof header);
    const auto dns = query->bytes().subspan(sizeof header, header.length);
    sent.port = 0;
    sent.id = dns::load_be16(dns.data());
    sent.token = token;
    sent.via = via;
    sent.length = dns.size();
    std::ranges::copy(dns, sent.bytes.begin());
    release(query);
    return true;
}

void Sender::answered(Parked*, UpstreamResult, Buffer* answer) noexcept {
    ++ended;
    if (answer == nullptr) return;
    ++answered_with_buffer;
    release(answer);
}

void Sender::write_reply(const Sent& to) {
    std::size_t end = dns::kHeaderSize;
    while (to.bytes[end] != 0)
        end += to.bytes[end] + 1U;
    end += 1 + dns::kTypeAndClass;
    std::copy_n(to.bytes.begin(), end, message.begin());
    dns::store_be16(&message[2], dns::kQr | dns::kRa | dns::kRd);
    dns::store_be16(&message[6], 1);
    dns::store_be16(&message[8], 0);
    dns::store_be16(&message[10], 0);
    constexpr std::array<std::uint8_t, 16> kRecord{0xc0, 12, 0, 1, 0,   1, 0, 0,
                                                   1,    44, 0, 4, 192, 0, 2, 1};
    std::ranges::copy(kRecord, message.begin() + static_cast<std::ptrdiff_t>(end));
    message_length = end + kRecord.size();
}

Verdict Sender::receive(std::uint16_t port, std::uint16_t id) {
    dns::store_be16(message.data(), id);
    return forwarder_.on_datagram(upstream_address(0), 53, port, {message.data(), message_length},
                                  now_);
}

void Sender::answer() {
    write_reply(sent);
    if (sent.port != 0) {
        receive(sent.port, sent.id);
        return;
    }
    Buffer* const buffer = buffers_.take(static_cast<std::uint32_t>(message_length));
    std::copy_n(message.begin(), message_length, buffer->data());
    buffer->length = static_cast<std::uint32_t>(message_length);
    Message m;
    m.kind = MessageKind::upstream_reply;
    m.token = sent.token;
    m.buffer = buffer;
    forwarder_.on_message(m, now_);
}

}  // namespace steer::test
