#include "control/config/plugins/upstream_entry.h"

#include <algorithm>
#include <array>

#include "control/config/plugin_type.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kPinBytes = 32;
constexpr std::size_t kMaxSocks5Bytes = 255;  // of a host, a user, a password (RFC 1928, 1929)

struct UpstreamArgs {
    std::string addr, tag, dial_addr, outbound, fallback;
    std::uint32_t port = 0;
    Milliseconds timeout{2000}, idle_timeout{10'000};
    std::uint32_t max_conns = 64, min_conns = 0;
    bool insecure_skip_verify = false, enable_pipeline = false, enable_http3 = false;
    bool trust_ad = false;
    bool cookies = true, early_data = false;
    std::string ca;
    std::vector<std::array<std::uint8_t, kPinBytes>> pins;
    ReachSettings reach;
    int pins_line = 0, ca_line = 0;
};

// ---- values with a form of their own

// Base64 of 32 bytes, with or without the prefixes that curl and Unbound's documentation show.
std::optional<std::array<std::uint8_t, kPinBytes>> parse_pin(std::string_view text) {
    for (const std::string_view prefix : {"sha256//", "sha256/"}) {
        if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    }
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::size_t kLength = 44;
    if (text.size() != kLength || text.back() != '=') return std::nullopt;
    std::array<std::uint8_t, kPinBytes> pin{};
    std::uint32_t bits = 0;
    unsigned held = 0;
    std::size_t at = 0;
    for (const char c : text.substr(0, kLength - 1)) {
        const auto digit = kDigits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        pin[at++] = static_cast<std::uint8_t>(bits >> held);
    }
    return pin;
}

void read_pins(Reading& in, const Node& node, const Place& place, UpstreamArgs& out) {
    out.pins_line = place.line;
    out.pins = read_pin_texts(in, node, place);
}

void read_ca(Reading& in, const Node& node, const Place& place, UpstreamArgs& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.ca_line = place.line;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.ca = file;
}

void read_outbound(Reading& in, const Node& node, const Place& place, UpstreamArgs& out) {
    if (!read_value(in, node, place, {}, out.outbound)) return;
    if (in.outbound().profiles.contains(out.outbound)) return;
    in.report().error(place.line, place.name() + " is " + matchers::quoted(out.outbound) +
                                      ": expected the name of a profile in 'network.outbound'");
}

constexpr std::array<Row<UpstreamArgs>, 18> kUpstreamEntryOwnRows{{
    {"addr", &UpstreamArgs::addr, "required", "",
     "the upstream: an address, or a URL\nForms: `192.0.2.1`, `udp://[2001:db8::1]:53`, "
     "`[fe80::1%eth0]`, `tcp://`, `tls://dns.example`, `https://dns.example/dns-query`. "
     "`tcp+pipeline://` and "
     "`tls+pipeline://` send several queries at a time over one connection. `quic://dns.example` "
     "(or `doq://`) is DNS over QUIC (RFC 9250), and `h3://dns.example/dns-query` DNS over "
     "HTTP/3."},
    {"tag", &UpstreamArgs::tag, "none", "", "name for log messages and counters"},
    {"dial_addr", &UpstreamArgs::dial_addr, "none", "",
     "IP address (and port) to connect to, instead of resolving the name in `addr`\nThe "
     "certificate must still be valid for the name in `addr`."},
    {"port", &UpstreamArgs::port, "(53, 853 or 443, by scheme)", "1..65535",
     "port, if `addr` contains none"},
    {"timeout", &UpstreamArgs::timeout, "2s", "~50ms..1m",
     "time limit for one query to this upstream"},
    {"idle_timeout", &UpstreamArgs::idle_timeout, "10s", "~1s..1h",
     "time after which an idle connection is closed"},
    {"max_conns", &UpstreamArgs::max_conns, "64", "~1..4096",
     "maximum connections of each `streams` thread"},
    {"min_conns", &UpstreamArgs::min_conns, "0", "~0..64", "idle connections that are kept open"},
    {"insecure_skip_verify", &UpstreamArgs::insecure_skip_verify, "false", "",
     "accept any certificate; with `pins`: any certificate with a pinned key"},
    {"ca", Files<UpstreamArgs>{"path", read_ca}, "none", "",
     "PEM file with CA certificates for the upstream; default: the system's"},
    {"pins", Own<UpstreamArgs>{"list of texts", read_pins}, "none", "",
     "base64 SHA-256 hashes of public keys (SPKI); one must be in the certificate chain"},
    {"enable_pipeline", &UpstreamArgs::enable_pipeline, "false", "",
     "same as `tcp+pipeline://` and `tls+pipeline://`"},
    {"enable_http3", &UpstreamArgs::enable_http3, "false", "",
     "same as `h3://` instead of `https://`\nIt has no effect behind a `socks5` proxy."},
    {"trust_ad", &UpstreamArgs::trust_ad, "false", "",
     "pass the upstream's AD bit to clients that set AD or DO (RFC 6840)\nThe upstream "
     "must validate DNSSEC, and the path to it must be secure. Otherwise AD is always cleared. "
     "With "
     "it, clients also get the reason of a SERVFAIL (EDE, RFC 8914)."},
    {"cookies", &UpstreamArgs::cookies, "true", "",
     "send DNS cookies to this upstream, over plain UDP (RFC 7873)\nReplies with a wrong cookie "
     "are dropped. An upstream that never returned a cookie need not return one. One that did "
     "must go on: a question whose reply has none is repeated over TCP. After about three such "
     "replies, cookies are not required for ten minutes."},
    {"fallback", &UpstreamArgs::fallback, "none", "`tls`, `https`",
     "transport of a `quic://` (`tls`) or `h3://` (`https`) upstream while it is not reached over "
     "QUIC\nIt has the same name, "
     "address, port and certificate checks. It is used while no handshake over QUIC is answered, "
     "as where UDP is blocked. QUIC is tried again after 10 s, then after twice the time, up to 5 "
     "minutes. A certificate that is not trusted, or a bad answer, never starts it."},
    {"early_data", &UpstreamArgs::early_data, "false", "",
     "send queries beside the handshake of a connection that resumes a session (0-RTT)\nFor "
     "`quic://` and `h3://`. The first answers come one round trip earlier. An attacker who "
     "recorded such a query can replay it. It is used only for the address "
     "that the upstream was last reached at. If the upstream does not accept it, it is not sent "
     "for 10 minutes."},
    {"outbound", Own<UpstreamArgs>{"name", read_outbound}, "none", "",
     "profile of `network.outbound` whose `socks5` and resolver this upstream uses"},
}};
constexpr auto kUpstreamEntryRows = joined(kUpstreamEntryOwnRows, kReachRows<UpstreamArgs>);

// ---- `addr`

struct Scheme {
    std::string_view name;
    UpstreamScheme scheme;
    bool pipeline;
};
constexpr std::array<Scheme, 10> kSchemes{{
    {"udp", UpstreamScheme::udp, false},
    {"tcp", UpstreamScheme::tcp, false},
    {"tcp+pipeline", UpstreamScheme::tcp, true},
    {"tls", UpstreamScheme::tls, false},
    {"tls+pipeline", UpstreamScheme::tls, true},
    {"https", UpstreamScheme::https, false},
    {"doh", UpstreamScheme::https, false},
    {"quic", UpstreamScheme::quic, false},
    {"doq", UpstreamScheme::quic, false},
    {"h3", UpstreamScheme::h3, false},
}};
constexpr std::string_view kDefaultPath = "/dns-query";

// Removes "tls://", and the path of https and h3; reports unknown schemes.
bool take_scheme(Reading& in, std::string_view& addr, bool enable_http3, const Place& place,
                 UpstreamSettings& out) {
    const auto colon = addr.find("://");
    if (colon == std::string_view::npos) return true;
    const std::string name = lowered(addr.substr(0, colon));
    addr.remove_prefix(colon + 3);
    const auto known = std::find_if(kSchemes.begin(), kSchemes.end(),
                                    [&](const Scheme& scheme) { return scheme.name == name; });
    if (known == kSchemes.end()) {
        in.report().error(place.line,
                          place.name() + ": unknown scheme " + matchers::quoted(name + "://") +
                              ": write udp://, tcp://, tls://, https://, quic:// or h3://");
        return false;
    }
    out.scheme =
        known->scheme == UpstreamScheme::https && enable_http3 ? UpstreamScheme::h3 : known->scheme;
    out.pipeline = known->pipeline;
    if (!facts_of(out.scheme).has_path) return true;
    const auto slash = addr.find('/');
    out.path = slash == std::string_view::npos ? kDefaultPath : addr.substr(slash);
    addr = addr.substr(0, slash);
    // A URI template (RFC 8484 4.1.1): queries are sent by POST.
    if (const auto variable = out.path.find("{?"); variable != std::string::npos)
        out.path.resize(variable);
    return true;
}

bool can_be_asked(const IpAddress& address) {
    const bool multicast = address.is_v4() ? address.v4()[0] >= 224 : address.bytes[0] == 0xff;
    return !multicast && address != IpAddress{} && !(address.is_v4() && address.v4()[0] == 0);
}

bool read_dial_addr(Reading& in, const UpstreamArgs& args, const Place& place,
                    std::optional<std::uint16_t>& port, UpstreamSettings& out) {
    if (args.dial_addr.empty()) return true;
    const auto dial = parse_host_port(args.dial_addr, Zones::allowed);
    if (!dial || !dial->address) {
        in.report().error(place.line, "'dial_addr' of " + std::string(place.owner) + " is " +
                                          matchers::quoted(args.dial_addr) +
                                          ": expected an IP address, as in 192.0.2.1 or "
                                          "fe80::1%eth0");
        return false;
    }
    out.address = dial->address;
    out.zone = dial->zone;
    if (dial->port) port = dial->port;
    return true;
}

// The setting that has the upstream's address, and its value.
std::string address_setting(const UpstreamArgs& args, const Place& place) {
    if (args.dial_addr.empty()) return place.name() + " is " + matchers::quoted(args.addr);
    return "'dial_addr' of " + std::string(place.owner) + " is " + matchers::quoted(args.dial_addr);
}

// The address or name of the upstream, and its port.
bool read_target(Reading& in, const UpstreamArgs& args, const Place& place, UpstreamSettings& out) {
    std::string_view addr = args.addr;
    if (!take_scheme(in, addr, args.enable_http3 && !args.reach.socks5, place, out)) return false;
    const auto refuse = [&](const std::string& text) {
        in.report().error(place.line, place.name() + text);
        return false;
    };
    const auto parts = parse_host_port(addr, Zones::allowed);
    if (!parts) {
        return refuse(" is " + matchers::quoted(args.addr) +
                      ": expected an address or a name, as in udp://192.0.2.1:53, "
                      "udp://[2001:db8::1]:53, udp://[fe80::1%eth0] or tls://dns.example");
    }
    out.host = lowered(parts->host);
    out.address = parts->address;
    out.zone = parts->zone;
    std::optional<std::uint16_t> port = parts->port;
    if (!read_dial_addr(in, args, place, port, out)) return false;
    if (out.address && !can_be_asked(*out.address)) {
        in.report().error(place.line,
                          address_setting(args, place) + ": this address cannot be an upstream");
        return false;
    }
    if (args.port != 0) {
        if (port && *port != args.port) {
            return refuse(" has port " + std::to_string(*port) + " and 'port' is " +
                          std::to_string(args.port) + ": keep one of them");
        }
        port = static_cast<std::uint16_t>(args.port);
    }
    out.port = port.value_or(facts_of(out.scheme).port);
    return true;
}

// Of an upstream over QUIC: the one that `fallback` may name.
UpstreamScheme other_scheme(UpstreamScheme scheme) {
    return facts_of(scheme).has_path ? UpstreamScheme::https : UpstreamScheme::tls;
}

// Settings that conflict.
void check(Reading& in, const UpstreamArgs& args, const Place& place,
           const UpstreamSettings& made) {
    const SchemeFacts& scheme = facts_of(made.scheme);
    const ReachSettings& made_reach = args.reach;
    const auto only_tls = [&](std::string_view key, int line) {
        in.report().error(line,
                          "'" + std::string(key) + "' of " + std::string(place.owner) +
                              " applies only to tls://, https://, quic:// and h3://: remove it");
    };
    if (!scheme.has_certificates && !args.pins.empty()) only_tls("pins", args.pins_line);
    if (!scheme.has_certificates && !args.ca.empty()) only_tls("ca", args.ca_line);
    if (args.insecure_skip_verify && !args.ca.empty()) {
        in.report().error(
            args.ca_line,
            "'ca' of " + std::string(place.owner) +
                " and 'insecure_skip_verify' contradict each other: remove one of them");
    }
    const std::string other(facts_of(other_scheme(made.scheme)).transport);
    if (scheme.is_over_quic && made_reach.socks5) {
        in.report().error(
            place.line, std::string(place.owner) +
                            ": 'socks5' does not apply to quic:// and h3://, because the proxy is "
                            "asked for TCP connections: write " +
                            other + ":// to go through it, or `socks5: \"\"` to connect directly");
    }
    if (!args.fallback.empty() && !scheme.is_over_quic) {
        in.report().error(place.line, "'fallback' of " + std::string(place.owner) +
                                          " applies only to quic:// and h3://: remove it");
    } else if (!args.fallback.empty() && !made.fallback) {
        in.report().error(place.line, "'fallback' of " + std::string(place.owner) + " is " +
                                          matchers::quoted(args.fallback) + ": expected " + other);
    }
    if (args.enable_http3 && made.scheme != UpstreamScheme::h3) {
        in.report().warn(place.line,
                         "'enable_http3' of " + std::string(place.owner) + " has no effect: " +
                             (made.scheme == UpstreamScheme::https
                                  ? "HTTP/3 does not pass its proxy, which is asked for TCP "
                                    "connections; remove the key"
                                  : "it applies only to https://; remove it"));
    }
    if (args.early_data && !scheme.is_over_quic) {
        in.report().error(place.line, "'early_data' of " + std::string(place.owner) +
                                          " applies only to quic:// and h3://: remove it");
    }
    if (made.path.size() > kMaxUpstreamPath) {
        in.report().error(place.line, place.name() + " has a path of more than " +
                                          std::to_string(kMaxUpstreamPath) + " bytes");
    }
    if (args.min_conns > args.max_conns) {
        in.report().error(
            place.line, "'min_conns' of " + std::string(place.owner) + " is above its 'max_conns'");
    }
}

// The zone of the address that is connected to is its interface. False: another one is set, or there is none.
bool take_zones(Reading& in, const UpstreamArgs& args, const Place& place, ReachSettings& reach,
                const UpstreamSettings& made) {
    const std::string& zone = reach.socks5 ? reach.socks5->zone : made.zone;
    if (!zone.empty() && reach.device.empty()) reach.device = zone;
    if (!zone.empty() && reach.device != zone) {
        in.report().error(place.line, std::string(place.owner) + " has the zone " +
                                          matchers::quoted(zone) + ", and 'bind_to_device' is " +
                                          matchers::quoted(reach.device) + ": keep one of them");
        return false;
    }
    if (!reach.device.empty()) return true;
    const auto require = [&](const std::string& setting, const std::optional<IpAddress>& address,
                             std::string_view its_zone) {
        const std::string missing = missing_zone(address, its_zone);
        if (missing.empty()) return true;
        in.report().error(place.line, setting + missing);
        return false;
    };
    const auto named = [&](std::string_view key, const std::string& value) {
        return "'" + std::string(key) + "' of " + std::string(place.owner) + " is " +
               matchers::quoted(value);
    };
    if (reach.socks5) {
        const auto proxy = IpAddress::parse(reach.socks5->host);
        return require(named("socks5", reach.socks5->host), proxy, zone);
    }
    if (!require(address_setting(args, place), made.address, made.zone)) return false;
    const auto& bootstrap = reach.bootstrap;
    return !bootstrap || require(named("bootstrap", bootstrap->address.to_string()),
                                 bootstrap->address, bootstrap->zone);
}

std::optional<UpstreamSettings> finish(Reading& in, UpstreamArgs& args, const std::string& owner,
                                       int line) {
    const Place place{"addr", owner, line};
    take_outbound(in, args.outbound, args.reach);
    UpstreamSettings out;
    out.tag = args.tag;
    out.addr = args.addr;
    out.timeout = args.timeout;
    out.line = line;
    if (!read_target(in, args, place, out)) return std::nullopt;
    if (const UpstreamScheme other = other_scheme(out.scheme);
        facts_of(out.scheme).is_over_quic && args.fallback == facts_of(other).transport)
        out.fallback = other;
    check(in, args, place, out);
    if (!take_zones(in, args, place, args.reach, out)) return std::nullopt;
    out.pipeline = out.pipeline || args.enable_pipeline;
    out.reach = std::move(args.reach);
    out.idle_timeout = args.idle_timeout;
    out.max_conns = args.max_conns;
    out.min_conns = args.min_conns;
    out.insecure_skip_verify = args.insecure_skip_verify;
    out.trust_ad = args.trust_ad;
    out.early_data = args.early_data;
    out.cookies = args.cookies;
    out.ca = std::move(args.ca);
    out.pins = std::move(args.pins);
    return out;
}

}  // namespace

