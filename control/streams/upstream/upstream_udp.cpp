#include "control/streams/upstream/upstream_udp.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/upstream_socket.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr unsigned kRepliesPerTurn = 64;

bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EADDRNOTAVAIL || error == EAGAIN;
}

}  // namespace

// One query, from its sending to its reply.
class UpstreamUdp::Socket : public std::enable_shared_from_this<Socket> {
  public:
    Socket(UpstreamUdp& owner, UpstreamAsk ask)
        : owner_(owner),
          context_(owner.context_),
          ask_(std::move(ask)),
          socket_(context_.io),
          deadline_ms_(context_.now_ms() + ask_.timeout_ms) {}

    // 0 or errno.
    int send() {
        const udp protocol = ask_.address.is_v4() ? udp::v4() : udp::v6();
        error_code error;
        socket_.open(protocol, error);
        if (error) return error.value();
        socket_.non_blocking(true, error);
        if (const int failed = prepare_socket(context_, socket_.native_handle(), ask_.address,
                                              ask_.mark, ask_.device))
            return failed;
        guard_datagrams(socket_.native_handle(), ask_.address.is_v4());
        const SocketAddress to(ask_.address, ask_.port);
        if (::connect(socket_.native_handle(), to.get(), to.length) != 0) return errno;
        const auto n =
            ::send(socket_.native_handle(), ask_.query.data(), ask_.query.size(), MSG_DONTWAIT);
        return n < 0 ? errno : 0;
    }
    // `place`: its index in the owner's list, which keeps it until it ends.
    void wait(Sockets::iterator place) {
        place_ = place;
        wait_for_reply();
    }

    [[nodiscard]] const UpstreamAsk& ask() const { return ask_; }
    [[nodiscard]] UpstreamAsk take_ask() { return std::move(ask_); }
    [[nodiscard]] std::uint64_t deadline_ms() const { return deadline_ms_; }
    [[nodiscard]] std::optional<IpAddress> source() {
        SocketAddress here;
        if (::getsockname(socket_.native_handle(), here.get(), &here.length) != 0)
            return std::nullopt;
        return here.address();
    }
    void close() {
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    void wait_for_reply() {
        socket_.async_wait(udp::socket::wait_read,
                           [self = shared_from_this()](const error_code& error) {
                               if (error || !self->socket_.is_open()) return;
                               if (!self->receive()) self->wait_for_reply();
                           });
    }

    // True: it has ended.
    bool receive() {
        for (unsigned n = 0; n < kRepliesPerTurn; ++n) {
            const auto [got, buffer] = receive_reply(context_, socket_.native_handle());
            if (got.length < 0) {
                if (got.error == EAGAIN || got.error == EINTR) return false;
                if (!may_be_forged(ask_.address)) return end(nullptr, got.error);
                context_.count(StreamCount::upstream_icmp_errors);
            } else if (buffer != nullptr && take_reply(buffer, got)) {
                return true;
            }
        }
        return false;
    }

    bool take_reply(Buffer* buffer, const Datagram& got) {
        const bool is_whole = static_cast<std::size_t>(got.length) <= buffer->capacity;
        const bool is_reply = is_whole && is_reply_to(ask_.query, buffer->bytes());
        if (is_reply && !got.is_fragmented) return end(buffer, 0);
        release(buffer);
        if (is_reply) {
            context_.count(StreamCount::upstream_fragments);
            return end(nullptr, static_cast<int>(kForgedReplies));
        }
        context_.count(StreamCount::upstream_unmatched);
        return ++near_misses_ == kMaxNearMisses && end(nullptr, static_cast<int>(kForgedReplies));
    }

    bool end(Buffer* reply, int error) {
        hand_back(context_, ask_, reply, error);
        owner_.forget(place_);
        return true;
    }

    UpstreamUdp& owner_;
    StreamContext& context_;
    UpstreamAsk ask_;
    udp::socket socket_;
    std::uint64_t deadline_ms_;
    unsigned near_misses_ = 0;
    Sockets::iterator place_;
};

UpstreamUdp::~UpstreamUdp() {
    for (auto& socket : sockets_)
        socket->close();
}

void UpstreamUdp::forget(Sockets::iterator socket) {
    (*socket)->close();
    sockets_.erase(socket);
}

void UpstreamUdp::ask(UpstreamAsk ask) {
    context_.count(StreamCount::upstream_udp);
    if (sockets_.size() >= context_.upstream_sockets.udp) {
        context_.count(StreamCount::upstream_forgotten);
        forget(sockets_.begin());
    }
    auto socket = std::make_shared<Socket>(*this, std::move(ask));
    int error = socket->send();
    if (is_shortage(error) && !sockets_.empty()) {
        context_.count(StreamCount::upstream_forgotten);
        forget(sockets_.begin());
        socket->close();
        socket = std::make_shared<Socket>(*this, socket->take_ask());
        const bool had_descriptor = error != EMFILE && error != ENFILE;
        error = socket->send();
        if (error == 0 && !had_descriptor) context_.count(StreamCount::upstream_no_descriptor);
    }
    if (error != 0) {
        socket->close();
        hand_back(context_, socket->ask(), nullptr, error);
        return;
    }
    sockets_.push_back(std::move(socket));
    sockets_.back()->wait(std::prev(sockets_.end()));
}

void UpstreamUdp::expire() {
    const std::uint64_t now = context_.now_ms();
    for (auto socket = sockets_.begin(); socket != sockets_.end();) {
        const auto next = std::next(socket);
        if ((*socket)->deadline_ms() <= now) {
            if ((*socket)->ask().on_result) (*socket)->ask().on_result(ETIMEDOUT);
            forget(socket);
        }
        socket = next;
    }
}

void UpstreamUdp::network_changed() {
    for (auto socket = sockets_.begin(); socket != sockets_.end();) {
        const auto next = std::next(socket);
        const UpstreamAsk& ask = (*socket)->ask();
        const auto source = source_towards(context_, ask.address, ask.mark, ask.device);
        if (source != (*socket)->source()) {
            hand_back(context_, ask, nullptr, ENETUNREACH);
            forget(socket);
        }
        socket = next;
    }
}

}  // namespace steer::stream
