#include "control/config/text/url.h"

#include <algorithm>
#include <boost/url.hpp>

#include "control/config/values.h"
#include "matchers/content_hash.h"
#include "matchers/host_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kHttp = "http://", kHttps = "https://";
constexpr std::size_t kLongestUrl = 4096;

bool begins(std::string_view text, std::string_view with) {
    return text.size() >= with.size() && lowered(text.substr(0, with.size())) == with;
}

// "host", "host:80", "[::1]:80".
Result<void> read_authority(std::string_view text, Url& out) {
    const auto parts = parse_host_port(text);
    if (!parts)
        return Error{"its host is " + matchers::quoted(text) +
                     ": expected an ASCII name or an IP address, optionally with a port"};
    if (parts->address && parts->host.find(':') != std::string::npos && !text.starts_with('['))
        return Error{"the IPv6 address needs brackets, as in http://[2001:db8::1]/list.txt"};
    out.host = lowered(parts->host);
    if (out.host.ends_with('.')) out.host.pop_back();
    if (parts->port) out.port = *parts->port;
    return {};
}

// A path and query with %XX for characters that people leave unescaped. (boost::urls::encode() escapes each '%' again.)
std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        constexpr std::string_view kUnwritten = "\"<>[\\]^`{|}";
        if (kUnwritten.find(c) == std::string_view::npos) {
            out += c;
        } else {
            constexpr std::string_view kDigits = "0123456789ABCDEF";
            out += '%';
            out += kDigits[static_cast<unsigned char>(c) >> 4];
            out += kDigits[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

}  // namespace

std::string Url::authority() const {
    std::string out = matchers::bracketed(host);
    if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

std::string Url::text() const {
    return std::string(tls ? kHttps : kHttp) + authority() + target;
}

bool is_url(std::string_view text) {
    return begins(text, kHttp) || begins(text, kHttps);
}

Result<Url> parse_url(std::string_view text) {
    if (!is_url(text))
        return Error{matchers::quoted(text) + " starts with neither http:// nor https://"};
    const auto refuse = [text](const std::string& why) {
        return Error{"the URL " + matchers::quoted(text) + ": " + why};
    };
    if (text.size() > kLongestUrl) return Error{"a URL has more than 4096 characters"};
    if (!is_printable_word(text) || std::any_of(text.begin(), text.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x80;
        })) {
        return refuse(
            "the URL has characters other than printable ASCII: write them as %XX, and the host in "
            "its xn-- form");
    }
    Url out;
    out.tls = begins(text, kHttps);
    out.port = out.tls ? 443 : 80;
    const std::size_t begin = out.tls ? kHttps.size() : kHttp.size();
    const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
    const std::string_view authority = text.substr(begin, end - begin);
    if (authority.find('@') != std::string_view::npos)
        return refuse("user names in a URL are not supported");
    if (auto done = read_authority(authority, out); !done) return refuse(done.error().text);
    const std::string whole = std::string(text.substr(0, end)) + percent_encoded(text.substr(end));
    const auto url = boost::urls::parse_uri(whole);
    if (!url) return refuse("a '%' that is part of a name must be written as %25");
    out.target = url->encoded_target();
    if (!out.target.starts_with('/')) out.target.insert(0, "/");
    return out;
}

Result<Url> resolve_reference(const Url& base, std::string_view reference) {
    reference = trimmed(reference);
    if (is_url(reference)) return parse_url(reference);
    if (reference.starts_with("//"))
        return parse_url((base.tls ? "https:" : "http:") + std::string(reference));
    const auto refuse = [reference](const std::string& why) {
        return Error{"it leads to " + matchers::quoted(reference) + ", which is " + why};
    };
    const std::string written = percent_encoded(reference);
    const auto read = boost::urls::parse_uri_reference(written);
    if (!read) return refuse("not a reference to another URL");
    if (read->has_scheme()) return refuse("neither http nor https");
    const std::string from = base.text();
    boost::urls::url to;
    if (!boost::urls::resolve(*boost::urls::parse_uri(from), *read, to))
        return refuse("not a reference to another URL");
    // Boost 1.81 keeps the '..' that lead out of the root, which RFC 3986 5.2.4 drops, and writes "/." before "//".
    Url out = base;
    out.target = to.encoded_target();
    while (out.target.starts_with("/../"))
        out.target.erase(0, 3);
    if (out.target == "/.." || out.target.starts_with("/..?")) out.target.erase(1, 2);
    if (out.target.starts_with("/.//")) out.target.erase(0, 2);
    return parse_url(out.text());
}

std::string file_name_of(const Url& url) {
    constexpr std::size_t kLongestPart = 40, kDigits = 16;
    const std::string_view path = std::string_view(url.target).substr(0, url.target.find('?'));
    const auto legible = [](std::string_view text) {
        std::string out(text.substr(0, kLongestPart));
        std::replace_if(
            out.begin(), out.end(),
            [](char c) {
                return !matchers::is_letter(c) && !matchers::is_digit(c) && c != '-' && c != '.' &&
                       c != '_';
            },
            '_');
        return out;
    };
    matchers::ContentHash hash;
    hash.add_text(url.text());
    std::string name = legible(url.host) + "-" + hash.hex().substr(0, kDigits);
    if (const auto last = legible(path.substr(path.rfind('/') + 1)); !last.empty())
        name += "-" + last;
    return name;
}

}  // namespace steer::config