std::optional<UpstreamSettings> read_upstream(Reading& in, const Node& node,
                                              const std::string& owner,
                                              const ReachSettings& reach) {
    if (node.is_text()) {
        UpstreamArgs args;
        args.addr = node.text;
        args.reach = reach;
        return finish(in, args, owner, node.line);
    }
    UpstreamArgs args;
    args.reach = reach;
    if (!read_rows(in, node, kUpstreamEntryRows, owner, args) || args.addr.empty())
        return std::nullopt;
    // A profile that the upstream names wins over the "" of its forward.
    if (!args.outbound.empty()) {
        args.reach.no_socks5 = args.reach.no_socks5 && node.find("socks5") != nullptr;
        args.reach.no_bootstrap = args.reach.no_bootstrap && node.find("bootstrap") != nullptr;
    }
    const Node* const addr = node.find("addr");
    return finish(in, args, owner, addr == nullptr ? node.line : addr->line);
}

std::optional<UpstreamSettings> read_upstream(Reading& in, std::string_view addr, int line,
                                              const std::string& owner) {
    UpstreamArgs args;
    args.addr = addr;
    return finish(in, args, owner, line);
}

std::vector<RowText> upstream_row_texts() {
    return row_texts(kUpstreamEntryRows);
}

// ---- how upstreams are reached

