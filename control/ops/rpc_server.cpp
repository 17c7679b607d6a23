#include "control/ops/rpc_server.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <iterator>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "control/ops/accept.h"
#include "control/ops/control_socket.h"
#include "control/ops/http_access.h"
#include "control/stream/tls/byte_stream.h"
#include "control/stream/tls/tls_server.h"
#include "matchers/text.h"
#include "matchers/version.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using stream::ByteStream;
using stream::Io;
namespace {

using HttpRequest = http::request<http::string_body>;
using HttpParser = http::request_parser<http::string_body>;

constexpr std::uint32_t kMaxHead = 8 * 1024;
constexpr std::size_t kReadBytes = 4 * 1024;
constexpr std::size_t kMaxIgnored = 4 * 1024;     // bytes behind a request for events
constexpr std::size_t kMostIgnored = 256 * 1024;  // bytes behind a refused request
constexpr std::chrono::seconds kLinger{2};        // for them

// Of every response. Scripts, styles and requests of the page are its own server's.
constexpr std::string_view kSecurityFields =
    "content-security-policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n";

struct Reply {
    unsigned status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body{};
    std::string fields{};  // further ones, each with its line end
    bool closes = false;
};

Reply refusal(unsigned status, std::string sentence, std::string fields = {}) {
    return {.status = status, .body = std::move(sentence) + "\n", .fields = std::move(fields)};
}

std::string_view view_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

std::string head_of(const Reply& reply, std::string_view length, bool keeps) {
    const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
    head.append(reason.data(), reason.size()).append("\r\nserver: ");
    head.append(with_version("steerdnsd", '/')).append("\r\n").append(kSecurityFields);
    head.append("content-type: ").append(reply.type).append("\r\n");
    if (reply.fields.find("cache-control:") == std::string::npos)
        head.append("cache-control: no-store\r\n");
    head.append(reply.fields).append(length);
    return head.append(keeps ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
}

std::string text_of(const Reply& reply, bool keeps, bool head_only) {
    const bool has_body = reply.status != 204 && reply.status != 304;
    const std::string length =
        has_body ? "content-length: " + std::to_string(reply.body.size()) + "\r\n" : "";
    std::string out = head_of(reply, length, keeps);
    return has_body && !head_only ? out + reply.body : out;
}

// "application/json" also with parameters.
bool is_json(std::string_view type) {
    return matchers::lowered(std::string(matchers::trimmed(type.substr(0, type.find(';'))))) ==
           "application/json";
}

// The parameters of `subscribe` in a query: "topics=events,counters&interval=500". No value: not a query.
std::optional<json::object> params_of(std::string_view query) {
    if (query.empty()) return json::object{};
    const std::string form = "/?" + std::string(query);  // what `url` is a view of
    const auto url = boost::urls::parse_origin_form(form);
    if (!url) return std::nullopt;
    json::object params;
    for (const auto& [key, value, _] : url->params()) {
        const auto& parameters = Subscriptions::method().parameters;
        const auto at = std::find_if(parameters.begin(), parameters.end(),
                                     [key = key](const Parameter& p) { return p.name == key; });
        if (at != parameters.end() && at->type == ParamType::texts) {
            json::array texts;
            for (std::string_view rest = value; !rest.empty();) {
                const auto comma = std::min(rest.find(','), rest.size());
                texts.emplace_back(rest.substr(0, comma));
                rest.remove_prefix(std::min(comma + 1, rest.size()));
            }
            params[key] = std::move(texts);
        } else if (std::uint64_t n = 0;
                   at != parameters.end() && at->type == ParamType::number &&
                   std::from_chars(value.data(), value.data() + value.size(), n).ptr ==
                       value.data() + value.size() &&
                   !value.empty()) {
            params[key] = n;
        } else {
            params[key] = value;
        }
    }
    return params;
}

tcp::endpoint endpoint_at(const config::Endpoint& at) {
    if (at.address.is_v4()) {
        asio::ip::address_v4::bytes_type bytes;
        std::copy_n(at.address.v4(), bytes.size(), bytes.begin());
        return {asio::ip::address_v4(bytes), at.port};
    }
    return {asio::ip::address_v6(at.address.bytes), at.port};
}

IpAddress address_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v4()) return IpAddress::from_v4(address.to_v4().to_bytes().data());
    return IpAddress::from_v6(address.to_v6().to_bytes().data());
}

