// bare_streams ADDRESS CERTIFICATE KEY: answers over UDP and TCP (port 53), TLS (853) and HTTP/2 over
// TLS (443) without DNS, by one thread until SIGTERM. What it costs is the floor of the bench
// `streams`: the kernel's sockets, OpenSSL and nghttp2, the libraries of steerdnsd.
//
// A reply is its query with a record behind it. Over HTTP/2 all replies are alike.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/fail.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "bare_streams: %s\n", why.c_str());
    std::exit(1);
}

namespace {

using Bytes = std::vector<std::uint8_t>;
enum class Kind : std::uint8_t { tcp, tls, http };

// 192.0.2.1 for a day, for the question's name (the zone of `ports`).
constexpr std::array<std::uint8_t, 16> kRecord{0xc0, 12,   0, 1, 0,   1, 0, 1,
                                               0x51, 0x80, 0, 4, 192, 0, 2, 1};
constexpr std::size_t kHeader = 12, kRoom = 16'384;

volatile std::sig_atomic_t g_end = 0;

// Appends the reply to a query without EDNS.
void append_reply(std::span<const std::uint8_t> query, Bytes& to) {
    const std::size_t at = to.size();
    to.insert(to.end(), query.begin(), query.end());
    to[at + 2] |= 0x80;
    to[at + 3] = 0x80;
    to[at + 7] = 1;
    to.insert(to.end(), kRecord.begin(), kRecord.end());
}

// Of a name as long as those of the bench.
const Bytes& reply_over_http() {
    static const Bytes reply = [] {
        Bytes query(kHeader + 31 + 4);
        query[5] = 1;
        Bytes out;
        append_reply(query, out);
        return out;
    }();
    return reply;
}

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct FreeSession {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

class Connection {
  public:
    Connection(int socket, Kind kind, SSL_CTX* tls);
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Reads and answers all that is there. False: it ended.
    bool turn();

  private:
    ssize_t read(std::span<std::uint8_t> room);
    bool take(std::span<const std::uint8_t> bytes);
    void answer_messages();
    bool send();
    void begin_http();

    int socket_;
    Kind kind_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
    std::unique_ptr<nghttp2_session, FreeSession> session_;
    Bytes in_, out_;
};

ssize_t read_reply(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t most,
                   std::uint32_t* flags, nghttp2_data_source*, void*) {
    const Bytes& reply = reply_over_http();
    if (most < reply.size()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::copy(reply.begin(), reply.end(), to);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(reply.size());
}

nghttp2_nv header(std::string& name, std::string& value) {
    return {reinterpret_cast<std::uint8_t*>(name.data()),
            reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NONE};
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    static std::array<std::string, 8> words{
        ":status",        "200",
        "content-type",   "application/dns-message",
        "content-length", std::to_string(reply_over_http().size()),
        "cache-control",  "max-age=86400"};
    const std::array headers{header(words[0], words[1]), header(words[2], words[3]),
                             header(words[4], words[5]), header(words[6], words[7])};
    nghttp2_data_provider provider{{0}, read_reply};
    return nghttp2_submit_response(session, frame->hd.stream_id, headers.data(), headers.size(),
                                   &provider);
}

Connection::Connection(int socket, Kind kind, SSL_CTX* tls) : socket_(socket), kind_(kind) {
    if (kind == Kind::tcp) return;
    ssl_.reset(SSL_new(tls));
    SSL_set_fd(ssl_.get(), socket);
    SSL_set_accept_state(ssl_.get());
    if (kind == Kind::http) begin_http();
}

void Connection::begin_http() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session* session = nullptr;
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    session_.reset(session);
    const nghttp2_settings_entry most{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &most, 1);
}

// -1: nothing more for now; 0: the end.
ssize_t Connection::read(std::span<std::uint8_t> room) {
    if (kind_ == Kind::tcp) {
        const ssize_t got = ::recv(socket_, room.data(), room.size(), 0);
        return got < 0 && errno != EAGAIN ? 0 : got;
    }
    const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
    if (got > 0) return got;
    return SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ ? -1 : 0;
}

bool Connection::turn() {
    std::array<std::uint8_t, kRoom> room;
    for (;;) {
        const ssize_t got = read(room);
        if (got == 0) return false;
        if (got < 0) return send();
        if (!take({room.data(), static_cast<std::size_t>(got)})) return false;
        // A short read took all that was there.
        if (kind_ == Kind::tcp && static_cast<std::size_t>(got) < room.size()) return send();
    }
}

bool Connection::take(std::span<const std::uint8_t> bytes) {
    if (kind_ == Kind::http)
        return nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size()) >= 0;
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    answer_messages();
    return true;
}

// Each has its length before it (RFC 7766).
void Connection::answer_messages() {
    std::span<const std::uint8_t> left(in_);
    while (left.size() >= 2) {
        const std::size_t length = std::size_t{left[0]} << 8 | left[1];
        if (length < kHeader || left.size() < 2 + length) break;
        const std::size_t reply = length + kRecord.size();
        out_.push_back(static_cast<std::uint8_t>(reply >> 8));
        out_.push_back(static_cast<std::uint8_t>(reply));
        append_reply(left.subspan(2, length), out_);
        left = left.subspan(2 + length);
    }
    in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(left.size()));
}

