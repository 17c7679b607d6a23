#include "control/streams/http/http_client.h"

#include "control/streams/http/http1_client.h"
#include "control/streams/http/http2_client.h"

namespace steer::stream {

std::unique_ptr<HttpClient> make_http_client(std::string_view protocol,
                                             const HttpClientLimits& limits,
                                             HttpReplyTaker& taker) {
    if (protocol == "h2") return std::make_unique<Http2Client>(limits, taker);
    return std::make_unique<Http1Client>(limits, taker);
}

}  // namespace steer::stream
