// The head of a response. HTTP/1.1 and HTTP/2 encode it differently (RFC 8484 4.2, 5.1).
//
// A DNS response is fresh as long as its records, only for the client's private cache. Another
// client's answer may differ, and its addresses would not be on a router's list. All other
// responses must not be stored.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

#include "control/streams/http/doh_request.h"

namespace steer::stream {

struct HttpField {
    std::string_view name, value;  // names in lower case
};

class HttpAnswerFields {
  public:
    // `content`: the message of a DNS response, or the text of a refusal.
    HttpAnswerFields(HttpStatus status, std::span<const std::uint8_t> content, std::time_t now);
    HttpAnswerFields(const HttpAnswerFields&) = delete;  // has views of itself
    HttpAnswerFields& operator=(const HttpAnswerFields&) = delete;

    [[nodiscard]] std::span<const HttpField> fields() const { return {fields_.data(), count_}; }

  private:
    void add(std::string_view name, std::string_view value) { fields_[count_++] = {name, value}; }

    std::array<HttpField, 5> fields_;
    std::size_t count_ = 0;
    std::array<char, 20> length_;
    std::array<char, 40> freshness_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); valid until this thread's next call.
std::string_view http_date(std::time_t now);
// The text of a refusal: one line.
std::string_view text_of(HttpStatus status);

}  // namespace steer::stream
