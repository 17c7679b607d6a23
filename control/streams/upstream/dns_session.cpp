#include "control/streams/upstream/stream_transport.h"

#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

#include "control/streams/upstream/id_session.h"
#include "control/streams/upstream/upstream_reply.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

class DnsSession final : public IdSession, public std::enable_shared_from_this<DnsSession> {
  public:
    DnsSession(StreamContext& context, ByteStream stream, unsigned most, SessionWatcher& watcher)
        : IdSession(context, watcher, most), stream_(std::move(stream)) {}

    // TLS may have read more than the handshake.
    void start() {
        boost::asio::post(context_.io, [self = shared_from_this()] { self->read(); });
    }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    void close() override {
        if (!has_ended()) stream_.end_writing();
        IdSession::close();
    }

  private:
    void disconnect() override { stream_.close(); }
    void write();
    void read();
    // Goes on when the socket is ready for it.
    void read_later(Io what);
    // Takes whole messages off `bytes`, and keeps the rest.
    void take(std::span<std::uint8_t> bytes);

    ByteStream stream_;
    std::vector<std::uint8_t> in_, out_;
    bool writing_ = false;  // a write is due, or waits for the socket
};

void DnsSession::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) {
    const std::size_t at = out_.size();
    const auto sent =
        add(query, deadline_ms, std::move(done), written_ + at + kLengthPrefix + query.size());
    out_.resize(at + kLengthPrefix);
    dns::store_be16(&out_[at], static_cast<std::uint16_t>(sent.size()));
    out_.insert(out_.end(), sent.begin(), sent.end());
    if (std::exchange(writing_, true)) return;
    boost::asio::post(context_.io, [self = shared_from_this()] { self->write(); });
}

void DnsSession::write() {
    std::size_t written = 0;
    Io io = Io::done;
    while (!has_ended() && written < out_.size()) {
        std::size_t n = 0;
        io = stream_.write(std::span(out_).subspan(written), n);
        if (io != Io::done) break;
        written += n;
    }
    written_ += written;
    if (has_ended()) return;
    if (io == Io::failed || io == Io::ended) return end(stream_.why());
    if (written == out_.size()) {
        out_ = {};
        writing_ = false;
        return;
    }
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written));
    stream_.wait(io, [self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) self->write();
    });
}

void DnsSession::read_later(Io what) {
    stream_.wait(what, [self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) self->read();
    });
}

void DnsSession::read() {
    const unsigned before = in_progress();
    for (unsigned turn = 0; turn < kUpstreamReads && !has_ended(); ++turn) {
        std::size_t n = 0;
        const Io io = stream_.read(context_.room, n);
        if (io == Io::ended) return end("");
        if (io == Io::failed) return end(stream_.why());
        if (io != Io::done) {
            read_later(io);
            if (in_progress() < before) watcher_.on_room(*this);
            return;
        }
        take({context_.room.data(), n});
        if (!has_ended()) end_silence();
    }
    if (has_ended()) return;
    boost::asio::post(context_.io, [self = shared_from_this()] { self->read(); });
    if (in_progress() < before) watcher_.on_room(*this);
}

void DnsSession::take(std::span<std::uint8_t> bytes) {
    std::vector<std::uint8_t> joined;
    if (!in_.empty()) {
        joined = std::exchange(in_, {});
        joined.insert(joined.end(), bytes.begin(), bytes.end());
        bytes = joined;
    }
    while (!has_ended() && bytes.size() >= kLengthPrefix) {
        const std::size_t length = dns::load_be16(bytes.data());
        if (bytes.size() < kLengthPrefix + length) break;
        take_reply(bytes.subspan(kLengthPrefix, length));
        bytes = bytes.subspan(kLengthPrefix + length);
    }
    in_.assign(bytes.begin(), bytes.end());
    if (in_.empty()) in_ = {};
}

}  // namespace

std::shared_ptr<UpstreamSession> make_dns_session(StreamContext& context, ByteStream stream,
                                                  const UpstreamTarget& target,
                                                  SessionWatcher& watcher) {
    auto session = std::make_shared<DnsSession>(context, std::move(stream),
                                                target.pipeline ? kPipelined : 1U, watcher);
    session->start();
    return session;
}

}  // namespace steer::stream
