#include "control/streams/http/doh_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

constexpr std::size_t kMaxQueryText = (kMaxHttpQuery * 8 + 5) / 6;

bool equal_in_any_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

// Whether a Content-Type is application/dns-message; it defines no parameters, so they are ignored.
bool is_dns_message(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t'))
        type.remove_suffix(1);
    return equal_in_any_case(type, "application/dns-message");
}

// The path and query of "/path?query" or "https://host/path?query" (RFC 9112 3.2.2).
std::string_view origin_form(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!equal_in_any_case(target.substr(0, scheme.size()), scheme)) continue;
        const auto slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    return target;
}

// The value of `dns` among "a=b&c=d"; nothing: it is not there, or more than once.
std::optional<std::string_view> find_dns(std::string_view query) {
    constexpr std::string_view kKey = "dns=";
    std::optional<std::string_view> found;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (!pair.starts_with(kKey)) continue;
        if (found) return std::nullopt;
        found = pair.substr(kKey.size());
    }
    return found;
}

// What a character of base64url stands for; kNoDigit: nothing.
constexpr std::uint8_t kNoDigit = 0xff;
constexpr auto kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    std::uint8_t digit = 0;
    for (const char c :
         std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
        digits[static_cast<std::uint8_t>(c)] = digit++;
    return digits;
}();

bool has_parameter(std::string_view query, std::string_view key) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        if (query.starts_with(key)) return true;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return false;
}

constexpr std::string_view kNoQuery =
    "Expected 'name' with a domain name, or 'dns' with one DNS query as base64url.\n";

std::variant<HttpQuery, HttpRefusal> json_query_in_target(std::size_t path,
                                                          std::string_view parameters) {
    if (!has_parameter(parameters, "name=")) return HttpRefusal(HttpStatus::bad_request, kNoQuery);
    auto read = read_json_query(parameters);
    if (const auto* text = std::get_if<std::string_view>(&read))
        return HttpRefusal(HttpStatus::bad_request, *text);
    auto& query = std::get<JsonQuery>(read);
    return HttpQuery{path, false, std::move(query.message), query.form};
}

std::variant<HttpQuery, HttpRefusal> query_in_target(std::size_t path,
                                                     std::string_view parameters) {
    const auto text = find_dns(parameters);
    if (!text) return HttpStatus::bad_request;
    if (text->size() > kMaxQueryText) return HttpStatus::uri_too_long;
    auto message = bytes_of_base64url(*text);
    if (!message) return HttpStatus::bad_request;
    if (const auto status = judge_message(*message); status != HttpStatus::ok) return status;
    return HttpQuery{path, false, std::move(*message), AnswerForm::message};
}

}  // namespace

std::string_view reason_of(HttpStatus status) {
    switch (status) {
        case HttpStatus::ok:
            return "OK";
        case HttpStatus::bad_request:
            return "Bad Request";
        case HttpStatus::not_found:
            return "Not Found";
        case HttpStatus::method_not_allowed:
            return "Method Not Allowed";
        case HttpStatus::request_timeout:
            return "Request Timeout";
        case HttpStatus::length_required:
            return "Length Required";
        case HttpStatus::content_too_large:
            return "Content Too Large";
        case HttpStatus::uri_too_long:
            return "URI Too Long";
        case HttpStatus::unsupported_media_type:
            return "Unsupported Media Type";
        case HttpStatus::too_many_requests:
            return "Too Many Requests";
        case HttpStatus::fields_too_large:
            return "Request Header Fields Too Large";
        case HttpStatus::unavailable:
            return "Service Unavailable";
        case HttpStatus::version_not_supported:
            return "HTTP Version Not Supported";
    }
    return "";
}

std::string_view text_of(HttpStatus status) {
    switch (status) {
        case HttpStatus::bad_request:
            return "Expected one DNS query, in 'dns' as base64url without padding or as content.\n";
        case HttpStatus::not_found:
            return "No DNS is served at this path.\n";
        case HttpStatus::method_not_allowed:
            return "Expected GET, HEAD or POST.\n";
        case HttpStatus::request_timeout:
            return "The request did not come in time.\n";
        case HttpStatus::length_required:
            return "Expected Content-Length or a chunked content.\n";
        case HttpStatus::content_too_large:
        case HttpStatus::uri_too_long:
            return "Expected a DNS query of at most 4096 bytes.\n";
        case HttpStatus::unsupported_media_type:
            return "Expected application/dns-message, not encoded.\n";
        case HttpStatus::too_many_requests:
            return "Too many requests of this client.\n";
        case HttpStatus::fields_too_large:
            return "Expected a head of at most 8192 bytes.\n";
        case HttpStatus::unavailable:
            return "The query was not answered.\n";
        case HttpStatus::version_not_supported:
            return "Expected HTTP/1.1 or HTTP/2.\n";
        case HttpStatus::ok:
            break;
    }
    return "";
}

