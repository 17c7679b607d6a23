// A client of DNS over QUIC or HTTP/3 (http3_frames.h) for benches: one connection on sockets of
// its own. It uses ngtcp2 and GnuTLS directly, without the code under test. IPv4.
#pragma once

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace steer::bench {

using Octets = std::vector<std::uint8_t>;

std::uint64_t monotonic_ns();

class DoqClient {
  public:
    class Owner {
      public:
        virtual void on_open(DoqClient& client) = 0;
        // The whole stream of an answer, with its length before it.
        virtual void on_answer(DoqClient& client, std::uint64_t tag, const Octets& stream) = 0;
        // A query that gets no answer: its stream was reset.
        virtual void on_reset(DoqClient& client, std::uint64_t tag) = 0;

      protected:
        ~Owner() = default;
    };
    // What a connection leaves for early data of the next one.
    struct Before {
        Octets ticket, token, parameters;
    };
    struct Settings {
        sockaddr_in server{};
        in_addr source{};                // 0: any
        unsigned ports = 1;              // local ports, which its datagrams leave from by turns
        bool is_apart = false;           // a packet for each query
        const Octets* ticket = nullptr;  // of an earlier connection
        std::string alpn = "doq";
        const Before* early = nullptr;        // queries leave with the handshake
        std::span<const std::uint8_t> uni{};  // for a unidirectional stream, once it is open
    };
    DoqClient(Owner& owner, const Settings& settings);
    ~DoqClient();
    DoqClient(const DoqClient&) = delete;
    DoqClient& operator=(const DoqClient&) = delete;

    // `stream` is what it sends, and must stay valid. False: the server allows no further stream
    // now.
    bool ask(std::span<const std::uint8_t> stream, std::uint64_t tag);
    // The beginning of a query; reset_begun() resets all of these, once they were written.
    bool begin(std::span<const std::uint8_t> part);
    void reset_begun();
    // Sends what is due. False, as all below: the connection has ended.
    bool write();
    // Takes what has arrived at a socket.
    bool read(int fd);
    bool expire(std::uint64_t now);
    void close();

    [[nodiscard]] Before before() const;
    [[nodiscard]] in_addr_t source() const { return local_.sin_addr.s_addr; }
    // Sends a datagram as it is.
    bool send(std::span<const std::uint8_t> datagram);

    // Datagrams that it would send now, for a test or for another sender.
    std::vector<Octets> datagrams();

    [[nodiscard]] std::span<const int> sockets() const { return sockets_; }
    [[nodiscard]] std::uint64_t expiry() const { return ngtcp2_conn_get_expiry(conn_); }
    [[nodiscard]] bool is_open() const { return is_open_; }
    [[nodiscard]] bool is_resumed() const { return is_resumed_; }
    // The server has answered with more than Retry.
    [[nodiscard]] bool has_answer() const { return has_answer_; }
    // The server has confirmed the handshake, so that its part is done.
    [[nodiscard]] bool is_confirmed() const { return is_confirmed_; }
    [[nodiscard]] const Octets& ticket() const { return ticket_; }
    // Queries that wait for an answer.
    [[nodiscard]] std::size_t waiting() const { return streams_.size(); }
    // Their tags; none waits any more.
    std::vector<std::uint64_t> take_waiting();

  private:
    struct Calls;
    struct Stream {
        std::uint64_t tag = 0;
        Octets received;
    };
    struct Output {
        std::int64_t stream;
        std::span<const std::uint8_t> bytes;
        bool is_end = true;
    };
    template <class Take>
    bool produce(const Take& take);
    [[nodiscard]] ngtcp2_path path();

    Owner& owner_;
    const Settings settings_;
    std::vector<int> sockets_;
    std::size_t next_socket_ = 0;
    sockaddr_in local_{};
    ngtcp2_crypto_conn_ref ref_{};
    gnutls_session_t session_ = nullptr;
    ngtcp2_conn* conn_ = nullptr;
    std::map<std::int64_t, Stream> streams_;
    std::deque<Output> output_;
    std::vector<std::int64_t> begun_;
    Octets ticket_, token_;
    bool is_open_ = false, is_confirmed_ = false, is_resumed_ = false, has_answer_ = false;
};

}  // namespace steer::bench
