#include "control/streams/listen/http_connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>

#include "control/streams/http/http1_session.h"
#include "control/streams/http/http2_session.h"
#include "control/streams/http/http_answer.h"
#include "control/streams/listen/tcp_clients.h"
#include "dataplane/dns/wire.h"
#include "matchers/octets.h"

namespace steer::stream {

using boost::system::error_code;

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 3.4
// Workers may still have queries that the client cancelled.
constexpr unsigned kTakenBack = 2;

}  // namespace

HttpConnection::HttpConnection(StreamContext& context, Injector& injector,
                               ClientConnections& clients, ByteStream stream,
                               const QueryOrigin& origin)
    : ClientConnection(clients.service().counted_as(origin.client.address())),
      context_(context),
      injector_(injector),
      clients_(clients),
      stream_(std::move(stream)),
      origin_(origin),
      trusted_(clients.service().http.trusts(origin.client.address())) {}

void HttpConnection::start() {
    if (stream_.is_secure()) speak(stream_.protocol() == "h2");
    flush();
}

void HttpConnection::speak(bool http2) {
    const Service& service = clients_.service();
    if (http2) {
        session_ = std::make_unique<Http2Session>(service.http, *this, context_.counters,
                                                  service.limits.max_queries);
    } else {
        session_ = std::make_unique<Http1Session>(service.http, *this, context_.counters);
    }
}

void HttpConnection::close() {
    if (closed_) return;
    closed_ = true;
    if (session_ != nullptr && out_.empty() && !peer_ended_ && !lingering_) say_goodbye();
    stream_.close();
    clients_.forget(*this);
}

// If it can be sent without waiting.
void HttpConnection::say_goodbye() {
    session_->shut_down();
    fill();
    std::size_t n = 0;
    if (!out_.empty() && stream_.write(out_, n) == Io::done) stream_.end_writing();
}

// ---- what comes in

bool HttpConnection::wants_input() const {
    if (closed_ || peer_ended_ || writing_) return false;
    return lingering_ || session_ == nullptr || session_->wants_input();
}

void HttpConnection::read() {
    for (unsigned turn = 0; turn < kClientReads; ++turn) {
        auto& room = context_.room;
        std::size_t n = 0;
        const Io io = stream_.read(room, n);
        if (io == Io::wait_read || io == Io::wait_write) return wait_to_read(io);
        peer_ended_ = io != Io::done;  // if it only ended, it may still listen
        if (io == Io::failed || (io == Io::ended && lingering_)) return close();
        const bool all =
            n < room.size() && (!stream_.is_secure() || !SSL_has_pending(stream_.ssl()));
        if (!lingering_) {
            take({room.data(), n});
        } else if ((thrown_away_ += n) > kMaxThrownAway) {
            return close();
        }
        write();
        report_bytes();
        if (!wants_input()) return;
        if (all) return wait_to_read(Io::wait_read);
    }
    read_next_turn();
}

void HttpConnection::take(std::span<const std::uint8_t> bytes) {
    if (session_ != nullptr) return session_->receive(bytes, context_.now_ms());
    first_.insert(first_.end(), bytes.begin(), bytes.end());
    const std::size_t n = std::min(first_.size(), kPreface.size());
    const bool http2 = std::memcmp(first_.data(), kPreface.data(), n) == 0;
    if (http2 && n < kPreface.size()) return;
    speak(http2);
    const auto first = std::exchange(first_, {});
    session_->receive(first, context_.now_ms());
}

void HttpConnection::take_query(std::uint32_t stream, std::size_t path,
                                std::span<const std::uint8_t> message,
                                std::string_view forwarded_for) {
    clients_.used(*this);
    const Service& service = clients_.service();
    QueryOrigin origin = origin_;
    origin.stream = stream;
    origin.options = options_asked(message);
    if (trusted_ && !forwarded_for.empty()) {
        const auto client = service.http.client_in(forwarded_for);
        if (!client) return fail(stream, HttpStatus::bad_request, StreamCount::http_bad_client);
        origin.client = SocketAddress(*client, origin_.client.port());
    }
    if (!context_.lets_pass(LimitWhat::streams, origin.client.address(), origin.local,
                            origin.local_port))
        return fail(stream, HttpStatus::too_many_requests, StreamCount::streams_limited);
    const bool fits = in_progress_ < kTakenBack * service.limits.max_queries;
    if (!fits || !inject(origin, path, message))
        fail(stream, HttpStatus::unavailable, StreamCount::http_unanswered);
}

