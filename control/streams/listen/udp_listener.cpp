#include "control/streams/listen/udp_listener.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "control/streams/listen/arrival.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

constexpr unsigned kBatchesPerTurn = 8;  // then the other sockets have their turn
constexpr std::size_t kRoom = kSmallBuffer - sizeof(InjectedQuery);

}  // namespace

UdpListener::UdpListener(StreamContext& context, Injector& injector, int socket,
                         const IpAddress& local, std::uint16_t local_port, SourceBudget* budget)
    : context_(context),
      injector_(injector),
      socket_(context.io, socket),
      local_(local),
      local_port_(local_port),
      budget_(budget) {}

UdpListener::~UdpListener() {
    for (unsigned i = 0; i < out_count_; ++i)
        release(out_[i].buffer);
}

void UdpListener::start() {
    wait();
}

void UdpListener::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void UdpListener::wait() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                           if (!error) self->receive();
                       });
}

void UdpListener::receive() {
    if (!socket_.is_open()) return;
    for (unsigned n = 0; n < kBatchesPerTurn; ++n) {
        if (!receive_batch()) break;
    }
    wait();
}

bool UdpListener::receive_batch() {
    std::array<Buffer*, kBatch> buffers{};
    std::array<SocketAddress, kBatch> clients;
    std::array<iovec, kBatch> pieces{};
    std::array<mmsghdr, kBatch> messages{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, kArrivalBytes>, kBatch> arrivals;
    unsigned room = 0;
    for (; room < kBatch; ++room) {
        buffers[room] = injector_.take_buffer(kRoom);
        if (buffers[room] == nullptr) break;
        const auto bytes = Injector::query_room(*buffers[room]);
        pieces[room] = {bytes.data(), bytes.size()};
        messages[room].msg_hdr.msg_name = clients[room].get();
        messages[room].msg_hdr.msg_namelen = clients[room].length;
        messages[room].msg_hdr.msg_iov = &pieces[room];
        messages[room].msg_hdr.msg_iovlen = 1;
        if (!context_.copying.empty()) {
            messages[room].msg_hdr.msg_control = arrivals[room].data();
            messages[room].msg_hdr.msg_controllen = arrivals[room].size();
        }
    }
    std::uint8_t unread[1];
    iovec nowhere{unread, sizeof unread};
    if (room == 0) {  // no buffer: drops the datagram, or it would wake us forever
        messages[0].msg_hdr.msg_iov = &nowhere;
        messages[0].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(socket_.native_handle(), messages.data(), room == 0 ? 1 : room,
                               MSG_DONTWAIT, nullptr);
    for (unsigned i = 0; i < room; ++i) {
        if (got < 0 || i >= static_cast<unsigned>(got)) {
            release(buffers[i]);
            continue;
        }
        clients[i].length = messages[i].msg_hdr.msg_namelen;
        if (is_copy(messages[i])) {
            context_.count(StreamCount::udp_received);
            context_.count(StreamCount::udp_copies);
            release(buffers[i]);
            continue;
        }
        take_query(buffers[i], clients[i], messages[i]);
    }
    return got > 0 && static_cast<unsigned>(got) == room;
}

// Whether the port has this one, too.
bool UdpListener::is_copy(mmsghdr& message) const {
    if (context_.copying.empty()) return false;
    const Arrival arrival = read_arrival(message.msg_hdr);
    return arrival.plain &&
           std::binary_search(context_.copying.begin(), context_.copying.end(), arrival.if_index);
}

void UdpListener::take_query(Buffer* buffer, const SocketAddress& client, const mmsghdr& message) {
    const std::size_t length = message.msg_len;
    const bool cut = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    context_.count(StreamCount::udp_received);
    const IpAddress source = client.address();
    const bool is_local = source == local_ || source.is_loopback();
    if (cut || length < dns::kHeaderSize || client.port() == 0) {
        context_.count(StreamCount::udp_bad);
        release(buffer);
    } else if (budget_ != nullptr && !is_local && !budget_->take(source, context_.now_ms())) {
        context_.count(StreamCount::udp_over_budget);
        release(buffer);
    } else {
        injector_.inject(shared_from_this(), {client, local_, local_port_, ClientTransport::udp},
                         buffer, length);
    }
}

void UdpListener::take_answer(const QueryOrigin& origin, Buffer* response) {
    if (response == nullptr) return;
    out_[out_count_++] = {origin.client, response};
    if (out_count_ == kBatch) flush();
}

void UdpListener::flush() {
    std::array<iovec, kBatch> pieces{};
    std::array<mmsghdr, kBatch> messages{};
    for (unsigned i = 0; i < out_count_; ++i) {
        pieces[i] = {out_[i].buffer->data(), out_[i].buffer->length};
        messages[i].msg_hdr.msg_name = out_[i].to.get();
        messages[i].msg_hdr.msg_namelen = out_[i].to.length;
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (unsigned sent = 0; sent < out_count_ && socket_.is_open();) {
        const int n =
            ::sendmmsg(socket_.native_handle(), &messages[sent], out_count_ - sent, MSG_DONTWAIT);
        if (n > 0) {
            context_.count(StreamCount::udp_sent, static_cast<unsigned>(n));
            sent += static_cast<unsigned>(n);
        } else if (errno != EINTR) {  // this one cannot be sent, the next may
            context_.count(StreamCount::udp_not_sent);
            ++sent;
        }
    }
    for (unsigned i = 0; i < out_count_; ++i)
        release(out_[i].buffer);
    out_count_ = 0;
}

}  // namespace steer::stream
