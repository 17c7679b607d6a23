#include "control/streams/upstream/relayed_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/id_session.h"
#include "control/streams/upstream/socks5.h"
#include "control/streams/upstream/upstream_pool.h"
#include "control/streams/upstream/upstream_socket.h"
#include "control/streams/upstream/upstream_udp.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

using boost::asio::ip::udp;
using boost::system::error_code;

constexpr unsigned kQueriesAtOnce = 64;  // of one association: fewer ids to guess

class RelayedSession final : public IdSession, public std::enable_shared_from_this<RelayedSession> {
  public:
    RelayedSession(StreamContext& context, ByteStream control, std::vector<std::uint8_t> header,
                   bool is_by_name, std::shared_ptr<RelayUse> use, SessionWatcher& watcher)
        : IdSession(context, watcher, kQueriesAtOnce),
          control_(std::move(control)),
          socket_(context.io),
          header_(std::move(header)),
          is_by_name_(is_by_name),
          use_(std::move(use)) {}

    // 0 or errno.
    int open(const RelayAddress& relay, const UpstreamTarget& target);
    void start() {
        boost::asio::post(context_.io, [self = shared_from_this()] {
            self->watch_control();
            self->wait_for_reply();
        });
    }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    void expire(std::uint64_t now_ms) override;

  private:
    void disconnect() override {
        error_code ignored;
        socket_.close(ignored);
        control_.close();
    }
    void watch_control();
    void wait_for_reply();
    void receive();
    // False: it is a reply to none of our queries.
    bool take(std::span<std::uint8_t> datagram);

    ByteStream control_;
    udp::socket socket_;
    const std::vector<std::uint8_t> header_;  // of each datagram: the upstream
    const bool is_by_name_;  // the relay answers with an address that we do not know
    const std::shared_ptr<RelayUse> use_;
    IpAddress relay_{};
    unsigned near_misses_ = 0;
    bool works_ = false;  // a reply arrived
};

int RelayedSession::open(const RelayAddress& relay, const UpstreamTarget& target) {
    relay_ = relay.address;
    error_code error;
    socket_.open(relay.address.is_v4() ? udp::v4() : udp::v6(), error);
    if (error) return error.value();
    socket_.non_blocking(true, error);
    const int fd = socket_.native_handle();
    if (const int failed = prepare_socket(context_, fd, relay.address, target.mark, target.device))
        return failed;
    // From the address that the proxy knows us by.
    SocketAddress here;
    const bool known =
        ::getsockname(control_.socket().native_handle(), here.get(), &here.length) == 0;
    if (known && here.address().is_v4() == relay.address.is_v4()) {
        const SocketAddress from(here.address(), 0);
        if (::bind(fd, from.get(), from.length) != 0) return errno;
    }
    guard_datagrams(fd, relay.address.is_v4());
    const SocketAddress to(relay.address, relay.port);
    return ::connect(fd, to.get(), to.length) == 0 ? 0 : errno;
}

void RelayedSession::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms,
                         Done done) {
    const auto sent = add(query, deadline_ms, std::move(done), 0);
    std::vector<std::uint8_t> datagram = header_;
    datagram.insert(datagram.end(), sent.begin(), sent.end());
    // A datagram that cannot leave counts as lost: the pool asks again on a newer session.
    (void)::send(socket_.native_handle(), datagram.data(), datagram.size(), MSG_DONTWAIT);
}

// The proxy sends nothing here. It closes the connection to end the association.
void RelayedSession::watch_control() {
    while (!has_ended()) {
        std::size_t n = 0;
        const Io io = control_.read(context_.room, n);
        if (io == Io::ended || io == Io::failed) return end("the proxy ended the association");
        if (io == Io::done) continue;
        control_.wait(io, [self = shared_from_this()](const error_code& error) {
            if (!error) self->watch_control();
        });
        return;
    }
}

void RelayedSession::wait_for_reply() {
    if (has_ended()) return;
    socket_.async_wait(udp::socket::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                           if (error || self->has_ended()) return;
                           self->receive();
                           self->wait_for_reply();
                       });
}

void RelayedSession::receive() {
    const unsigned before = in_progress();
    for (unsigned turn = 0; turn < kUpstreamReads && !has_ended(); ++turn) {
        const Datagram got = receive_datagram(socket_.native_handle(), context_.room);
        if (got.error == EAGAIN || got.error == EINTR) break;
        if (got.length < 0 && works_ && may_be_forged(relay_)) {
            context_.count(StreamCount::upstream_icmp_errors);
            continue;
        }
        if (got.length < 0) {
            if (!works_) use_->pause(context_.now_ms());  // TCP through the proxy may work
            return end("the proxy's relay refused a datagram");
        }
        const auto length = std::min(static_cast<std::size_t>(got.length), context_.room.size());
        if (got.is_fragmented) {
            context_.count(StreamCount::upstream_fragments);
        } else if (take(std::span(context_.room).first(length))) {
            works_ = true;
            use_->replied_ms = context_.now_ms();
            near_misses_ = 0;
            if (!has_ended()) end_silence();
            continue;
        }
        if (++near_misses_ < UpstreamUdp::kMaxNearMisses) continue;
        use_->pause(context_.now_ms());
        return end("wrong replies came from the proxy's relay");
    }
    if (!has_ended() && in_progress() < before) watcher_.on_room(*this);
}

bool RelayedSession::take(std::span<std::uint8_t> datagram) {
    const std::size_t head = socks5::datagram_head(datagram);
    if (head == 0 || (!is_by_name_ && !std::ranges::equal(datagram.first(head), header_))) {
        context_.count(StreamCount::upstream_unmatched);
        return false;
    }
    return take_reply(datagram.subspan(head));
}

void RelayedSession::expire(std::uint64_t now_ms) {
    const bool is_silent =
        silent_since_ms() <= now_ms && now_ms - silent_since_ms() >= UpstreamPool::kSilenceMs;
    if (is_silent && !works_ && !use_->is_known_to_work(now_ms)) use_->pause(now_ms);
    IdSession::expire(now_ms);
}

}  // namespace

std::shared_ptr<UpstreamSession> make_relayed_session(StreamContext& context, ByteStream control,
                                                      const RelayAddress& relay,
                                                      const std::optional<IpAddress>& upstream,
                                                      const UpstreamTarget& target,
                                                      std::shared_ptr<RelayUse> use,
                                                      SessionWatcher& watcher, int& error) {
    auto session = std::make_shared<RelayedSession>(
        context, std::move(control), socks5::datagram_header(upstream, target.host, target.port),
        !upstream, std::move(use), watcher);
    error = session->open(relay, target);
    if (error != 0) {
        session->close();
        return nullptr;
    }
    session->start();
    return session;
}

}  // namespace steer::stream
