#include "control/streams/http/http_answer.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "control/streams/http/doh_answer.h"
#include "control/streams/http/json_answer.h"
#include "matchers/octets.h"

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
                                   std::time_t now, AnswerForm form, std::string_view alternative)
    : status_(status), content_(content) {
    const bool is_json = form == AnswerForm::json && status == HttpStatus::ok;
    const auto fresh_s = is_json                    ? write_json()
                         : status == HttpStatus::ok ? freshness_s(content)
                                                    : std::nullopt;
    add("content-type", status_ != HttpStatus::ok ? "text/plain"
                        : is_json                 ? "application/dns-json"
                                                  : "application/dns-message");
    add("content-length", with_number("", content_.size(), length_));
    add("cache-control",
        fresh_s ? with_number("private, max-age=", *fresh_s, freshness_) : "no-store");
    if (status == HttpStatus::method_not_allowed) add("allow", "GET, HEAD, POST");
    if (!alternative.empty()) add("alt-svc", alternative);
    add("date", http_date(now));
}

std::optional<std::uint32_t> HttpAnswerFields::write_json() {
    auto answer = json_answer(content_);
    if (!answer) {
        status_ = HttpStatus::unavailable;
        content_ = octets_of(text_of(status_));
        return std::nullopt;
    }
    const auto fresh_s = answer->cut ? std::nullopt : freshness_s(content_);
    json_ = std::move(answer->body);
    content_ = octets_of(json_);
    return fresh_s;
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

}  // namespace steer::stream
