// Queries of the JSON API (`application/dns-json`): the parameters of a GET to a DNS message.
//
// As Google's and Cloudflare's resolvers have it: `name`, `type`, `cd`, `do`, `edns_client_subnet`
// and `ct`; other parameters are ignored. Of equal parameters, the first one counts. Pure. Cost:
// some passes over the target, which has at most kMaxHttpHead bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace steer::stream {

// The content of the response to a query.
enum class AnswerForm : std::uint8_t { message, json };

struct JsonQuery {
    AnswerForm form = AnswerForm::json;  // message: `ct` asks for it
    std::vector<std::uint8_t> message;
};
// Reads "name=example.com&type=AAAA". A text: the refusal, one line. The query has the id 0, RD and
// AD (RFC 6840 5.7), and an OPT, so that extended errors come back.
std::variant<JsonQuery, std::string_view> read_json_query(std::string_view parameters);

}  // namespace steer::stream
