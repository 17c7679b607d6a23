// `cookies:`: the secrets of DNS cookies for clients (RFC 7873, 9018).
#include <array>
#include <string>
#include <string_view>

#include "control/config/sections/secret_lines.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"

namespace steer::config {
namespace {

constexpr std::size_t kMostSecrets = 2;

void read_secret_file(Reading& in, const Node& node, const Place& place, CookieSettings& out) {
    out.secrets = read_secrets<CookieSecretBytes{}.size()>(
        in, node, place, "the secret of cookies", kMostSecrets,
        "expected at most two secrets: the one that makes cookies, then one that is also accepted",
        out.secret_file);
}

void read_stored(Reading& in, const Node& node, const Place& place, CookieSettings& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.stored = lowered(path) == "off" ? std::string() : in.resolve(path, place.line);
}

constexpr std::array<Row<CookieSettings>, 3> kCookieRows{{
    {"secret_file", Files<CookieSettings>{"path", read_secret_file}, "none", "",
     "file with the secret of server cookies, for boxes with the same address\nOne or "
     "two lines of 32 hexadecimal digits, as printed by `openssl rand -hex 16`. The first secret "
     "makes cookies, the second one is also accepted. All boxes and other servers of the address "
     "(BIND's `cookie-secret`, Knot's `mod-cookies`) need the same secrets. Without it, the daemon "
     "makes secrets of its own. A reload reads the file again; `control.watch` starts one when it "
     "changes."},
    {"rollover", &CookieSettings::rollover, "1d", "1h..36d",
     "how long a secret of the daemon's own makes cookies\nThe one before is accepted for 65 "
     "minutes, which is longer than a cookie lives. It has no effect with `secret_file`."},
    {"stored", Files<CookieSettings>{"path", read_stored}, "/var/lib/steerdns/cookies.json", "",
     "file for the daemon's own secrets, readable by its user only; `off` disables it\nClients "
     "keep their cookies over a restart. It is written only if its folder exists."},
}};

}  // namespace

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