// One connection. The timer closes it.
struct RpcClient {
    RpcClient(tcp::socket socket, const IpAddress& from)
        : stream(std::move(socket)),
          address(from),
          deadline(stream.socket().get_executor()),
          news(stream.socket().get_executor()) {}

    void close_after(const std::shared_ptr<RpcClient>& self, std::chrono::seconds time) {
        deadline.expires_after(time);
        deadline.async_wait([weak = std::weak_ptr(self)](const boost::system::error_code& error) {
            const auto client = weak.lock();
            if (!error && client) client->close();
        });
    }
    void close() {
        deadline.cancel();
        news.cancel();
        stream.close();
    }
    // Those with the least worth make room first.
    [[nodiscard]] auto worth() const {
        return std::tuple(is_busy, feed != nullptr, is_known, turn);
    }

    ByteStream stream;
    IpAddress address;
    asio::steady_timer deadline;
    asio::steady_timer news;  // cancelled when the feed has something
    std::string in;           // read and not parsed
    std::shared_ptr<Feed> feed;
    std::uint64_t turn = 0;  // of its last request or answer, by Impl::turns
    bool is_known = false;   // it was let in
    bool is_busy = false;    // it waits for a method
};
using ClientPtr = std::shared_ptr<RpcClient>;

asio::awaitable<bool> shake_hands(RpcClient& client) {
    for (;;) {
        const Io io = client.stream.handshake();
        if (io == Io::done) co_return true;
        if (io != Io::wait_read && io != Io::wait_write) co_return false;
        const auto [error] = co_await client.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
}

// Appends what is there to client.in. False: the connection ended.
asio::awaitable<bool> read_more(RpcClient& client) {
    std::array<std::uint8_t, kReadBytes> part;
    for (;;) {
        if (!client.stream.is_open()) co_return false;
        std::size_t n = 0;
        const Io io = client.stream.read(part, n);
        if (io == Io::done) {
            client.in.append(reinterpret_cast<const char*>(part.data()), n);
            co_return true;
        }
        if (io != Io::wait_read && io != Io::wait_write) co_return false;
        const auto [error] = co_await client.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
}

asio::awaitable<bool> write_all(RpcClient& client, std::string text) {
    std::span<const std::uint8_t> left(reinterpret_cast<const std::uint8_t*>(text.data()),
                                       text.size());
    while (!left.empty()) {
        if (!client.stream.is_open()) co_return false;
        std::size_t n = 0;
        const Io io = client.stream.write(left, n);
        if (io == Io::done) {
            left = left.subspan(n);
            continue;
        }
        if (io != Io::wait_read && io != Io::wait_write) co_return false;
        const auto [error] = co_await client.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
    co_return true;
}

Reply reply_to(const boost::system::error_code& error) {
    if (error == http::error::header_limit) return refusal(431, "the header is longer than 8 KiB");
    if (error == http::error::body_limit)
        return refusal(413, "the request is longer than 64 KiB: send a smaller one");
    if (error == http::error::bad_version) return refusal(505, "use HTTP/1.1");
    return refusal(400, "this is not an HTTP request");
}

}  // namespace

struct RpcServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what)
        : io(context),
          rpc(methods),
          options(std::move(what)),
          tls({"http/1.1"}, clock),
          acceptor(context),
          pause(context) {}

    [[nodiscard]] bool has_tls() const { return !options.settings.certificate.empty(); }

    // The first argument keeps this object for as long as the coroutine lives.
    asio::awaitable<void> accept_all(std::shared_ptr<Impl> self);
    asio::awaitable<void> serve(std::shared_ptr<Impl> self, ClientPtr client);
    asio::awaitable<bool> serve_one(ClientPtr client);
    asio::awaitable<std::optional<HttpRequest>> read_request(ClientPtr client);
    asio::awaitable<void> refuse(ClientPtr client, Reply reply);
    asio::awaitable<Reply> reply_to_rpc(ClientPtr client, const HttpRequest& request);
    asio::awaitable<void> send_events(ClientPtr client, std::string fields);
    static asio::awaitable<void> watch_end(ClientPtr client);
    struct Pending;
    bool begin_tls(RpcClient& client) const;
    std::optional<Reply> begin_events(const ClientPtr& client, const HttpRequest& request);
    std::optional<Reply> judge_rpc(RpcClient& client, const HttpRequest& request, HttpUser& user);
    std::shared_ptr<Pending> begin_call(const RpcClient& client, const HttpRequest& request,
                                        const HttpUser& user);

    [[nodiscard]] std::optional<Reply> judge(const HttpRequest& request) const;
    [[nodiscard]] std::string cross_origin_fields(const HttpRequest& request) const;
    [[nodiscard]] std::string own_origin(const HttpRequest& request) const;
    [[nodiscard]] Reply file(const HttpRequest& request, std::string_view path) const;
    std::optional<HttpUser> let_in(RpcClient& client, const HttpRequest& request, Reply& why);
    Caller caller_of(const RpcClient& client, const HttpUser& user) const;
    void log_wrong_token(const IpAddress& client);
    void evict_the_least_worth();

    asio::io_context& io;
    const JsonRpc& rpc;
    Options options;
    HttpAccess access;
    stream::TlsServer tls;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::set<ClientPtr> clients;
    std::uint64_t turns = 0;  // connections, requests and answers so far
    std::chrono::steady_clock::time_point wrong_token_logged{};
};

