// `opnsense:`: OPNsense routers by name, shared by any number of aliases.
#include <algorithm>
#include <array>
#include <utility>

#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct OpnsenseArgs : OpnsenseRouter {
    std::string host;
};

void read_opnsense_ca(Reading& in, const Node& node, const Place& place, OpnsenseArgs& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.tls_ca = file;
}

void read_opnsense_pin(Reading& in, const Node& node, const Place& place, OpnsenseArgs& out) {
    std::string text = node.is_text() ? lowered(node.text) : std::string();
    std::erase(text, ':');
    const bool is_hex = std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (is_hex && text.size() == 64) {
        out.tls_pin = std::move(text);
        return;
    }
    in.report().error(place.line, place.name() +
                                      " is not a SHA-256 fingerprint: expected 64 hex digits, as "
                                      "printed by 'openssl x509 -fingerprint -sha256'");
}

constexpr std::array<Row<OpnsenseArgs>, 3> kOpnsenseTlsRows{{
    {"ca", Files<OpnsenseArgs>{"path", read_opnsense_ca}, "none", "",
     "PEM file with CA certificates for the router; default: the system's"},
    {"pin", Own<OpnsenseArgs>{"SHA-256", read_opnsense_pin}, "none", "",
     "SHA-256 fingerprint of the router's certificate\nWithout `ca` it replaces the check of name "
     "and authority. That fits the certificate that OPNsense makes for itself."},
    {"server_name", &OpnsenseArgs::tls_name, "none", "",
     "host name that the certificate must have; default: the address"},
}};

void read_opnsense_tls(Reading& in, const Node& node, const Place& place, OpnsenseArgs& out) {
    out.tls = true;
    if (node.is_map()) {
        read_rows(in, node, kOpnsenseTlsRows, place.name(), out);
        return;
    }
    const auto value = node.is_text() ? parse_boolean(node.text) : std::nullopt;
    if (!value) {
        in.report().error(place.line,
                          place.name() + found(node) +
                              "expected true, false or a map, as in 'tls: { pin: "
                              "SHA-256 }' or 'tls: { ca: FILE, server_name: fw.example }'");
    }
    out.tls = value.value_or(true);
}

template <Secret OpnsenseRouter::*Member>
void read_opnsense_secret(Reading& in, const Node& node, const Place& place, OpnsenseArgs& out) {
    constexpr std::size_t kLongest = 256;
    if (node.replaced && node.text.empty()) return;  // a missing variable, which was reported
    const bool is_good =
        node.is_text() && !node.text.empty() && node.text.size() <= kLongest &&
        std::ranges::all_of(node.text, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
    if (!is_good) {
        in.report().error(place.line, place.name() +
                                          ": expected 1 to 256 printable characters without blanks "
                                          "and ':', as OPNsense's file of the API key has them");
        return;
    }
    out.*Member = node.text;
    if (!node.replaced && place.key == "secret") in.note_secret(place.line, place.name());
}

void read_opnsense_share(Reading& in, const Node& node, const Place& place, OpnsenseArgs& out) {
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (percent && *percent >= 5 && *percent <= 90) {
        out.cpu_percent = static_cast<std::uint32_t>(*percent);
        return;
    }
    in.report().error(place.line, place.name() + found(node) + "expected a percentage, 5%..90%");
}

constexpr std::array<Row<OpnsenseArgs>, 8> kOpnsenseRows{{
    {"address", &OpnsenseArgs::host, "required", "",
     "IP address of the web GUI, with its port if that is not 443, as in `192.0.2.1:8443`"},
    {"key", Own<OpnsenseArgs>{"text", read_opnsense_secret<&OpnsenseRouter::key>}, "required", "",
     "key of an API key, as in `${env:OPNSENSE_KEY}`\nIts user needs the privileges \"Diagnostics: "
     "PF Table IP addresses\" and \"Firewall: Aliases\"."},
    {"secret", Own<OpnsenseArgs>{"text", read_opnsense_secret<&OpnsenseRouter::secret>}, "required",
     "", "secret of the API key, as in `${env:OPNSENSE_SECRET}`"},
    {"tls", Own<OpnsenseArgs>{"map or true/false", read_opnsense_tls}, "true", "",
     "how the router's certificate is checked, see below\n`false` (HTTP) is accepted for loopback "
     "addresses only."},
    {"connect_timeout", &OpnsenseArgs::connect_timeout, "5s", "100ms..1m",
     "time limit for a connection, with its TLS handshake"},
    {"receive_timeout", &OpnsenseArgs::receive_timeout, "10s", "100ms..1m",
     "time limit for a reply"},
    {"read_every", &OpnsenseArgs::read_every, "10s", "1s..1h",
     "interval between two reads of an alias\nA read finds elements that a reboot, a flush or a "
     "full table removed. After a slow read the next one follows after 20 times its time."},
    {"cpu_share", Own<OpnsenseArgs>{"percentage", read_opnsense_share}, "50%", "5%..90%",
     "share of the time that background writes may use\nAfter elements were lost, restoring them "
     "may take up to 90%. Answers that wait are not limited."},
}};

void read_one_opnsense(Reading& in, const Entry& entry) {
    const std::string owner = "OPNsense router '" + entry.key + "'";
    OpnsenseArgs args;
    if (!read_rows(in, entry.value, kOpnsenseRows, owner, args)) return;
    const Node* const address = entry.value.find("address");
    const int line = address == nullptr ? entry.line : address->line;
    const auto target = parse_host_port(args.host);
    if (target && target->address) {
        args.address = *target->address;
        args.port = target->port.value_or(args.tls ? 443 : 80);
    } else if (!args.host.empty()) {
        in.report().error(line, "'address' of " + owner + " is " + matchers::quoted(args.host) +
                                    ": expected an IP address, as in 192.0.2.1 or "
                                    "[2001:db8::1]:8443; a name would need DNS to serve DNS");
    }
    if (!args.tls && target && target->address && !target->address->is_loopback()) {
        in.report().error(line, owner +
                                    " has 'tls: false': anyone on the path could read its key; "
                                    "use HTTPS, and 'tls: { pin: SHA-256 }' if it has no "
                                    "certificate of an authority");
    }
    args.name = entry.key;
    args.line = entry.line;
    // A router with errors is still registered, so that its uses give no further errors.
    in.settings().opnsense.push_back(static_cast<OpnsenseRouter&&>(args));
}

}  // namespace

void read_opnsense(Reading& in, const Node& node, int line) {
    if (!node.is_map()) {
        in.report().error(line, "'opnsense': expected a map of names to routers, found " +
                                    std::string(node.what()));
        return;
    }
    for (const Entry& entry : node.entries) {
        if (is_printable_word(entry.key)) {
            read_one_opnsense(in, entry);
        } else {
            in.report().error(entry.line,
                              "the name " + matchers::quoted(entry.key) +
                                  " of an OPNsense router: remove blanks and control characters");
        }
    }
}

std::vector<RowText> opnsense_row_texts() {
    return row_texts(kOpnsenseRows);
}

std::vector<RowText> opnsense_tls_row_texts() {
    return row_texts(kOpnsenseTlsRows);
}

}  // namespace steer::config
