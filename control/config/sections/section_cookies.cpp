// `cookies:`: the secrets of DNS cookies for clients (RFC 7873, 9018).
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/sections/cookie_secret.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::size_t kMostSecrets = 2;

// With or without 0x, as Knot writes them.
std::optional<CookieSecretBytes> parse_secret(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    return cookie_secret_of(text);
}

void read_secret_file(Reading& in, const Node& node, const Place& place, CookieSettings& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.secret_file = in.resolve(path);
    const auto content = in.read_file(out.secret_file, place);
    if (!content) return;
    in.note_secret(place.line, "the secret of cookies", out.secret_file);
    const auto refuse = [&](int line, std::string_view expected) {
        in.report().error(place.line, matchers::quoted_path(out.secret_file) + " in " +
                                          place.name() + ", line " + std::to_string(line) + ": " +
                                          std::string(expected));
    };
    int line = 0;
    for (std::string_view rest = matchers::without_marks(*content); !rest.empty();) {
        const auto end = rest.find('\n');
        const std::string_view text = trimmed(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        ++line;
        if (text.empty() || text.front() == '#') continue;
        const auto secret = parse_secret(text);
        if (!secret) {
            return refuse(line,
                          "expected a secret of 32 hexadecimal digits, as printed by "
                          "`openssl rand -hex 16`");
        }
        if (out.secrets.size() == kMostSecrets)
            return refuse(line,
                          "expected at most two secrets: the one that makes cookies, then "
                          "one that is also accepted");
        if (!out.secrets.empty() && out.secrets.front() == *secret)
            return refuse(line, "the same secret again: remove it");
        out.secrets.push_back(*secret);
    }
    if (out.secrets.empty())
        refuse(line,
               "no secret: write one of 32 hexadecimal digits, as printed by `openssl rand "
               "-hex 16`");
}

void read_stored(Reading& in, const Node& node, const Place& place, CookieSettings& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.stored = lowered(path) == "off" ? std::string() : in.resolve(path);
}

constexpr std::array<Row<CookieSettings>, 3> kCookieRows{{
    {"secret_file", Own<CookieSettings>{"path", read_secret_file}, "none", "",
     "file with the secret of server cookies, for boxes with the same address\nOne or "
     "two lines of 32 hexadecimal digits, as printed by `openssl rand -hex 16`. The first secret "
     "makes cookies, the second one is also accepted. All boxes and other servers of the address "
     "(BIND's `cookie-secret`, Knot's `mod-cookies`) need the same secrets. Without it, the daemon "
     "makes secrets of its own. A reload reads the file again; `control.watch` starts one when it "
     "changes."},
    {"rollover", &CookieSettings::rollover, "1d", "1h..36d",
     "how long a secret of the daemon's own makes cookies\nThe one before is accepted for 65 "
     "minutes, which is longer than a cookie lives. It has no effect with `secret_file`."},
    {"stored", Own<CookieSettings>{"path", read_stored}, "/var/lib/steerdns/cookies.json", "",
     "file for the daemon's own secrets, readable by its user only; `off` disables it\nClients "
     "keep their cookies over a restart. It is written only if its folder exists."},
}};

}  // namespace

std::optional<CookieSecretBytes> cookie_secret_of(std::string_view digits) {
    CookieSecretBytes secret{};
    if (digits.size() != 2 * secret.size()) return std::nullopt;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const char* const at = digits.data() + 2 * i;
        const auto [end, error] = std::from_chars(at, at + 2, secret[i], 16);
        if (error != std::errc{} || end != at + 2) return std::nullopt;
    }
    return secret;
}

void read_cookies(Reading& in, const Node& node, int line) {
    CookieSettings& cookies = in.settings().cookies;
    cookies.line = line;
    read_rows(in, node, kCookieRows, "'cookies'", cookies);
    if (cookies.secret_file.empty()) return;
    for (const std::string_view key : {"rollover", "stored"}) {
        if (const Node* const at = node.find(key)) {
            in.report().warn(at->line, "'" + std::string(key) +
                                           "' of 'cookies' does nothing with 'secret_file': "
                                           "remove one of them");
        }
    }
}

std::vector<RowText> cookie_row_texts() {
    return row_texts(kCookieRows);
}

}  // namespace steer::config
