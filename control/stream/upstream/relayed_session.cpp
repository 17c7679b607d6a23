#include "control/stream/upstream/relayed_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "control/stream/base/socket_address.h"
#include "control/stream/upstream/pending_asks.h"
#include "control/stream/upstream/socks5.h"
#include "control/stream/upstream/upstream_pool.h"
#include "control/stream/upstream/upstream_reply.h"
#include "control/stream/upstream/upstream_socket.h"
#include "control/stream/upstream/upstream_udp.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

using boost::asio::ip::udp;
using boost::system::error_code;

constexpr unsigned kQueriesAtOnce = 64;  // of one association: fewer ids to guess

class RelayedSession final : public UpstreamSession,
                             public std::enable_shared_from_this<RelayedSession> {
  public:
    RelayedSession(StreamContext& context, ByteStream control, std::vector<std::uint8_t> header,
                   bool is_by_name, std::shared_ptr<RelayUse> use, SessionWatcher& watcher)
        : context_(context),
          control_(std::move(control)),
          socket_(context.io),
          header_(std::move(header)),
          is_by_name_(is_by_name),
          use_(std::move(use)),
          watcher_(watcher) {}

    // 0 or errno.
    int open(const RelayAddress& relay, const UpstreamTarget& target);
    void start() {
        boost::asio::post(context_.io, [self = shared_from_this()] {
            self->watch_control();
            self->wait_for_reply();
        });
    }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    [[nodiscard]] unsigned room() const override {
        return ended_ ? 0 : kQueriesAtOnce - in_progress();
    }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(pending_.size());
    }
    [[nodiscard]] std::uint64_t silent_since_ms() const override { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

  private:
    void watch_control();
    void wait_for_reply();
    void receive();
    // False: it is a reply to none of our queries.
    bool take(std::span<std::uint8_t> datagram);
    void end(const std::string& why);
    void stop() {
        ended_ = true;
        silent_since_ms_ = UINT64_MAX;
        error_code ignored;
        socket_.close(ignored);
        control_.close();
    }

    StreamContext& context_;
    ByteStream control_;
    udp::socket socket_;
    const std::vector<std::uint8_t> header_;  // of each datagram: the upstream
    const bool is_by_name_;  // the relay answers with an address that we do not know
    const std::shared_ptr<RelayUse> use_;
    SessionWatcher& watcher_;
    PendingAsks pending_;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    unsigned near_misses_ = 0;
    bool works_ = false;  // a reply came
    bool ended_ = false;
};

int RelayedSession::open(const RelayAddress& relay, const UpstreamTarget& target) {
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
    const SocketAddress to(relay.address, relay.port);
    return ::connect(fd, to.get(), to.length) == 0 ? 0 : errno;
}

void RelayedSession::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms,
                         Done done) {
    std::uint16_t id = 0;
    do {
        id = static_cast<std::uint16_t>(context_.random.next());
    } while (pending_.contains(id));
    PendingAsk p(query, id, deadline_ms, std::move(done));
    std::vector<std::uint8_t> datagram = header_;
    datagram.insert(datagram.end(), p.query.begin(), p.query.end());
    // A datagram that cannot leave counts as lost: the pool asks again on a newer session.
    (void)::send(socket_.native_handle(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    pending_.emplace(id, std::move(p));
    if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = context_.now_ms();
}

// The proxy sends nothing here. It closes the connection to end the association.
void RelayedSession::watch_control() {
    while (!ended_) {
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
    if (ended_) return;
    socket_.async_wait(udp::socket::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                           if (error || self->ended_) return;
                           self->receive();
                           self->wait_for_reply();
                       });
}

void RelayedSession::receive() {
    const unsigned before = in_progress();
    for (unsigned turn = 0; turn < kUpstreamReads && !ended_; ++turn) {
        const auto got = ::recv(socket_.native_handle(), context_.room.data(), context_.room.size(),
                                MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (got < 0) {
            if (!works_) use_->pause(context_.now_ms());  // TCP through the proxy may work
            return end("the proxy's relay refused a datagram");
        }
        if (take(std::span(context_.room).first(static_cast<std::size_t>(got)))) {
            works_ = true;
            use_->replied_ms = context_.now_ms();
            near_misses_ = 0;
            silent_since_ms_ = pending_.empty() ? UINT64_MAX : context_.now_ms();
            continue;
        }
        context_.count(StreamCount::upstream_unmatched);
        if (++near_misses_ < UpstreamUdp::kMaxNearMisses) continue;
        use_->pause(context_.now_ms());
        return end("wrong replies came from the proxy's relay");
    }
    if (!ended_ && in_progress() < before) watcher_.on_room(*this);
}

bool RelayedSession::take(std::span<std::uint8_t> datagram) {
    const std::size_t head = socks5::datagram_head(datagram);
    if (head == 0) return false;
    if (!is_by_name_ && !std::ranges::equal(datagram.first(head), header_)) return false;
    const auto message = datagram.subspan(head);
    const auto found = message.size() >= dns::kHeaderSize
                           ? pending_.find(dns::load_be16(message.data()))
                           : pending_.end();
    if (found == pending_.end() || !is_reply_to(found->second.query, message)) return false;
    dns::store_be16(message.data(), found->second.id);
    const Done done = std::move(found->second.done);
    pending_.erase(found);
    done({.message = message});
    return true;
}

void RelayedSession::expire(std::uint64_t now_ms) {
    const bool is_silent =
        silent_since_ms_ <= now_ms && now_ms - silent_since_ms_ >= UpstreamPool::kSilenceMs;
    if (is_silent && !works_ && !use_->is_known_to_work(now_ms)) use_->pause(now_ms);
    const auto late = take_late(pending_, now_ms, [](std::uint32_t) {});
    for (const Done& done : late)
        done({.error = ETIMEDOUT});
    if (!late.empty() && !ended_) watcher_.on_room(*this);
}

void RelayedSession::end(const std::string& why) {
    stop();
    end_asks(std::exchange(pending_, {}));
    watcher_.on_ended(*this, why);
}

void RelayedSession::close() {
    if (ended_) return;
    stop();
    end_asks_later(context_.io, std::exchange(pending_, {}));
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
