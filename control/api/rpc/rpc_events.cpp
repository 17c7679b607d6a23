// GET /events: notifications as Server-Sent Events.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <utility>

#include "control/api/rpc/rpc_server_impl.h"
#include "control/host/process/no_throw.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxIgnored = 4 * 1024;  // bytes behind a request for events

json::array texts_of(std::string_view list) {
    json::array texts;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        texts.emplace_back(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return texts;
}

// The parameters of `subscribe` in a query: "topics=events,counters&interval=500". No value: not a query.
std::optional<json::object> params_of(std::string_view query) {
    if (query.empty()) return json::object{};
    const std::string form = "/?" + std::string(query);  // what `url` is a view of
    const auto url = boost::urls::parse_origin_form(form);
    if (!url) return std::nullopt;
    const auto& known = Subscriptions::method().parameters;
    json::object params;
    for (const auto& [key, value, _] : url->params()) {
        const auto at = std::find_if(known.begin(), known.end(),
                                     [key = key](const Parameter& p) { return p.name == key; });
        const auto type = at != known.end() ? at->type : ParamType::text;
        std::uint64_t n = 0;
        const char* const end = value.data() + value.size();
        if (type == ParamType::texts) {
            params[key] = texts_of(value);
        } else if (type == ParamType::number && !value.empty() &&
                   std::from_chars(value.data(), end, n).ptr == end) {
            params[key] = n;
        } else {
            params[key] = value;
        }
    }
    return params;
}

}  // namespace

// Until the client ends the connection, or sends too much.
asio::awaitable<void> RpcServer::Impl::watch_end(ConnectionPtr connection) {
    bool is_open = true;
    while (is_open && connection->in.size() <= kMaxIgnored)
        is_open = co_await read_more(*connection);
    connection->close();
}

std::shared_ptr<Feed> RpcServer::Impl::begin_events(const ConnectionPtr& connection) {
    const HttpRequest& request = connection->request;
    const auto refuse_with = [&](Reply why) {
        connection->reply = std::move(why);
        return nullptr;
    };
    if (request.method() != http::verb::get)
        return refuse_with(refusal(405, "use GET", "allow: GET\r\n"));
    if (!let_in(*connection, request)) return nullptr;
    const auto target = view_of(request.target());
    const auto mark = std::min(target.find('?'), target.size());
    const auto params = params_of(target.substr(std::min(mark + 1, target.size())));
    if (!params) return refuse_with(refusal(400, "the query of the path cannot be read"));
    const auto asked =
        rpc.methods().arguments(Subscriptions::method(), *params, caller_of(*connection));
    if (!asked) return refuse_with(refusal(400, asked.error().message));
    auto feed = std::make_shared<Feed>(options.subscriptions, [weak = std::weak_ptr(connection)] {
        if (const auto woken = weak.lock()) woken->news.cancel();
    });
    const auto begun = options.subscriptions->subscribe(*feed, *asked);
    if (begun) return feed;
    const bool is_wrong = begun.error().code == RpcCode::invalid_params;
    return refuse_with(refusal(is_wrong ? 400 : 503, begun.error().message));
}

asio::awaitable<void> RpcServer::Impl::send_events(const ConnectionPtr& connection,
                                                   const std::shared_ptr<Feed>& feed) {
    connection->is_stream = true;
    connection->reply = {.type = "text/event-stream",
                         .fields = cross_origin_fields(connection->request)};
    connection->out = head_of(connection->reply, fields(), "", false) + ": subscribed\n\n";
    connection->close_after(connection, kRpcIdle);
    bool is_open = co_await write_out(*connection);
    if (is_open) asio::co_spawn(io(), watch_end(connection), asio::detached);
    while (is_open && connection->stream.is_open()) {
        if (auto one = feed->next()) {
            connection->out = "data: " + *one + "\n\n";
        } else {
            connection->deadline.cancel();
            connection->news.expires_after(kRpcEventsPause);
            const auto [error] = co_await connection->news.async_wait(kNoThrow);
            if (!connection->stream.is_open() || !may_stay(connection->user)) break;
            if (error) continue;
            connection->out = ": nothing new\n\n";
        }
        connection->close_after(connection, kRpcIdle);  // for a client that reads nothing
        is_open = co_await write_out(*connection);
    }
    connection->close();
}

}  // namespace steer::ops