// ---- what a request may do

std::string RpcServer::Impl::own_origin(const HttpRequest& request) const {
    return (has_tls() ? "https://" : "http://") + std::string(view_of(request[http::field::host]));
}

// A refusal, or nothing: the request may be looked at.
std::optional<Reply> RpcServer::Impl::judge(const HttpRequest& request) const {
    const auto target = view_of(request.target());
    if (request.count(http::field::host) != 1 || !target.starts_with('/'))
        return refusal(400, "a request needs one Host and a path");
    if (!access.accepts_host(view_of(request[http::field::host]))) {
        return refusal(421,
                       "this host name is not served: use an IP address, or add the name to "
                       "`hosts` of `http`");
    }
    const bool has_origin = request.count(http::field::origin) != 0;
    if (request.count(http::field::origin) > 1 ||
        (has_origin &&
         !access.accepts_origin(view_of(request[http::field::origin]), own_origin(request)))) {
        return refusal(403, "requests of this origin are refused: add it to `origins` of `http`");
    }
    return std::nullopt;
}

// For pages of `origins`, which judge() has accepted.
std::string RpcServer::Impl::cross_origin_fields(const HttpRequest& request) const {
    const std::string origin(view_of(request[http::field::origin]));
    if (origin.empty() || matchers::lowered(origin) == matchers::lowered(own_origin(request)))
        return {};
    return "access-control-allow-origin: " + origin +
           "\r\naccess-control-allow-headers: authorization, content-type\r\n"
           "access-control-allow-methods: GET, POST\r\nvary: origin\r\n";
}

std::optional<HttpUser> RpcServer::Impl::let_in(RpcClient& client, const HttpRequest& request,
                                                Reply& why) {
    const auto now = HttpAccess::Clock::now();
    if (access.is_blocked(client.address, now)) {
        why = refusal(429, "too many wrong tokens came from your address: wait a minute",
                      "retry-after: 60\r\n");
        return std::nullopt;
    }
    std::optional<HttpUser> user = access.find_certificate(client.stream.ssl());
    const auto given = view_of(request[http::field::authorization]);
    if (!given.empty()) {
        user = access.find_token(given);
        if (!user) {
            access.note_wrong_token(client.address, now);
            log_wrong_token(client.address);
        }
    }
    client.is_known = client.is_known || user;
    why = refusal(401,
                  given.empty() ? "a token is missing: send `Authorization: Bearer TOKEN`"
                                : "this token is wrong: check it",
                  "www-authenticate: Bearer realm=\"steerdns\"\r\n");
    return user;
}

// At most one a second: a client must not fill the log.
void RpcServer::Impl::log_wrong_token(const IpAddress& client) {
    const auto now = std::chrono::steady_clock::now();
    if (!options.audit || now - wrong_token_logged < std::chrono::seconds(1)) return;
    wrong_token_logged = now;
    options.audit("http request of " + client.to_string() + ": refused: wrong token");
}

