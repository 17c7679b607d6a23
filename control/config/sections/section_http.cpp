// `http` and `roles` of `control`: the users that may read the daemon's state or change it, over
// the control socket and over HTTP.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "control/host/process/files_as.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::uint16_t kPagePort = 9154;  // of `http: on`
constexpr std::string_view kRoleWords = "read|operate|admin";

template <class T>
void read_role(Reading& in, const Node& node, const Place& place, T& out) {
    if (const auto index = read_choice(in, node, place, kRoleWords))
        out.role = static_cast<AccessRole>(*index + 1);
}

template <class T, auto Member>
void read_file(Reading& in, const Node& node, const Place& place, T& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.*Member = in.resolve(path, place.line);
    in.settings().opened.push_back(out.*Member);  // watched: a reload reads it again
}

// Each item of a list of maps; `take` gets those that could be read.
template <class T, std::size_t N, class Take>
void read_maps(Reading& in, const Node& node, const Place& place, const std::array<Row<T>, N>& rows,
               std::string_view word, Take take) {
    if (!node.is_list()) {
        in.report().error(place.line, place.name() + ": expected a list of maps, found " +
                                          std::string(node.what()));
        return;
    }
    for (const Node& item : node.items) {
        T one;
        one.line = item.line;
        const std::string owner = std::string(word) + " " +
                                  std::to_string(&item - node.items.data() + 1) + " of " +
                                  place.name();
        if (read_rows(in, item, rows, owner, one)) take(owner, std::move(one));
    }
}

// ---- roles

constexpr std::array<Row<PeerRole>, 3> kRoleRows{{
    {"user", &PeerRole::user, "none", "", "user, by name or number; or"},
    {"group", &PeerRole::group, "none", "", "group, by name or number"},
    {"role", Own<PeerRole>{"one of", read_role<PeerRole>}, "required", kRoleWords,
     "what it may do; each role includes those before it"},
}};

// ---- http

void read_hash(Reading& in, const Node& node, const Place& place, HttpToken& out) {
    constexpr std::string_view kStart = "sha256:";
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const std::string hash = lowered(text);
    const auto digits = std::string_view(hash).substr(std::min(kStart.size(), hash.size()));
    constexpr std::size_t kDigits = 64;
    if (!hash.starts_with(kStart) || digits.size() != kDigits ||
        digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        in.report().error(place.line, place.name() +
                                          ": expected sha256: and 64 hexadecimal digits; "
                                          "`printf %s SECRET | sha256sum` prints them");
        out.hash = "invalid";  // one error is enough
        return;
    }
    out.hash = digits;
}

constexpr std::array<Row<HttpToken>, 4> kTokenRows{{
    {"name", &HttpToken::name, "required", "", "name of the client, for the log"},
    {"role", Own<HttpToken>{"one of", read_role<HttpToken>}, "required", kRoleWords,
     "what the client may do"},
    {"token_file", Files<HttpToken>{"path", read_file<HttpToken, &HttpToken::token_file>}, "none",
     "", "file that holds the token, with mode 0600; or"},
    {"hash", Own<HttpToken>{"text", read_hash}, "none", "",
     "SHA-256 of the token, as in `sha256:9f86…`"},
}};

constexpr std::array<Row<HttpCertificate>, 3> kCertificateRows{{
    {"subject", &HttpCertificate::subject, "none", "",
     "subject as RFC 2253 writes it, as in `CN=alice,O=NOC`; or"},
    {"san", &HttpCertificate::san, "none", "", "DNS name, mail address or URI in subjectAltName"},
    {"role", Own<HttpCertificate>{"one of", read_role<HttpCertificate>}, "required", kRoleWords,
     "what clients with such a certificate may do"},
}};

constexpr std::array<Row<RpcServer>, 3> kHttpTlsRows{{
    {"certificate", Files<RpcServer>{"path", read_file<RpcServer, &RpcServer::certificate>},
     "(its own)", "",
     "PEM file with the certificate and its issuers\nWithout it, the daemon makes a certificate "
     "and renews it."},
    {"key", Files<RpcServer>{"path", read_file<RpcServer, &RpcServer::key>}, "(its own)", "",
     "PEM file with the private key; set both or none"},
    {"client_ca", Files<RpcServer>{"path", read_file<RpcServer, &RpcServer::client_ca>}, "none", "",
     "PEM file with the CA of clients' certificates"},
}};

void read_tls(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    RpcServer files;
    out.own_certificate = true;
    if (node.is_text() && lowered(node.text) == "own") return;
    if (!read_rows(in, node, kHttpTlsRows, place.name(), files)) return;
    if (files.certificate.empty() != files.key.empty()) {
        in.report().error(place.line, place.name() +
                                          " has only one of 'certificate' and 'key': write both, "
                                          "or `tls: own` for a certificate of its own");
        return;
    }
    out.own_certificate = files.certificate.empty();
    out.certificate = files.certificate;
    out.key = files.key;
    out.client_ca = files.client_ca;
}

