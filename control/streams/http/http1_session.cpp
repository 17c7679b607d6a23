#include "control/streams/http/http1_session.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <ctime>
#include <utility>

#include "control/host/net/transfer_coding.h"
#include "control/streams/http/chunked_end.h"
#include "control/streams/http/http_answer.h"
#include "matchers/octets.h"

namespace steer::stream {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view view_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

void append(std::vector<std::uint8_t>& to, std::string_view text) {
    to.insert(to.end(), text.begin(), text.end());
}

// The response to an unparsable request. `one_line`: its first line was incomplete.
HttpStatus status_of(const boost::system::error_code& error, bool one_line) {
    if (error == http::error::header_limit)
        return one_line ? HttpStatus::uri_too_long : HttpStatus::fields_too_large;
    if (error == http::error::body_limit) return HttpStatus::content_too_large;
    if (error == http::error::bad_version) return HttpStatus::version_not_supported;
    return HttpStatus::bad_request;
}

}  // namespace

void Http1Session::receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (parser_ != nullptr && now_ms >= began_ms_ + kHttpRequestMs) {
        counters_.add(StreamCount::http_too_slow);
        return refuse(HttpStatus::request_timeout, true);
    }
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    go_on();
}

void Http1Session::go_on() {
    while (!in_.empty() && !answering_ && !ending_ && out_.empty()) {
        if (parser_ == nullptr) begin();
        if (parser_ == nullptr || !parse()) break;
    }
    if (in_.empty()) in_ = {};
}

void Http1Session::begin() {
    // RFC 9112 2.2: an empty line may stand before a request.
    const auto first =
        std::ranges::find_if(in_, [](std::uint8_t c) { return c != '\r' && c != '\n'; });
    in_.erase(in_.begin(), first);
    if (in_.empty()) return;
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(kMaxHttpHead);
    parser_->body_limit(kMaxHttpQuery);
    began_ms_ = now_ms_;
    method_ = HttpMethod::other;
}

bool Http1Session::parse() {
    if (waits_for_chunk(*parser_, in_.size())) return false;
    boost::system::error_code error;
    const bool had_head = parser_->is_header_done();
    const std::size_t n = parser_->put(boost::asio::buffer(in_), error);
    const bool one_line = std::ranges::find(in_, '\n') == in_.end();
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(n));
    if (error == http::error::need_more) return false;
    if (error) {
        refuse(status_of(error, one_line), true);
        return false;
    }
    if (!had_head && parser_->is_header_done() && !on_head()) return false;
    if (parser_->is_done()) on_complete();
    return true;
}

bool Http1Session::on_head() {
    counters_.add(StreamCount::http_requests);
    const auto& request = parser_->get();
    parser_->eager(true);
    keep_alive_ = request.keep_alive() && !is_sent_away_;
    const HttpHead head = head_of();
    method_ = head.method;
    if (has_unknown_coding(request)) {
        refuse(HttpStatus::bad_request, true);
        return false;
    }
    const bool is_1_1 = request.version() == 11;
    HttpRefusal refusal(HttpStatus::ok);
    if (is_1_1 && request.count(http::field::host) != 1) {
        refusal = HttpStatus::bad_request;  // RFC 9112 3.2
    } else {
        auto judged = judge_head(head, site_.paths);
        if (const auto* refused = std::get_if<HttpRefusal>(&judged)) {
            refusal = *refused;
        } else {
            query_ = std::move(std::get<HttpQuery>(judged));
            if (query_->in_content && !head.content_length && !parser_->chunked())
                refusal = HttpStatus::length_required;
        }
    }
    if (refusal.status != HttpStatus::ok) {
        refuse(refusal, !parser_->is_done());
        return false;
    }
    // Sends 100 Continue to a client that waits before it sends the content (RFC 9110 10.1.1).
    if (is_1_1 && !parser_->is_done() && in_.empty() &&
        boost::beast::iequals(request[http::field::expect], "100-continue"))
        append(out_, kContinue);
    return true;
}

HttpHead Http1Session::head_of() const {
    const auto& request = parser_->get();
    HttpHead head;
    head.method = method_of(view_of(request.method_string()));
    head.target = view_of(request.target());
    if (const auto type = request.find(http::field::content_type); type != request.end())
        head.content_type = view_of(type->value());
    const auto encoding = request[http::field::content_encoding];
    head.encoded = !encoding.empty() && !boost::beast::iequals(encoding, "identity");
    if (const auto length = parser_->content_length()) head.content_length = *length;
    if (site_.client_header.empty()) return head;
    const auto range = request.equal_range(site_.client_header);
    for (auto it = range.first; it != range.second; ++it)
        head.forwarded_for.append(head.forwarded_for.empty() ? "" : ",")
            .append(view_of(it->value()));
    return head;
}

void Http1Session::on_complete() {
    HttpQuery query = std::move(*query_);
    if (query.in_content) query.message = std::move(parser_->get().body());
    if (const auto status = judge_message(query.message); status != HttpStatus::ok)
        return refuse(status, false);
    const std::string forwarded_for = head_of().forwarded_for;
    parser_.reset();
    query_.reset();
    answering_ = true;
    form_ = query.form;
    taker_.take_query(++serial_, query.path, query.message, forwarded_for);
}

void Http1Session::refuse(const HttpRefusal& refusal, bool close) {
    counters_.add(StreamCount::http_refused);
    parser_.reset();
    query_.reset();
    if (close) keep_alive_ = false;
    write(refusal.status, octets_of(refusal.text), AnswerForm::message);
}

std::size_t Http1Session::held_bytes() const {
    const std::size_t request =
        parser_ != nullptr ? kMaxHttpHead + parser_->get().body().capacity() : 0;
    const std::size_t query = query_ ? query_->message.capacity() : 0;
    return in_.capacity() + out_.capacity() + taken_.capacity() + request + query;
}

bool Http1Session::answer(std::uint32_t stream, HttpStatus status,
                          std::span<const std::uint8_t> response) {
    if (!answering_ || stream != serial_) return false;
    answering_ = false;
    write(status, response, form_);
    return true;
}

void Http1Session::write(HttpStatus status, std::span<const std::uint8_t> content,
                         AnswerForm form) {
    const HttpAnswerFields fields(status, content, std::time(nullptr), form, site_.alternative);
    std::array<char, 8> code;
    const auto end = std::to_chars(code.data(), code.data() + code.size(),
                                   static_cast<unsigned>(fields.status()))
                         .ptr;
    append(out_, "HTTP/1.1 ");
    append(out_, {code.data(), static_cast<std::size_t>(end - code.data())});
    append(out_, " ");
    append(out_, reason_of(fields.status()));
    append(out_, "\r\n");
    for (const auto& [name, value] : fields.fields()) {
        append(out_, name);
        append(out_, ": ");
        append(out_, value);
        append(out_, "\r\n");
    }
    append(out_, keep_alive_ ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
    if (method_ != HttpMethod::head)
        out_.insert(out_.end(), fields.content().begin(), fields.content().end());
    ending_ = !keep_alive_;
}

std::span<const std::uint8_t> Http1Session::next_output() {
    if (out_.empty()) go_on();  // with what was pipelined
    taken_ = std::exchange(out_, {});
    return taken_;
}

}  // namespace steer::stream