Caller RpcServer::Impl::caller_of(const RpcClient& client, const HttpUser& user) const {
    return {user.role, user.name + " at " + client.address.to_string()};
}

// By its exact name in the table: no path is opened.
Reply RpcServer::Impl::file(const HttpRequest& request, std::string_view path) const {
    if (path == "/") path = "/index.html";
    const auto at = std::find_if(options.files.begin(), options.files.end(),
                                 [&](const page::PageFile& one) { return one.path == path; });
    if (at == options.files.end())
        return refusal(404, "there is no such path: use POST /rpc or GET /events");
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return refusal(405, "use GET", "allow: GET, HEAD\r\n");
    const std::string fields = "cache-control: no-cache\r\netag: " + std::string(at->tag) + "\r\n";
    if (view_of(request[http::field::if_none_match]) == at->tag)
        return {.status = 304, .fields = fields};
    return {.type = at->type, .body = std::string(at->content), .fields = fields};
}

// A refusal, or nothing: `user` is who asks.
std::optional<Reply> RpcServer::Impl::judge_rpc(RpcClient& client, const HttpRequest& request,
                                                HttpUser& user) {
    if (request.method() != http::verb::post) return refusal(405, "use POST", "allow: POST\r\n");
    if (!is_json(view_of(request[http::field::content_type])))
        return refusal(415, "the content must be JSON: send `Content-Type: application/json`");
    Reply why;
    auto found = let_in(client, request, why);
    if (!found) return why;
    user = std::move(*found);
    return std::nullopt;
}

// What a method has answered, or will.
struct RpcServer::Impl::Pending {
    explicit Pending(asio::io_context& context) : ready(context) {
        ready.expires_at(asio::steady_timer::time_point::max());
    }
    asio::steady_timer ready;
    std::string answer;
    bool is_there = false;
};

std::shared_ptr<RpcServer::Impl::Pending> RpcServer::Impl::begin_call(const RpcClient& client,
                                                                      const HttpRequest& request,
                                                                      const HttpUser& user) {
    auto pending = std::make_shared<Pending>(io);
    const Caller caller = caller_of(client, user);
    rpc.handle(
        request.body(), caller,
        [pending](std::string answer) {
            pending->answer = std::move(answer);
            pending->is_there = true;
            pending->ready.cancel();
        },
        [audit = options.audit, who = caller.who](const Method& method, const json::value& params,
                                                  const RpcResult& result) {
            audit_request(audit, who, method, params, result);
        });
    return pending;
}

asio::awaitable<Reply> RpcServer::Impl::reply_to_rpc(ClientPtr client, const HttpRequest& request) {
    HttpUser user;
    if (auto refused = judge_rpc(*client, request, user)) co_return std::move(*refused);
    const auto pending = begin_call(*client, request, user);
    if (!pending->is_there) {
        client->deadline.cancel();
        client->is_busy = true;
        co_await pending->ready.async_wait(kNoThrow);
        client->is_busy = false;
    }
    Reply reply;
    reply.status = pending->answer.empty() ? 204 : 200;
    reply.type = "application/json";
    reply.body = std::move(pending->answer);
    co_return reply;
}

// ---- events

// Until the client ends the connection, or sends too much.
asio::awaitable<void> RpcServer::Impl::watch_end(ClientPtr client) {
    bool is_open = true;
    while (is_open && client->in.size() <= kMaxIgnored)
        is_open = co_await read_more(*client);
    client->close();
}

