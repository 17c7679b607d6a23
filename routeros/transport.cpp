#include "routeros/transport.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "routeros/server_trust.h"

namespace steer::routeros {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using tcp = asio::ip::tcp;
using Stream = asio::generic::stream_protocol;

constexpr std::uint64_t kLongestSleepMs = 60'000;
constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

class Transport::Impl : public std::enable_shared_from_this<Transport::Impl> {
  public:
    class Connection;

    Impl(asio::io_context& io, TransportConfig config, Clock clock)
        : io_(io), config_(std::move(config)), clock_(std::move(clock)), timer_(io) {}

    void drive(LinkUser& user) { user_ = &user; }
    void on_resolved(Resolved resolved) { resolved_ = std::move(resolved); }
    void configure(TransportConfig config) { config_ = std::move(config); }
    void arm();
    void stop();
    void connect();
    void close();
    void send(std::string_view bytes);
    [[nodiscard]] std::optional<std::uint64_t> unsent_since_ms() const;

    [[nodiscard]] const TransportConfig& config() const { return config_; }
    [[nodiscard]] std::uint64_t now_ms() const { return clock_(); }
    void resolved(std::span<const AddressBytes> addresses) const {
        if (resolved_) resolved_(addresses);
    }
    void connected() {
        if (user_ != nullptr) user_->connected(clock_());
        arm();
    }
    void received(std::string_view bytes) {
        if (user_ != nullptr) user_->received(bytes, clock_());
        arm();
    }
    void failed(LinkFailure why) {
        connection_.reset();
        failure_ = std::move(why);
        if (user_ != nullptr) user_->closed(failure_.text(), clock_());
        arm();
    }
    [[nodiscard]] const LinkFailure& failure() const { return failure_; }
    [[nodiscard]] std::string local_address() const;

  private:
    asio::io_context& io_;
    TransportConfig config_;
    Clock clock_;
    asio::steady_timer timer_;
    LinkUser* user_ = nullptr;
    Resolved resolved_;
    std::shared_ptr<Connection> connection_;
    LinkFailure failure_;
};

// One attempt and, if it succeeds, one session's socket. Handlers keep it alive; after let_go()
// they do nothing.
class Transport::Impl::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(asio::io_context& io, Impl& owner)
        : owner_(&owner), peer_(owner.config().peer), resolver_(io), socket_(io), limit_(io) {}

    void begin() {
        const auto& config = owner_->config();
        limit_.expires_after(std::chrono::milliseconds(config.connect_timeout_ms));
        limit_.async_wait([self = shared_from_this()](error_code error) {
            if (error || self->stage_ == Stage::open) return;
            self->fail("no answer in time", true);
        });
        if (!config.path.empty())
            return try_endpoints(
                {Stream::endpoint(asio::local::stream_protocol::endpoint(config.path))});
        resolver_.async_resolve(config.host, std::to_string(config.port),
                                [self = shared_from_this()](error_code error, const auto& found) {
                                    if (error) return self->fail(error.message());
                                    self->try_found(found);
                                });
    }

    void let_go() {
        owner_ = nullptr;
        error_code ignored;
        resolver_.cancel();
        limit_.cancel();
        socket_.close(ignored);
    }

    void send(std::string_view bytes) {
        waiting_.append(bytes);
        if (stage_ == Stage::open && going_.empty()) write();
    }
    [[nodiscard]] std::optional<std::uint64_t> unsent_since_ms() const { return unsent_since_ms_; }
    [[nodiscard]] std::string local_address() const {
        error_code error;
        const auto generic = socket_.local_endpoint(error);
        tcp::endpoint endpoint;
        if (error || generic.size() > endpoint.capacity()) return {};
        endpoint.resize(generic.size());
        std::memcpy(endpoint.data(), generic.data(), generic.size());
        return endpoint.address().to_string();
    }

  private:
    using Stage = LinkFailure::Stage;

