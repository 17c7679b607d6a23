#include "remote_client.h"

#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "matchers/text.h"
#include "matchers/version.h"
#include "routeros/blocking_link.h"

namespace steerctl {
namespace http = boost::beast::http;
using boost::system::error_code;
using steer::ErrorCode;
using steer::routeros::BlockingLink;
using steer::routeros::LinkFailure;
using Response = http::response<http::string_body>;
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostAnswer = 64 * 1024 * 1024;

Remote& remote() {
    static Remote the_remote;
    return the_remote;
}

struct Target {
    bool is_tls = true;
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const {
        return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
               std::to_string(port);
    }
    [[nodiscard]] bool is_here() const {
        return host == "localhost" || host == "127.0.0.1" || host == "::1";
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
    const char* const end = port.data() + port.size();
    const auto [last, error] = std::from_chars(port.data(), end, out.port);
    if (error != std::errc{} || last != end || out.host.empty() ||
        out.host.find_first_of("/@?# ") != std::string::npos)
        return std::nullopt;
    return out;
}

// What is shown to the server, and trusted. No value: `why` says what cannot be read.
std::optional<steer::routeros::TlsConfig> tls_config(std::string& why) {
    struct File {
        const char* what;
        const std::string& name;
    };
    const Remote& files = remote();
    for (const auto& [what, name] :
         {File{"the CA of --ca, ", files.ca}, File{"the certificate of --cert, ", files.cert},
          File{"the key of --key, ", files.key}}) {
        if (name.empty() || ::access(name.c_str(), R_OK) == 0) continue;
        why = what + name + ", cannot be read: " + std::strerror(errno) + "; name a PEM file";
        return std::nullopt;
    }
    if (files.cert.empty() != files.key.empty()) {
        why = "--cert and --key belong together; set both";
        return std::nullopt;
    }
    steer::routeros::TlsConfig tls{
        .enabled = true, .ca_file = files.ca, .certificate = files.cert, .key = files.key};
    why = check_tls(tls);
    if (why.empty()) return tls;
    why += "; name PEM files by --ca, --cert and --key";
    return std::nullopt;
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

Reply untrusted(const std::string& where, long verified) {
    const std::string of = "the certificate of " + where;
    const std::string why = ::X509_verify_cert_error_string(verified);
    if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return refusal(ErrorCode::untrusted, of + " has another name: " + why +
                                                 "; use a name of the certificate in --url");
    if (verified == X509_V_ERR_CERT_HAS_EXPIRED || verified == X509_V_ERR_CERT_NOT_YET_VALID)
        return refusal(ErrorCode::untrusted,
                       of + " is not valid now: " + why + "; renew it, or correct the clock");
    return refusal(ErrorCode::untrusted, of + " is not trusted: " + why + "; name its CA by --ca");
}

Reply no_answer(const Target& target, const LinkFailure& failure, std::chrono::seconds patience) {
    using Stage = LinkFailure::Stage;
    const std::string where = target.text(), why = ": " + failure.cause + "; ";
    if (failure.is_late) {
        const std::string after = " within " + std::to_string(patience.count()) + " s";
        const bool is_there = failure.stage == Stage::tls || failure.stage == Stage::open;
        return refusal(ErrorCode::timeout,
                       is_there ? where + " did not answer" + after + "; see the log of steerdnsd"
                                : "no connection to " + where + after + "; check --url");
    }
    if (failure.certificate_error != 0) return untrusted(where, failure.certificate_error);
    switch (failure.stage) {
        case Stage::name:
            return refusal(ErrorCode::unreachable,
                           "the host " + target.host + " cannot be resolved" + why + "check --url");
        case Stage::connection:
            return refusal(ErrorCode::unreachable,
                           "cannot connect to " + where + why +
                               "check --url, and `listen` of `http` in its configuration");
        case Stage::tls:
            return refusal(ErrorCode::unreachable, "no TLS with " + where + why + "check --url");
        case Stage::open:
            break;
    }
    return refusal(ErrorCode::unreachable, where + " ended the connection without an answer" + why +
                                               "see the log of steerdnsd");
}

Reply read_response(const std::string& where, const Response& response) {
    std::string reported = response.body().substr(0, response.body().find('\n'));
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
            return refusal(ErrorCode::rejected, "request rejected: " + reported);
        default:
            return refusal(ErrorCode::bad_answer,
                           "no steerdnsd answers on " + where + ": HTTP status " +
                               std::to_string(response.result_int()) + "; check --url");
    }
}

// The response to what was sent. No value: `failure` says why.
std::optional<Response> receive(BlockingLink& link, Clock::time_point until, LinkFailure& failure) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostAnswer);
    parser.eager(true);
    std::string in, bytes;
    while (!parser.is_done()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        error_code error;
        if (link.receive(bytes, left)) {
            in += bytes;
            for (std::size_t n = 1; n > 0 && !in.empty() && !error && !parser.is_done();) {
                n = parser.put(boost::asio::buffer(in), error);
                in.erase(0, n);
            }
            if (error && error != http::error::need_more)
                failure = {LinkFailure::Stage::open, error.message()};
        } else {
            failure = link.failure();
            // The end of a response without a length.
            if (!failure.is_late && parser.got_some()) parser.put_eof(error);
            if (parser.is_done()) failure = {};
        }
        if (!failure.cause.empty()) return std::nullopt;
    }
    return parser.release();
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
    steer::routeros::TransportConfig to{
        .host = target->host, .port = target->port, .peer = "steerdnsd"};
    to.connect_timeout_ms = to.send_timeout_ms =
        static_cast<std::uint32_t>(std::chrono::milliseconds(patience).count());
    std::string why;
    if (target->is_tls) {
        auto tls = tls_config(why);
        if (!tls) return refusal(ErrorCode::usage, std::move(why));
        to.tls = *std::move(tls);
    }
    std::string head = "POST /rpc HTTP/1.1\r\nHost: " + target->text() +
                       "\r\nUser-Agent: " + steer::with_version("steerctl", '/') +
                       "\r\nContent-Type: application/json\r\nConnection: close\r\n";
    if (!remote().token_file.empty()) {
        const std::string token = read_token(remote().token_file, why);
        if (!why.empty()) return refusal(ErrorCode::usage, std::move(why));
        head += "Authorization: Bearer " + token + "\r\n";
    }
    head += "Content-Length: " + std::to_string(request.size()) + "\r\n\r\n";
    const auto until = Clock::now() + patience;
    BlockingLink link(std::move(to));
    if (!link.connect()) return no_answer(*target, link.failure(), patience);
    link.send(head.append(request));
    LinkFailure failure;
    const auto response = receive(link, until, failure);
    return response ? read_response(target->text(), *response)
                    : no_answer(*target, failure, patience);
}

}  // namespace steerctl