// All that there is to send, at once. (200 replies in flight always fit into a socket's buffer.)
bool Connection::send() {
    if (kind_ == Kind::http && SSL_is_init_finished(ssl_.get()) != 0) {
        const std::uint8_t* part = nullptr;
        for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_.get(), &part)) > 0;)
            out_.insert(out_.end(), part, part + n);
    }
    if (out_.empty()) return true;
    const auto size = static_cast<ssize_t>(out_.size());
    const ssize_t sent = kind_ == Kind::tcp
                             ? ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL)
                             : SSL_write(ssl_.get(), out_.data(), static_cast<int>(size));
    out_.clear();
    return sent == size;
}

// ---- the loop

int open_socket(int type, const char* address, std::uint16_t port) {
    const int fd = ::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    if (fd < 0 || ::inet_pton(AF_INET, address, &here.sin_addr) != 1 ||
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        (type == SOCK_STREAM && ::listen(fd, SOMAXCONN) != 0))
        fail(std::string("no socket at ") + address + ": " + std::strerror(errno));
    return fd;
}

// HTTP/2, if the client offers it.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in,
                    unsigned in_length, void*) {
    const int chosen =
        nghttp2_select_next_protocol(const_cast<unsigned char**>(out), length, in, in_length);
    return chosen == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* tls_with(const char* certificate, const char* key) {
    SSL_CTX* const tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        fail("the certificate or its key cannot be read");
    return tls;
}

void answer_udp(int socket) {
    std::array<std::uint8_t, 1'500> room;
    sockaddr_in from{};
    socklen_t length = sizeof from;
    ssize_t got = 0;
    while ((got = ::recvfrom(socket, room.data(), room.size(), 0,
                             reinterpret_cast<sockaddr*>(&from), &length)) >=
           static_cast<ssize_t>(kHeader)) {
        Bytes reply;
        append_reply({room.data(), static_cast<std::size_t>(got)}, reply);
        (void)::sendto(socket, reply.data(), reply.size(), 0,
                       reinterpret_cast<const sockaddr*>(&from), length);
    }
}

class Server {
  public:
    Server(const char* address, SSL_CTX* tls) : tls_(tls) {
        listeners_ = {{open_socket(SOCK_STREAM, address, 53), Kind::tcp},
                      {open_socket(SOCK_STREAM, address, 853), Kind::tls},
                      {open_socket(SOCK_STREAM, address, 443), Kind::http}};
        for (const auto& [socket, kind] : listeners_)
            watch(socket);
        watch(udp_ = open_socket(SOCK_DGRAM, address, 53));
    }

    void run() {
        std::array<epoll_event, 64> events;
        while (g_end == 0) {
            const int count =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i)
                serve(events[static_cast<std::size_t>(i)].data.fd);
        }
    }

  private:
    void watch(int socket) {
        epoll_event event{EPOLLIN, {}};
        event.data.fd = socket;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("no room for a socket");
    }
    void serve(int socket) {
        if (socket == udp_) return answer_udp(socket);
        if (const auto listener = listeners_.find(socket); listener != listeners_.end())
            return accept(socket, listener->second);
        const auto found = connections_.find(socket);
        if (found != connections_.end() && !found->second->turn()) connections_.erase(found);
    }
    void accept(int listener, Kind kind) {
        for (int socket = 0;
             (socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
            const int on = 1;
            ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            connections_[socket] = std::make_unique<Connection>(socket, kind, tls_);
            watch(socket);
        }
    }

    SSL_CTX* tls_;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC), udp_ = -1;
    std::unordered_map<int, Kind> listeners_;
    std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer::bench;
    if (argc != 4) fail("ADDRESS CERTIFICATE KEY");
    std::signal(SIGPIPE, SIG_IGN);
    struct sigaction ends {};
    ends.sa_handler = [](int) { g_end = 1; };  // without SA_RESTART: it ends the wait
    sigaction(SIGTERM, &ends, nullptr);
    Server server(argv[1], tls_with(argv[2], argv[3]));
    std::puts("serving");
    std::fflush(stdout);
    server.run();
    return 0;
}