void take_outbound(Reading& in, const std::string& name, ReachSettings& reach) {
    const auto& [standard, profiles] = in.outbound();
    const auto profile = profiles.find(name.empty() ? standard : name);
    if (profile == profiles.end()) return;
    const ReachSettings& theirs = profile->second;
    if (!reach.socks5 && !reach.no_socks5) reach.socks5 = theirs.socks5;
    if (!reach.bootstrap && !reach.no_bootstrap) reach.bootstrap = theirs.bootstrap;
    if (reach.family == AddressFamily::any) reach.family = theirs.family;
}

void read_bootstrap(Reading& in, const Node& node, const Place& place, ReachSettings& out) {
    out.no_bootstrap = node.is_text() && node.text.empty();
    if (out.no_bootstrap) return out.bootstrap.reset();
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    std::string_view address = text;
    if (lowered(address).starts_with("udp://")) address.remove_prefix(6);
    const auto parts = parse_host_port(address, Zones::allowed);
    if (parts && parts->address && can_be_asked(*parts->address)) {
        out.bootstrap = UpstreamServer{*parts->address, parts->port.value_or(53), parts->zone};
        return;
    }
    in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                      ": expected the address of a resolver, as in 192.0.2.1, "
                                      "192.0.2.1:53 or [fe80::1%eth0]:53");
}

