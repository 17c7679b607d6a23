#include "tools/rossim/host.h"

#include <stdexcept>
#include <utility>

namespace rossim {
namespace {

using Error = boost::system::error_code;
using std::chrono::steady_clock;

std::int64_t realtime_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Options with_wall_clock(Options options) {
    options.wall_at_zero_ns = realtime_ns();
    return options;
}

}  // namespace

Host::Host(boost::asio::io_context& io, const Settings& common, RouterSettings settings,
           boost::asio::ssl::context* tls, Journal journal)
    : io_(io),
      zero_(steady_clock::now()),
      tls_(tls),
      router_(with_wall_clock(std::move(settings.options)), std::move(journal)),
      alarm_(io),
      segment_bytes_(common.segment_bytes) {
    if (settings.port) add_door(common.address, *settings.port, false);
    if (settings.tls_port) add_door(common.address, *settings.tls_port, true);
}

std::int64_t Host::now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - zero_)
        .count();
}

void Host::add_door(const std::string& address, std::uint16_t port, bool tls) {
    Error error;
    const auto ip = boost::asio::ip::make_address(address, error);
    if (error) throw std::runtime_error("--address " + address + " is not an IP address");
    doors_.push_back(
        std::make_unique<Door>(Door{tcp::endpoint(ip, port), tcp::acceptor(io_), tls}));
    open(*doors_.back());
}

void Host::open(Door& door) {
    try {
        door.acceptor = tcp::acceptor(io_, door.endpoint);
        door.endpoint = door.acceptor.local_endpoint();  // the same port after a reboot
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error("router " + router_.name() + " cannot listen on " +
                                 door.endpoint.address().to_string() + " port " +
                                 std::to_string(door.endpoint.port()) + ": " +
                                 error.code().message());
    }
    accept(door);
}

void Host::accept(Door& door) {
    door.acceptor.async_accept([this, &door](const Error& error, tcp::socket socket) {
        if (error == boost::asio::error::operation_aborted || !door.acceptor.is_open()) return;
        if (!error) welcome(std::move(socket), door.tls);
        accept(door);
    });
}

void Host::welcome(tcp::socket socket, bool tls) {
    Error error;
    const std::string peer = socket.remote_endpoint(error).address().to_string();
    auto connection = tls ? make_tls_connection(std::move(socket), *tls_, segment_bytes_)
                          : make_plain_connection(std::move(socket), segment_bytes_);
    if (router_.is_hung() && tls) {
        waiting_.push_back([this, connection, peer] { start(connection, peer, true); });
    } else {
        start(connection, peer, tls);
    }
}

void Host::start(const std::shared_ptr<Connection>& connection, const std::string& peer, bool tls) {
    // The handler keeps no shared pointer: the connection owns the handler.
    const std::weak_ptr<Connection> weak = connection;
    const auto session = std::make_shared<SessionId>(0);
    Connection::Handler handler;
    handler.ready = [this, weak, session, peer, tls] {
        const auto opened = router_.open(now_us(), peer, tls);
        const auto self = weak.lock();
        if (!opened || !self) {
            if (self) self->reset();
            return;
        }
        *session = *opened;
        connections_[*opened] = self;
        pump();
    };
    handler.received = [this, session](std::string_view bytes) {
        router_.feed(*session, bytes, now_us());
        pump();
    };
    handler.closed = [this, session] {
        if (*session == 0) return;
        connections_.erase(*session);
        router_.close(*session, now_us());
        pump();
    };
    connection->start(std::move(handler));
}

void Host::pump() {
    const std::int64_t now = now_us();
    if (now - wall_set_us_ > 1'000'000) follow_wall_clock();
    router_.advance(now);
    for (Output& output : router_.take_output()) {
        const auto it = connections_.find(output.session);
        if (it == connections_.end()) continue;
        const auto connection = it->second;
        if (!output.bytes.empty()) connection->write(std::move(output.bytes));
        if (!output.close) continue;
        connections_.erase(output.session);
        if (output.reset) {
            connection->reset();
        } else {
            connection->close_after_writes();
        }
    }
    follow_reboot();
    follow_hang();
    set_alarm();
}

void Host::follow_wall_clock() {
    const std::int64_t now = now_us();
    wall_set_us_ = now;
    router_.set_wall_clock(realtime_ns() - now * 1000);
}

void Host::follow_reboot() {
    const bool down = router_.is_down();
    if (down) {
        waiting_.clear();
    }
    for (const auto& door : doors_) {
        if (down == !door->acceptor.is_open()) continue;
        if (down) {
            door->acceptor.close();
        } else {
            open(*door);
        }
    }
}

// A TLS handshake that waited for the end of a hang goes on.
void Host::follow_hang() {
    if (router_.is_hung()) return;
    for (const auto& begin : std::exchange(waiting_, {}))
        begin();
}

void Host::set_alarm() {
    const auto next = router_.next_event_us();
    if (!next) {
        alarm_.cancel();
        return;
    }
    alarm_.expires_at(zero_ + std::chrono::microseconds(*next));
    alarm_.async_wait([this](const Error& error) {
        if (!error) pump();
    });
}

void Host::hang(std::int64_t for_us) {
    router_.hang(now_us(), for_us);
    pump();
}

void Host::resume() {
    router_.resume(now_us());
    pump();
}

std::string Host::describe() const {
    std::string text = router_.name() + " on " + doors_.front()->endpoint.address().to_string();
    for (const auto& door : doors_) {
        text += std::string(door->tls ? ", TLS port " : ", port ") +
                std::to_string(door->endpoint.port());
    }
    return text;
}

}  // namespace rossim
