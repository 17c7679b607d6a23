// One connection, plain or with TLS. Reads and writes never block: they do what is possible now,
// and return what to wait for. So an idle connection needs no buffer, and a slow TLS peer delays
// only its own connection.
//
// The TLS library reads and writes the socket itself (no copy through memory); it frees its
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

// The maximum reads before other connections get their turn, and the bytes gathered for one write.
inline constexpr unsigned kClientReads = 4, kUpstreamReads = 16;
inline constexpr std::size_t kWriteBytes = 32 * 1024;
// What the TLS library keeps while a record waits to be written.
inline constexpr std::size_t kTlsRecordBytes = 17 * 1024;
inline constexpr std::size_t kLengthPrefix = 2;  // of a message over TCP (RFC 1035 4.2.2)

struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

// The result of a step.
enum class Io : std::uint8_t {
    done,        // for a read or write: at least one byte
    wait_read,   // try again when the socket is readable
    wait_write,  // try again when it is writable
    ended,       // the peer closed its side
    failed,      // see why(); the connection is unusable
};

class ByteStream {
  public:
    // Makes the socket non-blocking. It must be connected or connecting.
    explicit ByteStream(boost::asio::ip::tcp::socket socket);
    ~ByteStream() { close(); }
    ByteStream(ByteStream&&) = default;
    ByteStream& operator=(ByteStream&&) = delete;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    // Uses TLS from now on; `ssl` has the side (accept or connect). Then call handshake() until it
    // is done. TLS does not see bytes that were read before. Returns false if there is no memory.
    bool secure(SslPtr ssl);
    [[nodiscard]] Io handshake();

    // Reads or writes as much as possible now. `n`: number of bytes; 0 unless the result is done.
    [[nodiscard]] Io read(std::span<std::uint8_t> into, std::size_t& n);
    [[nodiscard]] Io write(std::span<const std::uint8_t> from, std::size_t& n);

    // `what`: wait_read or wait_write. The handler is one of async_wait: void(error_code).
    template <class Handler>
    auto wait(Io what, Handler&& handler) {
        return socket_.async_wait(what == Io::wait_write ? boost::asio::socket_base::wait_write
                                                         : boost::asio::socket_base::wait_read,
                                  std::forward<Handler>(handler));
    }

    // Closes our side (close_notify, FIN), if possible without waiting.
    void end_writing();
    // Pending waits end with operation_aborted. May be called again.
    void close();

    [[nodiscard]] bool is_open() const { return socket_.is_open(); }
    [[nodiscard]] bool is_secure() const { return ssl_ != nullptr; }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }
    // The protocol chosen by ALPN; empty: none.
    [[nodiscard]] std::string_view protocol() const;
    // The server name that the peer requested (RFC 6066 3); empty: none. Valid as long as this is
    // open.
    [[nodiscard]] std::string_view server_name() const;
    // After `ended`: TLS was not closed properly (RFC 8446 6.1), so an attacker may have cut off
    // data.
    [[nodiscard]] bool was_cut() const { return error_ != 0; }
    // After `failed`: the reason as text, and as errno (EPROTO: TLS).
    [[nodiscard]] const std::string& why() const { return why_; }
    [[nodiscard]] int error() const { return error_; }

  private:
    [[nodiscard]] Io from_errno(int error);
    [[nodiscard]] Io from_ssl(int result);

    boost::asio::ip::tcp::socket socket_;
    SslPtr ssl_;
    std::string why_;
    int error_ = 0;
    bool shaken_ = false;  // the handshake is done; the library forgets this after an error
};

}  // namespace steer::stream
