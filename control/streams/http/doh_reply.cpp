#include "control/streams/http/doh_reply.h"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace steer::stream {
namespace {

constexpr unsigned kTooManyRequests = 429, kUnavailable = 503;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\"");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\"") - first + 1);
}

// Delta-seconds (RFC 9111 1.2.2): a number that is too large is the largest. No value: it is no number.
std::optional<std::uint32_t> seconds_in(std::string_view text) {
    text = trimmed(text);
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (end == text.data() || end != text.data() + text.size()) return std::nullopt;
    return error == std::errc{} ? seconds : UINT32_MAX;
}

// The value of `max-age`.
std::optional<std::uint32_t> max_age_in(std::string_view directives) {
    constexpr std::string_view kName = "max-age=";
    while (!directives.empty()) {
        const auto comma = std::min(directives.find(','), directives.size());
        const std::string_view one = trimmed(directives.substr(0, comma));
        directives.remove_prefix(std::min(comma + 1, directives.size()));
        const bool is_it =
            one.size() > kName.size() &&
            std::ranges::equal(one.substr(0, kName.size()), kName,
                               [](char a, char b) { return (a | 0x20) == (b | 0x20); });
        if (!is_it) continue;
        const auto seconds = seconds_in(one.substr(kName.size()));
        if (seconds && *seconds > 0) return seconds;
    }
    return std::nullopt;
}

// A number of seconds, or a date (RFC 9110 5.6.7), whose distance to now counts.
std::uint32_t retry_after_in(const std::string& text) {
    if (const auto seconds = seconds_in(text)) return *seconds;
    std::tm at{};
    const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &at);
    if (end == nullptr || *end != 0) return 0;
    const std::time_t left_s = ::timegm(&at) - std::time(nullptr);
    return static_cast<std::uint32_t>(std::clamp<std::time_t>(left_s, 0, UINT32_MAX));
}

}  // namespace

DohReply reply_of(const HttpResponseHead& head) {
    DohReply reply;
    reply.status = head.status;
    reply.content_type = head.find("content-type");
    // The first one counts (RFC 9111 5.1).
    const std::string_view ages = head.find("age");
    reply.age_s = seconds_in(ages.substr(0, ages.find(','))).value_or(0);
    reply.max_age_s = max_age_in(head.find("cache-control"));
    if (head.status == kTooManyRequests || head.status == kUnavailable)
        reply.retry_after_s = retry_after_in(std::string(head.find("retry-after")));
    return reply;
}

std::uint32_t DohReply::fresh_s() const {
    if (!max_age_s) return UINT32_MAX;
    return *max_age_s > age_s ? *max_age_s - age_s : 0;
}

bool DohReply::is_dns() const {
    const std::string_view type = std::string_view(content_type).substr(0, kDnsMessageType.size());
    const bool ends = content_type.size() == type.size() || content_type[type.size()] == ';' ||
                      content_type[type.size()] == ' ';
    return status == 200 && ends && std::ranges::equal(type, kDnsMessageType, [](char a, char b) {
               return (a | 0x20) == (b | 0x20);
           });
}

}  // namespace steer::stream
