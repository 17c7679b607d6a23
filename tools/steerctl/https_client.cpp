#include "https_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "matchers/text.h"
#include "matchers/version.h"

namespace steerctl {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using steer::ErrorCode;
namespace {

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostAnswer = 64 * 1024 * 1024;

Remote& remote() {
    static Remote the_remote;
    return the_remote;
}

struct Target {
    bool is_tls = true;
    std::string host, port;
    [[nodiscard]] std::string text() const {
        return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
    }
    [[nodiscard]] bool is_here() const {
        return host == "localhost" || host == "127.0.0.1" || host == "::1";
    }
    [[nodiscard]] bool is_address() const {
        boost::system::error_code error;
        (void)asio::ip::make_address(host, error);
        return !error;
    }
};

Reply refusal(ErrorCode code, std::string sentence) {
    return {nullptr, std::move(sentence), code};
}

// https://HOST[:PORT][/]
std::optional<Target> target_of(std::string_view url) {
    Target out;
    out.is_tls = url.starts_with("https://");
    url.remove_prefix(url.find("//") + 2);
    if (url.ends_with('/')) url.remove_suffix(1);
    std::string_view port = kHttpsPort;
    if (url.starts_with('[')) {
        const auto end = url.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        out.host = url.substr(1, end - 1);
        url.remove_prefix(end + 1);
        if (!url.empty() && !url.starts_with(':')) return std::nullopt;
        if (!url.empty()) port = url.substr(1);
    } else {
        const auto colon = std::min(url.find(':'), url.size());
        out.host = url.substr(0, colon);
        if (colon < url.size()) port = url.substr(colon + 1);
    }
    out.port = port;
    const bool is_number = !port.empty() && port.size() <= 5 &&
                           port.find_first_not_of("0123456789") == std::string_view::npos;
    if (out.host.empty() || !is_number || out.host.find_first_of("/@?# ") != std::string::npos)
        return std::nullopt;
    return out;
}

struct Exchange {
    Exchange(asio::io_context& context, Target to)
        : io(context), target(std::move(to)), tls(asio::ssl::context::tls_client) {}
    asio::io_context& io;
    Target target;
    asio::ssl::context tls;
    http::request<http::string_body> request;
    Reply reply;
    bool is_connected = false;
};

// The certificates that are used and trusted. Empty: done.
std::string prepare(Exchange& all) {
    const Remote& files = remote();
    boost::system::error_code error;
    (void)::SSL_CTX_set_min_proto_version(all.tls.native_handle(), TLS1_2_VERSION);
    all.tls.set_verify_mode(asio::ssl::verify_peer);
    if (files.ca.empty()) {
        all.tls.set_default_verify_paths(error);
    } else {
        all.tls.load_verify_file(files.ca, error);
    }
    if (error)
        return "the CA of --ca, " + files.ca + ", cannot be read: " + error.message() +
               "; name a PEM file";
    if (files.cert.empty() != files.key.empty())
        return "--cert and --key belong together; set both";
    if (files.cert.empty()) return {};
    all.tls.use_certificate_chain_file(files.cert, error);
    if (error)
        return "the certificate of --cert, " + files.cert + ", cannot be read: " + error.message() +
               "; name a PEM file";
    all.tls.use_private_key_file(files.key, asio::ssl::context::pem, error);
    if (error)
        return "the key of --key, " + files.key + ", cannot be used: " + error.message() +
               "; name the PEM file of the certificate's key";
    return {};
}

// Its first line. Empty, with `why`: it cannot be used.
std::string read_token(const std::string& file, std::string& why) {
    std::ifstream in(file);
    std::string token;
    if (!in || !std::getline(in, token)) {
        why = "the token file " + file +
              " cannot be read: " + (in || errno == 0 ? "it is empty" : std::strerror(errno)) +
              "; name a file with a token by --token-file";
        return {};
    }
    token = steer::matchers::without_marks(token);
    while (!token.empty() && (token.back() == '\r' || token.back() == ' '))
        token.pop_back();
    const bool is_plain =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (token.empty() || !is_plain)
        why = "the token file " + file +
              " has no token in its first line; name another file by --token-file";
    return token;
}

Reply untrusted(const Exchange& all, long verified) {
    const std::string of = "the certificate of " + all.target.text();
    const std::string why = ::X509_verify_cert_error_string(verified);
    if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return refusal(ErrorCode::untrusted, of + " has another name: " + why +
                                                 "; use a name of the certificate in --url");
    if (verified == X509_V_ERR_CERT_HAS_EXPIRED || verified == X509_V_ERR_CERT_NOT_YET_VALID)
        return refusal(ErrorCode::untrusted,
                       of + " is not valid now: " + why + "; renew it, or correct the clock");
    return refusal(ErrorCode::untrusted, of + " is not trusted: " + why + "; name its CA by --ca");
}

Reply read_response(const Exchange& all, const http::response<http::string_body>& response) {
    const std::string where = all.target.text();
    std::string said = response.body().substr(0, response.body().find('\n'));
    switch (response.result_int()) {
        case 200:
            return read_answer(response.body(), where, "--url");
        case 401:
            return refusal(ErrorCode::forbidden,
                           remote().token_file.empty()
                               ? where +
                                     " lets no client in without a token; set --token-file, or "
                                     "--cert and --key"
                               : "the token of " + remote().token_file +
                                     " is wrong; name another file by --token-file");
        case 429:
            return refusal(ErrorCode::forbidden,
                           "too many wrong tokens came from this machine; wait a minute");
        case 421:
            return refusal(
                ErrorCode::forbidden,
                where +
                    " does not serve this host name; use its IP address, or add the name "
                    "to `hosts` of `http`");
        case 413:
            return refusal(ErrorCode::rejected, "request rejected: " + said);
        default:
            return refusal(ErrorCode::bad_answer,
                           "no steerdnsd answers on " + where + ": HTTP status " +
                               std::to_string(response.result_int()) + "; check --url");
    }
}

template <class Stream>
asio::awaitable<void> talk(Exchange& all, Stream& stream) {
    const auto [unsent, sent] = co_await http::async_write(stream, all.request, kQuiet);
    (void)sent;
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostAnswer);
    const auto [unread, length] = co_await http::async_read(stream, buffer, parser, kQuiet);
    (void)length;
    if (unread) {
        const auto& why = unsent ? unsent : unread;
        all.reply = refusal(ErrorCode::unreachable,
                            all.target.text() + " ended the connection without an answer: " +
                                why.message() + "; see the log of steerdnsd");
        co_return;
    }
    all.reply = read_response(all, parser.get());
}

asio::awaitable<void> exchange(Exchange& all) {
    tcp::resolver resolver(all.io);
    const auto [unknown, found] =
        co_await resolver.async_resolve(all.target.host, all.target.port, kQuiet);
    if (unknown) {
        all.reply = refusal(ErrorCode::unreachable,
                            "the host " + all.target.host +
                                " cannot be resolved: " + unknown.message() + "; check --url");
        co_return;
    }
    asio::ssl::stream<tcp::socket> stream(all.io, all.tls);
    const auto [refused, _] = co_await asio::async_connect(stream.next_layer(), found, kQuiet);
    if (refused) {
        all.reply = refusal(ErrorCode::unreachable,
                            "cannot connect to " + all.target.text() + ": " + refused.message() +
                                "; check --url, and `listen` of `http` in its configuration");
        co_return;
    }
    all.is_connected = true;
    if (!all.target.is_tls) {
        co_await talk(all, stream.next_layer());
        co_return;
    }
    SSL* const ssl = stream.native_handle();
    if (all.target.is_address()) {
        (void)::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), all.target.host.c_str());
    } else {
        (void)::SSL_set1_host(ssl, all.target.host.c_str());
        (void)::SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                         all.target.host.data());
    }
    const auto [broken] = co_await stream.async_handshake(asio::ssl::stream_base::client, kQuiet);
    if (broken) {
        const long verified = ::SSL_get_verify_result(ssl);
        all.reply = verified != X509_V_OK ? untrusted(all, verified)
                                          : refusal(ErrorCode::unreachable,
                                                    "no TLS with " + all.target.text() + ": " +
                                                        broken.message() + "; check --url");
        co_return;
    }
    co_await talk(all, stream);
}

}  // namespace

