// The head of a response, in any version of HTTP.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steer::stream {

inline constexpr unsigned kFirstFinalStatus = 200;  // lower ones are interim (RFC 9110 15.2)

struct HttpHeader {
    std::string name, value;
};

// The head of the final response.
struct HttpResponseHead {
    unsigned status = 0;
    std::string reason;  // HTTP/1.1
    std::optional<std::uint64_t> content_length;
    std::vector<HttpHeader> fields;  // only the wanted ones; names in lower case

    // The first field's value; empty: none.
    [[nodiscard]] std::string_view find(std::string_view name) const {
        const auto field = std::ranges::find(fields, name, &HttpHeader::name);
        return field == fields.end() ? std::string_view() : std::string_view(field->value);
    }
};

}  // namespace steer::stream
