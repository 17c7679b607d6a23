#include "control/stream/http/doh_client.h"

#include <algorithm>
#include <utility>

namespace steer::stream {
namespace {

constexpr const char* kDnsMessage = "application/dns-message";

}  // namespace

bool DohReply::is_dns() const {
    constexpr std::string_view kType = kDnsMessage;
    const std::string_view type = std::string_view(content_type).substr(0, kType.size());
    const bool ends = content_type.size() == type.size() || content_type[type.size()] == ';' ||
                      content_type[type.size()] == ' ';
    return status == 200 && ends &&
           std::ranges::equal(type, kType, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

DohClient::DohClient(const DohTarget& target, std::string_view protocol, DohReplyTaker& taker)
    : head_(std::make_shared<const HttpRequestHead>(
          HttpRequestHead{.method = "POST",
                          .scheme = "https",
                          .authority = target.authority,
                          .path = target.path,
                          .fields = {{"Accept", kDnsMessage}, {"Content-Type", kDnsMessage}}})),
      taker_(taker),
      client_(make_http_client(protocol, {.wanted = {"content-type"}}, *this)) {}

void DohClient::cancel(std::uint32_t request) {
    replies_.erase(request);
    client_->cancel(request);
}

void DohClient::take_head(std::uint32_t request, const HttpResponseHead& head) {
    DohReply& reply = replies_[request];
    reply.status = head.status;
    reply.content_type = head.find("content-type");
}

void DohClient::take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) {
    auto& content = replies_[request].content;
    if (bytes.size() > kMaxHttpContent - content.size()) {
        cancel(request);
        return taker_.take_failure(request, false);
    }
    content.insert(content.end(), bytes.begin(), bytes.end());
}

void DohClient::take_end(std::uint32_t request) {
    auto reply = replies_.extract(request);
    if (!reply.empty()) taker_.take_reply(request, reply.mapped());
}

void DohClient::take_failure(std::uint32_t request, bool again, std::string_view /*why*/) {
    replies_.erase(request);
    taker_.take_failure(request, again);
}

}  // namespace steer::stream
