// The JSON API of DNS over HTTP. The first line is a request's parameters: what is taken for a query is one. The rest is a
// response: its body is JSON within the limit, or it is refused.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../require.h"
#include "control/streams/http/doh_request.h"
#include "control/streams/http/http_answer.h"
#include "control/streams/http/json_answer.h"
#include "dataplane/dns/query.h"

using namespace steer;
using namespace steer::stream;

namespace {

void check_query(std::string_view parameters) {
    const auto read = read_json_query(parameters);
    if (const auto* text = std::get_if<std::string_view>(&read)) {
        REQUIRE(text->starts_with("Expected ") && text->find('\n') == text->size() - 1);
        return;
    }
    const auto& message = std::get<JsonQuery>(read).message;
    dns::Query query;
    REQUIRE(judge_message(message) == HttpStatus::ok);
    const auto error = dns::parse_client_query(message, query);
    // A type that is not served gets an answer of DNS.
    REQUIRE(dns::is_well_formed(error) || error == dns::QueryError::not_served_type ||
            error == dns::QueryError::no_record_type);
}

void check_answer(std::span<const std::uint8_t> response) {
    const auto answer = json_answer(response);
    const HttpAnswerFields fields(HttpStatus::ok, response, 0, AnswerForm::json);
    REQUIRE((fields.status() == HttpStatus::ok) == answer.has_value());
    if (!answer) return;
    REQUIRE(answer->body.size() <= kMaxJsonBody && fields.content().size() == answer->body.size());
    boost::system::error_code error;
    const auto all = boost::json::parse(answer->body, error);
    REQUIRE(!error && all.is_object() && all.as_object().contains("Status"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const auto line = std::min(all.find('\n'), size);
    check_query(all.substr(0, line));
    const auto rest = std::min(line + 1, size);
    check_answer({data + rest, size - rest});
    return 0;
}
