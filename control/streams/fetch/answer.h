// The response of a list's server to one request: the head, and the content for the sink.
//
// It is over at its end, when the content ends the fetch, or with a status that has no list.
#pragma once

#include <optional>
#include <span>

#include "control/streams/fetch/content.h"
#include "control/streams/http/http_client.h"

namespace steer::fetch {

class Answer final : public stream::HttpReplyTaker {
  public:
    static stream::HttpClientLimits limits() {
        return {.head_bytes = 32 * 1024,
                .window_bytes = 1 << 20,
                .wanted = {"content-encoding", "etag", "last-modified", "location"}};
    }

    Answer(const Request& request, const Sink& sink) : content_(request, sink) {}

    [[nodiscard]] bool is_over() const { return over_; }
    // Whether the response is invalid, or the server aborted the request; why() is empty if it gave
    // no reason.
    [[nodiscard]] bool has_failed() const { return failed_; }
    [[nodiscard]] const std::string& why() const { return why_; }
    [[nodiscard]] const std::optional<stream::HttpResponseHead>& head() const { return head_; }
    [[nodiscard]] const Content& content() const { return content_; }
    // Whether the content has already decided the result of the fetch.
    [[nodiscard]] bool is_judged() const { return judged_; }

    void take_head(std::uint32_t /*request*/, const stream::HttpResponseHead& head) override {
        constexpr unsigned kOk = 200;
        head_ = head;
        over_ = head.status != kOk;
        if (!over_) judge(content_.begin(head.find("content-encoding"), head.content_length));
    }
    void take_content(std::uint32_t /*request*/, std::span<const std::uint8_t> bytes) override {
        if (!over_) judge(content_.feed(bytes));
    }
    void take_end(std::uint32_t /*request*/) override {
        if (over_) return;
        content_.finish();
        judge(false);
    }
    void take_failure(std::uint32_t /*request*/, stream::Retry /*retry*/,
                      std::string_view why) override {
        if (over_) return;
        why_ = why;
        failed_ = over_ = true;
    }

  private:
    void judge(bool goes_on) {
        if (!goes_on) over_ = judged_ = true;
    }

    Content content_;
    std::optional<stream::HttpResponseHead> head_;
    std::string why_;
    bool over_ = false, failed_ = false, judged_ = false;
};

}  // namespace steer::fetch
