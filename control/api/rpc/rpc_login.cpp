// People who signed in: cookies of sessions, POST /login and POST /logout.
//
// A browser sends a cookie with requests of any page. So it counts only with a field that another
// origin's page cannot send without asking first (`x-steerdns`), and if the browser says that this
// server's own page sends the request. SameSite=Strict comes on top.
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "control/api/rpc/rpc_server_impl.h"
#include "control/host/process/no_throw.h"
#include "matchers/text.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
namespace {

constexpr std::string_view kOwnField = "x-steerdns";
constexpr std::string_view kSiteField = "sec-fetch-site";

// Cookies do not know ports, and tunnels to several boxes have one host: the port of the URL makes
// names differ.
std::string cookie_name(const HttpRequest& request) {
    const auto host = view_of(request[http::field::host]);
    const auto colon = host.rfind(':');
    const bool has_port = colon != std::string_view::npos && host.find(']', colon) == host.npos;
    std::string name = "__Host-steerdns";
    for (const char c : has_port ? host.substr(colon + 1) : std::string_view{}) {
        if (c >= '0' && c <= '9') name += c;
    }
    return name;
}

std::string_view cookie_of(const HttpRequest& request) {
    auto rest = view_of(request[http::field::cookie]);
    const std::string name = cookie_name(request);
    while (!rest.empty()) {
        const auto end = std::min(rest.find(';'), rest.size());
        const auto one = matchers::trimmed(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto mark = one.find('=');
        if (mark != std::string_view::npos && one.substr(0, mark) == name)
            return one.substr(mark + 1);
    }
    return {};
}

std::string cookie_field(const HttpRequest& request, std::string_view value, std::uint64_t life_s) {
    return "set-cookie: " + cookie_name(request) + "=" + std::string(value) +
           "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(life_s) +
           "\r\n";
}

// The text of a member of the body, an object; empty: it has none.
std::string member_of(const HttpRequest& request, std::string_view name) {
    boost::system::error_code error;
    const json::value body = json::parse(request.body(), error);
    const auto* const object = error ? nullptr : body.if_object();
    const auto* const member = object != nullptr ? object->if_contains(name) : nullptr;
    const auto* const text = member != nullptr ? member->if_string() : nullptr;
    return text != nullptr ? std::string(*text) : std::string();
}

}  // namespace

// judge() has accepted the Origin, if there is one.
bool RpcServer::Impl::is_of_own_page(const HttpRequest& request) const {
    if (request.count(boost::beast::string_view(kOwnField.data(), kOwnField.size())) == 0)
        return false;
    const auto site =
        view_of(request[boost::beast::string_view(kSiteField.data(), kSiteField.size())]);
    if (!site.empty()) return site == "same-origin";
    // A browser without that field sends an Origin with each POST, and another origin's with GET.
    const auto origin = view_of(request[http::field::origin]);
    if (origin.empty()) return request.method() == http::verb::get;
    return matchers::lowered(std::string(origin)) == matchers::lowered(own_origin(request));
}

std::optional<HttpUser> RpcServer::Impl::find_session(const HttpRequest& request) const {
    if (options.login == nullptr || !options.settings.has_password) return std::nullopt;
    const auto secret = cookie_of(request);
    if (secret.empty() || !is_of_own_page(request)) return std::nullopt;
    const auto* const session = options.login->sessions().use(secret, options.login->now_ms());
    if (session == nullptr) return std::nullopt;
    return HttpUser{.role = AccessRole::admin,
                    .name = "session " + std::to_string(session->number),
                    .session = session->number};
}

Reply RpcServer::Impl::login_state() const {
    const bool is_on = options.login != nullptr && options.settings.has_password;
    const std::string_view state = !is_on ? "off" : options.login->has_password() ? "set" : "none";
    return {.type = "application/json", .body = json::serialize(json::object{{"password", state}})};
}

// False: `reply` is a refusal.
bool RpcServer::Impl::judge_login(HttpConnection& connection) {
    const HttpRequest& request = connection.request;
    if (request.method() != http::verb::post) {
        connection.reply = refusal(405, "use GET or POST", "allow: GET, POST\r\n");
    } else if (!is_json(view_of(request[http::field::content_type]))) {
        connection.reply =
            refusal(415, "the content must be JSON: send `Content-Type: application/json`");
    } else if (!is_of_own_page(request)) {
        connection.reply =
            refusal(403, "only this server's own page may sign in: programs send a token instead");
    } else if (options.login == nullptr || !options.settings.has_password) {
        connection.reply = refusal(404, "signing in is off: `password` of `http` is false");
    } else {
        return true;
    }
    return false;
}

void RpcServer::Impl::end_login(HttpConnection& connection, const Login::Outcome& outcome) {
    using End = Login::End;
    const bool is_link = !member_of(connection.request, "link").empty();
    switch (outcome.end) {
        case End::good:
            note_known(connection);
            connection.reply = {
                .status = 204,
                .fields = cookie_field(connection.request, outcome.secret, kSessionMs / 1'000)};
            if (options.audit) {
                options.audit("control session " + std::to_string(outcome.number) +
                              " began by the " + (is_link ? "link" : "password") + ", from " +
                              connection.address.to_string());
            }
            return;
        case End::wrong:
            log_wrong_secret(connection.address, is_link ? "wrong link" : "wrong password");
            connection.reply =
                refusal(401, is_link ? "this link was used already, or is older than 10 minutes: "
                                       "run `steerctl page` again"
                                     : "this password is wrong");
            return;
        case End::no_password:
            connection.reply = refusal(
                401, "no password is set yet: run `steerctl page` on the box, and open its link");
            return;
        case End::too_many: {
            const std::string wait = std::to_string(options.login->wait_s(connection.address));
            connection.reply = refusal(
                429, "too many tries: wait " + wait + " s, or run `steerctl page` on the box",
                "retry-after: " + wait + "\r\n");
            return;
        }
        case End::busy:
            connection.reply = refusal(503, "too many passwords wait to be checked: try again",
                                       "retry-after: 1\r\n");
            return;
    }
}

asio::awaitable<HttpServer::Next> RpcServer::Impl::answer_login(const ConnectionPtr& connection) {
    if (connection->request.method() == http::verb::get) {
        connection->reply = login_state();
        co_return Next::reply;
    }
    if (!judge_login(*connection)) co_return Next::refuse;
    HttpConnection& own = *connection;
    std::string link = member_of(own.request, "link"), password;
    if (!link.empty()) {
        end_login(own, options.login->try_link(own.address, link));
        co_return Next::reply;
    }
    password = member_of(own.request, "password");
    const auto ready = std::make_shared<asio::steady_timer>(io());
    ready->expires_at(asio::steady_timer::time_point::max());
    const auto ended = std::make_shared<std::optional<Login::Outcome>>();
    options.login->try_password(own.address, std::move(password),
                                [ready, ended](const Login::Outcome& outcome) {
                                    *ended = outcome;
                                    ready->cancel();
                                });
    if (!ended->has_value()) {
        own.deadline.cancel();
        own.is_busy = true;
        co_await ready->async_wait(kNoThrow);
        own.is_busy = false;
    }
    if (!ended->has_value()) co_return Next::end;
    end_login(own, **ended);
    // A client that tries passwords begins a connection for each further try.
    const bool goes_on = (*ended)->end == Login::End::good || (*ended)->end == Login::End::wrong;
    co_return goes_on ? Next::reply : Next::refuse;
}

void RpcServer::Impl::answer_logout(HttpConnection& connection) {
    const HttpRequest& request = connection.request;
    if (request.method() != http::verb::post) {
        connection.reply = refusal(405, "use POST", "allow: POST\r\n");
        return;
    }
    const auto user = find_session(request);
    if (user) {
        options.login->sessions().end(user->session);
        end_streams();
        if (options.audit)
            options.audit("control " + user->name + " ended, from " +
                          connection.address.to_string());
    }
    connection.reply = {.status = 204};
    if (is_of_own_page(request)) connection.reply.fields = cookie_field(request, "", 0);
}

}  // namespace steer::ops
