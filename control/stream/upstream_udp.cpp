#include "control/stream/upstream_udp.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "control/stream/socket_address.h"
#include "control/stream/upstream_connect.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr unsigned kRepliesPerTurn = 64;

}  // namespace

class UpstreamUdp::Socket : public std::enable_shared_from_this<Socket> {
  public:
    explicit Socket(StreamContext& context)
        : context_(context), socket_(context.io), opened_ms_(context.now_ms()) {}

    // 0 or errno.
    int connect(const Upstream& upstream) {
        const udp protocol = upstream.address.is_v4() ? udp::v4() : udp::v6();
        error_code error;
        socket_.open(protocol, error);
        if (error) return error.value();
        socket_.non_blocking(true, error);
        if (const int failed = prepare_socket(context_, socket_.native_handle(), upstream.address,
                                              upstream.mark, upstream.device))
            return failed;
        const SocketAddress to(upstream.address, upstream.port);
        if (::connect(socket_.native_handle(), to.get(), to.length) != 0) return errno;
        SocketAddress here;
        if (::getsockname(socket_.native_handle(), here.get(), &here.length) == 0)
            local_ = here.address();
        wait();
        return 0;
    }

    void send(UpstreamAsk ask) {
        const std::uint64_t deadline = context_.now_ms() + ask.timeout_ms;
        ++carried_;
        const auto n =
            ::send(socket_.native_handle(), ask.query.data(), ask.query.size(), MSG_DONTWAIT);
        if (n < 0) {
            hand_back(context_, ask, nullptr, errno);
            return;
        }
        const std::uint16_t id = ask.id();
        pending_.emplace(id, Pending{std::move(ask), deadline});
    }

    [[nodiscard]] bool may_carry(std::uint16_t id) const {
        return !is_spent() && !pending_.contains(id);
    }
    [[nodiscard]] bool is_spent() const {
        return !socket_.is_open() || carried_ >= kQueries ||
               context_.now_ms() - opened_ms_ >= kLifeMs;
    }
    [[nodiscard]] bool is_over() const { return is_spent() && pending_.empty(); }

    void expire() {
        const std::uint64_t now = context_.now_ms();
        std::erase_if(pending_, [&](const auto& p) {
            if (p.second.deadline_ms > now) return false;
            if (p.second.ask.told) p.second.ask.told(ETIMEDOUT);
            return true;
        });
    }
    void network_changed(const std::optional<IpAddress>& source) {
        if (source != local_) fail(ENETUNREACH);
    }
    void close() {
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    struct Pending {
        UpstreamAsk ask;
        std::uint64_t deadline_ms;
    };

    void wait() {
        socket_.async_wait(udp::socket::wait_read,
                           [self = shared_from_this()](const error_code& error) {
                               if (error || !self->socket_.is_open()) return;
                               self->receive();
                               self->wait();
                           });
    }

    void receive() {
        for (unsigned n = 0; n < kRepliesPerTurn; ++n) {
            Buffer* const buffer = context_.buffers.take(kSmallBuffer);
            std::uint8_t nowhere[1];
            const std::span<std::uint8_t> room =
                buffer != nullptr ? buffer->room() : std::span{nowhere};
            const auto got =
                ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT | MSG_TRUNC);
            if (got < 0) {
                release(buffer);
                if (errno != EAGAIN && errno != EINTR) fail(errno);
                return;
            }
            if (buffer == nullptr) {
                context_.count(StreamCount::upstream_no_buffer);
            } else {
                take_reply(buffer, static_cast<std::size_t>(got));
            }
        }
    }

    void take_reply(Buffer* buffer, std::size_t length) {
        buffer->length =
            static_cast<std::uint32_t>(std::min<std::size_t>(length, buffer->capacity));
        const auto found = length >= dns::kHeaderSize && length <= buffer->capacity
                               ? pending_.find(dns::load_be16(buffer->data()))
                               : pending_.end();
        if (found == pending_.end() || !is_reply_to(found->second.ask.query, buffer->bytes())) {
            context_.count(StreamCount::upstream_unmatched);
            release(buffer);
            return;
        }
        hand_back(context_, found->second.ask, buffer, 0);
        pending_.erase(found);
    }

    // An error that the network reported: it concerns all that was sent.
    void fail(int error) {
        for (auto& [id, pending] : pending_)
            hand_back(context_, pending.ask, nullptr, error);
        pending_.clear();
        carried_ = kQueries;
    }

    StreamContext& context_;
    udp::socket socket_;
    std::uint64_t opened_ms_;
    IpAddress local_;
    unsigned carried_ = 0;
    std::unordered_map<std::uint16_t, Pending> pending_;
};

UpstreamUdp::~UpstreamUdp() {
    for (auto& [upstream, pool] : pools_) {
        for (auto& socket : pool)
            socket->close();
    }
}

void UpstreamUdp::ask(UpstreamAsk ask) {
    context_.count(StreamCount::upstream_udp);
    int error = 0;
    const auto socket = socket_for({ask.address, ask.port, ask.mark, ask.device}, ask.id(), error);
    if (socket == nullptr) {
        hand_back(context_, ask, nullptr, error);
    } else {
        socket->send(std::move(ask));
    }
}

std::shared_ptr<UpstreamUdp::Socket> UpstreamUdp::socket_for(const Upstream& upstream,
                                                             std::uint16_t id, int& error) {
    auto& pool = pools_[upstream];
    std::erase_if(pool, [](const auto& socket) {
        if (!socket->is_over()) return false;
        socket->close();
        return true;
    });
    const auto usable = static_cast<std::size_t>(
        std::count_if(pool.begin(), pool.end(), [](const auto& s) { return !s->is_spent(); }));
    if (usable < kSockets) {
        auto fresh = std::make_shared<Socket>(context_);
        error = fresh->connect(upstream);
        if (error != 0) return nullptr;
        pool.push_back(std::move(fresh));
        return pool.back();
    }
    const std::size_t start = context_.random.below(static_cast<std::uint32_t>(pool.size()));
    for (std::size_t i = 0; i < pool.size(); ++i) {
        const auto& socket = pool[(start + i) % pool.size()];
        if (socket->may_carry(id)) return socket;
    }
    error = EBUSY;
    return nullptr;
}

void UpstreamUdp::expire() {
    for (auto pool = pools_.begin(); pool != pools_.end();) {
        for (auto& socket : pool->second) {
            socket->expire();
            if (socket->is_over()) socket->close();
        }
        std::erase_if(pool->second, [](const auto& socket) { return socket->is_over(); });
        pool = pool->second.empty() ? pools_.erase(pool) : std::next(pool);
    }
}

void UpstreamUdp::network_changed() {
    for (auto& [upstream, pool] : pools_) {
        const auto source =
            source_towards(context_, upstream.address, upstream.mark, upstream.device);
        for (auto& socket : pool)
            socket->network_changed(source);
    }
}

}  // namespace steer::stream