// A file that others may read is no secret. One that cannot be inspected was read at the start.
void check_token_file(Reading& in, const HttpToken& token, const std::string& owner) {
    const RootToRead files(token.token_file);
    struct stat found {};
    if (::stat(token.token_file.c_str(), &found) != 0) {
        if (errno == ENOENT) {
            in.report().error(token.line, owner + ": 'token_file' " + token.token_file +
                                              " does not exist: create it with `umask 077; openssl "
                                              "rand -hex 32 >" +
                                              token.token_file + "`");
        }
    } else if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        in.report().error(token.line, owner + ": 'token_file' " + token.token_file +
                                          " may be used by other users: run `chmod 600 " +
                                          token.token_file + "`");
    }
}

// The first line of a token file; empty: it cannot be read here, and the start says so.
std::string secret_in(const std::string& file) {
    constexpr std::size_t kMost = 4096;
    std::string line;
    const RootToRead files(file);
    std::ifstream in(file);
    if (!file.empty() && std::filesystem::is_regular_file(file)) std::getline(in, line);
    if (line.ends_with('\r')) line.pop_back();
    line = matchers::without_marks(line);
    return line.size() <= kMost ? line : "";
}

// One secret would let its client in under both names, and with only one of both roles.
bool is_same_secret(const HttpToken& one, const HttpToken& other) {
    if (!one.hash.empty()) return one.hash == other.hash && one.hash != "invalid";
    if (one.token_file == other.token_file) return true;
    const std::string secret = secret_in(one.token_file);
    return !secret.empty() && secret == secret_in(other.token_file);
}

void read_tokens(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    read_maps(in, node, place, kTokenRows, "token", [&](const std::string& owner, HttpToken token) {
        if (token.token_file.empty() == token.hash.empty()) {
            in.report().error(token.line, owner +
                                              ": expected either 'token_file' or "
                                              "'hash'");
            return;
        }
        if (std::ranges::any_of(out.tokens,
                                [&](const auto& other) { return other.name == token.name; })) {
            in.report().error(token.line, owner + " has the name of an earlier one, " +
                                              matchers::quoted(token.name) + ": choose another");
        }
        if (!token.token_file.empty()) check_token_file(in, token, owner);
        for (const HttpToken& other : out.tokens) {
            if (is_same_secret(token, other))
                in.report().error(token.line, owner + " has the secret of token " +
                                                  matchers::quoted(other.name) +
                                                  ": make another with `openssl rand -hex 32`");
        }
        out.tokens.push_back(std::move(token));
    });
}

void read_certificates(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    read_maps(in, node, place, kCertificateRows, "certificate",
              [&](const std::string& owner, HttpCertificate one) {
                  if (one.subject.empty() == one.san.empty()) {
                      in.report().error(one.line, owner + ": expected either 'subject' or 'san'");
                      return;
                  }
                  out.client_certificates.push_back(std::move(one));
              });
}

void read_listen(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    if (const auto endpoint = read_endpoint(in, node, place)) out.listen = *endpoint;
}

void read_hosts(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    for (const Text& item : read_texts(in, node, place)) {
        if (item.value.empty() || item.value.find_first_of("/: @") != std::string::npos) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected a host name such as dns1.example.net");
            continue;
        }
        out.hosts.push_back(lowered(item.value));
    }
}

void read_origins(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    for (const Text& item : read_texts(in, node, place)) {
        const std::string origin = lowered(item.value);
        const auto host = origin.find("://");
        if (!origin.starts_with("http") || host == std::string::npos ||
            origin.find('/', host + 3) != std::string::npos) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected an origin such as https://noc.example");
            continue;
        }
        out.origins.push_back(origin);
    }
}

void read_password_use(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    read_value(in, node, place, {}, out.has_password);
}

void read_folder(Reading& in, const Node& node, const Place& place, RpcServer& out) {
    std::string path;
    if (read_value(in, node, place, {}, path)) out.folder = in.resolve(path, place.line);
}

// `metrics` is read beside the others, but is a setting of Control.
struct HttpMap {
    std::optional<Endpoint> metrics;
    RpcServer rpc;
};

void read_metrics(Reading& in, const Node& node, const Place& place, HttpMap& out) {
    if (node.is_text() && lowered(node.text) == "off") {
        out.metrics.reset();
    } else if (const auto endpoint = read_endpoint(in, node, place)) {
        out.metrics = endpoint;
    }
}

