// One connection, plain or under TLS, whose reads and writes never block: they do what can be done
// now, and say what has to be waited for. So a connection that is idle owns no buffer, and TLS
// costs nobody but its own connection a wait.
//
// The TLS library reads and writes the socket itself (no copy through memory); it lets go of its
// buffers while a connection is idle.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace steer::stream {

// How often one is read from before others have their turn, and how much is gathered for one write.
inline constexpr unsigned kClientReads = 4, kUpstreamReads = 16;
inline constexpr std::size_t kWriteBytes = 32 * 1024;
inline constexpr std::size_t kLengthPrefix = 2;  // of a message over TCP (RFC 1035 4.2.2)

struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

// What became of a step.
enum class Io : std::uint8_t {
    done,        // for a read or write: at least one byte
    wait_read,   // again when the socket is readable
    wait_write,  // again when it is writable
    ended,       // the peer will send no more
    failed,      // see why(); the connection is of no more use
};

class ByteStream {
  public:
    // Makes the socket, which is connected or connecting, non-blocking.
    explicit ByteStream(boost::asio::ip::tcp::socket socket);
    ~ByteStream() { close(); }
    ByteStream(ByteStream&&) = default;
    ByteStream& operator=(ByteStream&&) = delete;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    // From now on under TLS, whose side (accept or connect) is set in `ssl`; then handshake() until
    // it is done. Bytes that were read before are lost to it. False: no memory.
    bool secure(SslPtr ssl);
    [[nodiscard]] Io handshake();

    // Something that is to be read, or written, now: `n` says how much of it was. n is 0 unless done.
    [[nodiscard]] Io read(std::span<std::uint8_t> into, std::size_t& n);
    [[nodiscard]] Io write(std::span<const std::uint8_t> from, std::size_t& n);

    // `what` is wait_read or wait_write; the handler is one of async_wait: void(error_code).
    template <class Handler>
    auto wait(Io what, Handler&& handler) {
        return socket_.async_wait(what == Io::wait_write ? boost::asio::socket_base::wait_write
                                                         : boost::asio::socket_base::wait_read,
                                  std::forward<Handler>(handler));
    }

    // Tells the peer that no more will come (close_notify, FIN), if it can be done without waiting.
    void end_writing();
    // Waits end with operation_aborted. Idempotent.
    void close();

    [[nodiscard]] bool is_open() const { return socket_.is_open(); }
    [[nodiscard]] bool is_secure() const { return ssl_ != nullptr; }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }
    // What ALPN chose; empty: nothing.
    [[nodiscard]] std::string_view protocol() const;
    // Whom the peer asked for, of a server's side (RFC 6066 3); empty: nobody. Good as long as this is open.
    [[nodiscard]] std::string_view server_name() const;
    // After `ended`: not as TLS ends (RFC 8446 6.1), so that anybody on the way may have cut what came.
    [[nodiscard]] bool was_cut() const { return error_ != 0; }
    // After `failed`: for people; and as errno (EPROTO: TLS).
    [[nodiscard]] const std::string& why() const { return why_; }
    [[nodiscard]] int error() const { return error_; }

  private:
    [[nodiscard]] Io from_errno(int error);
    [[nodiscard]] Io from_ssl(int result);

    boost::asio::ip::tcp::socket socket_;
    SslPtr ssl_;
    std::string why_;
    int error_ = 0;
    bool shaken_ = false;  // the handshake is done: the library forgets it with an error
};

}  // namespace steer::stream
