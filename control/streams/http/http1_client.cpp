#include "control/streams/http/http1_client.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include "control/streams/http/chunked_end.h"

namespace steer::stream {

namespace http = boost::beast::http;

namespace {

// A body of Beast's that keeps nothing: content goes to the taker as it is parsed. (The names inside are Beast's.)
struct PassedBody {
    struct value_type {  // NOLINT(readability-identifier-naming)
        HttpReplyTaker* taker = nullptr;
        std::uint32_t request = 0;
        const bool* is_wanted = nullptr;  // false: the request was cancelled from within
    };
    class reader {  // NOLINT(readability-identifier-naming)
      public:
        template <bool is_request, class Fields>
        reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
        static void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) {
            error = {};
        }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
            std::size_t all = 0;
            for (const auto part : boost::beast::buffers_range_ref(buffers)) {
                all += part.size();
                if (!*body_.is_wanted || part.size() == 0) continue;
                body_.taker->take_content(
                    body_.request, {static_cast<const std::uint8_t*>(part.data()), part.size()});
            }
            error = {};
            return all;
        }
        static void finish(boost::system::error_code& error) { error = {}; }

      private:
        value_type& body_;
    };
};

}  // namespace

class Http1Client::Response {
  public:
    using Parser = http::response_parser<PassedBody>;

    Response(const HttpClientLimits& limits, const PassedBody::value_type& body)
        : limits_(limits), body_(body) {
        begin();
    }
    Parser& parser() { return *parser_; }
    // After one of the heads before the final one (RFC 9110 15.2).
    void begin() {
        parser_ = std::make_unique<Parser>();
        parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
        parser_->body_limit(boost::none);  // the receiver checks it
        parser_->get().body() = body_;
    }
    [[nodiscard]] bool is_interim() const {
        return parser_->get().result_int() < kFirstFinalStatus;
    }
    // Bytes of another head of this response. False: all of them together are too many.
    [[nodiscard]] bool count_head(std::size_t bytes) {
        heads_bytes_ += bytes;
        return heads_bytes_ <= limits_.head_bytes;
    }
    // Hands the head on, once, as soon as it is whole.
    void hand_head() {
        if (handed_ || !parser_->is_header_done() || is_interim()) return;
        handed_ = true;
        body_.taker->take_head(body_.request, head());
        parser_->eager(true);
    }

  private:
    [[nodiscard]] HttpResponseHead head() const {
        const auto& response = parser_->get();
        HttpResponseHead head{.status = response.result_int(), .reason = response.reason()};
        if (const auto length = parser_->content_length()) head.content_length = *length;
        for (const std::string_view name : limits_.wanted) {
            const auto field = response.find(name);
            if (field != response.end()) head.fields.push_back({std::string(name), field->value()});
        }
        return head;
    }

    const HttpClientLimits& limits_;
    const PassedBody::value_type body_;
    std::unique_ptr<Parser> parser_;
    std::size_t heads_bytes_ = 0;  // with those before the final one
    bool handed_ = false;
};

Http1Client::Http1Client(HttpClientLimits limits, HttpReplyTaker& taker)
    : limits_(std::move(limits)), taker_(taker) {}

Http1Client::~Http1Client() = default;

std::uint32_t Http1Client::ask(std::shared_ptr<const HttpRequestHead> head,
                               std::span<const std::uint8_t> content) {
    std::string text = head->method + " " + head->path + " HTTP/1.1\r\nHost: " + head->authority;
    for (const HttpHeader& field : head->fields)
        text.append("\r\n").append(field.name).append(": ").append(field.value);
    if (head->is_last) text.append("\r\nConnection: close");
    if (!content.empty()) text.append("\r\nContent-Length: " + std::to_string(content.size()));
    text.append("\r\n\r\n");
    out_.insert(out_.end(), text.begin(), text.end());
    out_.insert(out_.end(), content.begin(), content.end());
    busy_ = true;
    response_ =
        std::make_unique<Response>(limits_, PassedBody::value_type{&taker_, ++serial_, &busy_});
    return serial_;
}

void Http1Client::cancel(std::uint32_t request) {
    if (!busy_ || request != serial_) return;
    busy_ = false;
    over_ = true;
    why_ = "a request was given up";
}

void Http1Client::receive(std::span<const std::uint8_t> bytes) {
    if (over_) return;
    if (!busy_) return fail("HTTP/1.1: unexpected bytes");
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    std::size_t parsed = 0;
    while (busy_ && parsed < in_.size()) {
        auto& parser = response_->parser();
        if (waits_for_chunk(parser, in_.size() - parsed)) break;
        const bool in_head = !parser.is_header_done();
        boost::system::error_code error;
        const std::size_t n = parser.put(boost::asio::buffer(in_) + parsed, error);
        parsed += n;
        if (error == http::error::need_more) break;
        if (error == http::error::header_limit || (in_head && !response_->count_head(n)))
            return fail("HTTP/1.1: a head of more than " + std::to_string(limits_.head_bytes) +
                        " bytes");
        if (error) return fail("HTTP/1.1: " + error.message());
        response_->hand_head();
        if (!busy_ || !parser.is_done()) continue;
        if (response_->is_interim()) {
            response_->begin();
        } else {
            on_complete();
        }
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(parsed));
    // Beast limits heads, but neither a chunk's nor the trailers.
    if (busy_ && in_.size() > limits_.head_bytes)
        return fail("HTTP/1.1: a chunk's head is too long");
    if (!over_ && !busy_ && !in_.empty()) return fail("HTTP/1.1: unexpected bytes");
    if (in_.empty()) in_ = {};
}

void Http1Client::receive_end() {
    if (!busy_ || !response_->parser().is_header_done()) return;
    boost::system::error_code error;
    response_->parser().put_eof(error);
    if (!error && response_->parser().is_done()) on_complete();
}

void Http1Client::on_complete() {
    busy_ = false;
    over_ = !response_->parser().keep_alive();
    taker_.take_end(serial_);
}

void Http1Client::fail(std::string why) {
    over_ = true;
    why_ = std::move(why);
    out_ = {};
    if (std::exchange(busy_, false)) taker_.take_failure(serial_, Retry::never, why_);
}

std::span<const std::uint8_t> Http1Client::next_output() {
    taken_ = std::exchange(out_, {});
    if (!taken_.empty()) taker_.take_written(serial_);
    return taken_;
}

}  // namespace steer::stream