// A refusal, or nothing: client.feed has the subscriptions that the query asks for.
std::optional<Reply> RpcServer::Impl::begin_events(const ClientPtr& client,
                                                   const HttpRequest& request) {
    if (request.method() != http::verb::get) return refusal(405, "use GET", "allow: GET\r\n");
    Reply why;
    const auto user = let_in(*client, request, why);
    if (!user) return why;
    const auto target = view_of(request.target());
    const auto mark = std::min(target.find('?'), target.size());
    const auto params = params_of(target.substr(std::min(mark + 1, target.size())));
    if (!params) return refusal(400, "the query of the path cannot be read");
    if (const auto wrong = check_params(Subscriptions::method(), *params))
        return refusal(400, wrong->message);
    client->feed = std::make_shared<Feed>(options.subscriptions, [weak = std::weak_ptr(client)] {
        if (const auto woken = weak.lock()) woken->news.cancel();
    });
    const auto begun = options.subscriptions->subscribe(
        *client->feed, Arguments(*params, caller_of(*client, *user)));
    if (begun) return std::nullopt;
    client->feed.reset();
    const bool is_wrong = begun.error().code == RpcCode::invalid_params;
    return refusal(is_wrong ? 400 : 503, begun.error().message);
}

asio::awaitable<void> RpcServer::Impl::send_events(ClientPtr client, std::string fields) {
    Reply head;
    head.type = "text/event-stream";
    head.fields = std::move(fields);
    std::string text = head_of(head, "", false) + ": subscribed\n\n";
    client->close_after(client, kRpcIdle);
    bool is_open = co_await write_all(*client, std::move(text));
    if (is_open) asio::co_spawn(io, watch_end(client), asio::detached);
    while (is_open && client->stream.is_open()) {
        text.clear();
        if (auto one = client->feed->next()) {
            text = "data: " + *one + "\n\n";
        } else {
            client->deadline.cancel();
            client->news.expires_after(kRpcEventsPause);
            const auto [error] = co_await client->news.async_wait(kNoThrow);
            if (!client->stream.is_open()) break;
            if (error) continue;
            text = ": nothing new\n\n";
        }
        client->close_after(client, kRpcIdle);  // for a client that reads nothing
        is_open = co_await write_all(*client, std::move(text));
    }
    client->close();
}

// ---- connections

// Answers, and closes the connection: what follows a refused request may be anything. It is read for a while, because
// closing with unread bytes would reset the connection before the client has the answer.
asio::awaitable<void> RpcServer::Impl::refuse(ClientPtr client, Reply reply) {
    client->close_after(client, kRpcRequestTime);
    std::string text = text_of(reply, false, false);
    bool is_open = co_await write_all(*client, std::move(text));
    client->stream.end_writing();
    client->close_after(client, kLinger);
    for (std::size_t ignored = 0; is_open && ignored <= kMostIgnored;) {
        ignored += client->in.size();
        client->in.clear();
        is_open = co_await read_more(*client);
    }
}

// No value: the connection is over, or was refused.
asio::awaitable<std::optional<HttpRequest>> RpcServer::Impl::read_request(ClientPtr client) {
    HttpParser parser;
    parser.header_limit(kMaxHead);
    parser.body_limit(kMaxControlLine);
    parser.eager(true);
    client->close_after(client, kRpcIdle);
    bool is_begun = false;
    for (;;) {
        if (!client->in.empty()) {
            if (!std::exchange(is_begun, true)) client->close_after(client, kRpcRequestTime);
            boost::system::error_code error;
            const std::size_t n = parser.put(asio::buffer(client->in), error);
            client->in.erase(0, n);
            if (error && error != http::error::need_more) {
                Reply refused = reply_to(error);
                co_await refuse(client, std::move(refused));
                co_return std::nullopt;
            }
            if (parser.is_header_done() && parser.chunked()) {
                Reply refused = refusal(411, "send Content-Length: chunked content is refused");
                co_await refuse(client, std::move(refused));
                co_return std::nullopt;
            }
            if (parser.is_done()) co_return parser.release();
        }
        if (!co_await read_more(*client)) co_return std::nullopt;
    }
}

