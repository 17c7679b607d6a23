// http_server: DNS over HTTP (RFC 8484), and the JSON API.
#include <algorithm>
#include <cctype>

#include "control/config/reference.h"
#include "control/config/sections/sections.h"
#include "control/config/sections/server_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// ---- one path

constexpr std::size_t kMaxPathBytes = 255;

void read_path(Reading& in, const Node& node, const Place& place, HttpPath& out) {
    if (!read_value(in, node, place, {}, out.path)) return;
    constexpr std::string_view kNotInPaths = "?#";  // RFC 3986 3.3
    if (!out.path.starts_with('/') || !is_printable_word(out.path) ||
        out.path.find_first_of(kNotInPaths) != std::string::npos) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(out.path) +
                                          ": expected a path such as /dns-query");
    } else if (out.path.size() > kMaxPathBytes) {
        in.report().error(place.line, place.name() + " has " + std::to_string(out.path.size()) +
                                          " characters: expected at most " +
                                          std::to_string(kMaxPathBytes));
    }
}

void read_exec(Reading& in, const Node& node, const Place& place, HttpPath& out) {
    std::string tag;
    if (!read_value(in, node, place, {}, tag)) return;
    if (const auto index = in.refer_bare(tag, Wanted::executor, place)) out.exec = *index;
}

constexpr std::array<Row<HttpPath>, 3> kPathRows{{
    {"path", Own<HttpPath>{"part of URLs", read_path}, "required", "",
     "path, as in `path: /dns-query`\nIt is compared exactly, without `?` and what follows."},
    {"exec", Own<HttpPath>{"tag", read_exec}, "required", "",
     "tag of the executor that processes the queries of this path"},
    {"json_api", &HttpPath::json_api, "false", "",
     "also answers the JSON API, as in `curl 'https://dns.example/dns-query?name=example.com'`\n"
     "The parameters and the response are as with Google's and Cloudflare's resolvers: a GET with "
     "`name`, and optionally `type`, `cd`, `do`, `edns_client_subnet` and `ct`."},
}};

void read_paths(Reading& in, const Node& node, const Place& place, StreamServer& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() +
                              ": expected a list with at least one '- { path: /dns-query, exec: "
                              "TAG }', found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    for (const Node& item : node.items) {
        const std::string owner =
            "entry " + std::to_string(out.paths.size() + 1) + " of " + std::string(place.owner);
        HttpPath path;
        path.line = item.line;
        read_rows(in, item, kPathRows, owner, path);
        const bool twice =
            std::ranges::any_of(out.paths, [&](const HttpPath& p) { return p.path == path.path; });
        if (twice && !path.path.empty()) {
            in.report().error(item.line, "'path' of " + owner + " is " +
                                             matchers::quoted(path.path) +
                                             ", which another entry also has: keep one of them");
        }
        out.paths.push_back(std::move(path));
    }
    out.entry = out.paths.front().exec;
}

// ---- who the client is

void read_header(Reading& in, const Node& node, const Place& place, StreamServer& out) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    name = lowered(name);
    const bool is_name = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!is_name) {
        in.report().error(place.line,
                          place.name() + " is " + matchers::quoted(name) +
                              ": expected the name of a header such as X-Forwarded-For");
    } else if (name == "forwarded") {
        in.report().error(place.line, place.name() +
                                          " is \"Forwarded\" (RFC 7239), which is not supported: "
                                          "let the proxy send X-Forwarded-For");
    } else {
        out.src_ip_header = std::move(name);
    }
}

void read_trusted(Reading& in, const Node& node, const Place& place, StreamServer& out) {
    out.trusted_proxies = read_prefixes(in, node, place);
}

constexpr std::array<Row<StreamServer>, 5> kHttpServerOwnRows{{
    {"entries", Own<StreamServer>{"list of parts of URLs", read_paths}, "required", "",
     "served paths, as in `entries: [{ path: /dns-query, exec: main }]`"},
    {"src_ip_header", Own<StreamServer>{"name", read_header}, "none", "",
     "header with the client's address, such as `X-Forwarded-For` or `CF-Connecting-IP`\nThe "
     "address is used in `allow`, limits and rules. The header is trusted only from loopback and "
     "`trusted_proxies`. If it lists several addresses, the last one that is not a trusted proxy "
     "is used."},
    {"trusted_proxies", Own<StreamServer>{"list of prefixes", read_trusted}, "none", "",
     "proxies whose `src_ip_header` is trusted\n`max_connections_per_client` does not apply to "
     "them, nor to proxies on this machine."},
    {"enable_http3", &StreamServer::http3, "false", "",
     "answer over HTTP/3, too, at the same port of UDP\nIt needs `cert` and `key`. HTTP/3 is in "
     "the "
     "process `steerdns-quic`. Answers over HTTP/2 and HTTP/1.1 name it (`Alt-Svc`). The limits of "
     "connections apply to HTTP/3 separately."},
    kEarlyDataRow,
}};
constexpr auto kHttpServerRows = joined(kHttpServerOwnRows, stream_server_rows("30s"));

void advise_http3(Reading& in, const Node& args, const Plugin& plugin, const StreamServer& server) {
    const int line = args.find("enable_http3")->line;
    if (server.tls.cert.empty()) {
        in.report().warn(line, "'enable_http3' of " + owner_of(plugin) +
                                   " has no effect without 'cert' and 'key': HTTP/3 is always "
                                   "encrypted");
    } else if (server.paths.size() > kMaxHttp3Paths) {
        in.report().error(
            line, "'enable_http3' of " + owner_of(plugin) + ": it has " +
                      std::to_string(server.paths.size()) + " 'entries', and HTTP/3 takes " +
                      std::to_string(kMaxHttp3Paths) + ": use fewer, or another http_server");
    } else if (!server.proxy_protocol.empty()) {
        in.report().warn(line, "'proxy_protocol' of " + owner_of(plugin) +
                                   " does not apply to HTTP/3: it has no form for QUIC");
    }
}

void advise(Reading& in, const Node& args, const Plugin& plugin, const StreamServer& server) {
    const Node* const header = args.find("src_ip_header");
    const Node* const trusted = args.find("trusted_proxies");
    if (!server.src_ip_header.empty() && trusted == nullptr) {
        in.report().warn(
            header->line,
            "'src_ip_header' of " + owner_of(plugin) +
                " is trusted only from proxies on this machine: add others to 'trusted_proxies'");
    }
    if (trusted != nullptr && header == nullptr) {
        in.report().warn(trusted->line, "'trusted_proxies' of " + owner_of(plugin) +
                                            " has no effect without 'src_ip_header'");
    }
    if (server.http3) advise_http3(in, args, plugin, server);
    check_early_data(in, args, plugin, server);
}

}  // namespace

const PluginType kHttpServerType{
    "http_server",
    Role::server,
    "Answers DNS over HTTPS (RFC 8484, GET and POST) over HTTP/2, "
    "HTTP/1.1, and HTTP/3 by `enable_http3`. `cert` and `key` enable TLS. Without them the server "
    "must be behind a TLS proxy, because browsers only use HTTPS.",
    "",
    "",
    [] { return row_texts(kHttpServerRows); },
    read_stream_server<kHttpServerRows, ServerProtocol::http, advise>,
    nullptr,
    {.reference = [](std::ostream& out) { write_part(out, "entries[]", row_texts(kPathRows)); }}};

}  // namespace steer::config
