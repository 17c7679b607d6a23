// secondary: a zone that is kept by zone transfers (control/sources/transfer).
#include <algorithm>
#include <cctype>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/plugins/upstream_entry.h"
#include "control/config/text/ldns_field.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/content_hash.h"
#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::uint16_t kDnsPort = 53, kDotPort = 853;
constexpr std::string_view kTlsScheme = "tls://";
constexpr std::size_t kMostPrimaries = 16;
constexpr std::size_t kShortSecret = 16;                        // bytes
constexpr std::uint64_t kLargestZone = std::uint64_t{3} << 30;  // places in it are 32 bits

struct TsigArgs {
    std::string name, algorithm = "hmac-sha256", secret;
    ResolvedPath secret_file;
    int line = 0;
};

std::optional<std::vector<std::uint8_t>> zone_name(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), matchers::lower);
    return dns::name_from_text(lower);
}

// ---- the key

bool is_base64(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' || c == '=';
}

// The text after the statement `secret "…"` (tsig-keygen), `secret …;` or `secret: …` (keymgr);
// without one, the whole text. The name of a key may contain the word.
std::string_view after_secret(std::string_view content) {
    constexpr std::string_view kWord = "secret", kBefore = " \t\r\n;{";
    for (auto at = content.find(kWord); at != std::string_view::npos;
         at = content.find(kWord, at + 1)) {
        if (at > 0 && kBefore.find(content[at - 1]) == std::string_view::npos) continue;
        const std::string_view rest = content.substr(at + kWord.size());
        const auto next = rest.find_first_not_of(matchers::kBlank);
        if (next == std::string_view::npos) continue;
        const bool is_plain_value = is_base64(rest[next]) && next != 0 &&
                                    rest.substr(0, next).find('\n') == std::string_view::npos;
        if (rest[next] == ':' || rest[next] == '"' || is_plain_value) return rest;
    }
    return content;
}

// The secret in the output of tsig-keygen, keymgr, or alone. Lines of comments are left out.
std::string secret_in(std::string_view content) {
    std::string statements;
    matchers::Lines lines(content);
    while (const auto line = lines.next()) {
        if (!line->text.starts_with('#') && !line->text.starts_with("// "))
            statements.append(line->text).push_back('\n');
    }
    const std::string_view text = after_secret(statements);
    const auto* const first = std::ranges::find_if(text, is_base64);
    return {first, std::find_if_not(first, text.end(), is_base64)};
}

void read_secret(Reading& in, const Node& node, const Place& place, TsigArgs& out) {
    if (!read_value(in, node, place, {}, out.secret)) return;
    if (!node.replaced)
        in.note_secret(place.line, "the TSIG secret of " + std::string(place.owner));
}

void read_secret_file(Reading& in, const Node& node, const Place& place, TsigArgs& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.secret_file = in.resolve(path, place.line);
}

void read_algorithm(Reading& in, const Node& node, const Place& place, TsigArgs& out) {
    constexpr std::array<std::string_view, 5> kAlgorithms{
        "hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1"};
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    std::ranges::transform(text, text.begin(), matchers::lower);
    if (std::ranges::find(kAlgorithms, text) == kAlgorithms.end()) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                          ": expected hmac-sha256, hmac-sha512, hmac-sha384, "
                                          "hmac-sha224 or hmac-sha1");
        return;
    }
    out.algorithm = std::move(text);
}

constexpr std::array<Row<TsigArgs>, 4> kTsigRows{{
    {"name", &TsigArgs::name, "required", "", "name of the key, as at the primary"},
    {"algorithm", Own<TsigArgs>{"text", read_algorithm}, "(hmac-sha256)", "",
     "`hmac-sha256`, `hmac-sha512`, `hmac-sha384`, `hmac-sha224` or `hmac-sha1`"},
    {"secret", Own<TsigArgs>{"text", read_secret}, "none", "", "the secret in base64"},
    {"secret_file", Files<TsigArgs>{"path", read_secret_file}, "none", "",
     "file with the secret: alone, or the output of `tsig-keygen` or `keymgr -t`"},
}};

struct SecondaryArgs : Secondary {
    std::string zone_text;
    std::optional<TsigArgs> key;
    int zone_line = 0;
};

void read_tsig(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    TsigArgs key;
    key.line = place.line;
    if (read_rows(in, node, kTsigRows, place.name(), key)) out.key = std::move(key);
}

