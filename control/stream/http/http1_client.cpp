#include "control/stream/http/http1_client.h"

#include <boost/beast/http/error.hpp>
#include <utility>

#include "control/stream/http/chunked_end.h"

namespace steer::stream {

namespace http = boost::beast::http;

namespace {

constexpr unsigned kFirstFinalStatus = 200;

}  // namespace

std::uint32_t Http1Client::ask(std::span<const std::uint8_t> query) {
    const std::string head = "POST " + target_.path + " HTTP/1.1\r\nHost: " + target_.authority +
                             "\r\nAccept: application/dns-message"
                             "\r\nContent-Type: application/dns-message\r\nContent-Length: " +
                             std::to_string(query.size()) + "\r\n\r\n";
    out_.insert(out_.end(), head.begin(), head.end());
    out_.insert(out_.end(), query.begin(), query.end());
    begin();
    busy_ = true;
    return ++serial_;
}

void Http1Client::begin() {
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(kMaxHttpResponseHead);
    parser_->body_limit(kMaxHttpContent);
    parser_->eager(true);
}

void Http1Client::cancel(std::uint32_t request) {
    if (!busy_ || request != serial_) return;
    busy_ = false;
    over_ = true;
    why_ = "a query was given up";
}

void Http1Client::receive(std::span<const std::uint8_t> bytes) {
    if (over_) return;
    if (!busy_) return fail("HTTP/1.1: bytes that nobody asked for");
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    while (busy_ && !in_.empty() && !waits_for_chunk(*parser_, in_.size())) {
        boost::system::error_code error;
        const std::size_t n = parser_->put(boost::asio::buffer(in_), error);
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(n));
        if (error == http::error::need_more) break;
        if (error) return fail("HTTP/1.1: " + error.message());
        if (!parser_->is_done()) continue;
        if (parser_->get().result_int() < kFirstFinalStatus) {
            begin();  // RFC 9110 15.2: others follow
        } else {
            on_complete();
        }
    }
    if (!over_ && !busy_ && !in_.empty()) return fail("HTTP/1.1: bytes that nobody asked for");
    if (in_.empty()) in_ = {};
}

void Http1Client::receive_end() {
    if (!busy_ || !parser_->is_header_done()) return;
    boost::system::error_code error;
    parser_->put_eof(error);
    if (!error && parser_->is_done()) on_complete();
}

void Http1Client::on_complete() {
    auto& response = parser_->get();
    HttpReply reply;
    reply.status = response.result_int();
    const auto type = response[http::field::content_type];
    reply.content_type.assign(type.data(), type.size());
    reply.content = std::move(response.body());
    busy_ = false;
    over_ = !parser_->keep_alive();
    parser_.reset();
    taker_.take_reply(serial_, reply);
}

void Http1Client::fail(std::string why) {
    over_ = true;
    why_ = std::move(why);
    out_ = {};
    if (std::exchange(busy_, false)) taker_.take_failure(serial_, false);
}

std::span<const std::uint8_t> Http1Client::next_output() {
    taken_ = std::exchange(out_, {});
    return taken_;
}

}  // namespace steer::stream
