#include "world.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>

#include "dataplane/base/injected_texts.h"
#include "dataplane/dns/wire.h"

namespace steer::test {

using stream::ListenAddress;
using stream::SocketAddress;
using stream::Transport;

IpAddress address(std::string_view text) {
    return IpAddress::parse(text).value();
}

Bytes make_query(std::uint16_t id, std::string_view name) {
    Bytes q(12);
    dns::store_be16(q.data(), id);
    q[2] = 1;
    q[5] = 1;
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        q.push_back(static_cast<std::uint8_t>(label.size()));
        q.insert(q.end(), label.begin(), label.end());
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    q.insert(q.end(), {0, 0, 1, 0, 1});
    return q;
}

Bytes make_response(const Bytes& query, unsigned answers) {
    Bytes r = query;
    r[2] |= 0x80;
    dns::store_be16(&r[6], static_cast<std::uint16_t>(answers));
    for (unsigned i = 0; i < answers; ++i) {
        r.insert(r.end(), {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1});
    }
    return r;
}

Peer::~Peer() {
    if (fd_ >= 0) ::close(fd_);
}

namespace {

int new_socket(Transport transport, const IpAddress& like) {
    const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    return ::socket(like.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

}  // namespace

Peer Peer::connected(Transport transport, const IpAddress& to, std::uint16_t port) {
    Peer peer(new_socket(transport, to));
    const SocketAddress a(to, port);
    const int done = ::connect(peer.fd_, a.get(), a.length);
    BOOST_REQUIRE(done == 0 || errno == EINPROGRESS);
    return peer;
}

Peer Peer::bound(Transport transport, const IpAddress& to) {
    Peer peer(new_socket(transport, to));
    const SocketAddress a(to, 0);
    BOOST_REQUIRE(::bind(peer.fd_, a.get(), a.length) == 0);
    if (transport == Transport::tcp) BOOST_REQUIRE(::listen(peer.fd_, 16) == 0);
    return peer;
}

std::uint16_t Peer::port() const {
    SocketAddress a;
    BOOST_REQUIRE(::getsockname(fd_, a.get(), &a.length) == 0);
    return a.port();
}

bool Peer::send(const Bytes& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
}

bool Peer::send_framed(const Bytes& message) {
    Bytes framed(2);
    dns::store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
    framed.insert(framed.end(), message.begin(), message.end());
    return send(framed);
}

bool Peer::receive() {
    std::array<std::uint8_t, 65536> piece;
    for (;;) {
        const auto n = ::recv(fd_, piece.data(), piece.size(), 0);
        if (n > 0) {
            in.insert(in.end(), piece.begin(), piece.begin() + n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != ENOTCONN)) closed = true;
        return !closed;
    }
}

std::optional<Bytes> Peer::next_framed() {
    receive();
    if (in.size() < 2) return std::nullopt;
    const std::size_t length = dns::load_be16(in.data());
    if (in.size() < 2 + length) return std::nullopt;
    const auto begin = in.begin() + 2;
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    Bytes message(begin, end);
    in.erase(in.begin(), end);
    return message;
}

std::optional<Peer> Peer::accept() {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return std::nullopt;
    return Peer(fd);
}

std::optional<std::pair<Bytes, SocketAddress>> Peer::receive_from() {
    Bytes datagram(65536);
    SocketAddress from;
    const auto n = ::recvfrom(fd_, datagram.data(), datagram.size(), 0, from.get(), &from.length);
    if (n < 0) return std::nullopt;
    datagram.resize(static_cast<std::size_t>(n));
    return std::pair{std::move(datagram), from};
}

void Peer::send_to(const Bytes& bytes, const SocketAddress& to) {
    BOOST_REQUIRE(::sendto(fd_, bytes.data(), bytes.size(), 0, to.get(), to.length) > 0);
}

void Peer::shut_down_sending() {
    ::shutdown(fd_, SHUT_WR);
}

StreamWorld::StreamWorld(unsigned workers, const config::ServerLimits& limits, unsigned ring)
    : limits_(limits), event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), sleeper_(event_fd_) {
    stream::StreamRings rings;
    rings.sleeper = &sleeper_;
    for (unsigned i = 0; i < workers; ++i) {
        to_worker_.push_back(std::make_unique<Ring<Message>>(ring, nullptr));
        from_worker_.push_back(std::make_unique<Ring<Message>>(256, &sleeper_));
        rings.to_worker.push_back(to_worker_.back().get());
        rings.from_worker.push_back(from_worker_.back().get());
    }
    thread = std::make_unique<stream::StreamThread>(0, std::move(rings), buffers_, clock_);
}

StreamWorld::~StreamWorld() {
    for (const auto& q : queries)
        release(q.message.buffer);
    for (const auto& r : replies)
        release(r.buffer);
    thread.reset();
    Message m;
    for (auto& ring : to_worker_) {
        while (ring->pop(&m, 1) == 1)
            release(m.buffer);
    }
    BOOST_TEST(buffers_.in_use() == 0U);
    ::close(event_fd_);
}

namespace {

struct Listening {
    int socket = -1;
    ListenAddress where;
};

Listening open_on(Transport transport, std::string_view on) {
    const ListenAddress any_port{transport, address(on), 0};
    const auto socket = stream::open_listen_socket(any_port);
    BOOST_REQUIRE(socket.has_value());
    SocketAddress bound;
    BOOST_REQUIRE(::getsockname(*socket, bound.get(), &bound.length) == 0);
    return {*socket, {transport, any_port.address, bound.port()}};
}

}  // namespace

std::uint16_t StreamWorld::listen(Transport transport, bool budgeted,
                                  std::chrono::milliseconds idle, std::string_view on) {
    if (transport == Transport::tcp) {
        auto limits = limits_;
        limits.idle_timeout = idle;
        return listen_tcp({.limits = limits}, on);
    }
    const auto opened = open_on(transport, on);
    thread->add_udp(opened.where, opened.socket, budgeted);
    return opened.where.port;
}

std::uint16_t StreamWorld::listen_tcp(stream::Service service, std::string_view on) {
    const auto opened = open_on(Transport::tcp, on);
    thread->add_tcp(opened.where, opened.socket,
                    std::make_shared<const stream::Service>(std::move(service)));
    return opened.where.port;
}

void StreamWorld::turn() {
    if (thread->poll() == 0) ::poll(nullptr, 0, 1);
    Message m;
    for (unsigned worker = 0; pop && worker < to_worker_.size(); ++worker) {
        while (to_worker_[worker]->pop(&m, 1) == 1)
            take(m, worker);
    }
}

bool StreamWorld::until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        turn();
    }
    return true;
}