    void fail(std::string cause, bool is_late = false, long certificate_error = 0) {
        Impl* const owner = owner_;
        if (owner == nullptr) return;
        const auto self = shared_from_this();
        let_go();
        owner->failed({stage_, std::move(cause), is_late, certificate_error});
    }

    void try_found(const tcp::resolver::results_type& found) {
        if (owner_ == nullptr) return;
        std::vector<Stream::endpoint> endpoints;
        std::vector<AddressBytes> addresses;
        for (const auto& entry : found) {
            const auto address = entry.endpoint().address();
            endpoints.emplace_back(entry.endpoint());
            addresses.push_back(
                address.is_v6()
                    ? address.to_v6().to_bytes()
                    : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes());
        }
        owner_->resolved(addresses);
        try_endpoints(std::move(endpoints));
    }

    void try_endpoints(std::vector<Stream::endpoint> endpoints) {
        if (owner_ == nullptr) return;
        stage_ = Stage::connection;
        endpoints_ = std::move(endpoints);
        asio::async_connect(socket_, endpoints_,
                            [self = shared_from_this()](error_code error, const Stream::endpoint&) {
                                if (error) return self->fail(error.message());
                                self->secure();
                            });
    }

    void secure() {
        if (owner_ == nullptr) return;
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        socket_.set_option(asio::socket_base::keep_alive(true), ignored);
        using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
        const auto& config = owner_->config();
        socket_.set_option(UserTimeout(static_cast<int>(config.send_timeout_ms)), ignored);
        if (!config.tls.enabled) return open();
        stage_ = Stage::tls;
        try {
            context_.emplace(make_tls_context(config.tls, config.host));
            stream_.emplace(socket_, *context_);
            tls::send_name(stream_->native_handle(),
                           config.tls.server_name.empty() ? config.host : config.tls.server_name);
        } catch (const std::exception& error) {
            return fail(error.what());
        }
        stream_->async_handshake(asio::ssl::stream_base::client,
                                 [self = shared_from_this()](error_code error) {
                                     if (error) return self->fail_handshake(error);
                                     self->check_pin();
                                 });
    }

    void fail_handshake(const error_code& error) {
        if (owner_ == nullptr) return;
        const auto& config = owner_->config();
        const std::string& name =
            config.tls.server_name.empty() ? config.host : config.tls.server_name;
        const std::string refused = refused_certificate(stream_->native_handle(), name);
        if (refused.empty()) return fail(error.message());
        fail(refused, false, SSL_get_verify_result(stream_->native_handle()));
    }

    void check_pin() {
        if (owner_ == nullptr) return;
        const std::string error = pin_error(stream_->native_handle(), owner_->config().tls);
        if (!error.empty()) return fail(error);
        open();
    }

    void open() {
        stage_ = Stage::open;
        limit_.cancel();
        read();
        owner_->connected();
    }

    template <class F>
    void on_stream(F&& f) {
        if (stream_)
            f(*stream_);
        else
            f(socket_);
    }

    void read() {
        on_stream([this](auto& stream) {
            stream.async_read_some(
                asio::buffer(in_), [self = shared_from_this()](error_code error, std::size_t n) {
                    if (error) {
                        return self->fail(error == asio::error::eof ? "closed by " + self->peer_
                                                                    : error.message());
                    }
                    if (self->owner_ == nullptr) return;
                    self->owner_->received({self->in_.data(), n});
                    if (self->owner_ != nullptr) self->read();
                });
        });
    }

    void write() {
        going_.swap(waiting_);
        unsent_since_ms_ = owner_->now_ms();
        on_stream([this](auto& stream) {
            asio::async_write(stream, asio::buffer(going_),
                              [self = shared_from_this()](error_code error, std::size_t) {
                                  if (error) return self->fail(error.message());
                                  self->going_.clear();
                                  self->unsent_since_ms_.reset();
                                  if (self->owner_ != nullptr && !self->waiting_.empty())
                                      self->write();
                              });
        });
    }

