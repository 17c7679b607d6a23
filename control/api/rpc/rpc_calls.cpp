// POST /rpc: one JSON-RPC request, and its answer when the method is done.
#include <utility>

#include "control/api/rpc/pending_call.h"
#include "control/api/rpc/rpc_server_impl.h"
#include "control/host/process/no_throw.h"
#include "matchers/text.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;

bool is_json(std::string_view type) {
    return matchers::lowered(std::string(matchers::trimmed(type.substr(0, type.find(';'))))) ==
           "application/json";
}

// False: `reply` is a refusal.
bool RpcServer::Impl::judge_call(HttpConnection& connection) {
    const HttpRequest& request = connection.request;
    if (request.method() != http::verb::post) {
        connection.reply = refusal(405, "use POST", "allow: POST\r\n");
        return false;
    }
    if (!is_json(view_of(request[http::field::content_type]))) {
        connection.reply =
            refusal(415, "the content must be JSON: send `Content-Type: application/json`");
        return false;
    }
    return let_in(connection, request);
}

asio::awaitable<void> RpcServer::Impl::answer_call(const ConnectionPtr& connection) {
    if (!judge_call(*connection)) co_return;
    const auto pending =
        begin_call(io(), rpc, connection->request.body(), caller_of(*connection), options.audit);
    if (!pending->is_there) {
        connection->deadline.cancel();
        connection->is_busy = true;
        co_await pending->ready.async_wait(kNoThrow);
        connection->is_busy = false;
    }
    connection->reply = {.status = pending->answer.empty() ? 204U : 200U,
                         .type = "application/json",
                         .body = std::move(pending->answer)};
}

}  // namespace steer::ops
