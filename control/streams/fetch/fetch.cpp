#include "control/streams/fetch/fetch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "control/streams/fetch/answer.h"
#include "control/streams/fetch/connection.h"
#include "control/streams/fetch/reach.h"
#include "matchers/quote.h"
#include "matchers/version.h"

namespace steer::fetch {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kConnectPatience{10};  // of one address
constexpr std::size_t kLongestValidator = 1024;

// The result of one request in a chain of redirects: an end, or the next URL.
struct Step {
    std::optional<config::Url> next;
};

class Exchange {
  public:
    Exchange(asio::io_context& io, const Request& request, const Sink& sink)
        : io_(io),
          request_(request),
          sink_(sink),
          deadline_(std::chrono::steady_clock::now() + request.timeout) {}

    asio::awaitable<void> run();
    Response response;

  private:
    void end(Outcome outcome, std::string why);
    void end_by(const std::string& why, const std::string& doing);
    [[nodiscard]] bool is_late() const { return std::chrono::steady_clock::now() >= deadline_; }
    asio::awaitable<std::vector<IpAddress>> resolve(const config::Url& url);
    std::vector<IpAddress> leave_nearer(std::vector<IpAddress> addresses, const config::Url& url);
    asio::awaitable<std::unique_ptr<Connection>> connect(const config::Url& url);
    asio::awaitable<bool> secure(Connection& connection, const config::Url& url);
    asio::awaitable<Step> visit(const config::Url& url);
    [[nodiscard]] stream::HttpRequestHead head_for(const config::Url& url) const;
    Step judge(const config::Url& url, const Answer& answer, Talk talk, const std::string& why);
    void judge_content(const Answer& answer, Talk talk, const std::string& why);
    Step redirect(const config::Url& from, std::string_view location);

    asio::io_context& io_;
    const Request& request_;
    const Sink& sink_;
    const resolver::Deadline deadline_;
    std::optional<Reach> origin_;  // of the server that the list's own URL names, once connected
};

void Exchange::end(Outcome outcome, std::string why) {
    response.outcome = outcome;
    response.why = std::move(why);
}

void Exchange::end_by(const std::string& why, const std::string& doing) {
    if (is_late())
        return end(Outcome::too_slow, "it took longer than " +
                                          std::to_string(request_.timeout.count()) + " ms (" +
                                          doing + ")");
    end(Outcome::unreachable, doing + " failed: " + why);
}

asio::awaitable<std::vector<IpAddress>> Exchange::resolve(const config::Url& url) {
    if (const auto literal = IpAddress::parse(url.host)) co_return std::vector{*literal};
    auto addresses = co_await resolver::ask(url.host, request_.resolvers, deadline_);
    if (!addresses.answered) {
        addresses = co_await resolver::ask(url.host, resolver::system_resolvers(), deadline_);
        response.by_system_resolver = addresses.answered;
    }
    if (addresses.found.empty())
        end(Outcome::no_name,
            matchers::quoted(url.host) +
                (addresses.answered ? " has no address, or there is no such name"
                                    : " could not be looked up: no upstream of the configuration "
                                      "answers, nor does the system's resolver"));
    co_return std::move(addresses.found);
}

// Permitted addresses of a redirect. The connection uses the checked address, so that a name cannot change its
// address in between.
std::vector<IpAddress> Exchange::leave_nearer(std::vector<IpAddress> addresses,
                                              const config::Url& url) {
    if (!origin_ || addresses.empty()) return addresses;
    const IpAddress first = addresses.front();
    std::erase_if(addresses,
                  [&](const IpAddress& ip) { return !may_redirect(*origin_, reach_of(ip)); });
    if (addresses.empty())
        end(Outcome::refused, "its server redirects to " + matchers::quoted(url.host) + " at " +
                                  first.to_string() + ", " + std::string(name_of(reach_of(first))) +
                                  ": not followed; write that URL as the list if you mean it");
    return addresses;
}

asio::awaitable<std::unique_ptr<Connection>> Exchange::connect(const config::Url& url) {
    const auto addresses = leave_nearer(co_await resolve(url), url);
    std::string last;
    for (const IpAddress& ip : addresses) {
        auto connection = std::make_unique<Connection>(io_);
        connection->until(std::min(deadline_, std::chrono::steady_clock::now() + kConnectPatience));
        const bool connected = co_await connection->connect(ip, url.port);
        if (connected) {
            if (!origin_) origin_ = reach_of(ip);
            connection->until(deadline_);
            co_return std::move(connection);
        }
        last = connection->why();
        if (is_late()) break;
    }
    if (addresses.empty()) co_return nullptr;  // that was reported
    if (is_late()) {
        end_by(last, "connecting");
    } else {
        end(Outcome::unreachable,
            "its server at " + url.authority() + " cannot be connected to: " + last);
    }
    co_return nullptr;
}

asio::awaitable<bool> Exchange::secure(Connection& connection, const config::Url& url) {
    const auto tls =
        stream::TlsClient::make(url.host, {"h2", "http/1.1"}, {.ca_file = request_.ca});
    if (!tls) {
        end(Outcome::untrusted, tls.error().text);
        co_return false;
    }
    const bool secured = co_await connection.secure(**tls);
    if (secured) co_return true;
    if (connection.is_refused()) {
        end(Outcome::untrusted, url.authority() + ": " + connection.why());
    } else {
        end_by(connection.why(), "TLS with " + url.authority());
    }
    co_return false;
}

stream::HttpRequestHead Exchange::head_for(const config::Url& url) const {
    stream::HttpRequestHead head{.method = "GET",
                                 .scheme = url.tls ? "https" : "http",
                                 .authority = url.authority(),
                                 .path = url.target,
                                 .fields = {{"User-Agent", with_version("steerdnsd", '/')},
                                            {"Accept", "*/*"},
                                            {"Accept-Encoding", "gzip"}},
                                 .is_last = true};
    if (!request_.etag.empty()) head.fields.push_back({"If-None-Match", request_.etag});
    if (!request_.last_modified.empty())
        head.fields.push_back({"If-Modified-Since", request_.last_modified});
    return head;
}

asio::awaitable<Step> Exchange::visit(const config::Url& url) {
    const auto connection = co_await connect(url);
    if (connection == nullptr) co_return Step{};
    if (url.tls) {
        const bool secured = co_await secure(*connection, url);
        if (!secured) co_return Step{};
    }
    Answer answer(request_, sink_);
    const auto client = stream::make_http_client(connection->protocol(), Answer::limits(), answer);
    client->ask(std::make_shared<const stream::HttpRequestHead>(head_for(url)), {});
    const Talk talk = co_await connection->talk(*client, [&] { return answer.is_over(); });
    response.bytes = answer.content().bytes();
    co_return judge(url, answer, talk, answer.has_failed() ? answer.why() : connection->why());
}

Step Exchange::judge(const config::Url& url, const Answer& answer, Talk talk,
                     const std::string& why) {
    if (!answer.head()) {
        end_by(why.empty() ? "it did not take the request" : why, "its server's answer");
        return {};
    }
    const stream::HttpResponseHead& head = *answer.head();
    const auto validator = [&head](std::string_view name) {
        const std::string_view text = head.find(name);
        return text.size() > kLongestValidator ? std::string{} : std::string(text);
    };
    response.etag = validator("etag");
    response.last_modified = validator("last-modified");
    switch (head.status) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308:
            return redirect(url, head.find("location"));
        case 200:
            judge_content(answer, talk, why);
            return {};
        default:
            break;
    }
    if (head.status == 304 && (!request_.etag.empty() || !request_.last_modified.empty())) {
        end(Outcome::unchanged, {});
    } else {
        const std::string reason =
            head.reason.empty() ? std::string{} : " " + matchers::quoted(head.reason);
        end(Outcome::refused, url.authority() + " answers " + std::to_string(head.status) + reason);
    }
    return {};
}

