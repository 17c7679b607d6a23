#include "control/fetch/fetch.h"

#include <openssl/err.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <utility>

#include "control/fetch/inflater.h"
#include "control/fetch/reach.h"
#include "control/fetch/read_some.h"
#include "control/process/no_throw.h"
#include "control/resolver/endpoint.h"
#include "matchers/quote.h"

namespace steer::fetch {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
namespace {

constexpr std::uint32_t kMaxHeader = 32 * 1024;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::chrono::seconds kConnectPatience{10};  // of one address
constexpr std::chrono::seconds kByePatience{1};
constexpr std::size_t kLongestValidator = 1024;

// What one request in a chain of redirects came to: an end, or where to go on.
struct Step {
    std::optional<config::Url> next;
};

class Exchange {
  public:
    Exchange(const Request& request, const Sink& sink)
        : request_(request),
          sink_(sink),
          deadline_(std::chrono::steady_clock::now() + request.timeout) {}

    asio::awaitable<void> run();
    Response response;

  private:
    void end(Outcome outcome, std::string why);
    void end_by(const boost::system::error_code& error, const std::string& doing);
    asio::awaitable<std::vector<IpAddress>> resolve(const config::Url& url);
    std::vector<IpAddress> leave_nearer(std::vector<IpAddress> addresses, const config::Url& url);
    asio::awaitable<bool> connect(beast::tcp_stream& stream, const config::Url& url);
    asio::awaitable<Step> visit(const config::Url& url);
    asio::awaitable<Step> visit_securely(const config::Url& url, beast::tcp_stream& plain);
    template <class Stream>
    asio::awaitable<Step> converse(Stream& stream, const config::Url& url);
    template <class Stream, class Parser>
    asio::awaitable<void> take_body(Stream& stream, beast::flat_buffer& buffer, Parser& parser);
    Step redirect(const config::Url& from, std::string_view location);
    Result<void> take(std::span<const std::uint8_t> bytes);

