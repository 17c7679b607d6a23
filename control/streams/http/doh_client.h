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

#include "control/streams/http/http_client.h"

namespace steer::stream {

inline constexpr std::size_t kMaxHttpContent = 65535;  // of a response: the longest DNS message

// The destination of queries.
struct DohTarget {
    std::string authority, path;
};

struct DohReply {
    unsigned status = 0;
    std::string content_type;
    std::vector<std::uint8_t> content;
    std::uint32_t age_s = 0;  // in caches on the path (RFC 9111 5.1)
    std::optional<std::uint32_t>
        max_age_s;  // Cache-Control; 0 counts as missing, because it concerns HTTP caches
    std::uint32_t retry_after_s = 0;  // of a 429 or 503 (RFC 9110 10.2.3); 0: none
    // For how long the content may still be used: the rest of max_age_s.
    [[nodiscard]] std::uint32_t fresh_s() const;
    // Whether it contains a DNS message.
    [[nodiscard]] bool is_dns() const;
};

class DohReplyTaker {
  public:
    virtual void take_reply(std::uint32_t request, DohReply& reply) = 0;
    // `again`: it may be retried, because the upstream did not process it.
    virtual void take_failure(std::uint32_t request, bool again) = 0;

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
    void receive(std::span<const std::uint8_t> bytes) { client_->receive(bytes); }
    void receive_end() { client_->receive_end(); }
    std::span<const std::uint8_t> next_output() { return client_->next_output(); }
    [[nodiscard]] bool is_over() const { return client_->is_over(); }
    [[nodiscard]] const std::string& why() const { return client_->why(); }

  private:
    void take_head(std::uint32_t request, const HttpResponseHead& head) override;
    void take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) override;
    void take_end(std::uint32_t request) override;
    void take_failure(std::uint32_t request, bool again, std::string_view why) override;

    const std::shared_ptr<const HttpRequestHead> head_;
    DohReplyTaker& taker_;
    const std::unique_ptr<HttpClient> client_;
    std::unordered_map<std::uint32_t, DohReply> replies_;  // responses in progress
};

}  // namespace steer::stream
