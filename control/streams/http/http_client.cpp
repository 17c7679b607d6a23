#include "control/streams/http/http_client.h"

#include <algorithm>

#include "control/streams/http/http1_client.h"
#include "control/streams/http/http2_client.h"

namespace steer::stream {

std::string_view HttpResponseHead::find(std::string_view name) const {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const HttpHeader& field) { return field.name == name; });
    return found == fields.end() ? std::string_view{} : std::string_view(found->value);
}

std::unique_ptr<HttpClient> make_http_client(std::string_view protocol,
                                             const HttpClientLimits& limits,
                                             HttpReplyTaker& taker) {
    if (protocol == "h2") return std::make_unique<Http2Client>(limits, taker);
    return std::make_unique<Http1Client>(limits, taker);
}

}  // namespace steer::stream
