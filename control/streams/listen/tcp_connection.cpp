#include "control/streams/listen/tcp_connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "control/streams/listen/tcp_clients.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::system::error_code;

namespace {

// Maximum reads of one connection per turn.
// Written output is discarded above this size, if more output waits.
constexpr std::size_t kWrittenKept = 64 * 1024;

}  // namespace

TcpConnection::TcpConnection(StreamContext& context, Injector& injector, ClientConnections& clients,
                             ByteStream stream, const QueryOrigin& origin)
    : ClientConnection(origin.client.address()),
      context_(context),
      injector_(injector),
      clients_(clients),
      stream_(std::move(stream)),
      origin_(origin) {}

void TcpConnection::start() {
    read();
}

void TcpConnection::close() {
    if (closed_) return;
    closed_ = true;
    stream_.end_writing();
    stream_.close();
    clients_.forget(*this);
}

// ---- what comes in

bool TcpConnection::is_full() const {
    return in_progress_ >= clients_.service().limits.max_queries ||
           out_.size() - written_ > kUnsent;
}

void TcpConnection::read() {
    auto& room = context_.room;
    std::copy(in_.begin(), in_.end(), room.begin());
    std::size_t have = std::exchange(in_, {}).size();
    for (unsigned turn = 0;; ++turn) {
        have = take_queries(have);
        if (closed_ || ending_) return;
        if (is_full() || turn == kClientReads) break;
        const auto rest = std::span(room).subspan(have);
        std::size_t n = 0;
        const Io io = stream_.read(rest, n);
        have += n;
        const bool all =
            n < rest.size() && (!stream_.is_secure() || !SSL_has_pending(stream_.ssl()));
        if (io == Io::done && !all) continue;
        if (io == Io::ended) return end_after_answers();  // it may still listen
        if (io == Io::failed) return close();
        have = take_queries(have);
        if (closed_ || ending_) return;
        in_.assign(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(have));
        report_bytes();
        if (!closed_ && !is_full()) wait_to_read(io == Io::done ? Io::wait_read : io);
        return;
    }
    in_.assign(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(have));
    report_bytes();
    if (!closed_ && !is_full()) read_next_turn();
}

void TcpConnection::report_bytes() {
    const std::size_t tls = stream_.is_secure() && !out_.empty() ? kTlsRecordBytes : 0;
    if (!clients_.may_hold(*this, in_.capacity() + out_.capacity() + tls)) close();
}

std::size_t TcpConnection::take_queries(std::size_t n) {
    auto& room = context_.room;
    std::size_t at = 0;
    while (!ending_ && !is_full() && n - at >= kLengthPrefix) {
        const std::size_t length = dns::load_be16(&room[at]);
        if (length < dns::kHeaderSize || length > kMaxQuery) {
            context_.count(StreamCount::tcp_malformed);
            end_after_answers();
            return 0;
        }
        if (n - at < kLengthPrefix + length) break;
        if (at == 0) clients_.used(*this);
        if (!take_query({&room[at + kLengthPrefix], length})) return 0;
        at += kLengthPrefix + length;
    }
    std::memmove(room.data(), room.data() + at, n - at);
    return n - at;
}

bool TcpConnection::take_query(std::span<const std::uint8_t> query) {
    context_.count(StreamCount::tcp_queries);
    if (!context_.lets_pass(LimitWhat::streams, origin_.client.address(), origin_.local,
                            origin_.local_port)) {
        context_.count(StreamCount::streams_limited);
        end_after_answers();
        return false;
    }
    const QueryMetadata metadata{clients_.service().frontend, stream_.server_name(), {}};
    Buffer* const buffer = injector_.take_buffer(query.size(), metadata);
    if (buffer != nullptr) {
        std::memcpy(Injector::query_room(*buffer).data(), query.data(), query.size());
        origin_.options = options_asked(query);
        if (injector_.inject(shared_from_this(), origin_, buffer, query.size(), metadata)) {
            ++in_progress_;
            return true;
        }
    }
    end_after_answers();
    return false;
}

void TcpConnection::wait_to_read(Io what) {
    reading_ = true;
    stream_.wait(what, [self = shared_from_this()](const error_code& error) {
        self->reading_ = false;
        if (!error && !self->closed_ && !self->ending_) self->read();
    });
}

void TcpConnection::read_next_turn() {
    reading_ = true;
    boost::asio::post(context_.io, [self = shared_from_this()] {
        self->reading_ = false;
        if (!self->closed_ && !self->ending_) self->read();
    });
}

// ---- what goes out

void TcpConnection::take_answer(const QueryOrigin& origin, Buffer* response) {
    if (closed_) {
        if (response != nullptr) context_.count(StreamCount::answers_too_late);
        release(response);
        return;
    }
    --in_progress_;
    if (response == nullptr || response->length > dns::kMaxMessage) {
        release(response);
        return end_after_answers();
    }
    append(response->bytes(), origin.options);
    release(response);
    context_.count(StreamCount::tcp_answers);
    clients_.flush_later(*this);
}

void TcpConnection::append(std::span<const std::uint8_t> message, const OptionsAsked& asked) {
    const std::size_t start = out_.size();
    out_.resize(start + kLengthPrefix);
    out_.insert(out_.end(), message.begin(), message.end());
    std::size_t length = message.size();
    if (asked.padding || asked.keepalive) {
        OptionsGiven given{.padding = asked.padding && stream_.is_secure(), .keepalive = {}};
        // 0: close when you have your answers (RFC 7828 3.2.2).
        const Service& service = clients_.service();
        if (asked.keepalive)
            given.keepalive =
                service.is_draining() ? std::chrono::milliseconds(0) : service.limits.idle_timeout;
        out_.resize(out_.size() + kMaxOptionBytes);
        length = give_options(std::span(out_).subspan(start + kLengthPrefix), length, given);
        out_.resize(start + kLengthPrefix + length);
    }
    dns::store_be16(&out_[start], static_cast<std::uint16_t>(length));
}

void TcpConnection::flush() {
    if (closed_) return;
    if (!writing_) write();
    if (!closed_ && out_.size() - written_ > kMaxUnsent) {
        context_.count(StreamCount::tcp_stalled);
        close();
    }
    report_bytes();
    if (!closed_ && !ending_ && !reading_) read();
}

void TcpConnection::write() {
    while (written_ < out_.size()) {
        std::size_t n = 0;
        const Io io = stream_.write(std::span(out_).subspan(written_), n);
        if (io == Io::ended || io == Io::failed) return close();
        if (io != Io::done) return wait_to_write(io);
        written_ += n;
        clients_.used(*this);
        if (written_ > kWrittenKept) {
            out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written_));
            written_ = 0;
        }
    }
    out_ = {};
    written_ = 0;
    if (ending_ && in_progress_ == 0) return close();
    clients_.settle(*this);
}

void TcpConnection::wait_to_write(Io what) {
    if (std::exchange(writing_, true)) return;
    stream_.wait(what, [self = shared_from_this()](const error_code& error) {
        self->writing_ = false;
        if (!error && !self->closed_) self->flush();
    });
}

void TcpConnection::end_after_answers() {
    ending_ = true;
    in_ = {};
    if (!writing_) write();
}

}  // namespace steer::stream