std::optional<TsigKey> key_of(Reading& in, const TsigArgs& args, const std::string& owner) {
    const auto refuse = [&](const std::string& text) {
        in.report().error(args.line, "'tsig' of " + owner + text);
        return std::nullopt;
    };
    if (args.secret.empty() == args.secret_file.text().empty())
        return refuse(args.secret.empty() ? " has no secret: write 'secret_file' or 'secret'"
                                          : " has both 'secret' and 'secret_file': keep one");
    TsigKey key;
    key.algorithm = args.algorithm;
    const auto name = zone_name(args.name);
    if (!name) return refuse(": " + matchers::quoted(args.name) + " is not a domain name");
    key.name = *name;
    std::string text = args.secret;
    if (!args.secret_file.text().empty()) {
        const auto content = in.read_file(args.secret_file, {"secret_file", owner, args.line});
        if (!content) return std::nullopt;
        in.note_secret(args.line, "the TSIG secret of " + owner, args.secret_file);
        text = secret_in(*content);
    }
    const auto bytes = read_by_ldns(LDNS_RDF_TYPE_B64, text);
    if (!bytes || bytes->empty()) return refuse(": its secret is not base64");
    key.secret = std::string(bytes->begin(), bytes->end());
    if (bytes->size() < kShortSecret)
        in.report().warn(args.line, "'tsig' of " + owner + ": its secret has " +
                                        std::to_string(bytes->size()) +
                                        " bytes, which can be guessed: use one of 16 or more, as "
                                        "`tsig-keygen` makes it");
    return key;
}

// ---- primaries

void read_primaries(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    for (const Text& item : read_texts(in, node, place)) {
        std::string_view text = item.value;
        ZonePrimary primary;
        primary.tls = text.starts_with(kTlsScheme);
        if (primary.tls) text.remove_prefix(kTlsScheme.size());
        const auto where = parse_host_port(text);
        if (!where || !where->address || where->address->is_link_local()) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             " is not an address: expected one such as 192.0.2.1, "
                                             "[2001:db8::1]:5353, or tls://192.0.2.1");
            continue;
        }
        primary.address = *where->address;
        primary.port = where->port.value_or(primary.tls ? kDotPort : kDnsPort);
        out.primaries.push_back(primary);
    }
    if (out.primaries.size() > kMostPrimaries)
        in.report().error(place.line, place.name() + " has more than 16 addresses: write fewer");
}

void read_zone_pins(Reading& in, const Node& node, const Place& place, ZoneTls& out) {
    out.pins = read_pin_texts(in, node, place);
}

void read_zone_ca(Reading& in, const Node& node, const Place& place, ZoneTls& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.ca = file;
}

constexpr std::array<Row<ZoneTls>, 3> kZoneTlsRows{{
    {"name", &ZoneTls::name, "(the address)", "", "name that the certificate must be valid for"},
    {"ca", Files<ZoneTls>{"path", read_zone_ca}, "none", "",
     "PEM file with CA certificates for the primary; default: the system's"},
    {"pins", Own<ZoneTls>{"list of texts", read_zone_pins}, "none", "",
     "as `pins` of an upstream; without `ca`, a certificate with a pinned key needs no authority"},
}};

void read_zone_tls(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    read_rows(in, node, kZoneTlsRows, place.name(), out.tls);
}

void read_zone(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    if (!read_value(in, node, place, {}, out.zone_text)) return;
    out.zone_line = place.line;
    const auto name = zone_name(out.zone_text);
    if (!name || name->size() < 2) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(out.zone_text) +
                                          ": expected the name of a zone, as in rpz.example");
        return;
    }
    out.zone = *name;
}

void read_notify_from(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    out.notify_from = read_prefixes(in, node, place);
}

void read_max_bytes(Reading& in, const Node& node, const Place& place, SecondaryArgs& out) {
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (bytes && *bytes >= 1024 && *bytes <= kLargestZone) {
        out.max_bytes = *bytes;
    } else {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected a size from 1KiB to 3GiB, as in 512MiB");
    }
}