void StreamWorld::take(const Message& m, unsigned worker) {
    if (m.kind == MessageKind::upstream_reply) {
        replies.push_back(m);
        return;
    }
    BOOST_REQUIRE(m.kind == MessageKind::inject);
    InjectedMessage q{.message = m, .header = {}, .query = {}, .server_name = {}, .url_path = {}};
    q.message.from = static_cast<std::uint8_t>(worker);
    std::memcpy(&q.header, m.buffer->data(), sizeof q.header);
    const std::size_t texts = std::size_t{q.header.server_name_length} + q.header.url_path_length;
    BOOST_REQUIRE(m.buffer->length == sizeof q.header + q.header.length + texts);
    const auto bytes = m.buffer->bytes().subspan(sizeof q.header, q.header.length);
    q.query.assign(bytes.begin(), bytes.end());
    const InjectedTexts injected = texts_of(*m.buffer);
    q.server_name = injected.server_name;
    q.url_path = injected.url_path;
    release(std::exchange(q.message.buffer, nullptr));
    if (answer_all) answer(q, make_response(q.query, 1));
    queries.push_back(std::move(q));
}

Buffer* StreamWorld::buffer_of(const Bytes& bytes) {
    Buffer* const buffer = buffers_.take(static_cast<std::uint32_t>(bytes.size()));
    BOOST_REQUIRE(buffer != nullptr);
    std::memcpy(buffer->data(), bytes.data(), bytes.size());
    buffer->length = static_cast<std::uint32_t>(bytes.size());
    return buffer;
}

void StreamWorld::answer(const InjectedMessage& query, const Bytes& response) {
    Message m;
    m.kind = MessageKind::answer;
    m.token = query.message.token;
    m.buffer = buffer_of(response);
    BOOST_REQUIRE(from_worker_[query.message.from]->push(m));
}

void StreamWorld::drop(const InjectedMessage& query) {
    Message m;
    m.kind = MessageKind::answer;
    m.token = query.message.token;
    BOOST_REQUIRE(from_worker_[query.message.from]->push(m));
}

void StreamWorld::ask(UpstreamVia via, std::uint16_t upstream, const Bytes& query,
                      const UpstreamQuery& to, std::uint64_t token) {
    Bytes both(sizeof to);
    std::memcpy(both.data(), &to, sizeof to);
    both.insert(both.end(), query.begin(), query.end());
    Message m;
    m.kind = MessageKind::upstream_query;
    m.a = upstream;
    m.b = static_cast<std::uint32_t>(via);
    m.token = token;
    m.buffer = buffer_of(both);
    BOOST_REQUIRE(from_worker_[0]->push(m));
}

void StreamWorld::ask_upstream(Transport transport, const Bytes& query, const IpAddress& to,
                               std::uint16_t port, std::uint64_t token, std::uint32_t timeout_ms) {
    ask(transport == Transport::tcp ? UpstreamVia::tcp : UpstreamVia::udp, 0, query,
        {to, port, static_cast<std::uint16_t>(query.size()), timeout_ms}, token);
}

void StreamWorld::ask_engine(const Bytes& query, std::uint16_t port, std::uint64_t token,
                             std::uint32_t timeout_ms) {
    ask(UpstreamVia::engine, 0, query,
        {address("127.0.0.1"), port, static_cast<std::uint16_t>(query.size()), timeout_ms}, token);
}

void StreamWorld::ask_channel(std::uint16_t upstream, const Bytes& query, std::uint64_t token,
                              std::uint32_t timeout_ms, UpstreamVia via) {
    ask(via, upstream, query, {{}, 0, static_cast<std::uint16_t>(query.size()), timeout_ms}, token);
}

Bytes StreamWorld::bytes_of(const Message& m) {
    const auto bytes = m.buffer->bytes();
    return Bytes(bytes.begin(), bytes.end());
}

}  // namespace steer::test