void read_bootstrap_version(Reading& in, const Node& node, const Place& place, ReachSettings& out) {
    std::uint32_t version = 0;
    if (!read_value(in, node, place, {}, version)) return;
    if (version == 4 || version == 6 || version == 0) {
        constexpr std::array kFamilies{AddressFamily::any, AddressFamily::v4, AddressFamily::v6};
        out.family = kFamilies[version == 0 ? 0 : version / 2 - 1];
        return;
    }
    in.report().error(place.line,
                      place.name() + " is " + std::to_string(version) + ": expected 4 or 6");
}

void read_socks5(Reading& in, const Node& node, const Place& place, ReachSettings& out) {
    out.no_socks5 = node.is_text() && node.text.empty();
    if (out.no_socks5) return out.socks5.reset();
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    std::string_view rest = text;
    if (lowered(rest).starts_with("socks5://")) rest.remove_prefix(9);
    Socks5Settings proxy;
    const auto at = rest.rfind('@');
    if (at != std::string_view::npos) {
        const std::string_view who = rest.substr(0, at);
        const auto colon = who.find(':');
        proxy.user = who.substr(0, colon);
        if (colon != std::string_view::npos) proxy.password = who.substr(colon + 1);
        rest.remove_prefix(at + 1);
    }
    const auto parts = parse_host_port(rest, Zones::allowed);
    const bool fits = proxy.user.size() <= kMaxSocks5Bytes &&
                      proxy.password.size() <= kMaxSocks5Bytes &&
                      (at == std::string_view::npos || !proxy.user.empty());
    if (!parts || !fits) {
        // Not quoted: it may hold a password.
        in.report().error(place.line, place.name() +
                                          " is not a proxy address: expected HOST:PORT or "
                                          "USER:PASSWORD@HOST:PORT, as in 192.0.2.1:1080");
        return;
    }
    proxy.host = parts->host;
    proxy.zone = parts->zone;
    proxy.port = parts->port.value_or(proxy.port);
    if (!proxy.password.empty() && !node.replaced)
        in.note_secret(place.line, "the password of " + place.name());
    out.socks5 = std::move(proxy);
}

void read_so_mark(Reading& in, const Node& node, const Place& place, ReachSettings& out) {
    read_value(in, node, place, "0..4294967295", out.so_mark);
}

void read_device(Reading& in, const Node& node, const Place& place, ReachSettings& out) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    if (!name.empty() && !may_name_interface(name)) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ": expected the name of an interface, as in eth0");
        return;
    }
    out.device = name;
}

std::vector<std::array<std::uint8_t, 32>> read_pin_texts(Reading& in, const Node& node,
                                                         const Place& place) {
    std::vector<std::array<std::uint8_t, kPinBytes>> pins;
    for (const Text& text : read_texts(in, node, place)) {
        if (const auto pin = parse_pin(text.value)) {
            pins.push_back(*pin);
        } else {
            in.report().error(
                text.line, matchers::quoted(text.value) + " in " + place.name() +
                               " is not a pin: expected the base64 of a SHA-256 (44 characters), "
                               "as printed by `openssl x509 -pubkey -noout | openssl pkey -pubin "
                               "-outform der | openssl dgst -sha256 -binary | base64`");
        }
    }
    return pins;
}

}  // namespace steer::config
