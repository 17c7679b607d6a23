// DNS over HTTPS as a client, without its socket (RFC 8484): POSTs a query (4.1), and collects the
// complete response.
//
// A response of more than kMaxHttpContent bytes fails its query.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/streams/http/doh_reply.h"
#include "control/streams/http/doh_target.h"
#include "control/streams/http/http_client.h"

namespace steer::stream {

class DohReplyTaker {
  public:
    virtual void take_reply(std::uint32_t request, DohReply& reply) = 0;
    virtual void take_failure(std::uint32_t request, Retry retry) = 0;
    // As in HttpReplyTaker.
    virtual void take_written(std::uint32_t request) = 0;

  protected:
    ~DohReplyTaker() = default;
};

class DohClient final : private HttpReplyTaker {
  public:
    // `protocol`: ALPN's choice. `taker` must outlive it.
    DohClient(const DohTarget& target, std::string_view protocol, DohReplyTaker& taker);

    // As in HttpClient.
    std::uint32_t ask(std::span<const std::uint8_t> query) { return client_->ask(head_, query); }
    void cancel(std::uint32_t request);
    [[nodiscard]] unsigned room() const { return client_->room(); }
    [[nodiscard]] bool is_leaving() const { return client_->is_leaving(); }
    [[nodiscard]] std::optional<unsigned> announced_limit() const {
        return client_->announced_limit();
    }
    void receive(std::span<const std::uint8_t> bytes) { client_->receive(bytes); }
    void receive_end() { client_->receive_end(); }
    std::span<const std::uint8_t> next_output() { return client_->next_output(); }
    [[nodiscard]] bool is_over() const { return client_->is_over(); }
    [[nodiscard]] const std::string& why() const { return client_->why(); }

  private:
    void take_head(std::uint32_t request, const HttpResponseHead& head) override;
    void take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) override;
    void take_end(std::uint32_t request) override;
    void take_failure(std::uint32_t request, Retry retry, std::string_view why) override;
    void take_written(std::uint32_t request) override { taker_.take_written(request); }

    const std::shared_ptr<const HttpRequestHead> head_;
    DohReplyTaker& taker_;
    const std::unique_ptr<HttpClient> client_;
    std::unordered_map<std::uint32_t, DohReply> replies_;  // responses in progress
};

}  // namespace steer::stream
