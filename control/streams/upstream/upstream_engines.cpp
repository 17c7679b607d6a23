#include "control/streams/upstream/upstream_engines.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <unordered_map>
#include <utility>

#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/upstream_socket.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr unsigned kRepliesOfEngine = 64;
constexpr int kReceiveBytes = 1 << 20;  // as far as the system lets

// Name, type and class.
std::span<const std::uint8_t> question_of(const UpstreamAsk& ask) {
    const auto rest = std::span<const std::uint8_t>(ask.query).subspan(dns::kHeaderSize);
    return rest.first(std::min(rest.size(), dns::plain_name_length(rest) + 4));
}

}  // namespace

class UpstreamEngines::Engine : public std::enable_shared_from_this<Engine> {
  public:
    Engine(StreamContext& context, const IpAddress& address, std::uint16_t port)
        : context_(context), address_(address), port_(port), socket_(context.io) {}

    [[nodiscard]] bool is_at(const IpAddress& address, std::uint16_t port) const {
        return port == port_ && address == address_;
    }

    // 0 or errno.
    int open() {
        error_code error;
        socket_.open(address_.is_v4() ? udp::v4() : udp::v6(), error);
        if (error) return error.value();
        socket_.non_blocking(true, error);
        (void)::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes,
                           sizeof kReceiveBytes);
        const SocketAddress to(address_, port_);
        if (::connect(socket_.native_handle(), to.get(), to.length) != 0) return errno;
        wait();
        return 0;
    }

    void ask(UpstreamAsk ask) {
        const std::uint16_t id = ask.id();
        // (One with the same id and question would take the other's reply.)
        if (waiting_.size() >= kMaxWaiting || is_waiting(ask))
            return hand_back(context_, ask, nullptr, ENOBUFS);
        const auto sent =
            ::send(socket_.native_handle(), ask.query.data(), ask.query.size(), MSG_DONTWAIT);
        if (sent < 0) {
            // It may be the refusal of an earlier one.
            const int error = errno;
            if (error == ECONNREFUSED) refuse(error);
            return hand_back(context_, ask, nullptr, error);
        }
        const std::uint64_t deadline_ms = context_.now_ms() + ask.timeout_ms;
        waiting_.emplace(id, Waiting{std::move(ask), deadline_ms});
    }

    void expire(std::uint64_t now_ms) {
        std::erase_if(waiting_,
                      [now_ms](const auto& one) { return one.second.deadline_ms <= now_ms; });
    }
    void close() {
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    struct Waiting {
        UpstreamAsk ask;
        std::uint64_t deadline_ms;
    };

    [[nodiscard]] bool is_waiting(const UpstreamAsk& ask) const {
        const auto [first, last] = waiting_.equal_range(ask.id());
        return std::any_of(first, last, [&ask](const auto& other) {
            return std::ranges::equal(question_of(other.second.ask), question_of(ask));
        });
    }

    void wait() {
        socket_.async_wait(udp::socket::wait_read,
                           [self = shared_from_this()](const error_code& error) {
                               if (error || !self->socket_.is_open()) return;
                               self->receive();
                               self->wait();
                           });
    }

    void receive() {
        for (unsigned n = 0; n < kRepliesOfEngine; ++n) {
            const auto [got, buffer] = receive_reply(context_, socket_.native_handle());
            if (got.length < 0) {
                if (got.error == EAGAIN || got.error == EINTR) return;
                refuse(got.error);
            } else if (buffer != nullptr) {
                take_reply(buffer, static_cast<std::size_t>(got.length));
            }
        }
    }

    void take_reply(Buffer* buffer, std::size_t length) {
        const auto bytes = buffer->bytes();
        if (length <= buffer->capacity && length >= dns::kHeaderSize) {
            const auto [first, last] = waiting_.equal_range(dns::load_be16(bytes.data()));
            const auto found = std::find_if(first, last, [bytes](const auto& one) {
                return is_reply_to(one.second.ask.query, bytes);
            });
            if (found != last) {
                const Waiting one = std::move(found->second);
                waiting_.erase(found);
                return hand_back(context_, one.ask, buffer, 0);
            }
        }
        release(buffer);
        context_.count(StreamCount::upstream_unmatched);
    }

    // Ends all that wait: the engine has no socket.
    void refuse(int error) {
        const auto refused = std::exchange(waiting_, {});
        for (const auto& [id, one] : refused)
            hand_back(context_, one.ask, nullptr, error);
    }

    StreamContext& context_;
    const IpAddress address_;
    const std::uint16_t port_;
    udp::socket socket_;
    std::unordered_multimap<std::uint16_t, Waiting> waiting_;  // by id
};

UpstreamEngines::UpstreamEngines(StreamContext& context) : context_(context) {}

UpstreamEngines::~UpstreamEngines() {
    for (const auto& engine : engines_)
        engine->close();
}

void UpstreamEngines::ask(UpstreamAsk ask) {
    context_.count(StreamCount::upstream_udp);
    const auto found = std::ranges::find_if(
        engines_, [&ask](const auto& engine) { return engine->is_at(ask.address, ask.port); });
    if (found != engines_.end()) {
        engines_.splice(engines_.begin(), engines_, found);
        return engines_.front()->ask(std::move(ask));
    }
    auto engine = std::make_shared<Engine>(context_, ask.address, ask.port);
    if (const int error = engine->open(); error != 0) {
        engine->close();
        return hand_back(context_, ask, nullptr, error);
    }
    // Of an earlier configuration.
    if (engines_.size() >= kMaxEngines) {
        engines_.back()->close();
        engines_.pop_back();
    }
    engines_.push_front(std::move(engine));
    engines_.front()->ask(std::move(ask));
}

void UpstreamEngines::expire() {
    for (const auto& engine : engines_)
        engine->expire(context_.now_ms());
}

}  // namespace steer::stream
