// What the tests of control/streams stand on: one StreamThread turned by hand, workers that are the
// test itself, and plain sockets on loopback as clients and upstreams.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/stream_thread.h"
#include "support/dns_message.h"

namespace steer::test {

IpAddress address(std::string_view text);
// A query for `name` A with this id; `answers` A records make it its response.
Bytes make_query(std::uint16_t id, std::string_view name);
Bytes make_response(const Bytes& query, unsigned answers);

// A socket of a client or of an upstream. Never blocks.
class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Peer& operator=(Peer&&) = delete;
    ~Peer();

    static Peer connected(stream::Transport transport, const IpAddress& to, std::uint16_t port);
    static Peer bound(stream::Transport transport, const IpAddress& to);  // listening, if TCP

    [[nodiscard]] std::uint16_t port() const;
    bool send(const Bytes& bytes);
    bool send_framed(const Bytes& message);  // behind its length
    // What there is now, appended to `in`. False: the other side has closed.
    bool receive();
    // Takes one message off the front of `in`: a whole datagram, or what a length announces.
    std::optional<Bytes> next_framed();
    std::optional<Peer> accept();
    // A datagram and who sent it; answered by send_to().
    std::optional<std::pair<Bytes, stream::SocketAddress>> receive_from();
    void send_to(const Bytes& bytes, const stream::SocketAddress& to);
    void shut_down_sending();
    [[nodiscard]] int fd() const { return fd_; }

    Bytes in;
    bool closed = false;

  private:
    int fd_;
};

struct InjectedMessage {
    Message message;
    InjectedQuery header;
    Bytes query;
    std::string server_name, url_path;
};

// Goes on by itself, and may be put forward.
class SkippingClock final : public Clock {
  public:
    Now now() override { return {clock_.now().ms + skipped_ms_}; }
    void skip(std::chrono::milliseconds time) {
        skipped_ms_ += static_cast<std::uint64_t>(time.count());
    }

  private:
    BootClock clock_;
    std::uint64_t skipped_ms_ = 0;
};

class StreamWorld {
  public:
    explicit StreamWorld(unsigned workers = 1, const config::ServerLimits& limits = {},
                         unsigned ring = 64);
    ~StreamWorld();

    // Opens a listener on 127.0.0.1 (or `on`) and returns its port. Over TCP it is one for DNS; what
    // else it offers is in `service`, which listen_tcp() takes as it is.
    std::uint16_t listen(stream::Transport transport, bool budgeted = false,
                         std::chrono::milliseconds idle = std::chrono::seconds(10),
                         std::string_view on = "127.0.0.1");
    std::uint16_t listen_tcp(stream::Service service, std::string_view on = "127.0.0.1");
    // Turns the thread until `done`; false: it was not within five seconds.
    bool until(const std::function<bool()>& done);
    void turn();

    // Housekeeping of so much time is done at the next turn.
    void pass(std::chrono::milliseconds time) { clock_.skip(time); }

    // Messages to workers, popped in order of arrival.
    std::vector<InjectedMessage> queries;
    std::vector<Message> replies;  // upstream_reply; the buffers are this world's
    void answer(const InjectedMessage& query, const Bytes& response);
    void drop(const InjectedMessage& query);
    bool answer_all = false;  // answers each with one record at once
    bool pop = true;          // workers take their messages

    std::uint64_t token_serial = 0;
    void ask_upstream(stream::Transport transport, const Bytes& query, const IpAddress& to,
                      std::uint16_t port, std::uint64_t token, std::uint32_t timeout_ms = 2000);
    // An engine of a `recursion`, on 127.0.0.1.
    void ask_engine(const Bytes& query, std::uint16_t port, std::uint64_t token,
                    std::uint32_t timeout_ms = 2000);
    // For an upstream that the thread knows.
    void ask_channel(std::uint16_t upstream, const Bytes& query, std::uint64_t token,
                     std::uint32_t timeout_ms = 2000, UpstreamVia via = UpstreamVia::channel);
    [[nodiscard]] static Bytes bytes_of(const Message& m);

    std::uint64_t count(StreamCount c) { return thread->counters().get(c); }
    [[nodiscard]] unsigned buffers_in_use() const { return buffers_.in_use(); }

    std::unique_ptr<stream::StreamThread> thread;

  private:
    void ask(UpstreamVia via, std::uint16_t upstream, const Bytes& query, const UpstreamQuery& to,
             std::uint64_t token);
    void take(const Message& m, unsigned worker);
    Buffer* buffer_of(const Bytes& bytes);

    SkippingClock clock_;
    config::ServerLimits limits_;
    BufferPools buffers_{2048, 64};
    int event_fd_;
    Sleeper sleeper_;
    std::vector<std::unique_ptr<Ring<Message>>> to_worker_, from_worker_;
};

}  // namespace steer::test
