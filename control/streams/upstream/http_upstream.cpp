#include "control/streams/upstream/http_upstream.h"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "control/streams/http/doh_client.h"
#include "control/streams/upstream/pending_asks.h"
#include "control/streams/upstream/upstream_reply.h"
#include "dataplane/dns/message_ttls.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

class HttpUpstream final : public UpstreamSession,
                           public DohReplyTaker,
                           public std::enable_shared_from_this<HttpUpstream> {
  public:
    HttpUpstream(StreamContext& context, ByteStream stream, const UpstreamTarget& target,
                 SessionWatcher& watcher)
        : context_(context),
          stream_(std::move(stream)),
          watcher_(watcher),
          client_({target.authority(), target.path}, stream_.protocol(), *this) {}

    // HTTP/2 begins with our preface, and TLS may have read more than the handshake.
    void start() {
        boost::asio::post(context_.io, [self = shared_from_this()] { self->read(); });
        write_later();
    }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    [[nodiscard]] unsigned room() const override { return ended_ ? 0 : client_.room(); }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(pending_.size());
    }
    [[nodiscard]] bool is_leaving() const override { return ended_ || client_.is_leaving(); }
    [[nodiscard]] std::optional<unsigned> announced_limit() const override {
        return client_.announced_limit();
    }
    [[nodiscard]] std::uint64_t silent_since_ms() const override { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

    void take_reply(std::uint32_t request, DohReply& reply) override;
    void take_failure(std::uint32_t request, Retry retry) override;
    void take_written(std::uint32_t request) override;

  private:
    void read();
    void read_later(Io what);
    void write();
    void write_later();
    void finish(PendingAsks::iterator pending, const SessionReply& reply);
    void end(const std::string& why);
    void stop();

    StreamContext& context_;
    ByteStream stream_;
    SessionWatcher& watcher_;
    DohClient client_;
    PendingAsks pending_;
    std::vector<std::uint8_t> out_;  // not written yet
    std::uint64_t written_ = 0;      // bytes, so far
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool writing_ = false;  // a write is due, or waits for the socket
    bool ended_ = false;
};

// ---- requests

void HttpUpstream::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) {
    PendingAsk p(query, 0, deadline_ms, std::move(done));
    const std::uint32_t request = client_.ask(p.query);
    if (request == 0) {
        boost::asio::post(context_.io, [done = std::move(p.done)] {
            done({.error = ECONNRESET, .retry = Retry::unprocessed});
        });
        return;
    }
    p.ends_at = UINT64_MAX;
    pending_.emplace(request, std::move(p));
    if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = context_.now_ms();
    write_later();
}

void HttpUpstream::write_later() {
    if (std::exchange(writing_, true)) return;
    boost::asio::post(context_.io, [self = shared_from_this()] { self->write(); });
}

void HttpUpstream::write() {
    while (!ended_) {
        while (out_.size() < kWriteBytes) {
            const auto more = client_.next_output();
            if (more.empty()) break;
            out_.insert(out_.end(), more.begin(), more.end());
        }
        if (out_.empty()) break;
        std::size_t n = 0;
        const Io io = stream_.write(out_, n);
        if (io == Io::failed || io == Io::ended) return end(stream_.why());
        if (io != Io::done) {
            return stream_.wait(io, [self = shared_from_this()](const auto& error) {
                if (!error) self->write();
            });
        }
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(n));
        written_ += n;
    }
    if (ended_) return;
    out_ = {};
    writing_ = false;
    if (client_.is_over()) end(client_.why());
}

// ---- replies

void HttpUpstream::read_later(Io what) {
    stream_.wait(what, [self = shared_from_this()](const auto& error) {
        if (!error) self->read();
    });
}

void HttpUpstream::read() {
    const unsigned before = room();
    for (unsigned turn = 0; turn < kUpstreamReads && !ended_; ++turn) {
        std::size_t n = 0;
        const Io io = stream_.read(context_.room, n);
        if (io == Io::ended) {
            // Without a TLS close, a response that ends with the connection may be truncated by an attacker.
            if (!stream_.was_cut()) client_.receive_end();
            return end("");
        }
        if (io == Io::failed) return end(stream_.why());
        if (io != Io::done) {
            read_later(io);
            if (room() > before) watcher_.on_room(*this);
            return;
        }
        silent_since_ms_ = UINT64_MAX;
        client_.receive({context_.room.data(), n});
        if (ended_) return;
        if (!pending_.empty()) silent_since_ms_ = context_.now_ms();
        write_later();  // acknowledgements, windows; or the end
    }
    if (ended_) return;
    boost::asio::post(context_.io, [self = shared_from_this()] { self->read(); });
    if (room() > before) watcher_.on_room(*this);
}

void HttpUpstream::take_reply(std::uint32_t request, DohReply& reply) {
    const auto pending = pending_.find(request);
    if (pending == pending_.end()) return;
    if (reply.is_too_early())
        return finish(pending, {.error = ECONNRESET, .retry = Retry::unprocessed});
    auto& message = reply.content;
    if (!reply.is_dns() || !is_reply_to(pending->second.query, message)) {
        context_.count(StreamCount::upstream_unmatched);
        return finish(pending, {.error = EPROTO, .retry_after_s = reply.retry_after_s});
    }
    dns::lower_message_ttls(message, reply.age_s, reply.fresh_s());
    dns::store_be16(message.data(), pending->second.id);
    finish(pending, {.message = message});
}

void HttpUpstream::take_failure(std::uint32_t request, Retry retry) {
    const auto pending = pending_.find(request);
    if (pending == pending_.end()) return;
    if (retry == Retry::lost) retry = retry_after_end(pending->second, written_);
    finish(pending, {.error = retry == Retry::never ? EPROTO : ECONNRESET, .retry = retry});
}

// What is written before the first byte of that output is not the whole query.
void HttpUpstream::take_written(std::uint32_t request) {
    const auto pending = pending_.find(request);
    if (pending != pending_.end()) pending->second.ends_at = written_ + out_.size() + 1;
}

void HttpUpstream::finish(PendingAsks::iterator pending, const SessionReply& reply) {
    const Done done = std::move(pending->second.done);
    pending_.erase(pending);
    done(reply);
}

// ---- its end

void HttpUpstream::expire(std::uint64_t now_ms) {
    const auto late =
        take_late(pending_, now_ms, [this](std::uint32_t request) { client_.cancel(request); });
    if (late.empty()) return;
    const auto self = shared_from_this();
    if (!ended_) write_later();
    for (const Done& done : late)
        done({.error = ETIMEDOUT});
}

void HttpUpstream::stop() {
    ended_ = true;
    silent_since_ms_ = UINT64_MAX;
    stream_.close();
}

void HttpUpstream::end(const std::string& why) {
    if (ended_) return;
    const auto self = shared_from_this();
    stop();
    end_asks(std::exchange(pending_, {}), written_);
    watcher_.on_ended(*this, why);
}

void HttpUpstream::close() {
    if (ended_) return;
    stream_.end_writing();
    stop();
    end_asks_later(context_.io, std::exchange(pending_, {}), written_);
}

}  // namespace

std::shared_ptr<UpstreamSession> make_http_session(StreamContext& context, ByteStream stream,
                                                   const UpstreamTarget& target,
                                                   SessionWatcher& watcher) {
    auto session = std::make_shared<HttpUpstream>(context, std::move(stream), target, watcher);
    session->start();
    return session;
}

}  // namespace steer::stream
