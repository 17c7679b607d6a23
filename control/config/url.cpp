#include "control/config/url.h"

#include <algorithm>
#include <vector>

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
                     ": expected a name in ASCII or an IP address, perhaps with a port"};
    if (parts->address && parts->host.find(':') != std::string::npos && !text.starts_with('['))
        return Error{"write the IPv6 address in brackets, as in http://[2001:db8::1]/list.txt"};
    out.host = lowered(parts->host);
    if (out.host.ends_with('.')) out.host.pop_back();
    if (parts->port) out.port = *parts->port;
    return {};
}

// RFC 3986 5.2.4.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> parts;
    bool folder = false;
    for (std::string_view rest = path; !rest.empty();) {
        rest.remove_prefix(1);  // '/'
        const auto slash = rest.find('/');
        const std::string_view part = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash);
        folder = part == "." || part == ".." || part.empty();
        if (part == ".." && !parts.empty()) parts.pop_back();
        if (part != "." && part != ".." && (!part.empty() || !rest.empty())) parts.push_back(part);
    }
    std::string out;
    for (const auto part : parts)
        out.append("/").append(part);
    if (folder || out.empty()) out += '/';
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
        return Error{matchers::quoted(text) + " begins with neither http:// nor https://"};
    const auto refuse = [text](const std::string& why) {
        return Error{"the URL " + matchers::quoted(text) + ": " + why};
    };
    if (text.size() > kLongestUrl) return Error{"a URL of more than 4096 characters"};
    if (!is_printable_word(text) || std::any_of(text.begin(), text.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x80;
        })) {
        return refuse("write other than printable ASCII as %XX, and its host in its xn-- form");
    }
    Url out;
    out.tls = begins(text, kHttps);
    out.port = out.tls ? 443 : 80;
    std::string_view rest = text.substr(out.tls ? kHttps.size() : kHttp.size());
    rest = rest.substr(0, rest.find('#'));
    const auto end = rest.find_first_of("/?");
    const std::string_view authority = rest.substr(0, end);
    if (authority.find('@') != std::string_view::npos)
        return refuse("user names in a URL are not supported");
    if (auto done = read_authority(authority, out); !done) return refuse(done.error().text);
    if (end != std::string_view::npos) {
        out.target = rest.substr(end);
        if (out.target.front() == '?') out.target.insert(0, "/");
    }
    return out;
}

Result<Url> resolve_reference(const Url& base, std::string_view reference) {
    reference = trimmed(reference);
    reference = reference.substr(0, reference.find('#'));
    if (reference.empty()) return base;
    if (is_url(reference)) return parse_url(reference);
    if (reference.starts_with("//"))
        return parse_url((base.tls ? "https:" : "http:") + std::string(reference));
    const std::string_view path = reference.substr(0, reference.find('?'));
    if (path.substr(0, path.find('/')).find(':') != std::string_view::npos)
        return Error{"it leads to " + matchers::quoted(reference) +
                     ", which is neither http nor https"};
    const std::string_view base_path =
        std::string_view(base.target).substr(0, base.target.find('?'));
    std::string whole;
    if (reference.starts_with('/')) {
        whole = path;
    } else if (path.empty()) {
        whole = base_path;
    } else {
        whole = std::string(base_path.substr(0, base_path.rfind('/') + 1)).append(path);
    }
    Url plain = base;
    plain.target = "/";
    std::string root = plain.text();
    root.pop_back();
    return parse_url(root + without_dots(whole) + std::string(reference.substr(path.size())));
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
