#include "control/streams/http/doh_client.h"

#include <utility>

namespace steer::stream {

DohClient::DohClient(const DohTarget& target, std::string_view protocol, DohReplyTaker& taker)
    : head_(std::make_shared<const HttpRequestHead>(
          HttpRequestHead{.method = "POST",
                          .scheme = "https",
                          .authority = target.authority,
                          .path = target.path,
                          .fields = {{"Accept", std::string(kDnsMessageType)},
                                     {"Content-Type", std::string(kDnsMessageType)}}})),
      taker_(taker),
      client_(
          make_http_client(protocol, {.wanted = {kDohFields.begin(), kDohFields.end()}}, *this)) {}

void DohClient::cancel(std::uint32_t request) {
    replies_.erase(request);
    client_->cancel(request);
}

void DohClient::take_head(std::uint32_t request, const HttpResponseHead& head) {
    replies_[request] = reply_of(head);
}

void DohClient::take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) {
    auto& content = replies_[request].content;
    if (bytes.size() > kMaxHttpContent - content.size()) {
        cancel(request);
        return taker_.take_failure(request, Retry::never);
    }
    content.insert(content.end(), bytes.begin(), bytes.end());
}

void DohClient::take_end(std::uint32_t request) {
    auto reply = replies_.extract(request);
    if (!reply.empty()) taker_.take_reply(request, reply.mapped());
}

void DohClient::take_failure(std::uint32_t request, Retry retry, std::string_view /*why*/) {
    replies_.erase(request);
    taker_.take_failure(request, retry);
}

}  // namespace steer::stream