    const Request& request_;
    const Sink& sink_;
    const resolver::Deadline deadline_;
    std::optional<Reach> origin_;  // of the server that the list's own URL names, once connected
    bool too_large_ = false, not_kept_ = false;
};

void Exchange::end(Outcome outcome, std::string why) {
    response.outcome = outcome;
    response.why = std::move(why);
}

void Exchange::end_by(const boost::system::error_code& error, const std::string& doing) {
    if (error == beast::error::timeout || std::chrono::steady_clock::now() >= deadline_)
        return end(Outcome::too_slow, "it took longer than " +
                                          std::to_string(request_.timeout.count()) + " ms (" +
                                          doing + ")");
    end(Outcome::unreachable, doing + " failed: " + error.message());
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

// Addresses that a redirect may lead to. The one that was checked is the one that is connected to, so that a name
// cannot change its address in between.
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

asio::awaitable<bool> Exchange::connect(beast::tcp_stream& stream, const config::Url& url) {
    const auto addresses = leave_nearer(co_await resolve(url), url);
    boost::system::error_code last;
    for (const IpAddress& ip : addresses) {
        stream.expires_at(std::min(deadline_, std::chrono::steady_clock::now() + kConnectPatience));
        const auto [error] =
            co_await stream.async_connect(resolver::endpoint<tcp>(ip, url.port), kNoThrow);
        if (!error) {
            if (!origin_) origin_ = reach_of(ip);
            stream.expires_at(deadline_);
            co_return true;
        }
        last = error;
        if (std::chrono::steady_clock::now() >= deadline_) break;
    }
    if (addresses.empty()) co_return false;  // that was said
    if (std::chrono::steady_clock::now() >= deadline_) {
        end_by(last, "connecting");
    } else {
        end(Outcome::unreachable,
            "its server at " + url.authority() + " cannot be connected to: " + last.message());
    }
    co_return false;
}

asio::awaitable<Step> Exchange::visit(const config::Url& url) {
    beast::tcp_stream plain(co_await asio::this_coro::executor);
    if (!co_await connect(plain, url)) co_return Step{};
    if (url.tls) co_return co_await visit_securely(url, plain);
    co_return co_await converse(plain, url);
}

asio::awaitable<Step> Exchange::visit_securely(const config::Url& url, beast::tcp_stream& plain) {
    boost::system::error_code error;
    ssl::context context(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    if (request_.ca.empty()) {
        context.set_default_verify_paths(error);
    } else {
        context.load_verify_file(request_.ca, error);
    }
    if (error) {
        end(Outcome::untrusted, (request_.ca.empty() ? "the system's certificates"
                                                     : "'ca' " + matchers::quoted(request_.ca)) +
                                    " cannot be read: " + error.message());
        co_return Step{};
    }
    ssl::stream<beast::tcp_stream&> stream(plain, context);
    stream.set_verify_mode(ssl::verify_peer, error);
    stream.set_verify_callback(ssl::host_name_verification(url.host), error);
    std::string name = url.host;
    if (!IpAddress::parse(name))
        SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 name.data());
    const auto [failed] = co_await stream.async_handshake(ssl::stream_base::client, kNoThrow);
    if (failed) {
        const long verdict = SSL_get_verify_result(stream.native_handle());
        if (verdict != X509_V_OK) {
            end(Outcome::untrusted, "the certificate of " + url.authority() + ": " +
                                        X509_verify_cert_error_string(verdict));
        } else {
            end_by(failed, "TLS with " + url.authority());
        }
        co_return Step{};
    }
    const Step step = co_await converse(stream, url);
    plain.expires_after(kByePatience);
    co_await stream.async_shutdown(kNoThrow);
    co_return step;
}

Result<void> Exchange::take(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > request_.max_bytes - response.bytes) {
        too_large_ = true;
        return Error{"it is larger than " + std::to_string(request_.max_bytes) +
                     " bytes (max_size)"};
    }
    response.bytes += bytes.size();
    auto kept = sink_(bytes);
    not_kept_ = !kept;
    return kept;
}

template <class Stream, class Parser>
asio::awaitable<void> Exchange::take_body(Stream& stream, beast::flat_buffer& buffer,
                                          Parser& parser) {
    const std::string coding(parser.get()[http::field::content_encoding]);
    const bool packed = beast::iequals(coding, "gzip") || beast::iequals(coding, "x-gzip");
    if (!packed && !coding.empty() && !beast::iequals(coding, "identity")) {
        end(Outcome::damaged,
            "it is packed by " + matchers::quoted(coding) + ", which was not asked for");
        co_return;
    }
    Inflater inflater([this](std::span<const std::uint8_t> bytes) { return take(bytes); });
    std::vector<std::uint8_t> chunk(kReadBytes);
    while (!parser.is_done()) {
        parser.get().body().data = chunk.data();
        parser.get().body().size = chunk.size();
        auto error = co_await read_some(stream, buffer, parser);
        if (error == http::error::need_buffer) error = {};
        const std::size_t got = chunk.size() - parser.get().body().size;
        const auto done = packed ? inflater.feed({chunk.data(), got}) : take({chunk.data(), got});
        if (!done) {
            end(too_large_  ? Outcome::too_large
                : not_kept_ ? Outcome::not_kept
                            : Outcome::damaged,
                done.error().text);
            co_return;
        }
        if (!error) continue;
        if (error == http::error::partial_message || error == http::error::end_of_stream ||
            error == ssl::error::stream_truncated || error == asio::error::connection_reset) {
            end(Outcome::cut_off,
                "it ended after " + std::to_string(response.bytes) + " bytes, before its end");
        } else if (error == http::error::body_limit) {
            end(Outcome::too_large,
                "it is larger than " + std::to_string(request_.max_bytes) + " bytes (max_size)");
        } else {
            end_by(error, "receiving it");
        }
        co_return;
    }
    if (packed && !inflater.is_whole()) {
        end(Outcome::cut_off, "what is packed in it ends too early");
    } else {
        end(Outcome::fetched, {});
    }
}

Step Exchange::redirect(const config::Url& from, std::string_view location) {
    auto next = config::resolve_reference(from, location);
    if (!next || location.empty()) {
        end(Outcome::refused, next ? "its server redirects to nowhere" : next.error().text);
        return {};
    }
    if (from.tls && !next->tls) {
        end(Outcome::refused, "its server redirects from https to " + next->text() +
                                  ", which anybody on the way could change: refused");
        return {};
    }
    return {*std::move(next)};
}

template <class Stream>
asio::awaitable<Step> Exchange::converse(Stream& stream, const config::Url& url) {
    http::request<http::empty_body> query(http::verb::get, url.target, 11);
    query.set(http::field::host, url.authority());
    query.set(http::field::user_agent, "steerdnsd/" STEER_VERSION);
    query.set(http::field::accept, "*/*");
    query.set(http::field::accept_encoding, "gzip");
    query.set(http::field::connection, "close");
    if (!request_.etag.empty()) query.set(http::field::if_none_match, request_.etag);
    if (!request_.last_modified.empty())
        query.set(http::field::if_modified_since, request_.last_modified);
    const auto [unsent, _] = co_await http::async_write(stream, query, kNoThrow);
    if (unsent) {
        end_by(unsent, "asking its server");
        co_return Step{};
    }
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(kMaxHeader);
    parser.body_limit(request_.max_bytes);  // packed or not
    const auto [unread, _2] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
    if (unread) {
        if (unread == http::error::body_limit) {
            end(Outcome::too_large,
                "it is larger than " + std::to_string(request_.max_bytes) + " bytes (max_size)");
        } else {
            end_by(unread, "its server's answer");
        }
        co_return Step{};
    }
    const auto& head = parser.get();
    const unsigned status = head.result_int();
    const auto field = [&head](http::field name) {
        std::string text(head[name]);
        return text.size() > kLongestValidator ? std::string{} : text;
    };
    response.etag = field(http::field::etag);
    response.last_modified = field(http::field::last_modified);
    if (status == 304 && (!request_.etag.empty() || !request_.last_modified.empty())) {
        end(Outcome::unchanged, {});
    } else if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
        co_return redirect(url, std::string_view(head[http::field::location]));
    } else if (status == 200) {
        co_await take_body(stream, buffer, parser);
    } else {
        end(Outcome::refused, url.authority() + " answers " + std::to_string(status) + " " +
                                  matchers::quoted(std::string_view(head.reason())));
    }
    co_return Step{};
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
    Exchange exchange(request, sink);
    asio::io_context io(1);
    const std::stop_callback on_stop(stop, [&io] { io.stop(); });
    exchange.response.why = "the daemon ends";
    asio::co_spawn(io, exchange.run(), [&](const std::exception_ptr& thrown) {
        if (thrown) exchange.response = {.outcome = Outcome::unreachable, .why = "no memory"};
        io.stop();  // timers that nobody waits for
    });
    if (!stop.stop_requested()) io.run();
    return std::move(exchange.response);
}

}  // namespace steer::fetch