constexpr std::array<Row<SecondaryArgs>, 12> kSecondaryRows{{
    {"zone", Own<SecondaryArgs>{"name", read_zone}, "required", "", "name of the zone"},
    {"primaries", Own<SecondaryArgs>{"list of addresses", read_primaries}, "required", "",
     "servers that have the zone; they are asked in this order\nForms: `192.0.2.1`, "
     "`[2001:db8::1]:5353`, and `tls://192.0.2.1` for transfers over TLS (RFC 9103, port 853). A "
     "primary's NOTIFY starts a check."},
    {"tsig", Own<SecondaryArgs>{"map", read_tsig}, "none", "",
     "key that signs queries, answers and NOTIFY (RFC 8945): `name`, `algorithm`, `secret_file`\n"
     "With a key, unsigned answers and NOTIFY are rejected. `algorithm` is hmac-sha256 unless "
     "written; hmac-sha512, hmac-sha384, hmac-sha224 and hmac-sha1 are known, too. `secret_file` "
     "has the secret in base64, alone or as `tsig-keygen` and `keymgr -t` print it; `secret` has "
     "it in the configuration."},
    {"tls", Own<SecondaryArgs>{"map", read_zone_tls}, "none", "",
     "trust in primaries with `tls://`: `name`, `ca`, `pins`\n`name`: the name that the "
     "certificate must be valid for; default: the address. `ca` and `pins`: as of an upstream. "
     "With `pins` and without `ca`, the pinned key alone decides."},
    {"notify_from", Own<SecondaryArgs>{"list of prefixes", read_notify_from}, "none", "",
     "further senders of NOTIFY, beside `primaries`"},
    {"ixfr", &SecondaryArgs::incremental, "true", "",
     "ask for changes (IXFR, RFC 1995) before the whole zone (AXFR)"},
    {"zonemd", choice<SecondaryArgs, &SecondaryArgs::digest>(), "if_present",
     "if_present|required|ignore",
     "check of the zone's digest (RFC 8976)\nA zone whose digest is wrong is rejected, and the "
     "copy before it stays. `required` also rejects a zone without a digest that can be checked. "
     "If the zone has a digest, the check reads the whole zone after each transfer."},
    {"max_size", Own<SecondaryArgs>{"size", read_max_bytes}, "1GiB", "1KiB..3GiB",
     "maximum size of a transfer, and of the zone's records in memory\nThe tables for workers come "
     "on top. While one version replaces another, both are in memory: leave 8 times this size."},
    {"max_records", &SecondaryArgs::max_records, "20000000", "1..100000000",
     "maximum records of the zone"},
    {"timeout", &SecondaryArgs::timeout, "10m", "1s..1d", "time limit for one transfer"},
    {"min_refresh", &SecondaryArgs::min_refresh, "30s", "1s..1d",
     "lower limit for the zone's refresh and retry timers"},
    {"max_refresh", &SecondaryArgs::max_refresh, "1d", "1m..4w",
     "upper limit for the zone's refresh and retry timers"},
}};

void read_secondary(Reading& in, const Node* node, Plugin& plugin) {
    SecondaryArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kSecondaryRows, owner, args);
    if (map.find("primaries") != nullptr && args.primaries.empty())
        in.report().error(plugin.line, owner + " has no primary: write an address");
    if (args.key) args.tsig = key_of(in, *args.key, owner);
    if (args.min_refresh > args.max_refresh)
        in.report().error(plugin.line, owner + ": 'min_refresh' is above 'max_refresh'");
    const std::string& lists = in.settings().control.lists;
    if (!lists.empty()) {
        args.list_file = list_file_of(lists, plugin.tag);
        args.file = args.list_file + ".kept";
    }
    plugin.args = static_cast<Secondary&&>(args);
}

}  // namespace

std::string list_file_of(const std::string& lists, const std::string& tag) {
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    };
    std::string name = tag;
    std::ranges::replace_if(
        name, [&](char c) { return !is_plain(c); }, '_');
    if (name != tag) {
        matchers::ContentHash hash;
        hash.add_text(tag);
        name += "-" + hash.hex().substr(0, 8);
    }
    return lists + "/secondary-" + name + ".zone";
}

const PluginType kSecondaryType{
    "secondary",
    Role::provider,
    "A zone that is kept by zone transfers: AXFR, IXFR and NOTIFY, with TSIG and over TLS. Use it "
    "by its tag: `$TAG` in `zones` of an `rpz`, in `files` of a `domain_set`, in `lists` of an "
    "`adlist`, or as `secondary` of a `zone`.\n\nThe timers of its SOA decide when it is checked, "
    "retried, and when it expires. A copy is kept in `lists` of `control`, so that a start needs "
    "no primary. In an `rpz` and a `zone`, changes apply at once and without a reload; lists are "
    "read again by a reload. `steerctl zones` shows the state.",
    "",
    "",
    [] { return row_texts(kSecondaryRows); },
    read_secondary,
    nullptr};

}  // namespace steer::config
