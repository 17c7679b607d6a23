#include "control/stream/tcp_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstring>

#include "control/stream/tcp_listener.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {

using boost::system::error_code;

namespace {

constexpr std::size_t kPrefix = 2;
// A connection whose queries nobody answers is closed after so many idle times.
constexpr unsigned kIdleTimesInProgress = 4;

}  // namespace

TcpConnection::TcpConnection(StreamContext& context, Injector& injector, TcpClients& clients,
                             boost::asio::ip::tcp::socket socket, const Asker& asker,
                             std::chrono::milliseconds idle)
    : context_(context),
      injector_(injector),
      clients_(clients),
      socket_(std::move(socket)),
      timer_(context.io),
      asker_(asker),
      client_(asker.client.address()),
      idle_(idle),
      last_used_ms_(context.now_ms()),
      in_(kPrefix + kMaxQuery) {}

void TcpConnection::start() {
    watch();
    read();
}

void TcpConnection::close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    clients_.forget(*this);
}

void TcpConnection::read() {
    if (closed_ || ending_ || reading_) return;
    reading_ = true;
    socket_.async_read_some(
        boost::asio::buffer(in_.data() + in_length_, in_.size() - in_length_),
        [self = shared_from_this()](const error_code& error, std::size_t n) {
            self->reading_ = false;
            if (self->closed_) return;
            if (error == boost::asio::error::eof) {  // it has said all, and may still listen
                self->end_after_answers();
            } else if (error) {
                self->close();
            } else {
                self->in_length_ += n;
                self->go_on();
            }
        });
}

void TcpConnection::go_on() {
    if (!ending_ && take_queries()) read();
}

bool TcpConnection::take_queries() {
    std::size_t at = 0;
    bool more = true;
    while (more && in_length_ - at >= kPrefix) {
        const std::size_t length = dns::load_be16(&in_[at]);
        if (length < dns::kHeaderSize || length > kMaxQuery) {
            context_.count(StreamCount::tcp_malformed);
            end_after_answers();
            return false;
        }
        if (in_length_ - at < kPrefix + length) break;
        if (in_progress_ >= kInProgress || out_.size() + more_.size() > kUnsent) {
            more = false;  // go_on() when there is room again
        } else {
            more = take_query({&in_[at + kPrefix], length});
            at += kPrefix + length;
        }
    }
    std::memmove(in_.data(), in_.data() + at, in_length_ - at);
    in_length_ -= at;
    return more && !ending_ && !closed_;
}

bool TcpConnection::take_query(std::span<const std::uint8_t> query) {
    context_.count(StreamCount::tcp_queries);
    last_used_ms_ = context_.now_ms();
    Buffer* const buffer = injector_.take_buffer(query.size());
    if (buffer != nullptr) {
        std::memcpy(Injector::query_room(*buffer).data(), query.data(), query.size());
        if (injector_.inject(shared_from_this(), asker_, buffer, query.size())) {
            ++in_progress_;
            return true;
        }
    }
    end_after_answers();
    return false;
}

void TcpConnection::take_answer(const Asker&, Buffer* response) {
    if (closed_) {
        if (response != nullptr) context_.count(StreamCount::answers_too_late);
        release(response);
        return;
    }
    --in_progress_;
    if (response == nullptr || response->length > dns::kMaxMessage) {
        release(response);
        end_after_answers();
        return;
    }
    const auto bytes = response->bytes();
    std::uint8_t prefix[kPrefix];
    dns::store_be16(prefix, static_cast<std::uint16_t>(bytes.size()));
    more_.insert(more_.end(), prefix, prefix + kPrefix);
    more_.insert(more_.end(), bytes.begin(), bytes.end());
    release(response);
    context_.count(StreamCount::tcp_answers);
    write();
    if (!reading_) go_on();
}

void TcpConnection::write() {
    if (closed_ || writing_) return;
    if (out_.empty()) out_.swap(more_);
    if (out_.empty()) {
        if (ending_ && in_progress_ == 0) close();
        return;
    }
    writing_ = true;
    socket_.async_write_some(boost::asio::buffer(out_.data() + written_, out_.size() - written_),
                             [self = shared_from_this()](const error_code& error, std::size_t n) {
                                 self->writing_ = false;
                                 if (self->closed_) return;
                                 if (error) {
                                     self->close();
                                     return;
                                 }
                                 self->last_used_ms_ = self->context_.now_ms();
                                 self->written_ += n;
                                 if (self->written_ == self->out_.size()) {
                                     self->out_.clear();
                                     self->written_ = 0;
                                 }
                                 self->write();
                                 if (!self->reading_) self->go_on();
                             });
}

void TcpConnection::end_after_answers() {
    ending_ = true;
    write();
}

void TcpConnection::watch() {
    const std::uint64_t idle_ms = static_cast<std::uint64_t>(idle_.count());
    const std::uint64_t passed = context_.now_ms() - last_used_ms_;
    const bool waits_for_us = in_progress_ > 0 && out_.empty();
    if (passed >= (waits_for_us ? idle_ms * kIdleTimesInProgress : idle_ms)) {
        context_.count(is_idle() ? StreamCount::tcp_idle : StreamCount::tcp_stalled);
        close();
        return;
    }
    timer_.expires_after(std::chrono::milliseconds(passed < idle_ms ? idle_ms - passed : idle_ms));
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        if (!error && !self->closed_) self->watch();
    });
}

}  // namespace steer::stream