// Whether the connection goes on.
asio::awaitable<bool> RpcServer::Impl::serve_one(ClientPtr client) {
    const auto request = co_await read_request(client);
    if (!request) co_return false;
    client->turn = ++turns;
    if (auto why = judge(*request)) {
        Reply refused = std::move(*why);
        co_await refuse(client, std::move(refused));
        co_return false;
    }
    std::string fields = cross_origin_fields(*request);
    const auto target = view_of(request->target());
    const auto path = target.substr(0, target.find('?'));
    Reply reply;
    if (path == "/events" && request->method() != http::verb::options) {
        if (auto refused = begin_events(client, *request)) {
            reply = std::move(*refused);
            reply.fields += fields;
            co_await refuse(client, std::move(reply));
        } else {
            co_await send_events(client, std::move(fields));
        }
        co_return false;
    }
    if (request->method() == http::verb::options && !fields.empty()) {
        reply.status = 204;  // a browser asks whether another origin may send its request
    } else if (path == "/rpc") {
        reply = co_await reply_to_rpc(client, *request);
    } else {
        reply = file(*request, path);
    }
    reply.fields += fields;
    client->turn = ++turns;
    client->close_after(client, kRpcIdle);
    const bool keeps = request->keep_alive() && acceptor.is_open();
    std::string text = text_of(reply, keeps, request->method() == http::verb::head);
    const bool is_sent = co_await write_all(*client, std::move(text));
    const bool goes_on = is_sent && keeps;
    co_return goes_on;
}

bool RpcServer::Impl::begin_tls(RpcClient& client) const {
    auto ssl = tls.accept();
    return ssl != nullptr && client.stream.secure(std::move(ssl));
}

asio::awaitable<void> RpcServer::Impl::serve(std::shared_ptr<Impl>, ClientPtr client) {
    client->close_after(client, kRpcRequestTime);
    bool is_open = true;
    if (has_tls()) is_open = begin_tls(*client);
    if (is_open && has_tls()) is_open = co_await shake_hands(*client);
    while (is_open && acceptor.is_open()) {
        co_await asio::post(io, asio::use_awaitable);  // others take turns with pipelined requests
        is_open = co_await serve_one(client);
    }
    client->stream.end_writing();
    client->close();
    clients.erase(client);
}

void RpcServer::Impl::evict_the_least_worth() {
    const auto least =
        std::min_element(clients.begin(), clients.end(),
                         [](const auto& a, const auto& b) { return a->worth() < b->worth(); });
    (*least)->close();
    clients.erase(least);
}

asio::awaitable<void> RpcServer::Impl::accept_all(std::shared_ptr<Impl> self) {
    co_await accept_each(acceptor, pause, [this, &self](tcp::socket socket) {
        boost::system::error_code error;
        const auto from = socket.remote_endpoint(error);
        if (error) return;
        if (clients.size() >= kRpcSessions) evict_the_least_worth();
        auto client = std::make_shared<RpcClient>(std::move(socket), address_of(from));
        client->turn = ++turns;
        clients.insert(client);
        asio::co_spawn(io, serve(self, std::move(client)), asio::detached);
    });
}

RpcServer::RpcServer(asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(io, rpc, clock, std::move(options))) {}
RpcServer::~RpcServer() {
    close();
}

Result<void> RpcServer::renew_certificate() {
    const config::RpcServer& settings = impl_->options.settings;
    if (!impl_->has_tls()) return {};
    return impl_->tls.load(
        {.cert = settings.certificate, .key = settings.key, .client_ca = settings.client_ca});
}

Result<void> RpcServer::listen() {
    const config::RpcServer& settings = impl_->options.settings;
    auto access = HttpAccess::load(settings);
    if (!access) return access.error();
    impl_->access = std::move(*access);
    if (auto done = renew_certificate(); !done) return Error{done.error().text, {}, settings.line};
    const tcp::endpoint endpoint = endpoint_at(settings.listen);
    boost::system::error_code error;
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6())
        acceptor.set_option(asio::ip::v6_only(!settings.listen.any()), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return Error{"JSON-RPC cannot be served on " + settings.listen.to_string() + ": " +
                         error.message() + "; choose another 'listen' of 'http'",
                     {},
                     settings.line};
    }
    asio::co_spawn(impl_->io, impl_->accept_all(impl_), asio::detached);
    return {};
}

stream::CertificateFacts RpcServer::certificate() const {
    return impl_->tls.facts();
}

std::uint16_t RpcServer::port() const {
    boost::system::error_code error;
    const auto endpoint = impl_->acceptor.local_endpoint(error);
    return error ? std::uint16_t{0} : endpoint.port();
}

std::size_t RpcServer::sessions() const {
    return impl_->clients.size();
}

void RpcServer::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    for (const auto& client : impl_->clients)
        client->close();
}

}  // namespace steer::ops