HttpRefusal::HttpRefusal(HttpStatus s) : HttpRefusal(s, text_of(s)) {}

HttpMethod method_of(std::string_view name) {
    if (name == "GET") return HttpMethod::get;
    if (name == "POST") return HttpMethod::post;
    return name == "HEAD" ? HttpMethod::head : HttpMethod::other;
}

// (The length is held against what comes by nghttp2 and nghttp3.)
void take_field(HttpHead& head, std::string_view name, std::string_view value,
                std::string_view client_header) {
    if (name == ":method") {
        head.method = method_of(value);
    } else if (name == ":path") {
        head.target = value;
    } else if (name == "content-type") {
        head.content_type = value;
    } else if (name == "content-encoding") {
        head.encoded = head.encoded || value != "identity";
    } else if (name == "content-length") {
        std::uint64_t length = UINT64_MAX;  // stays so if it is larger
        std::from_chars(value.data(), value.data() + value.size(), length);
        head.content_length = length;
    } else if (!client_header.empty() && name == client_header) {
        head.forwarded_for.append(head.forwarded_for.empty() ? "" : ",").append(value);
    }
}

std::variant<HttpQuery, HttpRefusal> judge_head(const HttpHead& head,
                                                std::span<const ServedPath> paths) {
    const std::string_view target = origin_form(head.target);
    const auto mark = std::min(target.find('?'), target.size());
    const auto path = std::ranges::find(paths, target.substr(0, mark), &ServedPath::path);
    if (path == paths.end()) return HttpStatus::not_found;
    const auto index = static_cast<std::size_t>(path - paths.begin());
    if (head.method == HttpMethod::other) return HttpStatus::method_not_allowed;
    if (head.method != HttpMethod::post) {
        const auto parameters = target.substr(std::min(mark + 1, target.size()));
        const bool is_json = path->json && !has_parameter(parameters, "dns=");
        return is_json ? json_query_in_target(index, parameters)
                       : query_in_target(index, parameters);
    }
    if (!head.content_type || !is_dns_message(*head.content_type) || head.encoded)
        return HttpStatus::unsupported_media_type;
    if (head.content_length && *head.content_length > kMaxHttpQuery)
        return HttpStatus::content_too_large;
    return HttpQuery{index, true, {}, AnswerForm::message};
}

HttpStatus judge_message(std::span<const std::uint8_t> message) {
    if (message.size() > kMaxHttpQuery) return HttpStatus::content_too_large;
    const bool query =
        message.size() >= dns::kHeaderSize && (dns::load_be16(&message[2]) & dns::kQr) == 0;
    return query ? HttpStatus::ok : HttpStatus::bad_request;
}

std::optional<std::vector<std::uint8_t>> bytes_of_base64url(std::string_view text) {
    constexpr std::uint8_t kNotSixBits = 0xc0;
    const std::size_t rest = text.size() % 4;  // characters of the last group, if it is not whole
    if (rest == 1) return std::nullopt;
    std::vector<std::uint8_t> out(text.size() * 3 / 4);
    std::uint8_t seen = 0;
    std::uint32_t bits = 0;
    const auto take = [&](char c) {
        const std::uint8_t digit = kDigits[static_cast<std::uint8_t>(c)];
        seen |= digit;
        bits = bits << 6 | digit;
    };
    std::uint8_t* to = out.data();
    const char* from = text.data();
    for (const char* const end = from + text.size() - rest; from != end;) {
        for (int i = 0; i < 4; ++i)
            take(*from++);
        *to++ = static_cast<std::uint8_t>(bits >> 16);
        *to++ = static_cast<std::uint8_t>(bits >> 8);
        *to++ = static_cast<std::uint8_t>(bits);
    }
    bits = 0;
    for (std::size_t i = 0; i < rest; ++i)
        take(*from++);
    const std::size_t unused = rest == 2 ? 4 : rest == 3 ? 2 : 0;  // bits that stand for nothing
    if ((seen & kNotSixBits) != 0 || (bits & ((1U << unused) - 1)) != 0)
        return std::nullopt;  // RFC 4648 3.5
    bits >>= unused;
    for (std::size_t i = rest; i > 1; --i)
        *to++ = static_cast<std::uint8_t>(bits >> (8 * (i - 2)));
    return out;
}

}  // namespace steer::stream