template <void (*Read)(Reading&, const Node&, const Place&, RpcServer&)>
void of_rpc(Reading& in, const Node& node, const Place& place, HttpMap& out) {
    Read(in, node, place, out.rpc);
}

constexpr std::array<Row<HttpMap>, 9> kHttpRows{{
    {"listen", Own<HttpMap>{"address:port", of_rpc<read_listen>}, "127.0.0.1:9154", "",
     "address of the JSON-RPC and the page; `:9154` means all addresses"},
    {"tls", Own<HttpMap>{"`own` or map", of_rpc<read_tls>}, "(by `listen`)", "",
     "certificate and key, see below\n`own`: the daemon makes a certificate, and renews it. This "
     "is the default, except on a loopback address, where plain HTTP is."},
    {"password", Own<HttpMap>{"true or false", of_rpc<read_password_use>}, "true", "",
     "whether people sign in with a password, as `admin`\n`steerctl page password` sets it. "
     "`steerctl page` prints a link that signs in once, without it."},
    {"folder", Files<HttpMap>{"path", of_rpc<read_folder>}, "/var/lib/steerdns/page", "",
     "folder for the daemon's own certificate, its key and the hash of the password"},
    {"tokens", Own<HttpMap>{"list", of_rpc<read_tokens>}, "none", "",
     "programs that are let in by a secret, see below"},
    {"client_certificates", Own<HttpMap>{"list", of_rpc<read_certificates>}, "none", "",
     "clients that are let in by a certificate of `client_ca`, see below"},
    {"hosts", Own<HttpMap>{"list", of_rpc<read_hosts>}, "none", "",
     "host names under which browsers may open the page\nIP addresses and `localhost` are always "
     "accepted. Other names are refused, which stops DNS rebinding."},
    {"origins", Own<HttpMap>{"list", of_rpc<read_origins>}, "none", "",
     "origins of other web pages that may send requests, such as `https://noc.example`"},
    {"metrics", Own<HttpMap>{"address:port", read_metrics}, "127.0.0.1:9153", "",
     "address of the metrics and health checks; `off` disables them"},
}};

void check_rpc(Reading& in, const RpcServer& rpc, const std::string& name) {
    if (!rpc.has_password && rpc.tokens.empty() && rpc.client_certificates.empty()) {
        in.report().error(rpc.line, name +
                                        " lets no client in: write `password: true`, 'tokens', or "
                                        "'client_certificates' and a 'client_ca' in 'tls'");
    }
    if (!rpc.client_certificates.empty() && rpc.client_ca.empty()) {
        in.report().error(rpc.line, "'client_certificates' of " + name +
                                        " needs 'client_ca' in 'tls': write the file with the CA");
    }
}

}  // namespace

void read_http(Reading& in, const Node& node, const Place& place, Control& out) {
    if (!node.is_map()) {
        const std::string word = node.is_text() ? lowered(node.text) : "";
        if (word == "on" || word == "true") {
            out.rpc.emplace();
            out.rpc->listen = {.address = {}, .port = kPagePort, .line = place.line};
            out.rpc->own_certificate = true;
            out.rpc->line = place.line;
        } else if (word == "off" || word == "false") {
            out.http.reset();
        } else if (const auto endpoint = read_endpoint(in, node, place)) {
            out.http = endpoint;
        }
        return;
    }
    HttpMap map;
    map.rpc.line = node.line != 0 ? node.line : place.line;
    if (!read_rows(in, node, kHttpRows, place.name(), map)) return;
    // Passwords and tokens do not cross the network in the clear.
    if (!map.rpc.has_tls() && !map.rpc.listen.address.is_loopback()) map.rpc.own_certificate = true;
    check_rpc(in, map.rpc, place.name());
    out.http = map.metrics;
    out.rpc = std::move(map.rpc);
}

void read_roles(Reading& in, const Node& node, const Place& place, Control& out) {
    read_maps(in, node, place, kRoleRows, "row", [&](const std::string& owner, PeerRole row) {
        if (row.user.empty() == row.group.empty()) {
            in.report().error(row.line, owner + ": expected either 'user' or 'group'");
            return;
        }
        out.roles.push_back(std::move(row));
    });
}

std::vector<RowText> role_row_texts() {
    return row_texts(kRoleRows);
}
std::vector<RowText> http_row_texts() {
    return row_texts(kHttpRows);
}
std::vector<RowText> http_tls_row_texts() {
    return row_texts(kHttpTlsRows);
}
std::vector<RowText> token_row_texts() {
    return row_texts(kTokenRows);
}
std::vector<RowText> client_certificate_row_texts() {
    return row_texts(kCertificateRows);
}

}  // namespace steer::config