bool HttpConnection::inject(const QueryOrigin& origin, std::size_t path,
                            std::span<const std::uint8_t> message) {
    const HttpSite& site = clients_.service().http;
    const QueryMetadata metadata{site.frontend_of(path), stream_.server_name(),
                                 site.paths[path].path};
    Buffer* const buffer = injector_.take_buffer(message.size(), metadata);
    if (buffer == nullptr) return false;
    std::memcpy(Injector::query_room(*buffer).data(), message.data(), message.size());
    if (!injector_.inject(shared_from_this(), origin, buffer, message.size(), metadata))
        return false;
    ++in_progress_;
    return true;
}

void HttpConnection::fail(std::uint32_t stream, HttpStatus status, StreamCount why) {
    context_.count(why);
    session_->answer(stream, status, octets_of(text_of(status)));
}

void HttpConnection::wait_to_read(Io what) {
    reading_ = true;
    stream_.wait(what, [self = shared_from_this()](const error_code& error) {
        self->reading_ = false;
        if (!error && self->wants_input()) self->read();
    });
}

void HttpConnection::read_next_turn() {
    reading_ = true;
    boost::asio::post(context_.io, [self = shared_from_this()] {
        self->reading_ = false;
        if (self->wants_input()) self->read();
    });
}

// ---- what goes out

void HttpConnection::take_answer(const QueryOrigin& origin, Buffer* response) {
    --in_progress_;
    if (!closed_ && clients_.service().is_draining()) session_->send_away();
    if (closed_) {
        if (response != nullptr) context_.count(StreamCount::answers_too_late);
    } else if (response == nullptr || response->length > dns::kMaxMessage) {
        fail(origin.stream, HttpStatus::unavailable, StreamCount::http_unanswered);
    } else if (session_->answer(origin.stream, HttpStatus::ok, completed(*response, origin))) {
        context_.count(StreamCount::http_answers);
    } else {
        context_.count(StreamCount::answers_too_late);
    }
    release(response);
    if (!closed_) clients_.flush_later(*this);
}

// The response with padding if requested (RFC 8467), also without TLS, because a proxy in front of us
// encrypts it.
std::span<const std::uint8_t> HttpConnection::completed(const Buffer& response,
                                                        const QueryOrigin& origin) {
    const auto message = response.bytes();
    auto& room = context_.room;
    if (!origin.options.padding || message.size() > room.size()) return message;
    std::ranges::copy(message, room.begin());
    return std::span(room).first(give_options(room, message.size(), {.padding = true}));
}

void HttpConnection::flush() {
    if (closed_) return;
    write();
    if (!closed_ && out_.size() - written_ + (session_ ? session_->unsent() : 0) > kMaxUnsent) {
        context_.count(StreamCount::tcp_stalled);
        close();
    }
    report_bytes();
    if (!reading_ && wants_input()) read();
}

void HttpConnection::report_bytes() {
    const std::size_t tls = stream_.is_secure() && !out_.empty() ? kTlsRecordBytes : 0;
    const std::size_t session = session_ != nullptr ? session_->held_bytes() : 0;
    if (!clients_.may_hold(*this, first_.capacity() + out_.capacity() + session + tls)) close();
}

void HttpConnection::write() {
    if (closed_ || writing_) return;
    for (;;) {
        if (written_ == out_.size()) fill();
        if (out_.empty()) break;
        std::size_t n = 0;
        const Io io = stream_.write(std::span(out_).subspan(written_), n);
        if (io == Io::wait_read || io == Io::wait_write) return wait_to_write(io);
        if (io != Io::done) return close();
        written_ += n;
        if (has_answers_) clients_.used(*this);
    }
    if (session_ != nullptr && session_->is_over() && !lingering_) {
        lingering_ = true;
        stream_.end_writing();
        clients_.linger(*this);
    }
    if (peer_ended_ && in_progress_ == 0 && !has_unsent()) return close();
    clients_.settle(*this);
}

// Takes what the session has for the client, to be written in one go.
void HttpConnection::fill() {
    out_ = {};
    written_ = 0;
    if (session_ == nullptr) return;
    const std::size_t before = session_->unsent();
    while (out_.size() < kWriteBytes) {
        const auto more = session_->next_output();
        if (more.empty()) break;
        out_.insert(out_.end(), more.begin(), more.end());
    }
    has_answers_ = session_->unsent() < before;
}

void HttpConnection::wait_to_write(Io what) {
    if (std::exchange(writing_, true)) return;
    stream_.wait(what, [self = shared_from_this()](const error_code& error) {
        self->writing_ = false;
        if (!error) self->flush();
    });
}

}  // namespace steer::stream