    Impl* owner_;  // nullptr: released
    const std::string peer_;
    tcp::resolver resolver_;
    std::vector<Stream::endpoint> endpoints_;
    Stream::socket socket_;
    asio::steady_timer limit_;
    std::optional<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<Stream::socket&>> stream_;
    Stage stage_ = Stage::name;
    std::string going_, waiting_;  // being sent; to be sent after that
    std::optional<std::uint64_t> unsent_since_ms_;
    std::array<char, kReadBytes> in_{};
};

void Transport::Impl::arm() {
    if (user_ == nullptr) return;
    const std::uint64_t now_ms = clock_(), next_ms = user_->next_deadline();
    const std::uint64_t wait_ms =
        next_ms <= now_ms ? 0 : std::min(next_ms - now_ms, kLongestSleepMs);
    timer_.expires_after(std::chrono::milliseconds(wait_ms));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->user_ == nullptr) return;
        self->user_->tick(self->clock_());
        self->arm();
    });
}

void Transport::Impl::stop() {
    user_ = nullptr;
    timer_.cancel();
    close();
}

void Transport::Impl::connect() {
    close();
    connection_ = std::make_shared<Connection>(io_, *this);
    connection_->begin();
}

void Transport::Impl::close() {
    if (!connection_) return;
    connection_->let_go();
    connection_.reset();
}

void Transport::Impl::send(std::string_view bytes) {
    if (connection_) connection_->send(bytes);
}

std::optional<std::uint64_t> Transport::Impl::unsent_since_ms() const {
    return connection_ ? connection_->unsent_since_ms() : std::nullopt;
}

std::string Transport::Impl::local_address() const {
    return connection_ ? connection_->local_address() : std::string();
}

Transport::Transport(asio::io_context& io, TransportConfig config, Clock clock)
    : impl_(std::make_shared<Impl>(io, std::move(config), std::move(clock))) {}
Transport::~Transport() {
    impl_->stop();
}

void Transport::drive(LinkUser& user) {
    impl_->drive(user);
}
void Transport::on_resolved(Resolved resolved) {
    impl_->on_resolved(std::move(resolved));
}
void Transport::wake() {
    impl_->arm();
}
void Transport::configure(TransportConfig config) {
    impl_->configure(std::move(config));
}
const LinkFailure& Transport::failure() const {
    return impl_->failure();
}
std::string Transport::local_address() const {
    return impl_->local_address();
}

void Transport::stop() {
    impl_->stop();
}
void Transport::connect() {
    impl_->connect();
}
void Transport::close() {
    impl_->close();
}
void Transport::send(std::string_view bytes) {
    impl_->send(bytes);
}
std::optional<std::uint64_t> Transport::unsent_since_ms() const {
    return impl_->unsent_since_ms();
}

TransportConfig parse_router_address(const std::string& address, const TlsConfig& tls) {
    TransportConfig config;
    config.tls = tls;
    config.port = tls.enabled ? 8729 : 8728;
    std::string host = address, port;
    if (address.starts_with('[')) {
        const auto end = address.find(']');
        if (end == address.npos) return config;
        host = address.substr(1, end - 1);
        if (end + 1 < address.size()) {
            if (address[end + 1] != ':') return config;
            port = address.substr(end + 2);
            if (port.empty()) return config;
        }
    } else if (const auto colon = address.find(':');
               colon != address.npos && address.find(':', colon + 1) == address.npos) {
        host = address.substr(0, colon);
        port = address.substr(colon + 1);
        if (port.empty()) return config;
    }
    if (!port.empty()) {
        unsigned value = 0;
        for (const char c : port) {
            if (c < '0' || c > '9' || value > 65535) return config;
            value = value * 10 + static_cast<unsigned>(c - '0');
        }
        if (value == 0 || value > 65535) return config;
        config.port = static_cast<std::uint16_t>(value);
    }
    config.host = host;
    return config;
}

}  // namespace steer::routeros
