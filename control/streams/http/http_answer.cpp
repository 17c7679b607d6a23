#include "control/streams/http/http_answer.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "control/streams/http/doh_answer.h"

namespace steer::stream {
namespace {

// `prefix` and the number, in `room`.
std::string_view with_number(std::string_view prefix, std::uint64_t number, std::span<char> room) {
    char* const digits = std::ranges::copy(prefix, room.data()).out;
    const char* const end = std::to_chars(digits, room.data() + room.size(), number).ptr;
    return {room.data(), static_cast<std::size_t>(end - room.data())};
}

}  // namespace

HttpAnswerFields::HttpAnswerFields(HttpStatus status, std::span<const std::uint8_t> content,
                                   std::time_t now) {
    const bool ok = status == HttpStatus::ok;
    const auto fresh_s = ok ? freshness_s(content) : std::nullopt;
    add("content-type", ok ? "application/dns-message" : "text/plain");
    add("content-length", with_number("", content.size(), length_));
    add("cache-control",
        fresh_s ? with_number("private, max-age=", *fresh_s, freshness_) : "no-store");
    if (status == HttpStatus::method_not_allowed) add("allow", "GET, HEAD, POST");
    add("date", http_date(now));
}

std::string_view http_date(std::time_t now) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    thread_local std::time_t formatted_s = -1;
    thread_local std::array<char, 64> text{};
    thread_local std::size_t length = 0;
    if (now != formatted_s) {
        std::tm t{};
        ::gmtime_r(&now, &t);
        length = static_cast<std::size_t>(std::snprintf(
            text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[t.tm_wday],
            t.tm_mday, kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec));
        formatted_s = now;
    }
    return {text.data(), length};
}

std::string_view text_of(HttpStatus status) {
    switch (status) {
        case HttpStatus::bad_request:
            return "Expected one DNS query, in 'dns' as base64url without padding or as content.\n";
        case HttpStatus::not_found:
            return "No DNS is served at this path.\n";
        case HttpStatus::method_not_allowed:
            return "Expected GET, HEAD or POST.\n";
        case HttpStatus::request_timeout:
            return "The request did not come in time.\n";
        case HttpStatus::length_required:
            return "Expected Content-Length or a chunked content.\n";
        case HttpStatus::content_too_large:
        case HttpStatus::uri_too_long:
            return "Expected a DNS query of at most 4096 bytes.\n";
        case HttpStatus::unsupported_media_type:
            return "Expected application/dns-message, not encoded.\n";
        case HttpStatus::too_many_requests:
            return "Too many requests of this client.\n";
        case HttpStatus::fields_too_large:
            return "Expected a head of at most 8192 bytes.\n";
        case HttpStatus::unavailable:
            return "The query was not answered.\n";
        case HttpStatus::version_not_supported:
            return "Expected HTTP/1.1 or HTTP/2.\n";
        case HttpStatus::ok:
            break;
    }
    return "";
}

}  // namespace steer::stream