bool is_url(std::string_view place) {
    return place.starts_with("https://") || place.starts_with("http://");
}

void set_remote(Remote files) {
    remote() = std::move(files);
}

Reply ask_url(const std::string& url, std::string_view request, std::chrono::seconds patience) {
    const auto target = target_of(url);
    if (!target)
        return refusal(ErrorCode::usage, "--url is " + url + ": expected https://HOST:PORT");
    if (!target->is_tls && !target->is_here())
        return refusal(
            ErrorCode::usage,
            "--url is " + url + ": the token would cross the network in the clear; write https://");
    asio::io_context io(1);
    Exchange all(io, *target);
    if (auto why = prepare(all); !why.empty()) return refusal(ErrorCode::usage, std::move(why));
    all.request = {http::verb::post, "/rpc", 11, std::string(request)};
    all.request.set(http::field::host, target->text());
    all.request.set(http::field::user_agent, steer::with_version("steerctl", '/'));
    all.request.set(http::field::content_type, "application/json");
    all.request.keep_alive(false);
    if (!remote().token_file.empty()) {
        std::string why;
        const std::string token = read_token(remote().token_file, why);
        if (!why.empty()) return refusal(ErrorCode::usage, std::move(why));
        all.request.set(http::field::authorization, "Bearer " + token);
    }
    all.request.prepare_payload();
    const std::string after = " within " + std::to_string(patience.count()) + " s";
    bool is_done = false;
    asio::co_spawn(io, exchange(all), [&is_done](const std::exception_ptr&) { is_done = true; });
    io.run_for(patience);
    if (is_done) return all.reply;
    return refusal(ErrorCode::timeout,
                   all.is_connected
                       ? target->text() + " did not answer" + after + "; see the log of steerdnsd"
                       : "no connection to " + target->text() + after + "; check --url");
}

}  // namespace steerctl
