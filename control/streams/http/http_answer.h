// The head and content of a response (RFC 8484 4.2, 5.1). Each version of HTTP encodes the head
// differently.
//
// A DNS response is fresh as long as its records, only for the client's private cache. Another
// client's answer may differ, and its addresses would not be on a router's list. All other
// responses must not be stored.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/streams/http/doh_request.h"

namespace steer::stream {

struct HttpField {
    std::string_view name, value;  // names in lower case
};

class HttpAnswerFields {
  public:
    // `content`: the message of a DNS response, or the text of a refusal; must outlive this.
    // `form`: what the query asked for (HttpQuery::form). `alternative`: of Alt-Svc (RFC 7838);
    // empty: none.
    HttpAnswerFields(HttpStatus status, std::span<const std::uint8_t> content, std::time_t now,
                     AnswerForm form = AnswerForm::message, std::string_view alternative = {});
    HttpAnswerFields(const HttpAnswerFields&) = delete;  // has views of itself
    HttpAnswerFields& operator=(const HttpAnswerFields&) = delete;

    // What to send. Not as given if `form` is json: a body, or the refusal of a malformed response.
    [[nodiscard]] HttpStatus status() const { return status_; }
    [[nodiscard]] std::span<const std::uint8_t> content() const { return content_; }
    [[nodiscard]] std::span<const HttpField> fields() const { return {fields_.data(), count_}; }

  private:
    void add(std::string_view name, std::string_view value) { fields_[count_++] = {name, value}; }

    // Returns for how long the content is fresh; no value: it must not be stored.
    std::optional<std::uint32_t> write_json();

    HttpStatus status_;
    std::span<const std::uint8_t> content_;
    std::string json_;
    std::array<HttpField, 6> fields_;
    std::size_t count_ = 0;
    std::array<char, 20> length_;
    std::array<char, 40> freshness_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); valid until this thread's next call.
std::string_view http_date(std::time_t now);

}  // namespace steer::stream