void Exchange::judge_content(const Answer& answer, Talk talk, const std::string& why) {
    if (answer.is_judged()) return end(answer.content().outcome(), answer.content().why());
    if (is_late()) return end_by(why, "receiving it");
    // A reset HTTP/2 stream gives no other reason.
    if (talk == Talk::ended || why.empty())
        return end(Outcome::cut_off,
                   "it ended after " + std::to_string(response.bytes) + " bytes, before its end");
    end_by(why, "receiving it");
}

Step Exchange::redirect(const config::Url& from, std::string_view location) {
    auto next = config::resolve_reference(from, location);
    if (!next || location.empty()) {
        end(Outcome::refused, next ? "its server redirects without a location" : next.error().text);
        return {};
    }
    if (from.tls && !next->tls) {
        end(Outcome::refused, "its server redirects from https to " + next->text() +
                                  ", which anyone on the path could change: refused");
        return {};
    }
    return {*std::move(next)};
}

asio::awaitable<void> Exchange::run() {
    config::Url url = request_.url;
    for (unsigned redirects = 0;; ++redirects) {
        Step step = co_await visit(url);
        if (!step.next) co_return;
        if (redirects == request_.max_redirects) {
            end(Outcome::refused,
                "more than " + std::to_string(request_.max_redirects) + " redirects");
            co_return;
        }
        url = *std::move(step.next);
    }
}

}  // namespace

Response fetch(const Request& request, const Sink& sink, const std::stop_token& stop) {
    asio::io_context io(1);
    Exchange exchange(io, request, sink);
    const std::stop_callback on_stop(stop, [&io] { io.stop(); });
    exchange.response.why = "steerdnsd is stopping";
    asio::co_spawn(io, exchange.run(), [&](const std::exception_ptr& thrown) {
        if (thrown) exchange.response = {.outcome = Outcome::unreachable, .why = "no memory"};
        io.stop();  // ends remaining timers
    });
    if (!stop.stop_requested()) io.run();
    return std::move(exchange.response);
}

}  // namespace steer::fetch
