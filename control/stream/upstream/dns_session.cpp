#include "control/stream/upstream/dns_session.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "control/stream/upstream/pending_asks.h"
#include "control/stream/upstream/upstream_reply.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

class DnsSession final : public UpstreamSession, public std::enable_shared_from_this<DnsSession> {
  public:
    DnsSession(StreamContext& context, ByteStream stream, unsigned most, SessionWatcher& watcher)
        : context_(context), stream_(std::move(stream)), most_(most), watcher_(watcher) {}

    // TLS may have read more than the handshake.
    void start() {
        boost::asio::post(context_.io, [self = shared_from_this()] { self->read(); });
    }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    [[nodiscard]] unsigned room() const override { return ended_ ? 0 : most_ - in_progress(); }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(pending_.size());
    }
    [[nodiscard]] std::uint64_t silent_since_ms() const override { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

  private:
    void write();
    void read();
    // Goes on when the socket is ready for it.
    void read_later(Io what);
    // Takes whole messages off `bytes`, and keeps the rest.
    void take(std::span<std::uint8_t> bytes);
    void take_message(std::span<std::uint8_t> message);
    void end(const std::string& why);
    void stop() {
        ended_ = true;
        silent_since_ms_ = UINT64_MAX;
        stream_.close();
    }

    StreamContext& context_;
    ByteStream stream_;
    const unsigned most_;
    SessionWatcher& watcher_;
    PendingAsks pending_;
    std::vector<std::uint8_t> in_, out_;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool writing_ = false;  // a write is due, or waits for the socket
    bool ended_ = false;
};

void DnsSession::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) {
    std::uint16_t id = 0;
    do {
        id = static_cast<std::uint16_t>(context_.random.next());
    } while (pending_.contains(id));
    PendingAsk p(query, id, deadline_ms, std::move(done));
    const std::size_t at = out_.size();
    out_.resize(at + kLengthPrefix);
    dns::store_be16(&out_[at], static_cast<std::uint16_t>(query.size()));
    out_.insert(out_.end(), p.query.begin(), p.query.end());
    pending_.emplace(id, std::move(p));
    if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = context_.now_ms();
    if (std::exchange(writing_, true)) return;
    boost::asio::post(context_.io, [self = shared_from_this()] { self->write(); });
}

void DnsSession::write() {
    std::size_t written = 0;
    Io io = Io::done;
    while (!ended_ && written < out_.size()) {
        std::size_t n = 0;
        io = stream_.write(std::span(out_).subspan(written), n);
        if (io != Io::done) break;
        written += n;
    }
    if (ended_) return;
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
    for (unsigned turn = 0; turn < kUpstreamReads && !ended_; ++turn) {
        std::size_t n = 0;
        const Io io = stream_.read(context_.room, n);
        if (io == Io::ended) return end("");
        if (io == Io::failed) return end(stream_.why());
        if (io != Io::done) {
            read_later(io);
            if (in_progress() < before) watcher_.on_room(*this);
            return;
        }
        silent_since_ms_ = UINT64_MAX;
        take({context_.room.data(), n});
        if (!pending_.empty() && silent_since_ms_ == UINT64_MAX)
            silent_since_ms_ = context_.now_ms();
    }
    if (ended_) return;
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
    while (!ended_ && bytes.size() >= kLengthPrefix) {
        const std::size_t length = dns::load_be16(bytes.data());
        if (bytes.size() < kLengthPrefix + length) break;
        take_message(bytes.subspan(kLengthPrefix, length));
        bytes = bytes.subspan(kLengthPrefix + length);
    }
    in_.assign(bytes.begin(), bytes.end());
    if (in_.empty()) in_ = {};
}

void DnsSession::take_message(std::span<std::uint8_t> message) {
    const auto found = message.size() >= dns::kHeaderSize
                           ? pending_.find(dns::load_be16(message.data()))
                           : pending_.end();
    if (found == pending_.end() || !is_reply_to(found->second.query, message)) {
        context_.count(StreamCount::upstream_unmatched);
        return;
    }
    dns::store_be16(message.data(), found->second.id);
    const Done done = std::move(found->second.done);
    pending_.erase(found);
    done({.message = message});
}

void DnsSession::expire(std::uint64_t now_ms) {
    const auto late = take_late(pending_, now_ms, [](std::uint32_t) {});
    for (const Done& done : late)
        done({.error = ETIMEDOUT});
    if (!late.empty() && !ended_) watcher_.on_room(*this);
}

void DnsSession::end(const std::string& why) {
    stop();
    end_asks(std::exchange(pending_, {}));
    watcher_.on_ended(*this, why);
}

void DnsSession::close() {
    if (ended_) return;
    stream_.end_writing();
    stop();
    end_asks_later(context_.io, std::exchange(pending_, {}));
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
